//! `auth.verify_email`.

use model::{Account, AuditAction, AuditEntry, Device as Place, MailedToken, Purpose, Session, User};
use runtime::{Device, Ids, Limits, opaque::Opaque, prelude::*};

use store::transaction;

use crate::identity::{
    audit, limits, rights,
    sessions::{ATTEMPTS, Sessions},
};

/// The proof.
#[wire]
pub struct Input {
    /// The token that was mailed.
    #[garde(length(chars, max = 100))]
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
///
/// Whoever registered with it before has proved nothing: their sessions end, but for the one that makes this call, and
/// the password is that of whom the link was mailed to.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/verify-email")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn verify_email(
    users: Write<User>,
    accounts: Write<Account>,
    sessions: Write<Session>,
    tokens: Write<MailedToken>,
    log: Append<AuditEntry>,
    attempts: Limits,
    caller: Option<Caller>,
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
    let user = users.get(&token.user_id).await?.filter(|user| user.email.is_same_as(&token.email)).ok_or(Error::NotValid)?;
    let next = User { is_verified: true, ..user.clone() };
    let doors = Sessions { accounts, sessions, clock };
    for _ in 0..ATTEMPTS {
        let stored = doors.accounts.get(&user.id).await?;
        let current = stored.clone().unwrap_or_else(|| Account::new(user.id));
        // Whoever was in before need not be the owner of the address: only who proves it now stays.
        let is_other = token.password.is_some() && token.password != current.password;
        let is_own = |place: &Place| {
            !is_other && caller.as_ref().and_then(Caller::session).is_some_and(|session| place.has(session))
        };
        let (kept, others): (Vec<_>, Vec<_>) = current.devices.iter().cloned().partition(is_own);
        let mut operations = doors.ending(&others).await?;
        operations.extend(rights::rewriting(&doors, &next, &kept).await?);
        let mut account = Account { devices: kept, ..current.clone() };
        if is_other {
            account =
                Account { password: token.password.clone(), identities: Vec::new(), known: Vec::new(), ..account };
        }
        let mut entry = AuditEntry {
            actor: Some(user.id.to_string()),
            ..audit::entry(AuditAction::EmailVerified, &ids, &clock, &device)
        };
        operations.extend([
            match &stored {
                Some(stored) => doors.accounts.replacing(stored, &mut account),
                None => doors.accounts.creating(&mut account),
            },
            users.replacing(&user, &mut next.clone()),
            tokens.deleting(&token),
            log.creating(&mut entry),
        ]);
        match transaction(operations).await {
            Err(StoreError::Stale | StoreError::Exists) => {}
            done => return Ok(done?),
        }
        if tokens.get(&token.id).await?.is_none() {
            // Somebody used the link at the same time.
            return Err(Error::NotValid);
        }
    }
    Err(StoreError::Stale)?
}
