//! Reauthentication: a signed-in user proves their identity again, for procedures that require a recent proof.

use protocol::{Fault, SecretHash};
use runtime::{Cookies, prelude::*, sessions::COOKIE};
use store::{Operation, transaction};

use super::{
    audit::Audit,
    sessions::{ATTEMPTS, SessionSecret, Sessions},
    sign_in_flows::{Ended, Refusal},
    sign_in_refused,
};
use crate::{
    Account, AuditAction, AuditEntry, FlowSession, LinkedIdentity, Proof, Session, UserId, federation::Identity,
};

impl Sessions {
    /// Records that the user of a device proved their identity at `at`. The device gets another secret, and the
    /// previous one is void (OWASP ASVS 5.0, 7.2.4): the holder of a copy gains nothing by the proof.
    ///
    /// `check`: whether the proof still holds for the account as it is now. `extra_operations`: further operations of
    /// the transaction.
    pub(crate) async fn reauthenticate(
        &self,
        (user_id, session): (UserId, &SecretHash),
        at: Timestamp,
        check: impl Fn(&Account) -> Result<(), Fault>,
        extra_operations: impl Fn() -> Vec<Operation>,
    ) -> Result<(SessionSecret, Session), Fault> {
        let ended = || sign_in_refused("You were signed out. Sign in again.");
        for _ in 0..ATTEMPTS {
            let current = self.read_unleased(&user_id).await?.ok_or_else(ended)?;
            check(&current)?;
            let mut account = current.clone();
            let device = account.devices.iter_mut().find(|device| device.has(session)).ok_or_else(ended)?;
            // The session was renewed in between.
            let Some(before) = self.stored.get(&device.session).await? else { continue };
            let kept = match before.proof {
                Proof::Cookie { .. } => SessionSecret::cookie()?,
                Proof::Tokens { .. } => SessionSecret::tokens()?,
                Proof::Application { .. } => return Err(ended()),
            };
            let mut next = Session {
                id: kept.id(),
                proof: kept.proof(),
                authenticated_at: Some(at),
                ..self.renewed(&before, self.clock.now())
            };
            let mut operations = self.ending(std::slice::from_ref(device)).await?;
            (device.session, device.replaced) = (next.id.clone(), None);
            operations.push(self.begun.creating(&mut next));
            operations.push(self.putting(Some(&current), &mut account));
            operations.extend(extra_operations());
            match transaction(operations).await {
                Err(StoreError::Stale) => {}
                done => return Ok(done.map(|()| (kept, next))?),
            }
        }
        Err(StoreError::Stale.into())
    }
}

/// The capability to accept a provider's answer as the proof of a signed-in user's identity.
#[derive(Clone, Capability)]
pub struct Reauthentication {
    pub(crate) sessions: Sessions,
    pub(crate) audit: Audit,
    pub(crate) cookies: Cookies,
}

impl Reauthentication {
    /// Ends a flow. `at` is when the provider authenticated the user, and none if it states no time.
    pub(crate) async fn end(
        &self,
        flow_session: &FlowSession,
        identity: &Identity,
        at: Option<Timestamp>,
    ) -> Result<(), Ended> {
        let at = at.ok_or(Refusal::NotFresh)?;
        let is_it = |it: &LinkedIdentity| it.provider == identity.provider && it.subject == identity.subject;
        let account = self.sessions.accounts.get(&flow_session.user_id).await?.ok_or(Refusal::Expired)?;
        if !account.identities.iter().any(is_it) {
            return Err(Refusal::OtherAccount.into());
        }
        // The next secret may go only to the browser that began the flow, on which the same device is still signed in.
        let browser_session = self.cookies.get(COOKIE).map(|cookie| cookie.hash());
        let device = account.devices.iter().find(|device| device.has(&flow_session.session)).ok_or(Refusal::Expired)?;
        let browser_session =
            browser_session.filter(|browser_session| device.has(browser_session)).ok_or(Refusal::Expired)?;
        let check = |account: &Account| match account.identities.iter().any(is_it) {
            true => Ok(()),
            false => Err(sign_in_refused("The account elsewhere is not linked any more.")),
        };
        let extra_operations = || {
            let entry = self.audit.entry(AuditAction::Reauthenticated);
            let (actor, detail) = (Some(flow_session.user_id.to_string()), Some(identity.provider.clone()));
            vec![self.audit.creating(AuditEntry { actor, detail, ..entry })]
        };
        if let (SessionSecret::Cookie(secret), _) =
            self.sessions.reauthenticate((flow_session.user_id, &browser_session), at, check, extra_operations).await?
        {
            self.cookies.sign_in(&secret);
        }
        Ok(())
    }
}
