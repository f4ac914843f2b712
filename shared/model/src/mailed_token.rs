//! Tokens that were sent by mail: whoever has one reads that mailbox.

use protocol::{Entity, SecretHash, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::{EmailAddress, UserId};

/// What a mailed token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// To prove that an address is the user's.
    VerifyEmail,
    /// To choose another password.
    ResetPassword,
}

/// A token for one use, found by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailedToken {
    /// The hash of the token.
    pub id: SecretHash,
    /// What it is for.
    pub purpose: Purpose,
    /// For whom.
    pub user_id: UserId,
    /// To which address it was sent: it proves this one and no other.
    pub email: EmailAddress,
    /// The hash of the password that counts once the address is proved: that of the registration that it was mailed for.
    /// None where it was only asked for another link.
    pub password: Option<String>,
    /// What the password was when the link was asked for: with another one, the link is void.
    pub password_was: Option<SecretHash>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Grows with each change.
    pub version: Version,
}

impl MailedToken {
    /// How long it is good, in milliseconds.
    pub const LIFETIME_MS: i64 = 30 * 60_000;
}

impl Entity for MailedToken {
    type Id = SecretHash;
    const NAME: &'static str = "MailedToken";
    const PREFIX: &'static str = "mailed-token";

    fn id(&self) -> &SecretHash {
        &self.id
    }
    fn version(&self) -> Version {
        self.version
    }
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
