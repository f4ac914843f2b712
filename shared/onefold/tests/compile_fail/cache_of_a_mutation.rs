//! A mutation whose answers would be kept.

use onefold::prelude::*;

/// Count.
#[procedure(mutation, auth = public, cache_s = 60)]
pub async fn count() -> u32 {
    1
}

fn main() {}
