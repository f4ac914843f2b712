//! Answers that would be kept for more than a day.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, cache_s = 86_401)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
