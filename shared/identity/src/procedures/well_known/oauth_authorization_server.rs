//! `wellKnown.oauthAuthorizationServer`.

use runtime::{Definition, HttpReply, Site, prelude::*};

use crate::authorization_server::metadata;

/// Where an application finds what it needs to be let in (RFC 8414).
#[procedure(query, auth = public, http = "GET /.well-known/oauth-authorization-server", errors = oauth, cache_s = 300)]
pub async fn oauth_authorization_server(service: &'static Definition, site: Site) -> Result<HttpReply, NoFailure> {
    Ok(metadata::document(service, &site)?)
}
