//! Sign-in flows at identity providers: how one begins and ends.
//!
//! ```text
//! page ── oauth.start, .link or .reauthenticate ──> the provider ──> oauth.callback ──> the page that was asked for
//! ```
//!
//! Each sets a cookie, so that only the browser which began can finish the flow. A flow for a signed-in user begins
//! with a mutation, and not with a link: a call with a cookie must come from an own page, or another site could have a
//! user link that site's account.

use protocol::Fault;
use runtime::{Cookies, NotAdmitted, Secret, Site, opaque::Opaque, prelude::*};

use super::pages::SIGN_IN;
use crate::{
    FlowAim, SignInFlow,
    authorization_server::request::MAX_BYTES,
    federation::{
        Callback, FLOW_LIFETIME_MS, Flow, Identity, IdentityProviders, Prompt, Provider, Providers, RelyingParty,
    },
};

/// The name of the cookie of a flow's browser, without its prefix.
const COOKIE: &str = "onefold-sign-in";
/// The longest path to which a browser is sent back, in bytes: the sign-in page with the longest authorization request,
/// each byte of which may take three there.
const MAX_PATH_BYTES: usize = 3 * MAX_BYTES + 500;

/// Why a flow signed nobody in; [`crate::federation::SignInError`] has the other reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The flow, or the session in which it began, does not exist or has ended.
    Expired,
    /// The answer came from another provider than the one that was asked.
    AnotherProvider,
    /// There is an account with this address: its owner must sign in to link the two.
    SignInFirst,
    /// The identity is linked to another user.
    Taken,
    /// Another account of the same provider is linked.
    OtherLinked,
    /// The provider names no address.
    NoEmail,
    /// The identity is not linked to the signed-in user's account.
    OtherAccount,
    /// The provider did not authenticate the user anew, or does not state that it did.
    NotFresh,
    /// The provider does not vouch for the address: its owner gets a mail.
    ConfirmEmail,
    /// It takes a new account, and registration is closed.
    RegistrationClosed,
    /// It takes a new account, and the address is of no domain that may register.
    OtherDomain,
}

impl Refusal {
    /// The value of `#error=`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::AnotherProvider => "refused",
            Self::SignInFirst => "sign_in_first",
            Self::Taken => "taken",
            Self::OtherLinked => "other_linked",
            Self::NoEmail => "no_email",
            Self::OtherAccount => "other_account",
            Self::NotFresh => "not_fresh",
            Self::ConfirmEmail => "confirm_email",
            Self::RegistrationClosed => "registration_closed",
            Self::OtherDomain => "other_domain",
        }
    }
}

impl From<NotAdmitted> for Refusal {
    fn from(reason: NotAdmitted) -> Self {
        match reason {
            NotAdmitted::Closed => Self::RegistrationClosed,
            NotAdmitted::OtherDomain => Self::OtherDomain,
        }
    }
}

/// How a flow ends that signs nobody in.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The page gets this error code.
    Refused(&'static str),
    /// A fault that any call can have.
    Fault(Fault),
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.code())
    }
}

impl<E: Into<Fault>> From<E> for Ended {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

/// The configured providers.
pub(crate) async fn providers(secret: &Secret<IdentityProviders>) -> Result<Providers, Fault> {
    secret.read().await?.map_or_else(|| Ok(Providers::default()), IdentityProviders::providers)
}

/// Whether a browser may be sent back there: a path of the service's pages, without a fragment.
fn is_path(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"' | b'<' | b'>');
    text.len() <= MAX_PATH_BYTES && text.starts_with('/') && !text.starts_with("//") && text.bytes().all(plain)
}

/// The page that is shown at the end. The default is `/` of a frontend, or the sign-in page where the service's own
/// pages are all that there is; none if it is no path of the service's pages.
pub(crate) fn return_path(asked: Option<String>, site: &Site) -> Option<String> {
    let first = || if site.has_separate_pages() { "/".to_owned() } else { format!("/{}", SIGN_IN.path) };
    Some(asked.unwrap_or_else(first)).filter(|path| is_path(path))
}

/// The sign-in page with an error, for a flow whose page is unknown.
pub(crate) fn beginning(site: &Site, refusal: Refusal) -> String {
    page(site, &format!("/{}", SIGN_IN.path), Some(refusal.code()))
}

/// The address of a page, with the error if there is one.
pub(crate) fn page(site: &Site, path: &str, error: Option<&str>) -> String {
    let error = error.map(|code| format!("#error={code}")).unwrap_or_default();
    format!("{}{path}{error}", site.app_url())
}

/// The callback of a provider. Each provider has its own, so that none can pass its answer off as another's (RFC 9700
/// section 4.4.2.2); not all of them state their issuer.
fn redirect_uri(site: &Site, provider: &str) -> String {
    format!("{}/oauth/callback/{provider}", site.url())
}

/// The capability to begin a sign-in flow at a provider, and to end it.
#[derive(Capability)]
pub struct Federation {
    pub(crate) providers: Secret<IdentityProviders>,
    pub(crate) party: RelyingParty,
    pub(crate) cookies: Cookies,
    pub(crate) site: Site,
    pub(crate) clock: Clock,
}

impl Federation {
    /// The configured providers.
    pub(crate) async fn providers(&self) -> Result<Providers, Fault> {
        providers(&self.providers).await
    }

