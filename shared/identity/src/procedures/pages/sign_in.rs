//! `pages.signIn`.

use runtime::{HttpReply, HttpRequest, Site, prelude::*};

use crate::pages::SIGN_IN;

/// Show the page to sign in at, which goes on to `return_to`, an address of the service. A service with a frontend sends browsers on to the frontend's.
#[procedure(query, auth = public, http = "GET /sign-in")]
pub async fn sign_in(site: Site, request: HttpRequest) -> Result<HttpReply, NoFailure> {
    Ok(SIGN_IN.reply(&site, request.query_string())?)
}
