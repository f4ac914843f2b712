//! One sign-in on its way: what binds the browser, the provider's answer and the stored flow together.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::{Cause, Timestamp};
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::SignInError;

/// How long a person may take at the provider.
pub const FLOW_LIFETIME_MS: i64 = 10 * 60 * 1000;

/// What is remembered of a flow between its start and the provider's answer. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The flow's id: the SHA-256 of its state, in base64url.
    pub id: String,
    /// The provider's id.
    pub provider: String,
    /// The SHA-256 of the browser's secret, in base64url.
    pub browser: String,
    /// Until when the provider may answer.
    pub expires_at: Timestamp,
}

/// A flow that has begun.
pub struct Started {
    /// Where the browser goes now. It holds the state: it belongs into no log.
    pub url: String,
    /// What must be stored until the provider answers, and deleted when it does.
    pub flow: Flow,
}

/// The provider's answer: the parameters of the redirect back (RFC 6749 section 4.1.2). Others are ignored; one that
/// comes twice is refused by the reader of the query.
#[derive(Clone, Default, Deserialize)]
pub struct Callback {
    /// The flow's state.
    pub state: Option<String>,
    /// The authorization code.
    pub code: Option<String>,
    /// Who answers (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

impl Callback {
    /// The id of the flow that the answer claims to belong to.
    #[must_use]
    pub fn flow_id(&self) -> Option<String> {
        self.state.as_deref().map(|state| hash(state.as_bytes()))
    }
}

/// The secret of a browser that begins a flow: the value of a short-lived cookie that only the service reads. It can
/// serve several flows, so that two tabs do not disturb each other.
#[derive(Clone)]
pub struct Browser([u8; 32]);

impl Browser {
    /// 256 random bits.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn generate() -> Result<Self, Cause> {
        Ok(Self(random()?))
    }

    /// From a cookie's value.
    #[must_use]
    pub fn from_cookie(value: &str) -> Option<Self> {
        Some(Self(URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok()?))
    }

    /// The cookie's value.
    #[must_use]
    pub fn cookie(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    fn derive(&self, purpose: &str, state: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, format!("{purpose} {state}").as_bytes()))
    }
}

/// The three secrets of one flow.
pub(super) struct Secrets {
    pub state: String,
    pub nonce: String,
    /// 43 characters, as RFC 7636 section 4.1 recommends.
    pub verifier: String,
}

impl Secrets {
    pub fn generate(browser: &Browser) -> Result<Self, Cause> {
        Ok(Self::derive(browser, URL_SAFE_NO_PAD.encode(random()?)))
    }

    fn derive(browser: &Browser, state: String) -> Self {
        Self { nonce: browser.derive("nonce", &state), verifier: browser.derive("code verifier", &state), state }
    }

    /// The challenge of the method S256 (RFC 7636 section 4.2).
    pub fn challenge(&self) -> String {
        hash(self.verifier.as_bytes())
    }
}

impl Flow {
    pub(super) fn new(provider: &str, browser: &Browser, secrets: &Secrets, now: Timestamp) -> Self {
        Self {
            id: hash(secrets.state.as_bytes()),
            provider: provider.to_owned(),
            browser: hash(&browser.0),
            expires_at: now.plus_ms(FLOW_LIFETIME_MS),
        }
    }

    /// The flow's secrets again, if the answer is to this flow, from the browser that began it, and in time.
    pub(super) fn secrets(
        &self,
        browser: Option<&Browser>,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<Secrets, SignInError> {
        let same = |one: &str, other: &str| bool::from(one.as_bytes().ct_eq(other.as_bytes()));
        let state = callback.state.as_deref().filter(|state| same(&hash(state.as_bytes()), &self.id));
        let state = state.ok_or(SignInError::Flow("the state is of another flow"))?;
        let browser = browser.filter(|browser| same(&hash(&browser.0), &self.browser));
        let browser = browser.ok_or(SignInError::Flow("another browser began the flow"))?;
        if now >= self.expires_at {
            return Err(SignInError::Flow("the flow took too long"));
        }
        Ok(Secrets::derive(browser, state.to_owned()))
    }
}

fn random() -> Result<[u8; 32], Cause> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system gave no random bytes")?;
    Ok(bytes)
}

fn hash(secret: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, secret))
}
