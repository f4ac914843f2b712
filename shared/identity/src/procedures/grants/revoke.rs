//! `grants.revoke`.

use runtime::{HttpReply, HttpRequest, TokenKeys, prelude::*};
use serde::Deserialize;

use crate::{
    AuditAction, AuditEntry,
    audit::Audit,
    authorization_server::{
        Refused,
        registry::Registry,
        tokens::{self, PresentedToken},
    },
    sessions::Sessions,
};

/// The parameters of RFC 7009 section 2.1. The hint is not needed: the two kinds of tokens look different.
#[derive(Deserialize)]
struct Form {
    token: String,
}

/// Take an application's token back, and with it all that the application has from the same person by the same
/// yes (RFC 7009).
///
/// It can refresh none from then on, and its access tokens change nothing any more; what only reads takes these
/// until they expire, after 15 minutes at most.
#[procedure(mutation, auth = public, http = "POST /oauth/revoke", errors = oauth)]
pub async fn revoke(
    registry: Registry,
    sessions: Sessions,
    audit: Audit,
    keys: TokenKeys,
    request: HttpRequest,
) -> Result<HttpReply, Refused> {
    let client = registry.identify(&request).await?;
    let form: Form = request.form()?.read()?;
    // An invalid token counts as revoked (section 2.2).
    let Some(token) = PresentedToken::read(&form.token, &keys) else { return Ok(HttpReply::done()) };
    if let PresentedToken::Access(claims) = &token
        && claims.client_id != Some(client.application.id.to_string())
    {
        return Err(Refused::InvalidGrant);
    }
    let id = token.session().ok_or(Refused::UnsupportedTokenType)?;
    let Some(session) = sessions.stored.get(&id).await? else { return Ok(HttpReply::done()) };
    if !tokens::is_of(&session, &client) {
        return Err(Refused::InvalidGrant);
    }
    let entry = || {
        let entry = AuditEntry {
            actor: Some(client.application.id.to_string()),
            target: Some(session.user_id.to_string()),
            ..audit.entry(AuditAction::SignedOut)
        };
        vec![audit.creating(entry)]
    };
    sessions.end(session.user_id, |device| device.has(&id), |_| {}, entry).await?;
    Ok(HttpReply::done())
}
