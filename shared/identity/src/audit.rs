//! Entries of the audit log: the capability [`Audit`] writes them.

use std::fmt::Display;

use protocol::Fault;
use runtime::{BoxFuture, ClientInfo, Refusal, prelude::*};
use store::Operation;

use crate::{AuditAction, AuditEntry, UserId};

/// The detail of an entry about an address that has no account.
const NOBODY: &str = "nobody has the address";
/// How long one entry stands for all refusals of one procedure to one caller, or of all tokens from one network, in
/// milliseconds. Repeated attempts do not fill the table.
const REFUSED_MS: i64 = 15 * 60_000;

/// The capability to write audit entries: each holds what was done, when, and from which address.
#[derive(Clone, Capability)]
pub struct Audit {
    pub(crate) log: Create<AuditEntry>,
    pub(crate) ids: Ids,
    pub(crate) clock: Clock,
    pub(crate) client_info: ClientInfo,
}

impl Audit {
    /// Begins an entry. The caller of this function sets the other fields.
    pub fn entry(&self, action: AuditAction) -> AuditEntry {
        AuditEntry {
            id: self.ids.next(),
            at: self.clock.now(),
            action,
            actor: None,
            client: None,
            target: None,
            detail: None,
            address: self.client_info.address.clone(),
            version: Version::default(),
        }
    }

    /// Begins an entry about the user of an address, when nobody is signed in. An entry about an unknown address takes
    /// as much work to write.
    pub fn about(&self, action: AuditAction, (target, has_account): (UserId, bool)) -> AuditEntry {
        AuditEntry {
            target: Some(target.to_string()),
            detail: (!has_account).then(|| NOBODY.to_owned()),
            ..self.entry(action)
        }
    }

    /// Begins an entry about an action of a caller.
    pub fn by(&self, caller: &Caller, action: AuditAction) -> AuditEntry {
        let client = caller.client_id().filter(|id| *id != caller.subject()).map(str::to_owned);
        AuditEntry { actor: Some(caller.subject().to_owned()), client, ..self.entry(action) }
    }

    /// Begins an entry about what a caller did to a target.
    pub fn by_on(&self, caller: &Caller, action: AuditAction, target: impl Display) -> AuditEntry {
        AuditEntry { target: Some(target.to_string()), ..self.by(caller, action) }
    }

    /// Writes an entry.
    pub async fn create(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.log.create(entry).await.map(|_| ())
    }

    /// Returns [`Audit::create`] as an operation of a transaction.
    pub fn creating(&self, mut entry: AuditEntry) -> Operation {
        self.log.creating(&mut entry)
    }

    /// Writes that a signed-in caller gave a wrong password; `purpose` says for which purpose.
    pub async fn password_refused(&self, caller: &Caller, purpose: &str) -> Result<(), StoreError> {
        let entry = self.by(caller, AuditAction::PasswordRefused);
        self.create(AuditEntry { detail: Some(purpose.to_owned()), ..entry }).await
    }

    /// Writes that a token was refused; `purpose` says for which purpose. One entry stands for all refused tokens of one
    /// network in a while.
    pub async fn token_refused(&self, purpose: &str) -> Result<(), StoreError> {
        let mut entry = self.entry(AuditAction::TokenRefused);
        let span = entry.at.unix_ms().div_euclid(REFUSED_MS);
        entry.id = Ids::of_text(&format!("token-refused#{}#{purpose}#{span}", self.client_info.network()));
        entry.detail = Some(purpose.to_owned());
        self.create_once(entry).await
    }

    /// Returns the operations that record a sign-out, for the user who signed out.
    pub fn signed_out(&self) -> impl Fn(UserId) -> Vec<Operation> {
        |user| {
            let entry = self.entry(AuditAction::SignedOut);
            vec![self.creating(AuditEntry { actor: Some(user.to_string()), ..entry })]
        }
    }

    /// Writes an entry unless it is there already.
    async fn create_once(&self, entry: AuditEntry) -> Result<(), StoreError> {
        match self.create(entry).await {
            Err(StoreError::Exists) => Ok(()),
            done => done,
        }
    }
}

/// Writes that a caller was refused a procedure for want of a permission.
pub(crate) fn refused(session: store::StoreSession, refusal: Refusal) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        let Refusal { procedure, caller, client_info } = refusal;
        let at = session.now();
        let span = at.unix_ms().div_euclid(REFUSED_MS);
        let client = caller.client_id().unwrap_or_default();
        let id = Ids::of_text(&format!("refused#{}#{client}#{procedure}#{span}", caller.subject()));
        let audit = Audit { log: Create::new(session), ids: Ids::default(), clock: Clock::Fixed(at), client_info };
        let entry = audit.by(&caller, AuditAction::Refused);
        Ok(audit.create_once(AuditEntry { id, detail: Some(procedure.to_owned()), ..entry }).await?)
    })
}
