//! A provider's public keys (RFC 7517, 7518, 8037), and the verification of signatures.
//!
//! This module fixes the algorithms, not the token: each needs a key of its own kind, and neither `none` nor a
//! symmetric algorithm is among them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rsa::PublicKeyComponents,
    signature::{self, RsaParameters, UnparsedPublicKey},
};
use serde::Deserialize;
use serde_json::Value;

/// A key set on the wire.
#[derive(Deserialize)]
pub(super) struct KeySet {
    keys: Vec<Value>,
}

/// The keys of a set that verify signatures.
pub(super) struct Keys(Vec<Key>);

struct Key {
    kid: Option<String>,
    /// The only algorithm that the key is for, if it states one.
    algorithm: Option<String>,
    material: Material,
}

enum Material {
    Rsa(PublicKeyComponents<Vec<u8>>),
    /// A point, uncompressed (SEC 1 section 2.3.3).
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// The members of a JSON Web Key that are used.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The algorithms that ID tokens may be signed with (RFC 7518 section 3.1, RFC 8037, RFC 9864).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            _ => return None,
        })
    }

    /// The hash inside the algorithm, for `at_hash` (OpenID Connect Core section 3.1.3.6). That of Ed25519 is SHA-512.
    pub fn digest(self, message: &[u8]) -> digest::Digest {
        let hash = match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => &digest::SHA256,
            Self::Rs384 | Self::Es384 => &digest::SHA384,
            Self::Rs512 | Self::EdDsa => &digest::SHA512,
        };
        digest::digest(hash, message)
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        match self {
            Self::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Es256 | Self::Es384 | Self::EdDsa => None,
        }
    }
}

/// Why a signature is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyError {
    /// No key of the set fits: it may have been added since.
    Unknown,
    /// Several keys fit, and the token names none.
    Ambiguous,
    /// The signature does not verify.
    Bad,
}

impl Keys {
    /// Takes the signature keys of a set. Other keys are ignored (RFC 7517 section 5), and so are malformed ones.
    pub fn from_set(set: KeySet) -> Self {
        Self(set.keys.into_iter().filter_map(Key::from_json).collect())
    }

    /// Verifies a signature by the key that the token names; without a name, by the only one that fits.
    pub fn verify(
        &self,
        kid: Option<&str>,
        name: &str,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), KeyError> {
        let fits = |key: &&Key| {
            kid.is_none_or(|kid| key.kid.as_deref() == Some(kid))
                && key.algorithm.as_deref().is_none_or(|only| only == name)
                && key.material.fits(algorithm)
        };
        let mut fitting = self.0.iter().filter(fits);
        let key = fitting.next().ok_or(KeyError::Unknown)?;
        if fitting.next().is_some() {
            return Err(KeyError::Ambiguous);
        }
        key.material.verify(algorithm, message, signature).map_err(|_| KeyError::Bad)
    }
}

impl Key {
    fn from_json(json: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(json).ok()?;
        let for_signatures = jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
            && jwk.key_ops.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"));
        let material = Material::from_jwk(&jwk).filter(|_| for_signatures)?;
        Some(Self { kid: jwk.kid, algorithm: jwk.alg, material })
    }
}

impl Material {
    fn from_jwk(jwk: &Jwk) -> Option<Self> {
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        let point = |size: usize| {
            let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
            (x.len() == size && y.len() == size).then(|| [&[4], &*x, &*y].concat())
        };
        // `ring` refuses leading zeros; some issuers write them.
        let number = |text| Some(bytes(text)?.into_iter().skip_while(|byte| *byte == 0).collect());
        match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Some(Self::Rsa(PublicKeyComponents { n: number(&jwk.n)?, e: number(&jwk.e)? })),
            ("EC", Some("P-256")) => point(32).map(Self::P256),
            ("EC", Some("P-384")) => point(48).map(Self::P384),
            ("OKP", Some("Ed25519")) => bytes(&jwk.x).filter(|x| x.len() == 32).map(Self::Ed25519),
            _ => None,
        }
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa(_) => algorithm.rsa().is_some(),
            Self::P256(_) => algorithm == Algorithm::Es256,
            Self::P384(_) => algorithm == Algorithm::Es384,
            Self::Ed25519(_) => algorithm == Algorithm::EdDsa,
        }
    }

    fn verify(&self, algorithm: Algorithm, message: &[u8], sig: &[u8]) -> Result<(), ring::error::Unspecified> {
        match self {
            Self::Rsa(key) => key.verify(algorithm.rsa().ok_or(ring::error::Unspecified)?, message, sig),
            Self::P256(key) => UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, key).verify(message, sig),
            Self::P384(key) => UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, key).verify(message, sig),
            Self::Ed25519(key) => UnparsedPublicKey::new(&signature::ED25519, key).verify(message, sig),
        }
    }
}
