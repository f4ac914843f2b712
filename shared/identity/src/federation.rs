//! Sign-in with other services: OpenID Connect (Google, and every provider with a discovery document) and Facebook.
//!
//! The flow is always the authorization code flow (RFC 6749 section 4.1) with PKCE (RFC 7636), under the rules of RFC
//! 9700. [`RelyingParty::start`] returns the address to which the browser goes, [`RelyingParty::finish`] turns the
//! provider's answer into an [`Identity`]. The caller decides what the identity is good for: a session, or a linked
//! account.
//!
//! # What binds a flow
//!
//! | secret | where it is | what is stored |
//! | --- | --- | --- |
//! | the browser's: 256 random bits | in a cookie of the browser that began | its SHA-256 |
//! | `state`: 256 random bits | in the addresses that lead to the provider and back | its SHA-256, the flow's id |
//! | code verifier and `nonce` | nowhere: HMAC-SHA256 of the state under the browser's secret | nothing |
//!
//! So another browser cannot finish a flow. The provider refuses a code of another flow, since the verifier differs;
//! this service refuses its token, since the nonce differs. A copy of the table is of no use for either. One secret of
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

/// A user's identity at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider's id in this service's configuration, such as `google`.
    pub provider: String,
    /// The user's id at the provider: at most 255 visible ASCII characters. Unlike the e-mail address, it never changes
    /// and is never reassigned.
    pub subject: String,
    /// The e-mail address that the provider states.
    pub email: Option<String>,
    /// Whether the provider vouches that the address is the user's. False without an address.
    pub email_verified: bool,
    /// The user's name at the provider.
    pub name: Option<String>,
    /// When the user last authenticated at the provider (`auth_time`), if the provider says so.
    pub authenticated_at: Option<Timestamp>,
}

/// Why a sign-in failed. The texts name rules, never what was sent.
#[derive(Debug)]
pub enum SignInError {
    /// The user declined, or the provider did.
    Denied,
    /// The flow cannot go on: it expired, or the answer came from another browser or for another flow. A new flow
    /// helps.
    Flow(&'static str),
    /// The provider's answer breaks this rule.
    Untrusted(&'static str),
    /// The provider cannot be reached, or answers with an error.
    Unavailable(Cause),
}

impl SignInError {
    /// The error code for a page: `denied`, `expired`, `refused` or `unavailable`.
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
