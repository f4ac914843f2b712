//! A procedure of which no call may ever run.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, concurrency = 0)]
pub async fn say() -> String {
    "something".to_owned()
}

fn main() {}
