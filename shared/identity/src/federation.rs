//! Sign-in with other services: OpenID Connect (Google, and every provider with a discovery document) and Facebook.
//!
//! The form is always the authorization code flow (RFC 6749 section 4.1) with PKCE (RFC 7636), under the rules of
//! RFC 9700. [`RelyingParty::start`] gives the address to which the browser goes, [`RelyingParty::finish`] turns the
//! provider's answer into an [`Identity`]. What the identity is good for (a session, a linked account) is decided
//! elsewhere.
//!
//! # What binds a flow
//!
//! | secret | where it is | what is stored |
//! | --- | --- | --- |
//! | the browser's: 256 random bits | in a cookie of the browser that began | its SHA-256 |
//! | `state`: 256 random bits | in the addresses that lead to the provider and back | its SHA-256, the flow's id |
//! | code verifier and `nonce` | nowhere: HMAC-SHA256 of the state under the browser's secret | nothing |
//!
//! So another browser cannot finish a flow, a code of another flow is refused by the provider (the verifier is
//! another one) and its token by us (so is the nonce), and a copy of the table is of no use for either. One secret of
//! the browser can serve several flows, so that two tabs do not disturb each other. The caller deletes the stored
//! [`Flow`] before it asks to finish it: a state counts once.
//!
//! # Why not a crate for all of it
//!
//! `openidconnect` 4.1 with `oauth2` 5 brings 50 crates more into a function, among them a second set of
//! elliptic curves and `rsa` 0.9, for which RUSTSEC-2023-0071 knows no remedy. `jsonwebtoken`, which checks our own
//! tokens, has one provider of arithmetic for a whole process: with RSA in it, every function would carry RSA. Here
//! `ring` checks signatures, as it does for TLS already; `hyper-rustls` and `hyper-util` fetch, as they do for the
//! database already. New is one crate, `webpki-roots` (CDLA-Permissive-2.0): the certificates of the outside world.

mod discovery;
mod facebook;
mod flow;
mod id_token;
mod keys;
mod outbound;
mod providers;
mod relying_party;
#[cfg(test)]
mod tests;
mod token_endpoint;

use std::{error::Error, fmt};

use protocol::{Cause, Timestamp};

pub use self::{
    flow::{Callback, FLOW_LIFETIME_MS, Flow, Prompt, Started},
    outbound::Outbound,
    providers::{IdentityProviders, Provider, Providers},
    relying_party::RelyingParty,
};

/// Who somebody is at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider's id in this service's configuration, such as `google`.
    pub provider: String,
    /// The person's id at the provider: at most 255 visible ASCII characters. It never changes and is never given to
    /// somebody else, unlike the e-mail address.
    pub subject: String,
    /// The e-mail address, as the provider has it.
    pub email: Option<String>,
    /// Whether the provider vouches for the address being the person's. Never without an address.
    pub email_verified: bool,
    /// The person's name.
    pub name: Option<String>,
    /// When the person proved at the provider who they are (`auth_time`), if the provider says so.
    pub authenticated_at: Option<Timestamp>,
}

/// Why a sign-in came to nothing. The texts name rules, never what was sent.
#[derive(Debug)]
pub enum SignInError {
    /// The person, or the provider for them, said no.
    Denied,
    /// The flow cannot go on: too late, another browser, a state of another flow. Beginning again helps.
    Flow(&'static str),
    /// What the provider's side says does not hold: the rule that it breaks.
    Untrusted(&'static str),
    /// The provider cannot be reached, or does not do its part.
    Unavailable(Cause),
}

impl SignInError {
    /// The kind, as a page is told: `denied`, `expired`, `refused` or `unavailable`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Flow(_) => "expired",
            Self::Untrusted(_) => "refused",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied => f.write_str("the person did not sign in at the provider"),
            Self::Flow(why) | Self::Untrusted(why) => f.write_str(why),
            Self::Unavailable(_) => f.write_str("the provider does not do its part"),
        }
    }
}

impl Error for SignInError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unavailable(cause) => Some(cause.as_ref()),
            Self::Denied | Self::Flow(_) | Self::Untrusted(_) => None,
        }
    }
}
