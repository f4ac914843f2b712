//! `sessions.revoke`.

use model::{Account, AuditAction, AuditEntry, DeviceId, Session};
use runtime::{Device, Ids, prelude::*};

use crate::identity::{audit, sessions::Sessions};

/// Which device.
#[wire]
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
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn revoke(
    accounts: Write<Account>,
    sessions: Write<Session>,
    log: Append<AuditEntry>,
    caller: Caller,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), Error> {
    let id = caller.subject().parse().map_err(|_| Error::Missing(input.device))?;
    let doors = Sessions { accounts, sessions, clock };
    let entry = || {
        let target = Some(input.device.to_string());
        let mut entry = AuditEntry { target, ..audit::by(&caller, AuditAction::SignedOut, &ids, &clock, &device) };
        vec![log.creating(&mut entry)]
    };
    match doors.end(id, |place| place.device == input.device, |_| {}, entry).await? {
        0 => Err(Error::Missing(input.device)),
        _ => Ok(()),
    }
}
