//! This service as a relying party: the two steps of a sign-in at a provider.

use std::sync::{Arc, OnceLock};

use http::StatusCode;
use protocol::{Fault, Timestamp};

use super::{
    Callback, Flow, Identity, Outbound, Prompt, Provider, Providers, SignInError, Started,
    discovery::{Issuers, Metadata, unavailable},
    facebook,
    flow::Secrets,
    id_token::{self, Expected, Profile, Refused},
    outbound::Address,
    providers::{GOOGLE, Kind},
    token_endpoint::{Exchange, exchange, known},
};
use runtime::{BoxFuture, Call, Capability, Rights, opaque::Opaque, telemetry::chain};

/// The capability to sign people in by identity providers. It sends requests to providers, and caches their metadata.
#[derive(Clone)]
pub struct RelyingParty {
    outbound: Arc<Outbound>,
    issuers: Arc<Issuers>,
}

impl Capability for RelyingParty {
    const RIGHTS: Rights = Rights { outbound: &["identity providers"], ..Rights::NONE };

    fn obtain(_: &Call) -> Result<Self, Fault> {
        // One for the process: cached metadata serves the next call.
        static PARTY: OnceLock<RelyingParty> = OnceLock::new();
        if let Some(party) = PARTY.get() {
            return Ok(party.clone());
        }
        let party = Self::new(Outbound::new().map_err(Fault::internal)?);
        Ok(PARTY.get_or_init(|| party).clone())
    }
}

impl RelyingParty {
    /// A relying party with an empty cache.
    #[must_use]
    pub fn new(outbound: Outbound) -> Self {
        Self { outbound: Arc::new(outbound), issuers: Arc::default() }
    }

    /// Starts a sign-in. `browser` is the secret in the browser's cookie. `redirect_uri` is this service's callback,
    /// exactly as it is registered with the provider; [`RelyingParty::finish`] needs the same one.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`] when the issuer does not answer, [`SignInError::Untrusted`] when its metadata
    /// breaks a rule.
    #[inline(never)]
    pub fn start<'a>(
        &'a self,
        provider: &'a Provider,
        browser: &'a Opaque,
        redirect_uri: &'a str,
        prompt: Prompt,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Started, SignInError>> {
        let started = async move {
            let secrets = Secrets::generate(browser).map_err(unavailable)?;
            let (state, nonce, challenge) = (secrets.state.text(), secrets.nonce.text(), secrets.challenge());
            let mut parameters = vec![
                ("response_type", "code"),
                ("client_id", &*provider.client_id),
                ("redirect_uri", redirect_uri),
                ("scope", &*provider.scopes),
                ("state", &*state),
                ("code_challenge", challenge.as_str()),
                ("code_challenge_method", "S256"),
            ];
            let url = match &provider.kind {
                Kind::Facebook(facebook) => facebook.dialog.with_query(&parameters),
                Kind::OpenId { issuer } => {
                    parameters.push(("nonce", &*nonce));
                    let metadata = self.issuers.metadata(&self.outbound, issuer, now).await?;
                    if prompt == Prompt::Login {
                        parameters.push(("max_age", "0"));
                        // It means the same as `max_age=0`; a provider that does not know it may refuse the whole
                        // request.
                        parameters.extend(metadata.prompts_login.then_some(("prompt", "login")));
                    }
                    metadata.authorization.with_query(&parameters)
                }
            };
            Ok(Started { url, flow: Flow::new(&provider.id, browser, &secrets, now) })
        };
        Box::pin(async move { started.await.inspect_err(|error| log(&provider.id, error)) })
    }

    /// Finishes a sign-in: checks the provider's answer and fetches the user's identity. The flow is the one of
    /// [`Callback::flow_id`], and must be deleted before: it counts once, whatever the result.
    ///
    /// # Errors
    /// All of [`SignInError`].
    #[inline(never)]
    pub fn finish<'a>(
        &'a self,
        providers: &'a Providers,
        flow: &'a Flow,
        browser: Option<&'a Opaque>,
        callback: &'a Callback,
        redirect_uri: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Identity, SignInError>> {
        let finished = async move {
            let secrets = flow.secrets(browser, callback, now)?;
            let provider = providers.get(&flow.provider);
            let provider = provider.ok_or(SignInError::Flow("the flow's provider is there no more"))?;
            match &provider.kind {
                Kind::OpenId { issuer } => {
                    let metadata = self.issuers.metadata(&self.outbound, issuer, now).await?;
                    let code = code(callback, issuer, metadata.states_issuer)?;
                    let exchanged = Exchange { code, verifier: &secrets.verifier, redirect_uri };
                    self.open_id(provider, issuer, &metadata, &exchanged, &secrets.nonce, now).await
                }
                Kind::Facebook(addresses) => {
                    let code = code(callback, facebook::ISSUER, false)?;
                    let exchanged = Exchange { code, verifier: &secrets.verifier, redirect_uri };
                    let tokens = exchange(&self.outbound, &addresses.token, provider, true, &exchanged).await?;
                    facebook::identity(&self.outbound, provider, &addresses.user, &tokens.access_token).await
                }
            }
        };
        Box::pin(async move { finished.await.inspect_err(|error| log(&flow.provider, error)) })
    }

