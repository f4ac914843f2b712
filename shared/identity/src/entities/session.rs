//! Sessions: one for each signed-in device, and one for each application that acts for a user.

use macros::{Entity, wire};
use protocol::{Client, Principal, Rotation, SecretHash, StoredSession, Timestamp, Version, id};
use serde::{Deserialize, Serialize};

use crate::UserId;

id! {
    /// Names one device, or application, on which a user is signed in. It stays when its secrets change.
    pub struct DeviceId;
}

/// What a signed-in session is used by.
#[wire]
pub enum DeviceKind {
    /// A browser, with a cookie.
    Cookie,
    /// A program of the service's own, with tokens.
    Tokens,
    /// A third party's application, with tokens.
    Application,
}

/// What proves a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Proof {
    /// A cookie.
    Cookie {
        /// Set when another secret replaced it a moment ago: the new one derives from this and the cookie's secret.
        successor: Option<String>,
    },
    /// Refresh tokens.
    Tokens {
        /// The valid refresh tokens.
        rotation: Rotation,
    },
    /// Refresh tokens of an application.
    Application {
        /// The application.
        client_id: String,
        /// The scopes that it has.
        scopes: Vec<String>,
        /// The valid refresh tokens.
        rotation: Rotation,
    },
}

/// A signed-in user on one device. Found by the hash of a secret that only that device has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "session")]
pub struct Session {
    /// The hash of the session's secret.
    #[entity(id)]
    pub id: SecretHash,
    /// The device.
    pub device: DeviceId,
    /// The signed-in user.
    pub user_id: UserId,
    /// The name of the user's role: a copy, which a change of the role updates, so that one read suffices. None as long
    /// as the user's address is not verified.
    pub role: Option<String>,
    /// What proves the session.
    pub proof: Proof,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When the user last proved their identity: at the sign-in, or since. Renewals do not change it. None for an
    /// application, which no person sits at.
    pub authenticated_at: Option<Timestamp>,
    /// When the session was last renewed.
    pub renewed_at: Timestamp,
    /// When it ends unless it is renewed.
    #[entity(expires_at)]
    pub expires_at: Timestamp,
    /// When it ends, even if it is renewed.
    pub ends_at: Timestamp,
    /// Whether the user's rights changed since the last renewal.
    pub changed: bool,
    /// The network address from which the user signed in.
    pub address: String,
    /// What the program calls itself.
    pub agent: String,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

impl Session {
    /// The application that uses it, and the application's scopes.
    pub fn application(&self) -> Option<(&str, &[String])> {
        match &self.proof {
            Proof::Application { client_id, scopes, .. } => Some((client_id, scopes)),
            Proof::Cookie { .. } | Proof::Tokens { .. } => None,
        }
    }

    /// The kind of device that uses it.
    pub fn kind(&self) -> DeviceKind {
        match self.proof {
            Proof::Cookie { .. } => DeviceKind::Cookie,
            Proof::Tokens { .. } => DeviceKind::Tokens,
            Proof::Application { .. } => DeviceKind::Application,
        }
    }
}

impl StoredSession for Session {
    fn principal(&self) -> Principal {
        let client = match &self.proof {
            Proof::Application { client_id, scopes, .. } => {
                Some(Client { id: client_id.clone(), scopes: scopes.clone(), for_itself: false })
            }
            Proof::Cookie { .. } | Proof::Tokens { .. } => None,
        };
        Principal {
            subject: self.user_id.to_string(),
            roles: self.role.iter().cloned().collect(),
            client,
            session: Some(self.id.clone()),
            authenticated_at: self.authenticated_at,
        }
    }
    fn is_cookie(&self) -> bool {
        matches!(self.proof, Proof::Cookie { .. })
    }
    fn wants_renewal(&self, now: Timestamp) -> bool {
        let idle_ms = self.expires_at.unix_ms() - self.renewed_at.unix_ms();
        self.changed || now.unix_ms() - self.renewed_at.unix_ms() >= idle_ms / 2
    }
}
