//! Registered applications: their authentication, and the rules of their registration.

use protocol::Raised;
use runtime::{
    Caller, ClientInfo, Definition, HttpRequest, Principal, RateLimit, RateLimits,
    opaque::Opaque,
    prelude::*,
    principal::{is_withheld, permits},
};
use serde::Deserialize;

use super::Refused;
use crate::{
    Application, ApplicationClient, AuditAction, AuditEntry, ClientId, ClientKind, GrantType,
    audit::Audit,
    authorization_server::redirect::{self, Kind},
};

/// Requests of applications from one network address, before the application is known.
pub(super) const ADDRESS: RateLimit = RateLimit { name: "client-address", most: 1_200, span_s: 60 };
/// Requests of one application. A public one counts per address, since anybody can state its id.
const CLIENT: RateLimit = RateLimit { name: "client", most: 3_000, span_s: 60 };

/// Audit entries about refused applications that one address causes: it takes no secret to cause one.
const REFUSED: RateLimit = RateLimit { name: "client-refused", most: 100, span_s: 900 };

/// Client credentials in the form, for an application that does not send them in a header (RFC 6749 section 2.3.1).
#[derive(Deserialize)]
struct Credentials {
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// The capability to authenticate an application.
#[derive(Clone, Capability)]
pub struct Registry {
    pub(crate) clients: Read<ApplicationClient>,
    pub(crate) limits: RateLimits,
    pub(crate) client_info: ClientInfo,
    pub(crate) audit: Audit,
    pub(crate) service: &'static Definition,
}

impl Registry {
    /// Returns the application that sends a form. A confidential one proves its secret; a failure is written to the
    /// audit log.
    pub(crate) async fn identify(&self, request: &HttpRequest) -> Result<ApplicationClient, Raised<Refused>> {
        let Self { clients, limits, client_info, .. } = self;
        let mut claimed = None;
        let identified = identify(clients, limits, client_info, request, &mut claimed).await;
        if matches!(identified, Err(Raised::Failure(Refused::InvalidClient))) {
            self.refused(claimed).await?;
        }
        identified
    }

    /// Writes that a request claimed to be an application and failed, or named none.
    pub(crate) async fn refused(&self, claimed: Option<ClientId>) -> Result<(), StoreError> {
        // The actor is unknown. One network that is refused repeatedly writes one entry for a while.
        if self.limits.take(&REFUSED, &self.client_info.network()).await.is_err() {
            return Ok(());
        }
        let target = claimed.map(|id| id.to_string());
        self.audit.create(AuditEntry { target, ..self.audit.entry(AuditAction::ClientRefused) }).await
    }
}

async fn identify(
    clients: &Read<ApplicationClient>,
    limits: &RateLimits,
    client_info: &ClientInfo,
    request: &HttpRequest,
    claimed: &mut Option<ClientId>,
) -> Result<ApplicationClient, Raised<Refused>> {
    limits.take(&ADDRESS, &client_info.network()).await?;
    let form: Credentials = request.form()?.read()?;
    let twice = |what: &str| Refused::InvalidRequest { reason: format!("The request has the {what} twice.") };
    let (id, secret) = match request.basic() {
        Some(_) if form.client_secret.is_some() => return Err(twice("client secret").into()),
        Some((id, _)) if form.client_id.as_ref().is_some_and(|other| *other != id) => {
            return Err(twice("client_id").into());
        }
        // A value that is empty counts as absent, here as in the form: a public application has none.
        Some((id, secret)) => (id, Some(secret).filter(|secret| !secret.is_empty())),
        None if request.headers().contains_key("authorization") => return Err(Refused::InvalidClient.into()),
        None => (form.client_id.unwrap_or_default(), form.client_secret),
    };
    let client = match id.parse() {
        Ok(id) => {
            let client = clients.get(&id).await?.ok_or(Refused::InvalidClient)?;
            *claimed = Some(id);
            client
        }
        Err(_) => return Err(Refused::InvalidClient.into()),
    };
    match (&client.secret, secret.as_deref().map(Opaque::parse)) {
        (Some(stored), Some(Some(presented))) if presented.is_hashed_as(stored) => {
            limits.take(&CLIENT, &id).await.map(drop)?
        }
        (None, None) => limits.take(&CLIENT, &format!("{id} {}", client_info.network())).await.map(drop)?,
        _ => return Err(Refused::InvalidClient.into()),
    }
    Ok(client)
}

/// The permissions that an application can be given: all but the one to give rights.
pub(crate) fn scopes(service: &Definition) -> impl Iterator<Item = &'static str> {
    service.permissions.iter().map(|(permission, _)| *permission).filter(|permission| !is_withheld(service, permission))
}

