//! Entries of the audit log.

use protocol::Fault;
use runtime::{BoxFuture, ClientInfo, Refusal, prelude::*};
use store::Operation;

use crate::{AuditAction, AuditEntry, UserId};

/// What is said of an address that nobody has.
const NOBODY: &str = "nobody has the address";
/// For how long one entry stands for all refusals of one procedure to one caller, or of tokens from one network, in
/// milliseconds: who tries over and over fills no table.
const REFUSED_MS: i64 = 15 * 60_000;

/// The capability to write down what is done, and from where it came.
#[derive(Clone, Capability)]
pub struct Audit {
    pub(crate) log: Create<AuditEntry>,
    pub(crate) ids: Ids,
    pub(crate) clock: Clock,
    pub(crate) client_info: ClientInfo,
}

impl Audit {
    /// Begins an entry. Whoever writes it says the rest.
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

    /// Begins an entry about somebody who is asked about by an address, when nobody is signed in who did it. One about
    /// nobody takes as much work to write.
    pub fn about(&self, action: AuditAction, (target, is_somebody): (UserId, bool)) -> AuditEntry {
        AuditEntry {
            target: Some(target.to_string()),
            detail: (!is_somebody).then(|| NOBODY.to_owned()),
            ..self.entry(action)
        }
    }

    /// Begins an entry about what a caller does.
    pub fn by(&self, caller: &Caller, action: AuditAction) -> AuditEntry {
        let client = caller.client_id().filter(|id| *id != caller.subject()).map(str::to_owned);
        AuditEntry { actor: Some(caller.subject().to_owned()), client, ..self.entry(action) }
    }

    /// Writes an entry.
    pub async fn create(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.log.create(entry).await.map(|_| ())
    }

    /// [`Audit::create`] as a part of a transaction.
    pub fn creating(&self, mut entry: AuditEntry) -> Operation {
        self.log.creating(&mut entry)
    }

    /// Writes down that somebody who is signed in gave a wrong password; `what`: for what.
    pub async fn password_refused(&self, caller: &Caller, what: &str) -> Result<(), StoreError> {
        let entry = self.by(caller, AuditAction::PasswordRefused);
        self.create(AuditEntry { detail: Some(what.to_owned()), ..entry }).await
    }

    /// Writes down that somebody came with a token that is not good; `what`: for what. One entry stands for all that came
    /// from one network in a while.
    pub async fn token_refused(&self, what: &str) -> Result<(), StoreError> {
        let mut entry = self.entry(AuditAction::TokenRefused);
        let span = entry.at.unix_ms().div_euclid(REFUSED_MS);
        entry.id = Ids::of_text(&format!("token-refused#{}#{what}#{span}", self.client_info.network()));
        entry.detail = Some(what.to_owned());
        self.create_once(entry).await
    }

    /// What is written when somebody leaves a device.
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

/// Writes down that somebody was refused what they may not do.
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
