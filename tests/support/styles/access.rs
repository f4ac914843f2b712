//! Whether a caller is let in: what a declaration means, and what was seen.

use super::drivers::{Failed, Heard};
use crate::support::Answer;

/// What must come of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The procedure runs, or says what is wrong with the input.
    In,
    Unauthorized,
    Forbidden,
}

/// Whether a caller was let in.
pub fn seen(heard: &Heard) -> Outcome {
    match heard {
        // A procedure's own failure may have these codes as well: then it ran.
        Err(Failed { code, failure: None, .. }) if code == "UNAUTHORIZED" => Outcome::Unauthorized,
        Err(Failed { code, failure: None, .. }) if code == "FORBIDDEN" => Outcome::Forbidden,
        _ => Outcome::In,
    }
}

/// What came of a call to a procedure that has a form of its own.
pub fn seen_by_http(answer: &Answer) -> Outcome {
    assert!(answer.status < 500, "{}", answer.text());
    match answer.status {
        401 if answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")) => {
            Outcome::Unauthorized
        }
        _ => Outcome::In,
    }
}
