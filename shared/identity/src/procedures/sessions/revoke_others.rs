//! `sessions.revokeOthers`.

use runtime::prelude::*;

use crate::{AuditAction, Device, audit::Audit, sessions::Sessions};

/// What was signed out.
#[wire]
pub struct Revoked {
    /// How many devices and applications.
    pub count: u32,
}

/// Sign out everywhere but here. It counts from each device's next call.
#[procedure(mutation, auth = signed_in, sensitive, rest = "DELETE /v1/sessions")]
pub async fn revoke_others(sessions: Sessions, audit: Audit, caller: Caller) -> Result<Revoked, NoFailure> {
    let Ok(id) = caller.subject().parse() else { return Ok(Revoked { count: 0 }) };
    let is_other = |device: &Device| caller.session().is_none_or(|own| !device.has(own));
    let entry = || vec![audit.creating(audit.by(&caller, AuditAction::SignedOut))];
    let count = sessions.end(id, is_other, |_| {}, entry).await?;
    Ok(Revoked { count: u32::try_from(count).unwrap_or(u32::MAX) })
}
