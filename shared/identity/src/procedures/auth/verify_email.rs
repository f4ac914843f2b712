//! `auth.verifyEmail`.

use runtime::prelude::*;
use store::transaction;

use crate::{
    Account, AuditAction, AuditEntry, Device, GivenPassword, IdentityUser, Purpose, UsedFounderToken,
    account_lease::Contention,
    mailbox_proof::{Mailed, MailedProof, claimed, unmark_browser},
    notices::Notices,
    rights,
    sessions::ATTEMPTS,
};

/// The proof.
#[wire(input)]
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
    /// this with the password, or to choose another one.
    #[failure(PRECONDITION_FAILED)]
    PasswordNeeded,
}

/// Prove that an e-mail address is one's own, in the browser that registered or with the password of the registration.
///
/// Whoever else registered with it has proved nothing: their sessions end, and nothing stays of what they chose.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/verify-email", memory_mb = 1024, concurrency = 20)]
pub async fn verify_email<U: IdentityUser>(
    proof: MailedProof<U>,
    founders: Read<UsedFounderToken>,
    new_founders: Create<UsedFounderToken>,
    notices: Notices,
    caller: Option<Caller>,
    #[input] input: Input,
) -> Result<(), Error> {
    let mailed = proof.read(&input.token).await?;
    let Some(mailed) = mailed.filter(|mailed| mailed.token.purpose == Purpose::VerifyEmail) else {
        proof.refuse("verify_email").await?;
        return Err(Error::NotValid);
    };
    let MailedProof { users, sessions, tokens, audit, site, .. } = &proof;
    if !proof.is_claimed(&mailed, input.password.as_ref()).await? {
        if input.password.is_some() {
            let mut entry = audit.entry(AuditAction::PasswordRefused);
            (entry.target, entry.detail) = (Some(mailed.user.user_id().to_string()), Some("verify_email".to_owned()));
            audit.create(entry).await?;
        }
        // The holder of the link may choose a password: guesses at the one before are counted for the work they cause.
        proof.attempts.bad_token().await?;
        return Err(Error::PasswordNeeded);
    }
    let Mailed { token, user, .. } = mailed;
    let mut contention = Contention::default();
    for _ in 0..ATTEMPTS {
        let stored = sessions.read_for_ending(&user.user_id(), &mut contention).await?;
        let current = stored.clone().unwrap_or_else(|| Account::new(user.user_id()));
        if current.generation != token.generation {
            return Err(Error::NotValid);
        }
        let founder = token.claim.as_ref().and_then(|claim| claim.founder.clone());
        if let Some(id) = &founder
            && founders.get(id).await?.is_some()
        {
            return Err(Error::NotValid);
        }
        let (next, proved) = claimed(&user, &current, token.claim.as_ref(), site);
        // The signed-in devices belong to the person whose registration the account holds, not to a person with a later
        // claim.
        let is_own = |device: &Device| {
            let here = caller.as_ref().and_then(Caller::session);
            token.claim.is_none() && here.is_some_and(|session| device.has(session))
        };
        let (kept, others): (Vec<_>, Vec<_>) = current.devices.iter().cloned().partition(is_own);
        let mut operations = sessions.ending(&others).await?;
        operations.extend(rights::rewriting(sessions, &next, &kept).await?);
        let mut account = Account { devices: kept, ..proved };
        let entry = AuditEntry { actor: Some(user.user_id().to_string()), ..audit.entry(AuditAction::EmailVerified) };
        operations.extend([
            sessions.putting(stored.as_ref(), &mut account),
            users.replacing(&user, &mut next.clone()),
            tokens.deleting(&token),
            audit.creating(entry),
        ]);
        operations.extend(founder.map(|id| {
            let (user_id, used_at) = (user.user_id(), sessions.clock.now());
            new_founders.creating(&mut UsedFounderToken { id, user_id, used_at, version: Version::default() })
        }));
        match transaction(operations).await {
            Err(StoreError::Stale | StoreError::Exists) => {}
            // There is a first administrator by now, or the identity is linked to another user.
            Err(StoreError::Taken { .. }) => return Err(Error::NotValid),
            done => {
                done?;
                unmark_browser(&proof.cookies);
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
