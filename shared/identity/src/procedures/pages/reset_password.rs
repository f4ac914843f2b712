//! `pages.resetPassword`.

use runtime::{HttpReply, HttpRequest, Site, prelude::*};

use crate::pages::RESET_PASSWORD;

/// Show the page to which the mail for a new password leads. A service with a frontend sends browsers on to the frontend's.
#[procedure(query, auth = public, http = "GET /reset-password")]
pub async fn reset_password(site: Site, request: HttpRequest) -> Result<HttpReply, NoFailure> {
    Ok(RESET_PASSWORD.reply(&site, request.query_string())?)
}