/// The scopes that an application can be given now, out of those that it was registered with.
pub(crate) fn allowed_scopes(service: &Definition, scopes: &[String]) -> Vec<String> {
    scopes.iter().filter(|scope| !is_withheld(service, scope)).cloned().collect()
}

/// Whether the caller may register an application with a scope: only a permission that the caller has.
pub(crate) fn may_register(caller: &Caller, scope: &str) -> bool {
    if !scopes(caller.service()).any(|known| known == scope) {
        return false;
    }
    permits(caller.service(), &Principal { client: None, ..caller.principal().clone() }, scope)
}

/// The reason why an application cannot have this redirect URI, if there is one.
pub(crate) fn refusal(uri: &str, kind: ClientKind) -> Option<&'static str> {
    match (redirect::check(uri), kind) {
        (Err(reason), _) => Some(reason),
        // An installed application keeps no secret (RFC 8252 section 8.5).
        (Ok(Kind::Native), ClientKind::Confidential) => Some("an application on people's devices is a public one"),
        (Ok(_), _) => None,
    }
}

/// The grant types of an application that states none.
pub(crate) const GRANT_TYPES: [GrantType; 2] = [GrantType::AuthorizationCode, GrantType::RefreshToken];

/// The first contradiction in an application's registration, if there is one.
pub(crate) fn contradiction(application: &Application) -> Option<&'static str> {
    let has = |grant_type: GrantType| application.grant_types.contains(&grant_type);
    if has(GrantType::ClientCredentials) && application.kind == ClientKind::Public {
        return Some("client_credentials are of an application that keeps a secret");
    }
    if has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode) {
        return Some("refresh_token goes on with what authorization_code began");
    }
    if has(GrantType::AuthorizationCode) == application.redirect_uris.is_empty() {
        return Some("authorization_code needs redirect URIs, and nothing else does");
    }
    None
}

#[cfg(test)]
mod tests {
    use runtime::Ids;

    use super::*;
    use crate::{IdentityRole as _, tests::Role};

    fn caller(role: Role) -> Caller {
        crate::tests::caller(Principal { roles: vec![role.name().to_owned()], ..Principal::default() })
    }

    #[test]
    fn nobody_gives_an_application_more_than_they_have() {
        for (role, scope, expected) in [
            (Role::Owner, "stock:write", true),
            (Role::Owner, "orders:write:own", true),
            (Role::Owner, "clients:write", true),
            (Role::Owner, "rights:write", false),
            (Role::Owner, "rights:write:own", false),
            (Role::Owner, "orders:fly", false),
            (Role::Owner, "orders:read:own", false),
            (Role::Owner, "openid", false),
            (Role::Owner, "", false),
            (Role::Clerk, "orders:write:own", true),
            (Role::Clerk, "orders:write", false),
            (Role::Reader, "orders:read", true),
        ] {
            assert_eq!(may_register(&caller(role), scope), expected, "{role:?} {scope}");
        }
        let nobody = crate::tests::caller(Principal::default());
        assert!(!may_register(&nobody, "orders:read"));
    }

    fn contradicts(kind: ClientKind, grant_types: &[GrantType], uris: usize) -> bool {
        let application = Application {
            id: Ids::counting().next(),
            name: "Reader".to_owned(),
            kind,
            redirect_uris: vec!["https://app.example.com/callback".to_owned(); uris],
            scopes: vec!["orders:read".to_owned()],
            grant_types: grant_types.to_vec(),
            created_at: Timestamp::from_unix_ms(0),
        };
        contradiction(&application).is_some()
    }

    #[test]
    fn what_an_application_is_registered_with_goes_together() {
        use ClientKind::{Confidential, Public};
        use GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
        assert!(!contradicts(Public, &GRANT_TYPES, 1));
        assert!(!contradicts(Public, &[AuthorizationCode], 2));
        assert!(!contradicts(Confidential, &[ClientCredentials], 0));
        assert!(!contradicts(Confidential, &[AuthorizationCode, RefreshToken, ClientCredentials], 1));
        assert!(contradicts(Public, &[ClientCredentials], 0), "it cannot prove who it is");
        assert!(contradicts(Public, &GRANT_TYPES, 0), "nobody knows where to send the browser");
        assert!(contradicts(Confidential, &[ClientCredentials], 1));
        assert!(contradicts(Confidential, &[RefreshToken, ClientCredentials], 0));
        let native = "com.example.app:/callback";
        assert!(refusal(native, Public).is_none() && refusal(native, Confidential).is_some());
    }
}
