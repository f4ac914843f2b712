//! `wellKnown.jwks`.

use runtime::{HttpReply, TokenKeys, prelude::*};

/// The public keys that check the service's access tokens (RFC 7517).
#[procedure(query, auth = public, http = "GET /.well-known/jwks.json", errors = oauth, cache_s = 300)]
pub async fn jwks(keys: TokenKeys) -> Result<HttpReply, NoFailure> {
    Ok(HttpReply::ok(&keys.set())?)
}
