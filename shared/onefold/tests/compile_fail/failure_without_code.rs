//! A failure that does not say what kind it is.

use onefold::prelude::*;

/// Why there is nothing.
#[derive(Debug, Failure)]
pub enum Error {
    /// There is nothing.
    Missing,
}

fn main() {}
