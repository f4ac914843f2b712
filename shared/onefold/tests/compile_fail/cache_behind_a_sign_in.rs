//! Answers that not everybody may have, and that would be kept for everybody.

use onefold::prelude::*;

/// The figures.
#[procedure(query, auth = permission("figures:read"), cache_s = 60)]
pub async fn figures() -> u32 {
    1
}

fn main() {}
