//! `auth.resetPassword`.

use runtime::{opaque::Opaque, prelude::*};
use store::transaction;

use crate::{
    Account, AuditAction, AuditEntry, IdentityUser, KNOWN_BROWSER_COOKIE, KNOWN_BROWSER_S, Password,
    account_lease::Contention,
    expect_strong,
    mailbox_proof::{Mailed, MailedProof, recovered, unmark_browser},
    name,
    notices::{Notice, Notices},
    password,
    sessions::ATTEMPTS,
};

/// The proof, and the new password.
#[wire(input)]
pub struct Input {
    /// The token that was mailed: for a new password, or to confirm the address.
    #[garde(length(chars, max = 100))]
    pub token: String,
    /// The new password, at least 12 characters.
    #[garde(dive)]
    pub password: Password,
    /// The name that others see. If left out it stays, or is what stands before the `@` where somebody else may have
    /// chosen it: as long as nobody had proved the address.
    #[garde(length(chars, min = 1, max = name::MAX_CHARS))]
    pub name: Option<String>,
}

/// Why the password stays.
#[derive(Debug, Failure)]
pub enum Error {
    /// The link is not good any more: it was used, it is older than 30 minutes, or the account is another one by now:
    /// its address, its proof, its password, or what an administrator decided. Ask for another link.
    #[failure(UNPROCESSABLE_CONTENT)]
    NotValid,
}

/// Choose another password with a link that was mailed.
///
/// It proves the address. Since somebody else may have been in, it signs the account out everywhere, unlinks all
/// accounts at identity providers, and voids every other link that was mailed.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/reset-password", memory_mb = 1024, concurrency = 20)]
pub async fn reset_password<U: IdentityUser>(
    proof: MailedProof<U>,
    notices: Notices,
    #[input] input: Input,
) -> Result<(), Error> {
    let Some(Mailed { token, user, .. }) = proof.read(&input.token).await? else {
        proof.refuse("reset_password").await?;
        return Err(Error::NotValid);
    };
    let MailedProof { users, sessions, tokens, audit, site, cookies, .. } = &proof;
    let name = input.name.as_deref();
    expect_strong(&input.password, proof.service, &[user.email().as_str(), name.unwrap_or(user.name())])?;
    let hash = password::hash(input.password.as_str()).await?;
    let browser = Opaque::random()?;
    let mut contention = Contention::default();
    for _ in 0..ATTEMPTS {
        let stored = sessions.read_for_ending(&user.user_id(), &mut contention).await?;
        let current = stored.clone().unwrap_or_else(|| Account::new(user.user_id()));
        if current.generation != token.generation {
            return Err(Error::NotValid);
        }
        let (mut next, account) = recovered(&user, &current, &hash, name, site);
        let mut account = Account { devices: Vec::new(), known: vec![browser.hash()], ..account };
        let entry = AuditEntry { actor: Some(user.user_id().to_string()), ..audit.entry(AuditAction::PasswordReset) };
        let mut operations = sessions.ending(&current.devices).await?;
        operations.extend([
            sessions.putting(stored.as_ref(), &mut account),
            users.replacing(&user, &mut next),
            tokens.deleting(&token),
            audit.creating(entry),
        ]);
        match transaction(operations).await {
            Err(StoreError::Stale | StoreError::Exists) => {}
            done => {
                done?;
                unmark_browser(cookies);
                // Strangers who guess do not lock the owner out of this browser.
                cookies.set(KNOWN_BROWSER_COOKIE, &browser, KNOWN_BROWSER_S);
                notices.notify(user.email(), Notice::PasswordReset).await;
                notices.notify_unlinked(user.email(), &current, &account).await;
                return Ok(());
            }
        }
        if tokens.get(&token.id).await?.is_none() {
            // Another request used the link at the same time.
            return Err(Error::NotValid);
        }
    }
    Err(StoreError::Stale)?
}
