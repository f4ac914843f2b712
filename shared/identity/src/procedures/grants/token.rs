//! `grants.token`.

use runtime::{HttpReply, HttpRequest, Signer, Site, prelude::*};
use serde::Deserialize;

use crate::{
    AuditAction, AuditEntry, GrantType, IdentityUser,
    audit::Audit,
    authorization_server::{
        Refused,
        codes::{Codes, Redemption},
        registry::{self, Registry},
        request::{RESOURCE, are_here},
        tokens,
    },
    rotation::RefreshToken,
    sessions::{Renewal, Sessions},
};

/// The parameters of a token request, besides the client's credentials.
#[derive(Deserialize)]
struct Form {
    grant_type: Option<String>,
    refresh_token: Option<String>,
    scope: Option<String>,
}

/// Give an application a token: for a code, for a refresh token, or for itself (RFC 6749 sections 4.1.3, 4.4.2, 6).
#[procedure(mutation, auth = public, http = "POST /oauth/token", errors = oauth)]
pub async fn token<U: IdentityUser>(
    registry: Registry,
    codes: Codes<U>,
    sessions: Sessions,
    audit: Audit,
    signer: Signer,
    site: Site,
    request: HttpRequest,
) -> Result<HttpReply, Refused> {
    let client = registry.identify(&request).await?;
    let parameters = request.form()?;
    let form: Form = parameters.read()?;
    let grant_type = form.grant_type.as_deref().ok_or_else(|| Refused::missing("grant_type"))?;
    let grant_type = GrantType::of_name(grant_type).ok_or(Refused::UnsupportedGrantType)?;
    if !client.may(grant_type) {
        return Err(Refused::UnauthorizedClient);
    }
    if !are_here(parameters.all(RESOURCE), &site) {
        return Err(Refused::InvalidTarget);
    }
    let (service, by) = (registry.service, (registry.service, &signer));
    match grant_type {
        GrantType::AuthorizationCode => {
            let (session, token) = codes.redeem(&client, &parameters.read::<Redemption>()?).await?;
            let token = Some(&token).filter(|_| client.may(GrantType::RefreshToken));
            Ok(tokens::for_user(by, &session, None, token).await?)
        }
        GrantType::RefreshToken => {
            let given = form.refresh_token.as_deref().ok_or_else(|| Refused::missing("refresh_token"))?;
            let given = RefreshToken::parse(given).ok_or(Refused::InvalidGrant)?;
            // The checks precede the rotation: a refusal must not use the token up.
            let known = sessions.stored.get(&given.session.hash()).await?;
            let known = known.filter(|session| tokens::is_of(session, &client)).ok_or(Refused::InvalidGrant)?;
            let scopes = known.application().map(|(_, scopes)| scopes).unwrap_or_default();
            let narrower = tokens::narrowed(service, form.scope.as_deref(), scopes)?;
            match sessions.renew(&given, Some(&client.application.id.to_string())).await? {
                Renewal::Next(session, next) => Ok(tokens::for_user(by, &session, narrower, Some(&next)).await?),
                Renewal::Reused(session) => {
                    let entry = || {
                        let entry = AuditEntry {
                            actor: Some(client.application.id.to_string()),
                            target: Some(session.user_id.to_string()),
                            ..audit.entry(AuditAction::TokenReused)
                        };
                        vec![audit.creating(entry)]
                    };
                    sessions.end(session.user_id, |device| device.device == session.device, |_| {}, entry).await?;
                    Err(Refused::InvalidGrant)
                }
                Renewal::Unknown => Err(Refused::InvalidGrant),
            }
        }
        GrantType::ClientCredentials => {
            let scopes = tokens::narrowed(service, form.scope.as_deref(), &client.application.scopes)?;
            let scopes = scopes.unwrap_or_else(|| registry::allowed_scopes(service, &client.application.scopes));
            Ok(tokens::for_itself(by, &client.application, scopes).await?)
        }
    }
}
