//! Two routes, of which one would be forgotten.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, rest = "GET /v1/words", rest = "GET /v1/words/first")]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
