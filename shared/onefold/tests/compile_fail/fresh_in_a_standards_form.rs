//! A fresh sign-in of an application that speaks a standard's form.

use onefold::prelude::*;

/// Say something.
#[procedure(mutation, auth = signed_in, fresh = 300, http = "POST /oauth/say")]
pub async fn say(request: onefold::HttpRequest) -> onefold::HttpReply {
    onefold::HttpReply::redirect(request.last_segment()).unwrap()
}

fn main() {}
