//! Authorization codes: made when a person consents, and redeemed once.

use protocol::{Code, Fault, SecretHash};
use runtime::{Definition, RateLimit, RateLimits, opaque::Opaque, prelude::*};
use serde::Deserialize;
use store::transaction;

use super::{Refused, request::AuthorizationRequest};
use crate::{
    Account, ApplicationClient, AuditAction, AuditEntry, AuthorizationCode, Device, GrantType, IdentityUser, Session,
    UserId,
    audit::Audit,
    authorization_server::pkce,
    notices::{Notice, Notices},
    rotation::RefreshToken,
    sessions::{ATTEMPTS, SessionSecret, Sessions},
};

/// Consents of one person.
const CONSENT: RateLimit = RateLimit { name: "consent", most: 60, span_s: 900 };

/// The capability to record a person's consent to an application.
#[derive(Clone, Capability)]
pub struct Consent<U: IdentityUser> {
    pub(crate) codes: Create<AuthorizationCode>,
    pub(crate) users: Read<U>,
    pub(crate) accounts: Read<Account>,
    pub(crate) limits: RateLimits,
    pub(crate) notices: Notices,
    pub(crate) audit: Audit,
    pub(crate) service: &'static Definition,
    pub(crate) clock: Clock,
}

impl<U: IdentityUser> Consent<U> {
    /// Records the consent and returns the address to which the browser goes, with the code that the application
    /// redeems for tokens. The owner of the account gets a mail, unless the application already has access. A person
    /// who consents too often goes back without a code.
    pub(crate) async fn give(
        &self,
        caller: &Caller,
        (user_id, session): (UserId, &SecretHash),
        request: &AuthorizationRequest,
    ) -> Result<String, Fault> {
        match self.limits.take(&CONSENT, caller.subject()).await {
            Err(fault) if fault.code == Code::TooManyRequests => {
                return Ok(request.response_url("error", "temporarily_unavailable"));
            }
            taken => taken?,
        };
        let (code, mut stored) = new(request, user_id, session.clone(), &self.clock)?;
        let entry = AuditEntry {
            target: Some(stored.client_id.to_string()),
            detail: Some(stored.scopes.join(" ")),
            ..self.audit.by(caller, AuditAction::ConsentGiven)
        };
        transaction(vec![self.codes.creating(&mut stored), self.audit.creating(entry)]).await?;
        let account = self.accounts.get(&user_id).await?;
        let is_of_client = |device: &Device| device.client_id == Some(stored.client_id);
        let has_access = account.is_some_and(|account| account.devices.iter().any(is_of_client));
        if !has_access && let Some(user) = self.users.get(&user_id).await? {
            self.notices.notify(user.email(), Notice::ApplicationLetIn(&request.client.application.name)).await;
        }
        Ok(request.response_url("code", &code.text()))
    }
}

/// A new code for a request, and its stored form.
fn new(
    request: &AuthorizationRequest,
    user_id: UserId,
    said_in: SecretHash,
    clock: &Clock,
) -> Result<(Opaque, AuthorizationCode), Fault> {
    let (code, now) = (Opaque::random()?, clock.now());
    let stored = AuthorizationCode {
        id: code.hash(),
        client_id: request.client.application.id,
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        user_id,
        said_in,
        scopes: request.scopes.clone(),
        good_until: now.plus_ms(AuthorizationCode::LIFETIME_MS),
        expires_at: now.plus_ms(AuthorizationCode::KEPT_MS),
        session: None,
        version: Version::default(),
    };
    Ok((code, stored))
}

/// The parameters with which an application redeems a code.
#[derive(Deserialize)]
pub(crate) struct Redemption {
    code: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
}

/// The capability to redeem codes.
#[derive(Clone, Capability)]
pub struct Codes<U: IdentityUser> {
    pub(crate) codes: Update<AuthorizationCode>,
    pub(crate) users: Read<U>,
    pub(crate) sessions: Sessions,
    pub(crate) audit: Audit,
}

impl<U: IdentityUser> Codes<U> {
    /// Redeems a code for a session. The same transaction marks the code as used.
    ///
    /// A second request that could have been the first shows that two parties have the code: the session that was made
    /// of it ends (OAuth 2.1, section 4.1.3). A request without the verifier shows nothing, and ends nothing.
    pub(crate) async fn redeem(
        &self,
        client: &ApplicationClient,
        redemption: &Redemption,
    ) -> Result<(Session, RefreshToken), Raised<Refused>> {
        let code = redemption.code.as_deref().ok_or_else(|| Refused::missing("code"))?;
        let id = Opaque::parse(code).ok_or(Refused::InvalidGrant)?.hash();
        if redemption.code_verifier.is_none() {
            return Err(Refused::missing("code_verifier").into());
        }
        let token = RefreshToken::first()?;
        for _ in 0..ATTEMPTS {
            let code = self.codes.get(&id).await?.ok_or(Refused::InvalidGrant)?;
            if !is_for(&code, client, redemption) {
                return Err(Refused::InvalidGrant.into());
            }
            if let Some(session) = &code.session {
                self.revoke_session(&code, session).await?;
                return Err(Refused::InvalidGrant.into());
            }
            if self.sessions.clock.now() >= code.good_until {
                return Err(Refused::InvalidGrant.into());
            }
            let secret = SessionSecret::Application {
                client_id: code.client_id,
                name: client.application.name.clone(),
                scopes: code.scopes.clone(),
                token: token.clone(),
                may_refresh: client.may(GrantType::RefreshToken),
            };
            let extra_operations = || {
                let mut used = AuthorizationCode { session: Some(token.session.hash()), ..code.clone() };
                vec![self.codes.replacing(&code, &mut used)]
            };
            let require_session = |account: &mut Account| match account.devices.iter().any(|at| at.has(&code.said_in)) {
                true => Ok(()),
                false => Err(Fault::new(Code::Unauthorized, "Whoever said yes was signed out.")),
            };
            let begun = self.sessions.try_begin(&self.users, code.user_id, &secret, require_session, extra_operations);
            match begun.await {
                Ok(Some((_, session))) => return Ok((session, token)),
                Ok(None) => {}
                Err(fault) if fault.code == Code::Unauthorized => return Err(Refused::InvalidGrant.into()),
                Err(fault) => return Err(fault.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    async fn revoke_session(&self, code: &AuthorizationCode, session: &SecretHash) -> Result<(), StoreError> {
        let extra_operations = || {
            let entry = AuditEntry {
                actor: Some(code.client_id.to_string()),
                target: Some(code.user_id.to_string()),
                detail: Some("an authorization code".to_owned()),
                ..self.audit.entry(AuditAction::TokenReused)
            };
            vec![self.audit.creating(entry)]
        };
        self.sessions.end(code.user_id, |device| device.has(session), |_| {}, extra_operations).await.map(|_| ())
    }
}

/// Whether a code was made for the application that presents it. Without a redirect URI, the verifier alone binds it,
/// as OAuth 2.1 has it (section 10.2).
fn is_for(code: &AuthorizationCode, client: &ApplicationClient, redemption: &Redemption) -> bool {
    code.client_id == client.application.id
        && redemption.redirect_uri.as_ref().is_none_or(|uri| *uri == code.redirect_uri)
        && redemption.code_verifier.as_ref().is_some_and(|verifier| pkce::verifies(verifier, &code.challenge))
}
