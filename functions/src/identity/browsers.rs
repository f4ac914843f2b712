//! Browsers that an account knows: what strangers guess does not count against who signs in with one of them.

use model::Account;
use protocol::SecretHash;
use runtime::{Cookies, opaque::Opaque};

/// The cookie by which an account knows a browser, before the prefix. It signs nobody in.
const COOKIE: &str = "onefold-device";
/// For how long a browser is known, in seconds: as long as browsers keep a cookie.
const KNOWN_S: i64 = 400 * 86_400;

/// The browser that makes a call.
pub(crate) struct Browser {
    secret: Opaque,
    /// The name by which the account knows it, if it does.
    pub(crate) known: Option<SecretHash>,
}

impl Browser {
    /// What it has shown; a new name for one that the account does not know, whatever it has shown.
    pub(crate) fn of(cookies: &Cookies, account: Option<&Account>) -> Result<Self, protocol::Fault> {
        let is_known = |secret: &Opaque| account.is_some_and(|account| account.known.contains(&secret.hash()));
        match cookies.get(COOKIE).filter(is_known) {
            Some(secret) => Ok(Self { known: Some(secret.hash()), secret }),
            None => Ok(Self { known: None, secret: Opaque::random()? }),
        }
    }

    /// The account knows it from now on.
    pub(crate) fn remember_in(&self, account: &mut Account) {
        let own = self.secret.hash();
        account.known.retain(|known| *known != own);
        account.known.push(own);
        let surplus = account.known.len().saturating_sub(Account::MAX_KNOWN);
        account.known.drain(..surplus);
    }

    /// And it is told so.
    pub(crate) fn tell(&self, cookies: &Cookies) {
        cookies.set(COOKIE, &self.secret, KNOWN_S);
    }
}
