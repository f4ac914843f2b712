//! A query that says why it does not look at what it would not look at.

use onefold::prelude::*;

/// Count.
#[procedure(query, auth = permission("visits:read"), session = "it changes nothing")]
pub async fn count() -> u32 {
    1
}

fn main() {}
