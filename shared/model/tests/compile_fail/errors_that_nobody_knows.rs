//! Errors in a form that nobody knows.

use runtime::prelude::*;

/// Say something.
#[procedure(query, auth = public, http = "GET /words", errors = xml)]
pub async fn say() -> runtime::HttpReply {
    runtime::HttpReply::done()
}

fn main() {}
