//! An error type without `#[derive(Failure)]`.

use onefold::prelude::*;

/// Try.
#[procedure(query, auth = public)]
pub async fn attempt() -> Result<u32, String> {
    Err("no".to_owned())
}

fn main() {}
