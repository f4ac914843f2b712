//! Flows that lead through an account elsewhere, while the person is there.

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
    /// The hash of the secret in the cookie of the browser that began.
    pub browser: SecretHash,
    /// Which page is shown in the end: a path.
    pub return_to: String,
    /// What the person is sent to the provider for.
    pub aim: FlowAim,
    /// Until when the provider may answer.
    #[entity(expires_at)]
    pub expires_at: Timestamp,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

/// What an answer of the provider is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum FlowAim {
    /// To sign in.
    SignIn,
    /// To link the account elsewhere to the own one.
    Link(FlowSession),
    /// To prove once more who one is, by an account elsewhere that is linked.
    Reauthenticate(FlowSession),
}

/// Who was signed in when a flow began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowSession {
    /// The user.
    pub user_id: UserId,
    /// The session in which the user began: it must not have ended by then.
    pub session: SecretHash,
}
