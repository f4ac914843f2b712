//! A procedure that says nothing of itself.

use onefold::prelude::*;

#[procedure(query, auth = public)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
