//! A fresh sign-in of an application that speaks a standard's form.

use runtime::prelude::*;

/// Say something.
#[procedure(mutation, auth = signed_in, fresh = 300, http = "POST /oauth/say")]
pub async fn say(request: runtime::HttpRequest) -> runtime::HttpReply {
    runtime::HttpReply::redirect(request.last_segment()).unwrap()
}

fn main() {}
