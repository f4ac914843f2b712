//! Tokens that name the first administrator, once they were used.

use protocol::{Entity, SecretHash, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::UserId;

/// That a token was used. It stays when the administrator goes whom it named: the token is good once, for whoever kept it
/// as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsedFounderToken {
    /// The hash of the token.
    pub id: SecretHash,
    /// Who became administrator with it.
    pub user_id: UserId,
    /// When.
    pub used_at: Timestamp,
    /// Grows with each change; it has none.
    pub version: Version,
}

impl Entity for UsedFounderToken {
    type Id = SecretHash;
    const NAME: &'static str = "UsedFounderToken";
    const PREFIX: &'static str = "used-founder-token";

    fn id(&self) -> &SecretHash {
        &self.id
    }
    fn version(&self) -> Version {
        self.version
    }
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}
