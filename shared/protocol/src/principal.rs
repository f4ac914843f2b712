//! The caller of a procedure, and the stored form of a sign-in.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{Entity, EntityId, Timestamp};

/// A person who is signed in, or an application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// The caller's id: the token's `sub`.
    pub subject: String,
    /// The caller's roles; the service defines their permissions.
    pub roles: Vec<String>,
    /// The application that calls, for a person or for itself; none for the service's own pages.
    pub client: Option<Client>,
    /// The session that identified the caller, if there is one.
    pub session: Option<SecretHash>,
    /// When the person last signed in or reauthenticated. None where that is unknown, and where no person calls.
    pub authenticated_at: Option<Timestamp>,
}

/// A third party's application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The application's `client_id`.
    pub id: String,
    /// The granted permissions.
    pub scopes: Vec<String>,
    /// Whether it calls for itself (client credentials, RFC 6749 section 4.4) and not for a person: its scopes are
    /// then all of its permissions.
    pub for_itself: bool,
}

/// SHA-256 of a secret, in base64url: the stored form of a secret that only its holder knows. The secrets are random
/// and long, so that their hash needs no salt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl SecretHash {
    /// Creates it from the digest.
    pub fn from_digest(digest: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest))
    }

    /// The text that is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for SecretHash {
    type Err = crate::Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self::from_digest)
            .ok_or(crate::Malformed("not the hash of a secret"))
    }
}

impl EntityId for SecretHash {}

/// The stored state of a session's refresh tokens, for their rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    /// The valid token.
    pub current: SecretHash,
    /// The token before, for a client that lost the answer.
    pub previous: Option<PreviousTurn>,
}

/// A refresh token that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviousTurn {
    /// The hash of the token.
    pub turn: SecretHash,
    /// Random; the successor is derived from it and the token itself.
    pub nonce: String,
    /// The time of its use.
    pub used_at: Timestamp,
}

/// A stored session. The runtime looks it up by the hash of the caller's secret.
pub trait StoredSession: Entity<Id = SecretHash> {
    /// The person who signed in, with their current roles.
    fn principal(&self) -> Principal;
    /// Whether a cookie carries it. A session for tokens is not valid as a cookie.
    fn is_cookie(&self) -> bool;
    /// Whether the cookie should be renewed: its holder's rights changed, or much of its idle time has passed.
    fn wants_renewal(&self, now: Timestamp) -> bool;
}
