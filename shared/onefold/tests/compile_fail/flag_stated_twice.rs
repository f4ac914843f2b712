//! A flag that is there twice.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = signed_in, sensitive, sensitive)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
