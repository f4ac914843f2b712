//! A call that may take longer than the front waits.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, timeout_ms = 29_001)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
