//! `sessions.revoke`.

use runtime::prelude::*;

use crate::{AuditAction, AuditEntry, DeviceId, audit::Audit, sessions::Sessions};

/// Which device.
#[wire(input)]
pub struct Input {
    /// Its name in `sessions.list`.
    pub device: DeviceId,
}

/// Why nothing was signed out.
#[derive(Debug, Failure)]
pub enum Error {
    /// One is not signed in on this device. Whether somebody else is, is not told.
    #[failure(NOT_FOUND)]
    Missing(DeviceId),
}

/// Sign out on one of one's own devices, or from an application. It counts from the device's next call.
#[procedure(mutation, auth = signed_in, sensitive, rest = "DELETE /v1/sessions/{device}")]
pub async fn revoke(sessions: Sessions, audit: Audit, caller: Caller, #[input] input: Input) -> Result<(), Error> {
    let id = caller.subject().parse().map_err(|_| Error::Missing(input.device))?;
    let entry = || {
        let target = Some(input.device.to_string());
        vec![audit.creating(AuditEntry { target, ..audit.by(&caller, AuditAction::SignedOut) })]
    };
    match sessions.end(id, |device| device.device == input.device, |_| {}, entry).await? {
        0 => Err(Error::Missing(input.device)),
        _ => Ok(()),
    }
}
