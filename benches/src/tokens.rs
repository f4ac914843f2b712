//! Signs the tokens that the measured functions verify: JWT access tokens (RFC 9068) with EdDSA over Ed25519 (RFC
//! 8037).

use std::io::{self, Error};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// The issuer of the tokens.
pub const ISSUER: &str = "https://benches.invalid";
/// The audience of the tokens.
pub const AUDIENCE: &str = "onefold-benches";
/// The user whom the tokens name.
pub const SUBJECT: &str = "0198c0de-0000-7000-8000-00000000000a";

const KEY_ID: &str = "benches-1";
const LIFETIME_S: u64 = 60 * 60;

/// A key made for one run, and the tokens signed with it.
pub struct Signer {
    key: Ed25519KeyPair,
}

impl Signer {
    /// Generates a key.
    pub fn new() -> io::Result<Self> {
        let failed = |_| Error::other("cannot make a signing key");
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(failed)?;
        let key =
            Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(|_| Error::other("the new key is unreadable"))?;
        Ok(Self { key })
    }

    /// The public key in the form that Onefold's functions get: the varying members of a JSON Web Key (RFC 8037).
    pub fn public_key(&self) -> Value {
        json!({ "kid": KEY_ID, "x": URL_SAFE_NO_PAD.encode(self.key.public_key()) })
    }

    /// The public key as a JSON Web Key Set (RFC 7517).
    pub fn jwks(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key());
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": KEY_ID, "x": x }] })
    }

    /// A token of an administrator, valid for an hour. Tokens of different numbers differ.
    pub fn token(&self, number: u64) -> io::Result<String> {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_err(Error::other)?.as_secs();
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": KEY_ID });
        let claims = json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": SUBJECT,
            "roles": ["administrator"],
            "iat": now_s,
            "exp": now_s + LIFETIME_S,
            "jti": format!("{number:016x}"),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()));
        Ok(format!("{signed}.{signature}"))
    }
}