    async fn open_id(
        &self,
        provider: &Provider,
        issuer: &str,
        metadata: &Metadata,
        exchanged: &Exchange<'_>,
        nonce: &Opaque,
        now: Timestamp,
    ) -> Result<Identity, SignInError> {
        let tokens = exchange(&self.outbound, &metadata.token, provider, metadata.secret_in_form, exchanged).await?;
        let id_token = tokens.id_token.as_deref().ok_or(SignInError::Untrusted("there is no ID token"))?;
        let access_token = &*tokens.access_token;
        let expected = Expected { issuer, client_id: &provider.client_id, nonce, access_token, now };
        let keys = self.issuers.keys(&self.outbound, issuer, metadata, false, now).await?;
        let checked = match id_token::validate(id_token, &keys, &expected) {
            // The issuer may have a new key by now.
            Err(Refused::UnknownKey) => {
                let keys = self.issuers.keys(&self.outbound, issuer, metadata, true, now).await?;
                id_token::validate(id_token, &keys, &expected)
            }
            checked => checked,
        };
        let mut profile = checked.map_err(|refused| match refused {
            Refused::UnknownKey => SignInError::Untrusted("the ID token is signed with a key that the issuer has not"),
            Refused::Because(why) => SignInError::Untrusted(why),
        })?;
        if let (None, Some(address)) = (&profile.email, &metadata.user) {
            // Section 5.4: with an access token, the address is in the UserInfo answer.
            profile = self.user_info(address, access_token, profile).await?;
        }
        Ok(identity(provider, issuer, profile))
    }

    /// Section 5.3: the claims of the UserInfo endpoint about the user of the ID token.
    async fn user_info(
        &self,
        address: &Address,
        access_token: &str,
        id_token_profile: Profile,
    ) -> Result<Profile, SignInError> {
        let authorization = Some(format!("Bearer {access_token}"));
        let answer = self.outbound.get(address, authorization).await.map_err(unavailable)?;
        if answer.status != StatusCode::OK {
            return Err(unavailable(format!("the UserInfo endpoint answers {}", answer.status.as_u16())));
        }
        let user_info: Profile =
            answer.json().ok_or_else(|| unavailable("the UserInfo endpoint answers without a user"))?;
        // Section 5.3.2: otherwise one user's token could be answered with another user's address.
        if user_info.sub != id_token_profile.sub {
            return Err(SignInError::Untrusted("the UserInfo endpoint speaks of somebody else"));
        }
        let Profile { name, hd, authenticated_at, .. } = id_token_profile;
        Ok(Profile { name: user_info.name.or(name), hd: user_info.hd.or(hd), authenticated_at, ..user_info })
    }
}

/// Logs the details; the person learns no more than the kind.
fn log(provider: &str, error: &SignInError) {
    tracing::warn!(provider, code = error.code(), cause = chain(error), "no sign-in");
}

/// The code of an answer, if the answer is the issuer's (RFC 9207 section 2.4). It is checked first.
fn code<'a>(callback: &'a Callback, issuer: &str, states_issuer: bool) -> Result<&'a str, SignInError> {
    match &callback.iss {
        Some(other) if other != issuer => return Err(SignInError::Untrusted("another issuer answers")),
        None if states_issuer => return Err(SignInError::Untrusted("the answer does not state its issuer")),
        _ => {}
    }
    match callback.error.as_deref() {
        None => {}
        Some(
            "access_denied"
            | "account_selection_required"
            | "consent_required"
            | "interaction_required"
            | "login_required",
        ) => return Err(SignInError::Denied),
        Some(error) => return Err(unavailable(format!("the provider answers: {}", known(error)))),
    }
    let code = callback.code.as_deref().filter(|code| !code.is_empty());
    code.ok_or(SignInError::Untrusted("the answer has no code"))
}

fn identity(provider: &Provider, issuer: &str, profile: Profile) -> Identity {
    let email = profile.email.filter(|email| !email.is_empty());
    let vouched = profile.email_verified
        && email.as_deref().is_some_and(|email| issuer != GOOGLE || google_has(email, profile.hd.as_deref()));
    Identity {
        provider: provider.id.clone(),
        subject: profile.sub,
        email,
        email_verified: vouched,
        name: profile.name.filter(|name| !name.is_empty()),
        authenticated_at: profile.authenticated_at,
    }
}

/// Whether Google owns the mailbox. Google also states `email_verified` for foreign mailboxes, which may have been
/// reassigned since (<https://developers.google.com/identity/gsi/web/guides/verify-google-id-token>).
fn google_has(email: &str, organization: Option<&str>) -> bool {
    organization.is_some_and(|organization| !organization.is_empty())
        || email.rsplit_once('@').is_some_and(|(_, host)| host.eq_ignore_ascii_case("gmail.com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of the table on Google's page.
    #[test]
    fn google_vouches_for_mailboxes_that_it_has() {
        let providers = r#"[{"id": "google", "clientId": "c", "clientSecret": "s"}]"#;
        let providers = Providers::parse(providers).unwrap();
        let vouched = |issuer: &str, email: &str, verified, hd: Option<&str>| {
            let (email, hd) = (Some(email.to_owned()), hd.map(str::to_owned));
            let profile = Profile {
                sub: "7".to_owned(),
                email,
                email_verified: verified,
                name: None,
                hd,
                authenticated_at: None,
            };
            identity(providers.get("google").unwrap(), issuer, profile).email_verified
        };
        assert!(vouched(GOOGLE, "ada@gmail.com", true, None));
        assert!(vouched(GOOGLE, "ada@Example.com", true, Some("example.com")));
        assert!(!vouched(GOOGLE, "ada@gmail.com", false, None));
        assert!(!vouched(GOOGLE, "ada@example.com", true, None));
        assert!(!vouched(GOOGLE, "ada@example.com", true, Some("")));
        assert!(!vouched(GOOGLE, "gmail.com", true, None));
        assert!(!vouched(GOOGLE, "ada@notgmail.com", true, None));
        assert!(vouched("https://id.example", "ada@example.com", true, None), "other providers speak for themselves");
        assert!(!vouched("https://id.example", "", true, None), "nobody vouches for no address");
    }
}
