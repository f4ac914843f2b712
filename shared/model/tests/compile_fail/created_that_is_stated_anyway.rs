//! What the declaration implies is not stated.

use runtime::prelude::*;

/// Say something.
#[procedure(mutation, auth = public, rest = "POST /v1/words", created = true)]
pub async fn say() {}

fn main() {}
