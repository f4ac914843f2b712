//! `grants.introspect`.

use runtime::{HttpReply, HttpRequest, Site, TokenKeys, prelude::*};
use serde::{Deserialize, Serialize};

use crate::{
    ApplicationClient, Proof, Session,
    authorization_server::{
        Refused,
        registry::Registry,
        tokens::{self, PresentedToken},
    },
};

/// The parameters of RFC 7662 section 2.1.
#[derive(Deserialize)]
struct Form {
    token: String,
}

/// The response of RFC 7662 section 2.2. It says nothing about an invalid token.
#[derive(Default, Serialize)]
struct Introspection {
    active: bool,
    #[serde(flatten)]
    known: Option<Known>,
}

#[derive(Serialize)]
struct Known {
    iss: String,
    sub: String,
    client_id: String,
    scope: String,
    iat: i64,
    exp: i64,
    /// Only for access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

/// Tell an application about one of its own tokens: whether it is good now, and for what (RFC 7662).
#[procedure(mutation, auth = public, http = "POST /oauth/introspect", errors = oauth)]
pub async fn introspect(
    registry: Registry,
    sessions: Read<Session>,
    keys: TokenKeys,
    site: Site,
    request: HttpRequest,
) -> Result<HttpReply, Refused> {
    let client = registry.identify(&request).await?;
    // A public application could ask about any token that it came by.
    if client.secret.is_none() {
        registry.refused(Some(client.application.id)).await?;
        return Err(Refused::InvalidClient);
    }
    let form: Form = request.form()?.read()?;
    let token = PresentedToken::read(&form.token, &keys);
    let session = match token.as_ref().and_then(PresentedToken::session) {
        Some(id) => sessions.get(&id).await?.filter(|session| tokens::is_of(session, &client)),
        None => None,
    };
    let known = token.and_then(|token| known(token, session, &client, site.url()));
    Ok(HttpReply::ok(&Introspection { active: known.is_some(), known })?)
}

fn known(token: PresentedToken, session: Option<Session>, client: &ApplicationClient, issuer: &str) -> Option<Known> {
    let client_id = client.application.id.to_string();
    match token {
        PresentedToken::Access(claims) => {
            let good = claims.client_id.as_ref() == Some(&client_id) && (claims.sid.is_none() || session.is_some());
            good.then_some(Known {
                iss: claims.iss,
                sub: claims.sub,
                client_id,
                scope: claims.scope.unwrap_or_default(),
                iat: claims.iat,
                exp: claims.exp,
                token_type: Some("Bearer"),
                aud: Some(claims.aud),
                jti: Some(claims.jti),
            })
        }
        PresentedToken::Refresh(token) => {
            let session = session?;
            let Proof::Application { scopes, rotation, .. } = &session.proof else { return None };
            (rotation.current == token.turn.hash()).then(|| Known {
                iss: issuer.to_owned(),
                sub: session.user_id.to_string(),
                client_id,
                scope: scopes.join(" "),
                iat: session.renewed_at.unix_ms().div_euclid(1_000),
                exp: session.expires_at.unix_ms().div_euclid(1_000),
                token_type: None,
                aud: None,
                jti: None,
            })
        }
    }
}
