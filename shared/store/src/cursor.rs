//! Sealed cursors: the start of the next page, which only the store can read or create.
//!
//! A cursor holds the last place that a page has read, not DynamoDB's `LastEvaluatedKey`: a place means the same in
//! all shards of a list, and stays valid when entries come and go around it.
//!
//! It is sealed with AES-256-GCM under a random nonce (NIST SP 800-38D allows 2^32 seals under one key). What it is
//! bound to ([`CursorScope`](protocol::CursorScope)) is authenticated with it and not stored in it, so that a cursor
//! opens only for the same query of the same caller.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use protocol::Cursor;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom as _, SystemRandom},
};

use crate::StoreError;

/// The maximum length of a cursor, in bytes: a place has at most 1,024.
const MAX_CURSOR_BYTES: usize = 4_096;

/// The key that seals cursors.
pub(crate) struct CursorKey(LessSafeKey);

impl CursorKey {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, StoreError> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| StoreError::broken("the cursor key is refused"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// A key of this process alone.
    pub(crate) fn random() -> Result<Self, StoreError> {
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).map_err(|_| StoreError::broken("the system gave no random bytes"))?;
        Self::new(&key)
    }

    pub(crate) fn seal(&self, place: &str, bound_to: &str) -> Result<Cursor, StoreError> {
        let failed = |_| StoreError::broken("a cursor could not be sealed");
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        let mut sealed = place.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut sealed)
            .map_err(failed)?;
        let mut message = nonce.to_vec();
        message.append(&mut sealed);
        Ok(Cursor(BASE64.encode(message)))
    }

    pub(crate) fn open(&self, cursor: &Cursor, bound_to: &str) -> Result<String, StoreError> {
        if cursor.0.len() > MAX_CURSOR_BYTES {
            return Err(StoreError::BadCursor);
        }
        let message = BASE64.decode(&cursor.0).map_err(|_| StoreError::BadCursor)?;
        let (nonce, sealed) = message.split_first_chunk::<NONCE_LEN>().ok_or(StoreError::BadCursor)?;
        let mut sealed = sealed.to_vec();
        let place = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound_to), &mut sealed)
            .map_err(|_| StoreError::BadCursor)?;
        String::from_utf8(place.to_vec()).map_err(|_| StoreError::BadCursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> CursorKey {
        CursorKey::new(&[7; 32]).expect("a key")
    }

    #[test]
    fn it_opens_for_what_it_was_sealed_for() {
        let sealed = key().seal("0000000042\u{1}id", "ada").expect("sealed");
        assert_eq!(key().open(&sealed, "ada").expect("open"), "0000000042\u{1}id");
        assert!(!sealed.0.contains("42"));
        assert_ne!(key().seal("x", "ada").expect("sealed"), key().seal("x", "ada").expect("sealed"));
    }

    #[test]
    fn it_opens_for_nothing_else() {
        let sealed = key().seal("place", "ada").expect("sealed");
        let refused = |cursor: &str, bound_to: &str| {
            matches!(key().open(&Cursor(cursor.to_owned()), bound_to), Err(StoreError::BadCursor))
        };
        assert!(refused(&sealed.0, "eve"));
        assert!(refused("", "ada"));
        assert!(refused("not base64!", "ada"));
        assert!(refused(&"A".repeat(5_000), "ada"));
        for length in 0..sealed.0.len() {
            assert!(refused(&sealed.0[..length], "ada"), "cut to {length}");
        }
        for place in 0..sealed.0.len() {
            let mut forged = sealed.0.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            assert!(refused(&String::from_utf8(forged).expect("text"), "ada"), "changed at {place}");
        }
        let other = CursorKey::new(&[8; 32]).expect("a key");
        assert!(matches!(other.open(&sealed, "ada"), Err(StoreError::BadCursor)));
    }
}
