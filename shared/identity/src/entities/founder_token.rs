//! Used tokens of first administrators.

use macros::Entity;
use protocol::{SecretHash, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::UserId;

/// A record that a founder's token was used. It stays when the administrator is deleted: the token is valid once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "used-founder-token")]
pub struct UsedFounderToken {
    /// The hash of the token.
    #[entity(id)]
    pub id: SecretHash,
    /// The user who became administrator with it.
    pub user_id: UserId,
    /// When it was used.
    pub used_at: Timestamp,
    /// The version; a record is never changed.
    #[entity(version)]
    pub version: Version,
}
