//! A fresh sign-in of nobody.

use runtime::prelude::*;

/// Say something.
#[procedure(mutation, auth = public, fresh = 300)]
pub async fn say() {}

fn main() {}
