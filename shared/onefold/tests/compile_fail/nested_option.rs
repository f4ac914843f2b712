//! A wire type with two kinds of nothing, of which JSON has one.

use onefold::prelude::*;

/// What to change.
#[wire(input)]
pub struct ChangeInput {
    /// The new age.
    pub age: Option<Option<u32>>,
}

fn main() {}
