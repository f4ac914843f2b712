//! A link to the next page of what is no page.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, rest = "GET /v1/words", link = false)]
pub async fn say() -> String {
    String::new()
}

fn main() {}
