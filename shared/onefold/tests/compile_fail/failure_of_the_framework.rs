//! A failure that is the framework's own.

use onefold::prelude::*;

/// Why nothing is said.
#[derive(Debug, Failure)]
pub enum Error {
    /// Sign in again.
    #[failure(FORBIDDEN)]
    Reauthenticate,
}

fn main() {}
