//! `sessions.list`.

use runtime::prelude::*;

use crate::{
    Account, Session,
    devices::{SignedInDevice, devices},
};

/// Where a user is signed in.
#[wire]
pub struct Devices {
    /// Each device and application, newest first.
    pub items: Vec<SignedInDevice>,
}

/// List the devices and applications on which one is signed in.
#[procedure(query, auth = signed_in, sensitive, rest = "GET /v1/sessions")]
pub async fn list(accounts: Read<Account>, sessions: Read<Session>, caller: Caller) -> Result<Devices, NoFailure> {
    let account = match caller.subject().parse() {
        Ok(id) => accounts.get(&id).await?,
        // An operator has no account.
        Err(_) => None,
    };
    let places = account.map(|account| account.devices).unwrap_or_default();
    Ok(Devices { items: devices(&sessions, &places, caller.session()).await? })
}
