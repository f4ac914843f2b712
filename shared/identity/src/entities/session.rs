//! Sign-ins: one for each device, and one for each application that somebody lets in.

use macros::{Entity, wire};
use protocol::{Client, Principal, Rotation, SecretHash, StoredSession, Timestamp, Version, id};
use serde::{Deserialize, Serialize};

use crate::UserId;

id! {
    /// Names one device, or application, on which somebody is signed in. It stays when its secrets change.
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

/// How a session is proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Proof {
    /// By a cookie.
    Cookie {
        /// Set when another secret took its place a moment ago: with this one it makes that one.
        successor: Option<String>,
    },
    /// By refresh tokens.
    Tokens {
        /// Which of them are good.
        rotation: Rotation,
    },
    /// By the refresh tokens of an application.
    Application {
        /// The application.
        client_id: String,
        /// What it may do in the person's name.
        scopes: Vec<String>,
        /// Which of the tokens are good.
        rotation: Rotation,
    },
}

/// Somebody who is signed in somewhere. Found by the hash of a secret that only that device has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "session")]
pub struct Session {
    /// The hash of the session's secret.
    #[entity(id)]
    pub id: SecretHash,
    /// The device.
    pub device: DeviceId,
    /// Who is signed in.
    pub user_id: UserId,
    /// The name of what the person is: a copy, kept in step by whoever changes it, so that one read tells all. None as long
    /// as the person's address is not verified.
    pub role: Option<String>,
    /// How it is proved.
    pub proof: Proof,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When the person last proved who they are: at the sign-in, or since. Renewals leave it as it is. None of an
    /// application, which no person sits at.
    pub authenticated_at: Option<Timestamp>,
    /// When the session was last renewed.
    pub renewed_at: Timestamp,
    /// When it ends if it is not renewed.
    #[entity(expires_at)]
    pub expires_at: Timestamp,
    /// When it ends in any case.
    pub ends_at: Timestamp,
    /// Whether the person's rights changed since it was renewed.
    pub changed: bool,
    /// From where the person signed in.
    pub address: String,
    /// What the program calls itself.
    pub agent: String,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

impl Session {
    /// The application that it is for, and what that may do.
    pub fn application(&self) -> Option<(&str, &[String])> {
        match &self.proof {
            Proof::Application { client_id, scopes, .. } => Some((client_id, scopes)),
            Proof::Cookie { .. } | Proof::Tokens { .. } => None,
        }
    }

    /// What it is used by.
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
