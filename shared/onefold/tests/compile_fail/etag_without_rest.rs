//! An entity tag of what has no REST route.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, etag = false)]
pub async fn say() {}

fn main() {}
