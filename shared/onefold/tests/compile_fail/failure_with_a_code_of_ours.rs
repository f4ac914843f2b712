//! A failure that claims a code which only the framework may choose.

use onefold::prelude::*;

/// Why there is nothing.
#[derive(Debug, Failure)]
pub enum Error {
    /// There is nothing.
    #[failure(INTERNAL_SERVER_ERROR)]
    Missing,
}

fn main() {}