    /// Begins a flow and returns the address to which the browser goes.
    pub(crate) async fn begin(
        &self,
        flows: &Create<SignInFlow>,
        provider: &Provider,
        return_to: String,
        aim: FlowAim,
    ) -> Result<String, Ended> {
        // Several tabs share the cookie.
        let browser = self.cookies.get(COOKIE).map_or_else(Opaque::random, Ok)?;
        let redirect_uri = redirect_uri(&self.site, &provider.id);
        let prompt = match aim {
            FlowAim::SignIn | FlowAim::Link(_) => Prompt::IfNeeded,
            FlowAim::Reauthenticate(_) => Prompt::Login,
        };
        let started = self.party.start(provider, &browser, &redirect_uri, prompt, self.clock.now()).await;
        let started = started.map_err(|error| Ended::Refused(error.code()))?;
        let Flow { id, provider, browser: hash, expires_at } = started.flow;
        let version = Version::default();
        let flow = SignInFlow { id, provider, browser: hash, return_to, aim, expires_at, version };
        flows.create(flow).await?;
        self.cookies.set(COOKIE, &browser, FLOW_LIFETIME_MS / 1_000);
        Ok(started.url)
    }

    /// Ends a flow that [`take`] returned: the user's identity at the provider, and when the user authenticated there
    /// since the flow began.
    pub(crate) async fn end(
        &self,
        providers: &Providers,
        flow: &SignInFlow,
        answered_by: &str,
        answer: &Callback,
    ) -> Result<(Identity, Option<Timestamp>), Ended> {
        if answered_by != flow.provider {
            return Err(Refusal::AnotherProvider.into());
        }
        let begun = Flow {
            id: flow.id.clone(),
            provider: flow.provider.clone(),
            browser: flow.browser.clone(),
            expires_at: flow.expires_at,
        };
        let browser = self.cookies.get(COOKIE);
        let redirect_uri = redirect_uri(&self.site, &flow.provider);
        let now = self.clock.now();
        let identity = self.party.finish(providers, &begun, browser.as_ref(), answer, &redirect_uri, now).await;
        let identity = identity.map_err(|error| Ended::Refused(error.code()))?;
        let asked_at = begun.authenticated_at(&identity, now);
        Ok((identity, asked_at))
    }
}

/// Deletes and returns the flow of an answer: a state counts once.
pub(crate) async fn take(flows: &Delete<SignInFlow>, answer: &Callback) -> Result<Option<SignInFlow>, StoreError> {
    let Some(id) = answer.flow_id() else { return Ok(None) };
    let Some(flow) = flows.get(&id).await? else { return Ok(None) };
    match flows.delete(&flow).await {
        Err(StoreError::Stale) => Ok(None),
        done => done.map(|()| Some(flow)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_back_to_pages_of_the_service_only() {
        let site = Site::new("https://api.example.com", "https://app.example.com/in", "");
        for good in ["/", "/profile", "/a/b?c=d&e=%2F", "/@me"] {
            assert!(is_path(good), "{good}");
            assert!(page(&site, good, None).starts_with("https://app.example.com/in/"), "{good}");
        }
        for bad in [
            "",
            "profile",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "@evil.example",
            ".evil.example",
            "/a#b",
            "/a b",
            "/a\r\nset-cookie: x=y",
            "/ä",
            "/\"><script>",
            &format!("/{}", "a".repeat(MAX_PATH_BYTES)),
        ] {
            assert!(!is_path(bad), "{bad}");
        }
        assert_eq!(page(&site, "/x", Some("denied")), "https://app.example.com/in/x#error=denied");
    }
}
