//! Authorization codes: a browser carries them from the service to an application.

use macros::Entity;
use protocol::{SecretHash, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::{ClientId, UserId};

/// A code for one use, found by its hash. It is kept for a while after its use: a second use is a sign that another
/// party has it as well (OAuth 2.1, section 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "authorization-code")]
pub struct AuthorizationCode {
    /// The hash of the code.
    #[entity(id)]
    pub id: SecretHash,
    /// The application that asked for it.
    pub client_id: ClientId,
    /// The redirect URI to which it was sent.
    pub redirect_uri: String,
    /// The challenge that came with the request (RFC 7636).
    pub challenge: String,
    /// The user who consented.
    pub user_id: UserId,
    /// The session in which the user consented: the code ends with it.
    pub said_in: SecretHash,
    /// The scopes to which the user consented.
    pub scopes: Vec<String>,
    /// Until when it can be redeemed.
    pub good_until: Timestamp,
    /// When it is deleted.
    #[entity(expires_at)]
    pub expires_at: Timestamp,
    /// The session that it was redeemed for.
    pub session: Option<SecretHash>,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

impl AuthorizationCode {
    /// How long it can be redeemed, in milliseconds.
    pub const LIFETIME_MS: i64 = 60_000;
    /// How long it is stored, in milliseconds.
    pub const KEPT_MS: i64 = 3_600_000;
}
