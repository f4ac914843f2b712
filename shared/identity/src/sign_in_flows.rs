//! Signing in with an account elsewhere: how a flow begins and ends.
//!
//! ```text
//! page ── oauth.start, .link or .reauthenticate ──> the provider ──> oauth.callback ──> the page that was asked for
//! ```
//!
//! Each leaves a cookie that only the browser which began can answer with. What is done for somebody who is signed in
//! begins with a mutation, and not with a link: a call with a cookie is then held to come from an own page, or another
//! site could have somebody link that site's account.

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

/// The cookie of a flow's browser, before the prefix.
const COOKIE: &str = "onefold-sign-in";
/// The longest path to which a browser is sent back, in bytes: the page to sign in at with the longest request of an
/// application, each byte of which may take three there.
const MAX_PATH_BYTES: usize = 3 * MAX_BYTES + 500;

/// Why a page is told that nobody was signed in; the rest is in [`crate::federation::SignInError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The flow is not there (any more), or the session in which it began is not.
    Expired,
    /// Another provider answers than the one that was asked.
    AnotherProvider,
    /// There is an account with this address, and it takes its owner to link the two.
    SignInFirst,
    /// The account elsewhere belongs to another user.
    Taken,
    /// Another account of the same provider is linked.
    OtherLinked,
    /// The provider names no address.
    NoEmail,
    /// The account elsewhere is not linked to that of who is signed in.
    OtherAccount,
    /// The provider did not ask anew who it is, or does not say that it did.
    NotFresh,
    /// The provider does not vouch for the address: its owner is mailed.
    ConfirmEmail,
    /// It takes an account, and nobody makes one here by themselves.
    RegistrationClosed,
    /// It takes an account, and only who has an address of certain domains makes one here.
    OtherDomain,
}

impl Refusal {
    /// What stands behind `#error=`.
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
    /// The page is told so.
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

/// The providers that are configured.
pub(crate) async fn providers(secret: &Secret<IdentityProviders>) -> Result<Providers, Fault> {
    secret.read().await?.map_or_else(|| Ok(Providers::default()), IdentityProviders::providers)
}

/// Whether a browser may be sent back there: a path of the service's pages, without a fragment of its own.
fn is_path(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"' | b'<' | b'>');
    text.len() <= MAX_PATH_BYTES && text.starts_with('/') && !text.starts_with("//") && text.bytes().all(plain)
}

/// The page that is shown in the end. If none is asked for, it is `/` of a frontend, and the page to sign in at where the
/// service's own pages are all that there is; none if it is no path of the service's pages.
pub(crate) fn return_path(asked: Option<String>, site: &Site) -> Option<String> {
    let first = || if site.has_separate_pages() { "/".to_owned() } else { format!("/{}", SIGN_IN.path) };
    Some(asked.unwrap_or_else(first)).filter(|path| is_path(path))
}

/// The page to sign in at, with what went wrong where nobody knows which page was asked for.
pub(crate) fn beginning(site: &Site, refusal: Refusal) -> String {
    page(site, &format!("/{}", SIGN_IN.path), Some(refusal.code()))
}

/// The address of a page, with what went wrong.
pub(crate) fn page(site: &Site, path: &str, error: Option<&str>) -> String {
    let error = error.map(|code| format!("#error={code}")).unwrap_or_default();
    format!("{}{path}{error}", site.app_url())
}

/// Where a provider sends the browser back. Each has an address of its own, so that no provider can pass its answer
/// off as another's (RFC 9700 section 4.4.2.2); not all of them state who answers.
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
    /// The providers that are configured.
    pub(crate) async fn providers(&self) -> Result<Providers, Fault> {
        providers(&self.providers).await
    }

    /// Begins: the address to which the browser goes.
    pub(crate) async fn begin(
        &self,
        flows: &Create<SignInFlow>,
        provider: &Provider,
        return_to: String,
        aim: FlowAim,
    ) -> Result<String, Ended> {
        // Several tabs share it.
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

    /// Ends: who the person is elsewhere, and when the provider asked them since the flow began. The flow is one that
    /// [`take`] gave.
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

/// The flow that an answer belongs to, which is gone with that: a state counts once.
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
