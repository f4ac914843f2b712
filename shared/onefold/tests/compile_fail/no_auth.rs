//! A procedure that does not say who may call it.

use onefold::prelude::*;

/// Say something.
#[procedure(query)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
