//! A mutation whose route is for GET.

use onefold::prelude::*;

/// Forget things.
#[procedure(mutation, auth = signed_in, rest = "GET /v1/things/forget")]
pub async fn forget() {}

fn main() {}
