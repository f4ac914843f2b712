//! Errors in a form that nobody knows.

use onefold::prelude::*;

/// Say something.
#[procedure(query, auth = public, http = "GET /words", errors = xml)]
pub async fn say() -> onefold::HttpReply {
    onefold::HttpReply::done()
}

fn main() {}
