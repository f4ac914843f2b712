//! `sessions.revoke_others`.

use model::{Account, AuditAction, AuditEntry, Device as Place, Session};
use runtime::{Device, Ids, prelude::*};

use crate::identity::{audit, sessions::Sessions};

/// What was signed out.
#[wire]
pub struct Revoked {
    /// How many devices and applications.
    pub count: u32,
}

/// Sign out everywhere but here. It counts from each device's next call.
#[procedure(mutation, auth = signed_in, sensitive, rest = "DELETE /v1/sessions")]
pub async fn revoke_others(
    accounts: Write<Account>,
    sessions: Write<Session>,
    log: Append<AuditEntry>,
    caller: Caller,
    device: Device,
    clock: Clock,
    ids: Ids,
) -> Result<Revoked, NoFailure> {
    let Ok(id) = caller.subject().parse() else { return Ok(Revoked { count: 0 }) };
    let doors = Sessions { accounts, sessions, clock };
    let is_other = |place: &Place| caller.session().is_none_or(|own| !place.has(own));
    let entry = || vec![log.creating(&mut audit::by(&caller, AuditAction::SignedOut, &ids, &clock, &device))];
    let count = doors.end(id, is_other, |_| {}, entry).await?;
    Ok(Revoked { count: u32::try_from(count).unwrap_or(u32::MAX) })
}
