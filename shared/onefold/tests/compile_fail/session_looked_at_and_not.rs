//! A mutation that asks for the look at the session, and leaves it out.

use onefold::prelude::*;

/// Count.
#[procedure(mutation, auth = permission("visits:write"), sensitive, session = "it only counts")]
pub async fn count() -> u32 {
    1
}

fn main() {}
