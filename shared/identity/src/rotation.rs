//! Refresh tokens: opaque, each good for one use, and each the parent of one successor (RFC 9700 section 4.14.2).
//!
//! A token is two secrets in one text: that of its session, which stays, and that of its turn, which changes. The store
//! has the session's hash, the hash of the turn's secret, and, for a while, that of the turn before:
//!
//! ```text
//! client:   T0 ──> refresh ──✗ the answer T1 is lost     T0 ──> refresh again, within the grace ──> T1
//! thief:                          T0, after the grace ──> the session ends for both
//! ```
//!
//! The successor derives from the presented token and from a nonce that only the store has. So a token has one
//! successor, however often it comes within the grace period, and from however many tabs at once; and neither the
//! holder of a token nor a reader of the table can tell the next one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::{Fault, PreviousTurn, Rotation, Timestamp};

use runtime::opaque::Opaque;

/// How long a used token is still answered with the same successor, in milliseconds.
pub const GRACE_MS: i64 = 30_000;

/// A refresh token, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The secret of the session.
    pub session: Opaque,
    /// The secret of this turn.
    pub turn: Opaque,
}

impl RefreshToken {
    /// The first token of a new session.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn first() -> Result<Self, Fault> {
        Ok(Self { session: Opaque::random()?, turn: Opaque::random()? })
    }

    /// Parses a token: 86 characters of base64url.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 86 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (session, turn) = bytes.split_at_checked(32)?;
        Some(Self {
            session: Opaque::from_bytes(session.try_into().ok()?),
            turn: Opaque::from_bytes(turn.try_into().ok()?),
        })
    }

    /// The text that the client stores.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode([*self.session.bytes(), *self.turn.bytes()].concat())
    }
}

/// The result of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The token is the current one: store this, and answer with the successor.
    Next(Rotation, RefreshToken),
    /// The token was used a moment ago: answer with the same successor.
    Again(RefreshToken),
    /// The token was used earlier, by another party perhaps: the session must end.
    Reused,
}

/// The stored rotation of a new session.
pub fn begin(first: &RefreshToken) -> Rotation {
    Rotation { current: first.turn.hash(), previous: None }
}

/// Checks a session's token against the stored rotation.
///
/// # Errors
/// When the system has no randomness.
pub fn rotate(stored: &Rotation, token: &RefreshToken, now: Timestamp) -> Result<Rotated, Fault> {
    let given = token.turn.hash();
    if given == stored.current {
        let nonce = Opaque::random()?;
        let next = successor(token, &nonce);
        let previous = PreviousTurn { turn: given, nonce: nonce.text(), used_at: now };
        return Ok(Rotated::Next(Rotation { current: next.turn.hash(), previous: Some(previous) }, next));
    }
    let previous = stored
        .previous
        .as_ref()
        .filter(|previous| previous.turn == given && now.unix_ms() - previous.used_at.unix_ms() < GRACE_MS);
    Ok(match previous.and_then(|previous| Opaque::parse(&previous.nonce)) {
        Some(nonce) => Rotated::Again(successor(token, &nonce)),
        None => Rotated::Reused,
    })
}

fn successor(token: &RefreshToken, nonce: &Opaque) -> RefreshToken {
    RefreshToken { session: token.session.clone(), turn: nonce.derive(token.turn.bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_800_000_000_000 + ms)
    }

    #[test]
    fn a_token_has_one_successor_however_often_it_comes_within_the_grace() {
        let first = RefreshToken::first().unwrap();
        let Rotated::Next(stored, second) = rotate(&begin(&first), &first, at(0)).unwrap() else { panic!("refused") };
        assert_ne!(first, second);
        assert_eq!(first.session, second.session);
        for late in [0, 1, GRACE_MS - 1] {
            assert_eq!(rotate(&stored, &first, at(late)).unwrap(), Rotated::Again(second.clone()));
        }
        let Rotated::Next(stored, third) = rotate(&stored, &second, at(1)).unwrap() else { panic!("refused") };
        assert_ne!(second, third);
        // A token of two turns before is reused at any time.
        assert_eq!(rotate(&stored, &first, at(2)).unwrap(), Rotated::Reused);
    }

    #[test]
    fn a_token_that_comes_late_or_was_never_made_ends_the_session() {
        let first = RefreshToken::first().unwrap();
        let stored = begin(&first);
        let guessed = RefreshToken { turn: Opaque::random().unwrap(), ..first.clone() };
        assert_eq!(rotate(&stored, &guessed, at(0)).unwrap(), Rotated::Reused);
        let Rotated::Next(stored, _) = rotate(&stored, &first, at(0)).unwrap() else { panic!("refused") };
        assert_eq!(rotate(&stored, &first, at(GRACE_MS)).unwrap(), Rotated::Reused);
    }

    #[test]
    fn what_is_stored_holds_no_token() {
        let first = RefreshToken::first().unwrap();
        let Rotated::Next(stored, second) = rotate(&begin(&first), &first, at(0)).unwrap() else { panic!("refused") };
        let dump = serde_json::to_string(&stored).unwrap();
        for token in [&first, &second] {
            for secret in [token.text(), token.turn.text(), token.session.text()] {
                assert!(!dump.contains(&secret));
            }
            assert_eq!(RefreshToken::parse(&token.text()).as_ref(), Some(token));
        }
        for malformed in ["", "a", &"a".repeat(43), &"!".repeat(86), &"a".repeat(87)] {
            assert_eq!(RefreshToken::parse(malformed), None);
        }
    }
}
