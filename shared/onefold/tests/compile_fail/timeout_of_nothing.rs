//! A call that may take no time.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, timeout_ms = 0)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
