//! Tokens, good ones and forged ones.

use std::{path::Path, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use testbed::Role;

/// The key of a service, taken from its data folder.
pub struct Key {
    pair: Ed25519KeyPair,
    service: &'static str,
}

impl Key {
    /// The testbed's own.
    pub fn of(data: &Path) -> Self {
        Self::of_service(data, testbed::SERVICE.name)
    }

    /// The own key of any service.
    pub fn of_service(data: &Path, service: &'static str) -> Self {
        local::data::DataFolder::open(data).unwrap().signer().unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(&std::fs::read(data.join("signing.key")).unwrap()).unwrap();
        Self { pair, service }
    }

    /// Somebody else's.
    pub fn foreign() -> Self {
        let pair = Ed25519KeyPair::from_pkcs8(&runtime::tokens::TokenSigner::generate().unwrap()).unwrap();
        Self { pair, service: testbed::SERVICE.name }
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = BASE64.encode(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// The signature over any bytes.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// The public key: 32 bytes.
    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Signs a header and claims that need not be JSON.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let signature = BASE64.encode(self.signature(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// Signs with HMAC, and with the public key as the secret: what a confused verifier accepts.
    pub fn sign_hs256(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let secret = hmac::Key::new(hmac::HMAC_SHA256, self.pair.public_key().as_ref());
        let signature = BASE64.encode(hmac::sign(&secret, message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// A good token.
    pub fn token(&self, role: Role) -> String {
        self.token_of(role, &uuid::Uuid::now_v7().to_string())
    }

    /// A good token of somebody.
    pub fn token_of(&self, role: Role, subject: &str) -> String {
        self.token_named(role.name(), subject)
    }

    /// A good token of somebody with a role of the key's service.
    pub fn token_named(&self, role: &str, subject: &str) -> String {
        let mut claims = claims_of(self.service, role);
        claims["sub"] = subject.into();
        self.sign(&header(), &claims)
    }
}

fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()))
}

/// The header that the service expects.
pub fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "local"})
}

/// Claims that the testbed accepts.
pub fn claims(role: Role) -> Value {
    claims_of(testbed::SERVICE.name, role.name())
}

/// Claims that a service accepts.
fn claims_of(service: &str, role: &str) -> Value {
    json!({
        "iss": format!("urn:onefold:{service}"),
        "aud": service,
        "sub": uuid::Uuid::now_v7().to_string(),
        "iat": now_s(),
        "exp": now_s() + 600,
        "jti": uuid::Uuid::now_v7().to_string(),
        "roles": [role],
    })
}

/// Seconds since 1970.
pub fn now_s() -> i64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since_epoch.as_secs()).unwrap()
}
