//! A mutation that leaves the look at the session out, and does not say why.

use onefold::prelude::*;

/// Count.
#[procedure(mutation, auth = permission("visits:write"), session = " ")]
pub async fn count() -> u32 {
    1
}

fn main() {}
