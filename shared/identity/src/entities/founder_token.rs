//! Tokens that name the first administrator, once they were used.

use macros::Entity;
use protocol::{SecretHash, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::UserId;

/// That a token was used. It stays when the administrator goes whom it named: the token is good once, for whoever kept it
/// as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "used-founder-token")]
pub struct UsedFounderToken {
    /// The hash of the token.
    #[entity(id)]
    pub id: SecretHash,
    /// Who became administrator with it.
    pub user_id: UserId,
    /// When.
    pub used_at: Timestamp,
    /// Grows with each change; it has none.
    #[entity(version)]
    pub version: Version,
}
