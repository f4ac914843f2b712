//! Sign-ins with an account elsewhere, while the person is there.

use protocol::{Entity, SecretHash, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::UserId;

/// A sign-in that has begun. It is deleted when the provider answers, and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInFlow {
    /// The hash of the state that the provider sends back.
    pub id: SecretHash,
    /// The provider's id.
    pub provider: String,
    /// The hash of the secret in the cookie of the browser that began.
    pub browser: SecretHash,
    /// Which page is shown in the end: a path.
    pub return_to: String,
    /// Whose account the one elsewhere is to be linked to; none when somebody signs in.
    pub linking: Option<Linking>,
    /// Until when the provider may answer.
    pub expires_at: Timestamp,
    /// Grows with each change.
    pub version: Version,
}

/// Who links an account elsewhere to the own one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Linking {
    /// The user.
    pub user_id: UserId,
    /// The session in which the user began: it must not have ended by then.
    pub session: SecretHash,
}

impl Entity for SignInFlow {
    type Id = SecretHash;
    const NAME: &'static str = "SignInFlow";
    const PREFIX: &'static str = "sign-in-flow";

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
