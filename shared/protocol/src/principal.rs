//! Who is calling, and what is kept of a sign-in.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{Entity, EntityId, Timestamp};

/// Somebody who is signed in, or an application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// Who it is: the token's `sub`.
    pub subject: String,
    /// The roles; the service says which permissions they have.
    pub roles: Vec<String>,
    /// The application that calls in somebody's name, or for itself; none for the service's own pages.
    pub client: Option<Client>,
    /// The session by which the caller is known, if it is one.
    pub session: Option<SecretHash>,
    /// When the person last proved who they are: signed in, or authenticated again. None where that is not known, and
    /// where no person is there.
    pub authenticated_at: Option<Timestamp>,
}

/// A third party's application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// The permissions that it was given.
    pub scopes: Vec<String>,
    /// Whether it calls for itself (client credentials, RFC 6749 section 4.4) and not for a person: its scopes
    /// are then all that it may do.
    pub for_itself: bool,
}

/// SHA-256 of a secret, in base64url: what is kept of something that only its holder knows. The secrets are
/// random and long, so that their hash needs no salt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl SecretHash {
    /// From the digest.
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

/// What is stored of the refresh tokens of a session. The runtime's `rotation` decides by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    /// The token that is good now.
    pub current: SecretHash,
    /// The one before, for a lost answer.
    pub previous: Option<PreviousTurn>,
}

/// A refresh token that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviousTurn {
    /// Which one.
    pub turn: SecretHash,
    /// Random; with the token itself it makes the successor, and without it nothing.
    pub nonce: String,
    /// When it was used.
    pub used_at: Timestamp,
}

/// A stored sign-in. The runtime looks it up by the hash of what the caller presents.
pub trait StoredSession: Entity<Id = SecretHash> {
    /// Who signed in, with the roles that count now.
    fn principal(&self) -> Principal;
    /// Whether a cookie carries it. What is made for tokens is no use as a cookie.
    fn is_cookie(&self) -> bool;
    /// Whether it should be renewed: its holder's rights changed, or much of its idle time has gone by.
    fn wants_renewal(&self, now: Timestamp) -> bool;
}
