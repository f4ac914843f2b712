//! A wire type with a number whose digits JavaScript loses.

use onefold::prelude::*;

/// How much.
#[wire]
pub struct Sum {
    /// In cents.
    pub cents: u64,
}

fn main() {}
