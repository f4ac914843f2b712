//! An input of a type that is read as outputs are.

#[allow(unused_imports)]
use onefold::prelude::*;

/// Which drawer.
#[wire]
pub struct Input {
    /// Its number.
    pub drawer: u32,
}

/// Look into a drawer.
#[procedure(query, auth = public)]
pub async fn look(#[input] input: Input) -> u32 {
    input.drawer
}

fn main() {}
