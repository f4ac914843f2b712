//! What the procedures of the authorization server for third parties' applications share (OAuth 2.1,
//! `draft-ietf-oauth-v2-1`). No procedure is in here.
//!
//! - [`registry`]: registered applications and their authentication. [`metadata`]: the metadata document.
//! - [`request`]: authorization requests. [`pages`]: the pages that people see. [`codes`] and [`tokens`]: authorization
//!   codes and tokens.

pub(crate) mod codes;
pub(crate) mod metadata;
pub(crate) mod pages;
pub(crate) mod pkce;
pub(crate) mod redirect;
pub(crate) mod registry;
pub(crate) mod request;
#[cfg(test)]
mod tests;
pub(crate) mod tokens;

use crate::UserId;
use runtime::{Caller, Cookies, opaque::Opaque, prelude::*, sessions::COOKIE};

/// Why an application gets nothing that it can use: the errors of RFC 6749 section 5.2, RFC 7009 section 2.2.1 and
/// RFC 8707 section 2, by their names.
#[derive(Debug, Failure)]
pub enum Refused {
    /// The application is not known here, or did not prove that it is the one that it says.
    #[failure(UNAUTHORIZED)]
    InvalidClient,
    /// The code or token is not good: it was used, taken back or made for another application, or has expired.
    #[failure(BAD_REQUEST)]
    InvalidGrant,
    /// The request cannot be read.
    #[failure(BAD_REQUEST, message = "{reason}")]
    InvalidRequest {
        /// Why not.
        reason: String,
    },
    /// The application asks for what it was not registered for, or was not given.
    #[failure(BAD_REQUEST)]
    InvalidScope,
    /// There are no tokens for this resource here.
    #[failure(BAD_REQUEST)]
    InvalidTarget,
    /// The application may not come to a token in this way.
    #[failure(BAD_REQUEST)]
    UnauthorizedClient,
    /// There is no such way to come to a token.
    #[failure(BAD_REQUEST)]
    UnsupportedGrantType,
    /// A token of this kind cannot be taken back: it ends by itself.
    #[failure(BAD_REQUEST)]
    UnsupportedTokenType,
}

impl Refused {
    /// A parameter that a request must have is not there (RFC 6749 section 5.2).
    pub(crate) fn missing(name: &str) -> Self {
        Self::InvalidRequest { reason: format!("A parameter is missing: {name}.") }
    }
}

/// Returns the browser's session secret and the user who sits before it: only a person in a browser can consent. A
/// program's token or an application's token cannot.
pub(crate) fn person(caller: Option<&Caller>, cookies: &Cookies) -> Option<(Opaque, UserId)> {
    let (caller, secret) = (caller?, cookies.get(COOKIE)?);
    let by_cookie = caller.is_first_party() && caller.session() == Some(&secret.hash());
    Some((secret, caller.subject().parse().ok().filter(|_| by_cookie)?))
}
