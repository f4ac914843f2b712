//! Browsers in which a user has signed in before, recognised by a cookie.

use protocol::{Fault, SecretHash};
use runtime::{Cookies, opaque::Opaque};

use super::{KNOWN_BROWSER_COOKIE, KNOWN_BROWSER_S};
use crate::Account;

/// The browser of a call, in relation to an account.
pub(crate) struct Browser {
    /// The secret by which the account recognises it from now on.
    secret: Opaque,
    /// The hash by which the account recognises it already, if it does.
    pub(crate) known: Option<SecretHash>,
    /// Whether the account knows other browsers, and not this one.
    pub(crate) is_new: bool,
}

/// The cookie by which the account knows the browser of a call. Only a cookie whose hash the account stores counts:
/// another site may have set one.
pub(crate) fn known(cookies: &Cookies, account: Option<&Account>) -> Option<Opaque> {
    cookies
        .get(KNOWN_BROWSER_COOKIE)
        .filter(|cookie| account.is_some_and(|account| account.known.contains(&cookie.hash())))
}

impl Browser {
    /// The browser of this call.
    pub(crate) fn of(cookies: &Cookies, account: Option<&Account>) -> Result<Self, Fault> {
        let cookie = known(cookies, account);
        let known = cookie.as_ref().map(Opaque::hash);
        let is_new = known.is_none() && account.is_some_and(|account| !account.known.is_empty());
        Ok(Self { secret: cookie.map_or_else(Opaque::random, Ok)?, known, is_new })
    }

    /// The hash that the account stores.
    pub(crate) fn hash(&self) -> SecretHash {
        self.secret.hash()
    }

    /// Sets the cookie.
    pub(crate) fn keep(&self, cookies: &Cookies) {
        cookies.set(KNOWN_BROWSER_COOKIE, &self.secret, KNOWN_BROWSER_S);
    }
}
