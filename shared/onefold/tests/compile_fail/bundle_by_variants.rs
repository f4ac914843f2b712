//! A bundle that is one of several things.

use onefold::prelude::*;

/// Either of the two.
#[derive(Capability)]
pub enum Either {
    /// The time.
    Clock(Clock),
    /// Ids.
    Ids(Ids),
}

fn main() {}
