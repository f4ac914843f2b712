//! Errors of a form that a procedure without `http` does not answer in.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, rest = "GET /v1/words", errors = oauth)]
pub async fn say() -> String {
    String::new()
}

fn main() {}
