//! `auth.verify_email`.

use model::{Account, AuditAction, AuditEntry, MailedToken, Purpose, Session, User};
use runtime::{Device, Ids, Limits, opaque::Opaque, prelude::*};

use crate::identity::{audit, limits, rights, sessions::Sessions};

/// The proof.
#[wire]
pub struct Input {
    /// The token that was mailed.
    #[garde(length(max = 100))]
    pub token: String,
}

/// Why the address is not proved.
#[derive(Debug, Failure)]
pub enum Error {
    /// The link is not good any more: it was used, it is older than 30 minutes, or the address is another one by now.
    #[failure(UNPROCESSABLE_CONTENT)]
    NotValid,
}

/// Prove that an e-mail address is one's own.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/verify-email")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn verify_email(
    users: Write<User>,
    accounts: Write<Account>,
    sessions: Write<Session>,
    tokens: Write<MailedToken>,
    log: Append<AuditEntry>,
    attempts: Limits,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), Error> {
    let stored = match Opaque::parse(&input.token) {
        Some(secret) => tokens.get(&secret.hash()).await?,
        None => None,
    };
    let Some(token) = stored.filter(|token| token.purpose == Purpose::VerifyEmail) else {
        limits::bad_token(&attempts, &device).await?;
        return Err(Error::NotValid);
    };
    let user = users.get(&token.user_id).await?.filter(|user| user.email == token.email).ok_or(Error::NotValid)?;
    let entry = AuditEntry {
        actor: Some(user.id.to_string()),
        ..audit::entry(AuditAction::EmailVerified, &ids, &clock, &device)
    };
    let besides = || vec![tokens.deleting(&token), log.creating(&mut entry.clone())];
    let next = User { is_verified: true, ..user.clone() };
    let doors = Sessions { accounts, sessions, clock };
    match rights::replace_user(&users, &doors, &user, &next, besides).await {
        // Somebody used the link at the same time.
        Err(StoreError::Stale) if tokens.get(&token.id).await?.is_none() => Err(Error::NotValid),
        done => Ok(done.map(drop)?),
    }
}
