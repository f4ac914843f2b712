//! The tokens of applications: what the token endpoint answers, and how a presented token is read.

use protocol::{Client, Fault, Principal, SecretHash, StoredSession as _};
use runtime::{Definition, HttpReply, Signer, TokenKeys, scope, sessions::lifetime};
use serde::Serialize;

use super::{Refused, registry};
use crate::{Application, ApplicationClient, Session, rotation::RefreshToken};

/// RFC 6749 section 5.1.
#[derive(Serialize)]
struct Granted {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scope: String,
}

/// Answers with an access token for the scopes that an application can be given now, and with the next refresh token.
async fn granted(
    (service, signer): (&Definition, &Signer),
    mut principal: Principal,
    refresh_token: Option<String>,
) -> Result<HttpReply, Fault> {
    let mut scope = String::new();
    if let Some(client) = &mut principal.client {
        client.scopes = registry::allowed_scopes(service, &client.scopes);
        scope = client.scopes.join(" ");
    }
    HttpReply::ok(&Granted {
        access_token: signer.access_token(&principal).await?,
        token_type: "Bearer",
        expires_in: lifetime::ACCESS_TOKEN_S,
        refresh_token,
        scope,
    })
}

/// Answers with tokens for a person who let the application in. `narrower`: fewer scopes, in this access token alone.
pub(crate) async fn for_user(
    by: (&Definition, &Signer),
    session: &Session,
    narrower: Option<Vec<String>>,
    token: Option<&RefreshToken>,
) -> Result<HttpReply, Fault> {
    let mut principal = session.principal();
    if let (Some(client), Some(scopes)) = (&mut principal.client, narrower) {
        client.scopes = scopes;
    }
    granted(by, principal, token.map(RefreshToken::text)).await
}

/// Answers with a token for the application itself (RFC 6749 section 4.4).
pub(crate) async fn for_itself(
    by: (&Definition, &Signer),
    application: &Application,
    scopes: Vec<String>,
) -> Result<HttpReply, Fault> {
    let id = application.id.to_string();
    let client = Client { id: id.clone(), scopes, for_itself: true };
    let principal = Principal { subject: id, client: Some(client), ..Principal::default() };
    granted(by, principal, None).await
}

/// Returns the requested scopes, if they are within those that were given.
pub(crate) fn narrowed(
    service: &Definition,
    requested: Option<&str>,
    given: &[String],
) -> Result<Option<Vec<String>>, Refused> {
    let Some(requested) = requested else { return Ok(None) };
    let given = registry::allowed_scopes(service, given);
    let scopes = scope::parse(requested).filter(|scopes| !scopes.is_empty() && scope::is_within(scopes, &given));
    scopes.map(Some).ok_or(Refused::InvalidScope)
}

/// A token that an application presents.
pub(crate) enum PresentedToken {
    /// A refresh token: the session and the turn that it names.
    Refresh(RefreshToken),
    /// The claims of an access token; its signature is good, and it has not expired.
    Access(Box<runtime::tokens::Claims>),
}

impl PresentedToken {
    /// Reads a token of either kind. Returns none if the token was never issued here, or has expired.
    pub(crate) fn read(text: &str, keys: &TokenKeys) -> Option<Self> {
        match RefreshToken::parse(text) {
            Some(token) => Some(Self::Refresh(token)),
            None => keys.read(text).map(|claims| Self::Access(Box::new(claims))),
        }
    }

    /// Returns the token's session; none for an access token that an application has for itself.
    pub(crate) fn session(&self) -> Option<SecretHash> {
        match self {
            Self::Refresh(token) => Some(token.session.hash()),
            Self::Access(claims) => claims.sid.clone(),
        }
    }
}

/// Whether in this session this application acts for a person.
pub(crate) fn is_of(session: &Session, client: &ApplicationClient) -> bool {
    session.application().is_some_and(|(id, _)| id == client.application.id.to_string())
}
