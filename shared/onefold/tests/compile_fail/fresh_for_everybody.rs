//! A fresh sign-in of nobody.

use onefold::prelude::*;

/// Say something.
#[procedure(mutation, auth = public, fresh = 300)]
pub async fn say() {}

fn main() {}
