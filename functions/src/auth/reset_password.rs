//! `auth.reset_password`.

use model::{Account, AuditAction, AuditEntry, MailedToken, Password, Purpose, Session, User};
use runtime::{Cookies, Device, Ids, Limits, opaque::Opaque, password, prelude::*};

use crate::identity::{KNOWN, KNOWN_S, audit, expect_strong, limits, mails, sessions::Sessions};

/// The proof, and the new password.
#[wire]
pub struct Input {
    /// The token that was mailed.
    #[garde(length(chars, max = 100))]
    pub token: String,
    /// The new password, at least 12 characters.
    #[garde(dive)]
    pub password: Password,
}

/// Why the password stays.
#[derive(Debug, Failure)]
pub enum Error {
    /// The link is not good any more: it was used, it is older than 30 minutes, or the address is another one by now.
    #[failure(UNPROCESSABLE_CONTENT)]
    NotValid,
}

/// Choose another password with a link that was mailed.
///
/// It signs the account out everywhere, since somebody else may have been in, and proves the address.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/reset-password", memory_mb = 1024)]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn reset_password(
    users: Write<User>,
    accounts: Write<Account>,
    sessions: Write<Session>,
    tokens: Write<MailedToken>,
    log: Append<AuditEntry>,
    attempts: Limits,
    cookies: Cookies,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), Error> {
    let stored = match Opaque::parse(&input.token) {
        Some(secret) => tokens.get(&secret.hash()).await?,
        None => None,
    };
    let Some(token) = stored.filter(|token| token.purpose == Purpose::ResetPassword) else {
        limits::bad_token(&attempts, &device).await?;
        return Err(Error::NotValid);
    };
    let user = users.get(&token.user_id).await?.filter(|user| user.email.is_same_as(&token.email)).ok_or(Error::NotValid)?;
    expect_strong(&input.password, &[user.email.as_str(), &user.name])?;
    let hash = password::hash(input.password.as_str()).await?;
    let doors = Sessions { accounts, sessions, clock };
    let was = token.password_was.clone();
    if mails::password_was(doors.accounts.get(&user.id).await?.as_ref()) != was {
        return Err(Error::NotValid);
    }
    let browser = Opaque::random()?;
    let change = |account: &mut Account| {
        account.password = Some(hash.clone());
        account.known = vec![browser.hash()];
        if !user.is_verified {
            // Who linked an account elsewhere before the address was proved need not be its owner.
            account.identities.clear();
        }
    };
    let entry = AuditEntry {
        actor: Some(user.id.to_string()),
        ..audit::entry(AuditAction::PasswordReset, &ids, &clock, &device)
    };
    let besides = || {
        let mut proved = User { is_verified: true, ..user.clone() };
        vec![tokens.deleting(&token), log.creating(&mut entry.clone()), users.replacing(&user, &mut proved)]
    };
    match doors.end(user.id, |_| true, change, besides).await {
        // Somebody used the link at the same time.
        Err(StoreError::Stale) if tokens.get(&token.id).await?.is_none() => Err(Error::NotValid),
        done => {
            done?;
            // Strangers who guess do not keep the owner out of this browser.
            cookies.set(KNOWN, &browser, KNOWN_S);
            Ok(())
        }
    }
}
