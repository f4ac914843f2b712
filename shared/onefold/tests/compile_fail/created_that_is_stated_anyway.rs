//! What the declaration implies is not stated.

use onefold::prelude::*;

/// Say something.
#[procedure(mutation, auth = public, rest = "POST /v1/words", created = true)]
pub async fn say() {}

fn main() {}
