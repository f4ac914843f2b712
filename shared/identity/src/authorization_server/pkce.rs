//! Proof Key for Code Exchange (RFC 7636), with S256 alone: `plain` shows the verifier to everyone who sees the
//! request.

use runtime::opaque::{self, Opaque};

/// The only `code_challenge_method`.
pub const METHOD: &str = "S256";

/// Whether a text can be a challenge: a SHA-256 in base64url.
pub fn is_challenge(text: &str) -> bool {
    Opaque::parse(text).is_some()
}

/// Whether a verifier is the one that a challenge was made of (RFC 7636 section 4.6).
pub fn verifies(verifier: &str, challenge: &str) -> bool {
    let made_of = Opaque::parse(opaque::hash(verifier.as_bytes()).as_str());
    match (made_of, Opaque::parse(challenge)) {
        (Some(made_of), Some(challenge)) => is_verifier(verifier) && made_of.is(&challenge),
        _ => false,
    }
}

/// RFC 7636 section 4.1: 43 to 128 unreserved characters.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn a_challenge_is_met_by_its_verifier_alone() {
        assert!(is_challenge(CHALLENGE) && verifies(VERIFIER, CHALLENGE));
        let longer = format!("{VERIFIER}A");
        for other in ["", VERIFIER.trim_end_matches('k'), longer.as_str(), CHALLENGE, &VERIFIER.to_lowercase()] {
            assert!(!verifies(other, CHALLENGE), "{other}");
        }
        for malformed in ["", VERIFIER.trim_end_matches('k'), &"!".repeat(43), &format!("{CHALLENGE}=")] {
            assert!(!is_challenge(malformed), "{malformed}");
        }
    }

    /// `plain` is never done: a challenge is not its own verifier.
    #[test]
    fn a_verifier_has_the_stated_length_and_characters() {
        for verifier in ["a".repeat(42), "a".repeat(129), format!("{} ", "a".repeat(43)), "ä".repeat(43)] {
            let challenge = opaque::hash(verifier.as_bytes());
            assert!(!verifies(&verifier, challenge.as_str()), "{verifier}");
        }
        for verifier in ["a".repeat(43), "~".repeat(128)] {
            assert!(verifies(&verifier, opaque::hash(verifier.as_bytes()).as_str()));
            assert!(!verifies(&verifier, &verifier));
        }
    }
}
