//! `wellKnown.openidConfiguration`.

use runtime::{Definition, HttpReply, Site, prelude::*};

use crate::authorization_server::metadata;

/// Where an application finds what it needs to be let in at the place where OpenID Connect has it.
#[procedure(query, auth = public, http = "GET /.well-known/openid-configuration", errors = oauth, cache_s = 300)]
pub async fn openid_configuration(service: &'static Definition, site: Site) -> Result<HttpReply, NoFailure> {
    Ok(metadata::document(service, &site)?)
}
