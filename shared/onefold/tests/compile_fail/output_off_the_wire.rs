//! An output that nobody can serialize.

use onefold::prelude::*;

/// What there is.
pub struct Found {
    /// How many.
    pub count: u32,
}

/// Look.
#[procedure(query, auth = public)]
pub async fn look() -> Found {
    Found { count: 1 }
}

fn main() {}
