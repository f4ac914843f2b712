//! The devices and applications on which a user is signed in, as the user sees them.

use protocol::SecretHash;
use runtime::prelude::*;

use crate::{Device, DeviceId, DeviceKind, Session};

/// A device, or an application, on which a user is signed in.
#[wire]
pub struct SignedInDevice {
    /// Names it, for `sessions.revoke`.
    pub device: DeviceId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What it is.
    pub kind: DeviceKind,
    /// The application, when it is one.
    pub client_id: Option<String>,
    /// What the application may do; empty for own devices.
    pub scopes: Vec<String>,
    /// When it was signed in.
    pub created_at: Timestamp,
    /// When the person last proved there who they are; null for an application.
    pub authenticated_at: Option<Timestamp>,
    /// When its session was last renewed.
    pub renewed_at: Timestamp,
    /// When its session ends if it is not renewed.
    pub expires_at: Timestamp,
    /// From which network address it was signed in.
    pub address: String,
    /// What the program calls itself.
    pub agent: String,
}

/// The devices whose sessions have not ended, newest first. `own`: the session that calls.
pub async fn devices(
    sessions: &Read<Session>,
    places: &[Device],
    own: Option<&SecretHash>,
) -> Result<Vec<SignedInDevice>, StoreError> {
    let stored = sessions.get_many(&places.iter().map(|place| place.session.clone()).collect::<Vec<_>>()).await?;
    let is_own = |place: &Device| own.is_some_and(|own| place.has(own));
    let items = places.iter().zip(stored).rev().filter_map(|(place, session)| {
        let session = session?;
        let (client_id, scopes) = session.application().map(|(id, scopes)| (id.to_owned(), scopes.to_vec())).unzip();
        Some(SignedInDevice {
            device: session.device,
            current: is_own(place),
            kind: session.kind(),
            client_id,
            scopes: scopes.unwrap_or_default(),
            created_at: session.created_at,
            authenticated_at: session.authenticated_at,
            renewed_at: session.renewed_at,
            expires_at: session.expires_at,
            address: session.address,
            agent: session.agent,
        })
    });
    Ok(items.collect())
}
