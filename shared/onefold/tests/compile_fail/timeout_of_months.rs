//! A call that may take longer than a number of 32 bits says.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, timeout_ms = 5_000_000_000)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
