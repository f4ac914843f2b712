//! Tokens that were sent by mail: the holder of one reads that mailbox.

use macros::Entity;
use protocol::{Listing, SecretHash, SortKey, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::{EmailAddress, LinkedIdentity, UserId};

/// What a mailed token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// To prove that an address is the user's.
    VerifyEmail,
    /// To choose another password.
    ResetPassword,
}

/// What a person registered. It becomes the account's only if the person who proves the address shows to be the same:
/// in the browser that registered, or with the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The password's hash; none if the person came from an identity provider.
    pub password: Option<String>,
    /// The identity at the provider from which the person came.
    #[serde(default)]
    pub identity: Option<LinkedIdentity>,
    /// The name that was chosen.
    pub name: String,
    /// The browser that registered, by the hash of its cookie, if one is known.
    pub browser: Option<SecretHash>,
    /// The founder's token with which the person registered, by its hash.
    #[serde(default)]
    pub founder: Option<SecretHash>,
}

/// A token for one use, found by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "mailed-token")]
#[entity(index = "user", list = self.user_id, sort = SortKey::time(self.expires_at))]
pub struct MailedToken {
    /// The hash of the token.
    #[entity(id)]
    pub id: SecretHash,
    /// The purpose.
    pub purpose: Purpose,
    /// The user.
    pub user_id: UserId,
    /// The address to which it was sent: it proves this one and no other.
    pub email: EmailAddress,
    /// The generation of the account when it was mailed; the token is void in another.
    #[serde(default)]
    pub generation: u32,
    /// What was registered with it, if the address had a registration already, or if the token names the first
    /// administrator. None if the account itself holds what was registered.
    #[serde(default)]
    pub claim: Option<Claim>,
    /// When it ends.
    #[entity(expires_at)]
    pub expires_at: Timestamp,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

impl MailedToken {
    /// How long it is valid, in milliseconds.
    pub const LIFETIME_MS: i64 = 30 * 60_000;

    /// The tokens of one user, for the user's removal.
    pub const BY_USER: Listing<Self> = Listing::of("user");
}
