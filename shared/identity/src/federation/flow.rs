//! One sign-in flow: what binds the browser, the provider's answer and the stored flow together.

use protocol::{Fault, SecretHash, Timestamp};
use serde::Deserialize;

use super::{Identity, SignInError};
use runtime::opaque::{Opaque, hash};

/// How long a person may take at the provider, in milliseconds.
pub const FLOW_LIFETIME_MS: i64 = 10 * 60_000;
/// The tolerated difference between the provider's clock and ours, in milliseconds, as for the times of its tokens.
const LEEWAY_MS: i64 = 60_000;

/// Whether a provider must authenticate the user anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// The provider decides.
    IfNeeded,
    /// The provider must authenticate the user, and state when it did (OpenID Connect Core section 3.1.2.1,
    /// `max_age=0`).
    Login,
}

/// The stored part of a flow, between its start and the provider's answer. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The hash of the flow's state: the flow's id.
    pub id: SecretHash,
    /// The provider's id.
    pub provider: String,
    /// The hash of the browser's secret.
    pub browser: SecretHash,
    /// Until when the provider may answer.
    pub expires_at: Timestamp,
}

/// A flow that has begun.
pub struct Started {
    /// The address to which the browser goes. It holds the state: do not log it.
    pub url: String,
    /// The flow, to store until the provider answers, and to delete then.
    pub flow: Flow,
}

/// The provider's answer: the parameters of the redirect back (RFC 6749 section 4.1.2). Others are ignored.
#[derive(Clone, Default, Deserialize)]
pub struct Callback {
    /// The flow's state.
    pub state: Option<String>,
    /// The authorization code.
    pub code: Option<String>,
    /// The issuer of the answer (RFC 9207).
    pub iss: Option<String>,
    /// The error, in place of a code.
    pub error: Option<String>,
}

impl Callback {
    /// The id of the flow that the answer claims to belong to; none if the state is malformed.
    #[must_use]
    pub fn flow_id(&self) -> Option<SecretHash> {
        Some(self.state()?.hash())
    }

    fn state(&self) -> Option<Opaque> {
        self.state.as_deref().and_then(Opaque::parse)
    }
}

/// The three secrets of one flow.
pub(super) struct Secrets {
    pub state: Opaque,
    pub nonce: Opaque,
    /// The code verifier: 43 characters, as RFC 7636 section 4.1 recommends.
    pub verifier: String,
}

impl Secrets {
    pub fn generate(browser: &Opaque) -> Result<Self, Fault> {
        Ok(Self::of(browser, Opaque::random()?))
    }

    fn of(browser: &Opaque, state: Opaque) -> Self {
        let derived = |purpose: &str| browser.derive(format!("{purpose} {}", state.text()).as_bytes());
        Self { nonce: derived("nonce"), verifier: derived("code verifier").text(), state }
    }

    /// The challenge of the method S256 (RFC 7636 section 4.2).
    pub fn challenge(&self) -> SecretHash {
        hash(self.verifier.as_bytes())
    }
}

impl Flow {
    pub(super) fn new(provider: &str, browser: &Opaque, secrets: &Secrets, now: Timestamp) -> Self {
        Self {
            id: secrets.state.hash(),
            provider: provider.to_owned(),
            browser: browser.hash(),
            expires_at: now.plus_ms(FLOW_LIFETIME_MS),
        }
    }

    /// When the user authenticated at the provider, if that was after the flow began, within the clocks' tolerance.
    /// None if the provider states no time, or an earlier one: an answer alone shows only that the browser is signed in
    /// there.
    #[must_use]
    pub fn authenticated_at(&self, identity: &Identity, now: Timestamp) -> Option<Timestamp> {
        let begun = self.expires_at.plus_ms(-FLOW_LIFETIME_MS);
        let stated = identity.authenticated_at?;
        let is_within = stated >= begun.plus_ms(-LEEWAY_MS) && stated <= now.plus_ms(LEEWAY_MS);
        is_within.then(|| stated.max(begun).min(now))
    }

    /// Derives the flow's secrets again, if the answer belongs to this flow, came from the browser that began it, and
    /// came in time. The comparison is of hashes: its time says nothing about what was hashed.
    pub(super) fn secrets(
        &self,
        browser: Option<&Opaque>,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<Secrets, SignInError> {
        let state = callback.state().filter(|state| state.hash() == self.id);
        let state = state.ok_or(SignInError::Flow("the state is of another flow"))?;
        let browser = browser.filter(|browser| browser.hash() == self.browser);
        let browser = browser.ok_or(SignInError::Flow("another browser began the flow"))?;
        if now >= self.expires_at {
            return Err(SignInError::Flow("the flow took too long"));
        }
        Ok(Secrets::of(browser, state))
    }
}
