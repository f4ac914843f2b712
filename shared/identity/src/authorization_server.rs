//! What the procedures share that make the service an authorization server for third parties' applications
//! (OAuth 2.1, `draft-ietf-oauth-v2-1`). No procedure is in here.
//!
//! - [`registry`]: which application asks, and what it may be registered with. [`metadata`]: what it reads first.
//! - [`request`]: requests for a code. [`pages`]: what people see. [`codes`] and [`tokens`]: what comes of it.

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

/// Whoever sits before the browser, and the secret of the browser's cookie: only there is somebody to ask. Neither
/// a program's token nor an application's can say yes.
pub(crate) fn person(caller: Option<&Caller>, cookies: &Cookies) -> Option<(Opaque, UserId)> {
    let (caller, secret) = (caller?, cookies.get(COOKIE)?);
    let by_cookie = caller.is_first_party() && caller.session() == Some(&secret.hash());
    Some((secret, caller.subject().parse().ok().filter(|_| by_cookie)?))
}
