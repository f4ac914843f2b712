//! Entries of the audit log.

use model::{AuditAction, AuditEntry, UserId};
use protocol::Fault;
use runtime::{BoxFuture, Caller, Device, Ids, Refusal, prelude::*};
use store::Operation;

/// What is said of an address that nobody has.
const NOBODY: &str = "nobody has the address";

/// Begins an entry. Whoever writes it says the rest.
pub(crate) fn entry(action: AuditAction, ids: &Ids, clock: &Clock, device: &Device) -> AuditEntry {
    AuditEntry {
        id: ids.next(),
        at: clock.now(),
        action,
        actor: None,
        client: None,
        target: None,
        detail: None,
        address: device.address.clone(),
        version: Version::default(),
    }
}

/// Begins an entry about somebody who is asked about by an address, when nobody is signed in who did it. One about nobody
/// takes as much work to write.
pub(crate) fn about(
    action: AuditAction,
    (target, is_somebody): (UserId, bool),
    (ids, clock, device): (&Ids, &Clock, &Device),
) -> AuditEntry {
    AuditEntry {
        target: Some(target.to_string()),
        detail: (!is_somebody).then(|| NOBODY.to_owned()),
        ..entry(action, ids, clock, device)
    }
}

/// Begins an entry about what a caller does.
pub(crate) fn by(caller: &Caller, action: AuditAction, ids: &Ids, clock: &Clock, device: &Device) -> AuditEntry {
    let client = caller.client_id().filter(|id| *id != caller.subject()).map(str::to_owned);
    AuditEntry { actor: Some(caller.subject().to_owned()), client, ..entry(action, ids, clock, device) }
}

/// Writes down that somebody who is signed in gave a wrong password; `what`: for what.
pub(crate) async fn password_refused(
    log: &Append<AuditEntry>,
    caller: &Caller,
    what: &str,
    (ids, clock, device): (&Ids, &Clock, &Device),
) -> Result<(), StoreError> {
    let mut entry = by(caller, AuditAction::PasswordRefused, ids, clock, device);
    entry.detail = Some(what.to_owned());
    log.create(entry).await.map(|_| ())
}

/// Writes down that somebody came with a token that is not good; `what`: for what. One entry stands for all that came from
/// one network in a while.
pub(crate) async fn token_refused(
    log: &Append<AuditEntry>,
    what: &str,
    (ids, clock, device): (&Ids, &Clock, &Device),
) -> Result<(), StoreError> {
    let mut entry = entry(AuditAction::TokenRefused, ids, clock, device);
    let span = entry.at.unix_ms().div_euclid(REFUSED_MS);
    entry.id = Ids::of_text(&format!("token-refused#{}#{what}#{span}", device.network()));
    entry.detail = Some(what.to_owned());
    create_once(log, entry).await
}

/// Writes an entry unless it is there already.
async fn create_once(log: &Append<AuditEntry>, entry: AuditEntry) -> Result<(), StoreError> {
    match log.create(entry).await {
        Err(StoreError::Exists) => Ok(()),
        done => done.map(|_| ()),
    }
}

/// For how long one entry stands for all refusals of one procedure to one caller, or of tokens from one network, in
/// milliseconds: who tries over and over fills no table.
const REFUSED_MS: i64 = 15 * 60_000;

/// Writes down that somebody was refused what they may not do.
pub(crate) fn refused(session: store::Session, refusal: Refusal) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        let Refusal { procedure, principal, device } = refusal;
        let at = session.now();
        let caller = Caller::new(principal);
        let span = at.unix_ms().div_euclid(REFUSED_MS);
        let client = caller.client_id().unwrap_or_default();
        let id = Ids::of_text(&format!("refused#{}#{client}#{procedure}#{span}", caller.subject()));
        let entry = by(&caller, AuditAction::Refused, &Ids::default(), &Clock::Fixed(at), &device);
        let entry = AuditEntry { id, detail: Some(procedure.to_owned()), ..entry };
        Ok(create_once(&Append::new(session), entry).await?)
    })
}

/// What is written when somebody leaves a device.
pub(crate) fn signed_out(
    log: &Append<AuditEntry>,
    ids: &Ids,
    clock: &Clock,
    device: &Device,
) -> impl Fn(UserId) -> Vec<Operation> {
    move |user| {
        let actor = Some(user.to_string());
        vec![log.creating(&mut AuditEntry { actor, ..entry(AuditAction::SignedOut, ids, clock, device) })]
    }
}
