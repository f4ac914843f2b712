//! Random secrets without a meaning of their own: the values of cookies, refresh tokens and codes.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::{Fault, SecretHash};
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

/// 256 random bits. Only its [hash](Opaque::hash) is ever stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Opaque([u8; 32]);

impl Opaque {
    /// Creates a random secret.
    ///
    /// # Errors
    /// When the operating system provides no randomness.
    pub fn random() -> Result<Self, Fault> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| Fault::internal("the system gave no random bytes"))?;
        Ok(Self(bytes))
    }

    /// Parses its text: 43 characters of base64url.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 43 {
            return None;
        }
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Creates it from its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to combine it with another secret.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its text, as the holder gets it.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Its SHA-256, the only form that is stored.
    pub fn hash(&self) -> SecretHash {
        hash(&self.0)
    }

    /// Whether `stored` is the hash of this secret, in constant time.
    pub fn is_hashed_as(&self, stored: &SecretHash) -> bool {
        match (Self::parse(self.hash().as_str()), Self::parse(stored.as_str())) {
            (Some(own), Some(stored)) => own.is(&stored),
            _ => false,
        }
    }

    /// Derives another secret, which only a holder of this one can compute: HMAC-SHA256 (RFC 2104) over `purpose`.
    pub fn derive(&self, purpose: &[u8]) -> Self {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), purpose);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        Self(bytes)
    }

    /// Whether two secrets are equal, in constant time.
    pub fn is(&self, other: &Self) -> bool {
        // The comparison is an HMAC under a random key: `ring` has no public comparison in constant time.
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &other.0), b"is");
        hmac::verify(&key, b"is", tag.as_ref()).is_ok()
    }
}

/// Hides the secret.
impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque(…)")
    }
}

/// The SHA-256 of bytes, in the form in which it is stored.
pub fn hash(bytes: &[u8]) -> SecretHash {
    let mut bits = [0; 32];
    bits.copy_from_slice(digest(&SHA256, bytes).as_ref());
    SecretHash::from_digest(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_text_and_stored_by_its_hash() {
        let secret = Opaque::random().unwrap();
        assert_eq!(Opaque::parse(&secret.text()), Some(secret.clone()));
        assert_ne!(secret, Opaque::random().unwrap());
        assert!(!secret.hash().as_str().contains(&secret.text()));
        assert!(!format!("{secret:?}").contains(&secret.text()[..8]));
        for malformed in ["", "a", &"a".repeat(44), &"!".repeat(43)] {
            assert_eq!(Opaque::parse(malformed), None, "{malformed}");
        }
    }

    /// SHA-256 of 32 zero bytes, by `head -c 32 /dev/zero | sha256sum`.
    #[test]
    fn the_hash_is_sha_256() {
        let hash = Opaque::from_bytes([0; 32]).hash();
        assert_eq!(hash.as_str(), "Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU");
    }

    #[test]
    fn a_secret_is_known_by_its_hash() {
        let (one, other) = (Opaque::from_bytes([1; 32]), Opaque::from_bytes([2; 32]));
        assert!(one.is_hashed_as(&one.hash()) && !one.is_hashed_as(&other.hash()));
    }

    #[test]
    fn what_is_derived_depends_on_both() {
        let (one, other) = (Opaque::from_bytes([1; 32]), Opaque::from_bytes([2; 32]));
        assert!(one.derive(b"csrf").is(&one.derive(b"csrf")));
        assert!(!one.derive(b"csrf").is(&one.derive(b"another")));
        assert!(!one.derive(b"csrf").is(&other.derive(b"csrf")));
    }
}
