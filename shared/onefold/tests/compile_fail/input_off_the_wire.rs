//! An input that nobody can read.

use onefold::prelude::*;

/// Where to look.
pub struct Input {
    /// Which drawer.
    pub drawer: u32,
}

/// Look.
#[procedure(query, auth = public)]
pub async fn look(#[input] input: Input) -> u32 {
    input.drawer
}

fn main() {}
