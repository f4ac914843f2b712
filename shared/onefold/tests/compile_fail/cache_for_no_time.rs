//! Answers that would be kept for no time at all.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, cache_s = 0)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
