//! `auth.verify_email`.

use model::{
    Account, AuditAction, AuditEntry, Device as Place, GivenPassword, MailedToken, Purpose, Session, UsedFounderToken,
    User,
};
use runtime::{Cookies, Device, Ids, Limits, Site, prelude::*};

use store::transaction;

use crate::identity::{
    audit,
    lease::Contest,
    limits,
    notices::Notices,
    proof::{self, Mailed},
    rights,
    sessions::{ATTEMPTS, Sessions},
};

/// The proof.
#[wire]
pub struct Input {
    /// The token that was mailed.
    #[garde(length(chars, max = 100))]
    pub token: String,
    /// The password of the registration. The browser that registered may leave it out.
    #[garde(dive)]
    pub password: Option<GivenPassword>,
}

/// Why the address is not proved.
#[derive(Debug, Failure)]
pub enum Error {
    /// The link is not good any more: it was used, it is older than 30 minutes, or the account is another one by now: its
    /// address, its proof, its password, or what an administrator decided. Ask for another link.
    #[failure(UNPROCESSABLE_CONTENT)]
    NotValid,
    /// Neither is this the browser that registered, nor the password that of the registration. The token stays good: for
    /// this with the password, or to choose another one at `auth.reset_password`.
    #[failure(PRECONDITION_FAILED)]
    PasswordNeeded,
}

/// Prove that an e-mail address is one's own, in the browser that registered or with the password of the registration.
///
/// Whoever else registered with it has proved nothing: their sessions end, and nothing stays of what they chose.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/verify-email", memory_mb = 1024, concurrency = 20)]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn verify_email(
    users: Write<User>,
    accounts: Write<Account>,
    sessions: Write<Session>,
    tokens: Write<MailedToken>,
    founders: Write<UsedFounderToken>,
    log: Append<AuditEntry>,
    attempts: Limits,
    notices: Notices,
    caller: Option<Caller>,
    cookies: Cookies,
    site: Site,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), Error> {
    let mailed = Mailed::read(&input.token, &tokens, &users, &accounts).await?;
    let Some(mailed) = mailed.filter(|mailed| mailed.token.purpose == Purpose::VerifyEmail) else {
        audit::token_refused(&log, "verify_email", (&ids, &clock, &device)).await?;
        limits::bad_token(&attempts, &device).await?;
        return Err(Error::NotValid);
    };
    if !mailed.is_claimed(&cookies, input.password.as_ref()).await? {
        if input.password.is_some() {
            let mut entry = audit::entry(AuditAction::PasswordRefused, &ids, &clock, &device);
            (entry.target, entry.detail) = (Some(mailed.user.id.to_string()), Some("verify_email".to_owned()));
            log.create(entry).await?;
        }
        // Whoever has the link may choose a password: guesses at the one before are counted for the work they are.
        limits::bad_token(&attempts, &device).await?;
        return Err(Error::PasswordNeeded);
    }
    let Mailed { token, user, .. } = mailed;
    let doors = Sessions { accounts, sessions, clock };
    let mut contest = Contest::default();
    for _ in 0..ATTEMPTS {
        let stored = doors.to_end(&user.id, &mut contest).await?;
        let current = stored.clone().unwrap_or_else(|| Account::new(user.id));
        if current.generation != token.generation {
            return Err(Error::NotValid);
        }
        let founder = token.claim.as_ref().and_then(|claim| claim.founder.clone());
        if let Some(id) = &founder
            && founders.get(id).await?.is_some()
        {
            return Err(Error::NotValid);
        }
        let (next, proved) = proof::claimed(&user, &current, token.claim.as_ref(), &site);
        // Who is signed in got in with what the account holds: that is not theirs who brings a claim of their own.
        let is_own = |place: &Place| {
            let here = caller.as_ref().and_then(Caller::session);
            token.claim.is_none() && here.is_some_and(|session| place.has(session))
        };
        let (kept, others): (Vec<_>, Vec<_>) = current.devices.iter().cloned().partition(is_own);
        let mut operations = doors.ending(&others).await?;
        operations.extend(rights::rewriting(&doors, &next, &kept).await?);
        let mut account = Account { devices: kept, ..proved };
        let mut entry = AuditEntry {
            actor: Some(user.id.to_string()),
            ..audit::entry(AuditAction::EmailVerified, &ids, &doors.clock, &device)
        };
        operations.extend([
            doors.putting(stored.as_ref(), &mut account),
            users.replacing(&user, &mut next.clone()),
            tokens.deleting(&token),
            log.creating(&mut entry),
        ]);
        operations.extend(founder.map(|id| {
            let (user_id, used_at) = (user.id, doors.clock.now());
            founders.creating(&mut UsedFounderToken { id, user_id, used_at, version: Version::default() })
        }));
        match transaction(operations).await {
            Err(StoreError::Stale | StoreError::Exists) => {}
            // By now there is a first administrator, or the account elsewhere is somebody else's.
            Err(StoreError::Taken { .. }) => return Err(Error::NotValid),
            done => {
                done?;
                proof::unmark(&cookies);
                notices.tell_dropped(&user.email, &current, &account).await;
                return Ok(());
            }
        }
        if tokens.get(&token.id).await?.is_none() {
            // Somebody used the link at the same time.
            return Err(Error::NotValid);
        }
    }
    Err(StoreError::Stale)?
}
