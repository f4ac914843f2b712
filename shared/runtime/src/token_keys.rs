//! The capability to publish the keys that verify tokens, and to verify a token that comes as a parameter.

use std::sync::Arc;

use protocol::{Clock, Fault};
use serde_json::{Value, json};

use crate::{
    Authenticator, Call, Capability,
    tokens::{Claims, PublicKey},
};

/// The public keys of the service's tokens, and their verification. It says nothing about the caller.
#[derive(Clone)]
pub struct TokenKeys {
    authenticator: Arc<Authenticator>,
    clock: Clock,
}

impl TokenKeys {
    /// The public keys as a JSON Web Key Set (RFC 7517 section 5, RFC 8037 section 2).
    pub fn set(&self) -> Value {
        let key = |PublicKey { kid, x }: &PublicKey| json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x });
        let keys = self.authenticator.tokens().map(|tokens| tokens.public_keys()).unwrap_or_default();
        json!({ "keys": keys.iter().map(key).collect::<Vec<_>>() })
    }

    /// The claims of an access token, if the service signed it and it is valid now. It does not check whether its
    /// session has ended.
    pub fn read(&self, token: &str) -> Option<Claims> {
        self.authenticator.tokens()?.read(token, self.clock.now()).ok()
    }
}

impl Capability for TokenKeys {
    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(Self { authenticator: Arc::clone(call.authenticator()), clock: call.clock() })
    }
}
