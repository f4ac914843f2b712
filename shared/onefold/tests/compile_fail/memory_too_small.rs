//! Less memory than Lambda gives.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, memory_mb = 127)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
