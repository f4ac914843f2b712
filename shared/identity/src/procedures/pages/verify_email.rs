//! `pages.verifyEmail`.

use runtime::{HttpReply, HttpRequest, Site, prelude::*};

use crate::pages::VERIFY_EMAIL;

/// Show the page to which the mail for confirming an address leads. A service with a frontend sends browsers on to the frontend's.
#[procedure(query, auth = public, http = "GET /verify-email")]
pub async fn verify_email(site: Site, request: HttpRequest) -> Result<HttpReply, NoFailure> {
    Ok(VERIFY_EMAIL.reply(&site, request.query_string())?)
}
