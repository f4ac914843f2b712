//! Tokens that were sent by mail: whoever has one reads that mailbox.

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

/// What somebody registered. It becomes the account's only by who proves the address and shows that it was them: in the
/// browser that registered, or with the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The password's hash; none where somebody came from an account elsewhere.
    pub password: Option<String>,
    /// The account elsewhere from which they came.
    #[serde(default)]
    pub identity: Option<LinkedIdentity>,
    /// The name that was chosen.
    pub name: String,
    /// The browser, by the hash of its cookie; none where none is known.
    pub browser: Option<SecretHash>,
    /// The token that names the first administrator, by its hash, if it was with that.
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
    /// What it is for.
    pub purpose: Purpose,
    /// For whom.
    pub user_id: UserId,
    /// To which address it was sent: it proves this one and no other.
    pub email: EmailAddress,
    /// The generation of the account when it was mailed; it is void in another.
    #[serde(default)]
    pub generation: u32,
    /// What was registered with it, where somebody else was first with the address, or where it names the first
    /// administrator. None where the account itself holds what was registered.
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
    /// How long it is good, in milliseconds.
    pub const LIFETIME_MS: i64 = 30 * 60_000;

    /// Those that were mailed to one user, for when the user goes.
    pub const BY_USER: Listing<Self> = Listing::of("user");
}
