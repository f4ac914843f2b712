//! Authorization codes: what a browser carries from the service to an application.

use macros::Entity;
use protocol::{SecretHash, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::{ClientId, UserId};

/// A code for one use, found by its hash. It is kept for a while after it: a second use is a sign that somebody
/// else has it as well (OAuth 2.1, section 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "authorization-code")]
pub struct AuthorizationCode {
    /// The hash of the code.
    #[entity(id)]
    pub id: SecretHash,
    /// The application that asked for it.
    pub client_id: ClientId,
    /// Where the browser was sent with it.
    pub redirect_uri: String,
    /// The challenge that came with the request (RFC 7636).
    pub challenge: String,
    /// Who said yes.
    pub user_id: UserId,
    /// The session in which it was said: a code ends with it.
    pub said_in: SecretHash,
    /// To what.
    pub scopes: Vec<String>,
    /// Until when it can be used.
    pub good_until: Timestamp,
    /// When it is forgotten.
    #[entity(expires_at)]
    pub expires_at: Timestamp,
    /// The session that was made of it, once it was used.
    pub session: Option<SecretHash>,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

impl AuthorizationCode {
    /// How long it can be used, in milliseconds.
    pub const LIFETIME_MS: i64 = 60_000;
    /// How long it is kept, in milliseconds.
    pub const KEPT_MS: i64 = 3_600_000;
}
