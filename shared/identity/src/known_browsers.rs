//! Browsers in which somebody signed in before. An account knows them by a cookie.

use protocol::{Fault, SecretHash};
use runtime::{Cookies, opaque::Opaque};

use super::{KNOWN, KNOWN_S};
use crate::Account;

/// The browser of a call, as an account sees it.
pub(crate) struct Browser {
    /// What the account knows it by from now on.
    secret: Opaque,
    /// What the account knows it by already, if it does.
    pub(crate) known: Option<SecretHash>,
    /// Whether the account knows others, and not this one.
    pub(crate) is_new: bool,
}

/// What an account knows the browser of a call by. Only a cookie that was given out here before counts: another one may
/// have been put there by somebody else.
pub(crate) fn known(cookies: &Cookies, account: Option<&Account>) -> Option<Opaque> {
    cookies.get(KNOWN).filter(|here| account.is_some_and(|account| account.known.contains(&here.hash())))
}

impl Browser {
    /// Of this call.
    pub(crate) fn of(cookies: &Cookies, account: Option<&Account>) -> Result<Self, Fault> {
        let here = known(cookies, account);
        let known = here.as_ref().map(Opaque::hash);
        let is_new = known.is_none() && account.is_some_and(|account| !account.known.is_empty());
        Ok(Self { secret: here.map_or_else(Opaque::random, Ok)?, known, is_new })
    }

    /// What the account keeps of it.
    pub(crate) fn hash(&self) -> SecretHash {
        self.secret.hash()
    }

    /// Leaves the cookie.
    pub(crate) fn keep(&self, cookies: &Cookies) {
        cookies.set(KNOWN, &self.secret, KNOWN_S);
    }
}
