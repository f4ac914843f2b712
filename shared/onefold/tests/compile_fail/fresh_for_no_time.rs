//! A sign-in that is never fresh.

use onefold::prelude::*;

/// Say something.
#[procedure(mutation, auth = signed_in, fresh = 0)]
pub async fn say() {}

fn main() {}
