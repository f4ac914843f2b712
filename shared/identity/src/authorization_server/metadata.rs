//! The authorization server's metadata: its endpoints and abilities (RFC 8414).

use protocol::Fault;
use runtime::{Definition, HttpReply, Site};
use serde::Serialize;

use super::registry;
use crate::authorization_server::pkce;

/// It claims only what works. There are no ID tokens: the document stands at the OpenID Connect path as well because
/// many applications look there.
#[derive(Serialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    jwks_uri: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 3],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
}

/// Returns the metadata document as an HTTP reply.
pub(crate) fn document(service: &Definition, site: &Site) -> Result<HttpReply, Fault> {
    if site.url().is_empty() {
        return Err(Fault::internal("the service was not told where it is: ONEFOLD_URL"));
    }
    let at = |path: &str| format!("{}{path}", site.url());
    HttpReply::ok(&Metadata {
        issuer: site.url().to_owned(),
        authorization_endpoint: at("/oauth/authorize"),
        token_endpoint: at("/oauth/token"),
        revocation_endpoint: at("/oauth/revoke"),
        introspection_endpoint: at("/oauth/introspect"),
        jwks_uri: at("/.well-known/jwks.json"),
        scopes_supported: registry::scopes(service).collect(),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
        revocation_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
        introspection_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        code_challenge_methods_supported: [pkce::METHOD],
        authorization_response_iss_parameter_supported: true,
    })
}
