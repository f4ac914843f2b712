//! Sign-in flows at identity providers, stored while the person is at the provider.

use macros::Entity;
use protocol::{SecretHash, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::UserId;

/// A flow that has begun. It is deleted when the provider answers, and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "sign-in-flow")]
pub struct SignInFlow {
    /// The hash of the state that the provider sends back.
    #[entity(id)]
    pub id: SecretHash,
    /// The provider's id.
    pub provider: String,
    /// The hash of the secret in the cookie of the browser that began the flow.
    pub browser: SecretHash,
    /// The path of the page that is shown at the end.
    pub return_to: String,
    /// The purpose of the flow.
    pub aim: FlowAim,
    /// Until when the provider may answer.
    #[entity(expires_at)]
    pub expires_at: Timestamp,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

/// The purpose of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum FlowAim {
    /// To sign in.
    SignIn,
    /// To link the provider's account to the user's own.
    Link(FlowSession),
    /// To reauthenticate by a linked account of a provider.
    Reauthenticate(FlowSession),
}

/// Who was signed in when a flow began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowSession {
    /// The user.
    pub user_id: UserId,
    /// The session in which the flow began: it must still exist at the end.
    pub session: SecretHash,
}
