//! Entries of the audit log.

use model::{AuditAction, AuditEntry, UserId};
use runtime::{Caller, Device, Ids, prelude::*};
use store::Operation;

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

/// Begins an entry about what a caller does.
pub(crate) fn by(caller: &Caller, action: AuditAction, ids: &Ids, clock: &Clock, device: &Device) -> AuditEntry {
    let client = caller.client_id().filter(|id| *id != caller.subject()).map(str::to_owned);
    AuditEntry { actor: Some(caller.subject().to_owned()), client, ..entry(action, ids, clock, device) }
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
