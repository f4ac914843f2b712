//! A procedure that says nothing of itself.

use runtime::prelude::*;

#[procedure(query, auth = public)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
