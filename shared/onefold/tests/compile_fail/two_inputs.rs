//! Two inputs of one procedure.

#[allow(unused_imports)]
use onefold::prelude::*;

/// Which drawer.
#[wire(input)]
pub struct Input {
    /// Its number.
    pub drawer: u32,
}

/// Look into a drawer.
#[procedure(query, auth = public)]
pub async fn look(#[input] input: Input, #[input] other: Input) -> u32 {
    input.drawer + other.drawer
}

fn main() {}
