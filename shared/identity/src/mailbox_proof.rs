//! What a mailed token proves: its holder reads the mailbox, and nothing else.
//!
//! ```text
//! register ── mail ──> the owner of the mailbox
//!                        ├─ in the browser that registered, or with its password: what was registered is the account's
//!                        └─ anywhere else: a password is chosen, and nothing stays of what was registered
//! ```
//!
//! The person who registered an address need not be its owner. If the owner's click made the registration's password
//! good, it would give the account to a stranger ("Pre-hijacked accounts", Sudhodanan and Paverd, USENIX Security
//! 2022).

use protocol::Fault;
use runtime::{Cookies, Definition, Site, opaque::Opaque, prelude::*};

use super::{audit::Audit, limits::Attempts, sessions::Sessions};
use crate::{
    Account, Claim, EmailAddress, GivenPassword, IdentityRole, IdentityUser, MailedToken, Purpose, UNPROVED_MS, name,
    password,
};

/// The name of the cookie of the browser that registered, without its prefix.
const REGISTERED: &str = "onefold-registration";

/// A valid mailed token, with its user and account.
pub(crate) struct Mailed<U: IdentityUser> {
    pub(crate) token: MailedToken,
    pub(crate) user: U,
    account: Account,
}

/// The capability to accept a mailed token as a proof, and to refuse an invalid one.
#[derive(Clone, Capability)]
pub struct MailedProof<U: IdentityUser> {
    pub(crate) users: Update<U>,
    pub(crate) sessions: Sessions,
    pub(crate) tokens: Delete<MailedToken>,
    pub(crate) audit: Audit,
    pub(crate) attempts: Attempts,
    pub(crate) service: &'static Definition,
    pub(crate) site: Site,
    pub(crate) cookies: Cookies,
}

impl<U: IdentityUser> MailedProof<U> {
    /// Reads a token. Returns none if it is unknown, used or expired, or if the account has changed since: another
    /// address, or another way to sign in.
    pub(crate) async fn read(&self, text: &str) -> Result<Option<Mailed<U>>, Fault> {
        let Some(secret) = Opaque::parse(text) else { return Ok(None) };
        let Some(token) = self.tokens.get(&secret.hash()).await? else { return Ok(None) };
        let Some(user) = self.users.get(&token.user_id).await? else { return Ok(None) };
        let account =
            self.sessions.accounts.get(&user.user_id()).await?.unwrap_or_else(|| Account::new(user.user_id()));
        let names_founder = token.claim.as_ref().is_some_and(|claim| claim.founder.is_some());
        let has_use = token.purpose == Purpose::ResetPassword || !user.is_verified() || names_founder;
        let is_good = has_use && user.email().is_same_as(&token.email) && account.generation == token.generation;
        Ok(is_good.then_some(Mailed { token, user, account }))
    }

    /// Records and counts an invalid token; `purpose` says for which purpose.
    pub(crate) async fn refuse(&self, purpose: &str) -> Result<(), Fault> {
        self.audit.token_refused(purpose).await?;
        self.attempts.bad_token().await
    }

    /// Whether the holder of the token is the person who registered: by the browser's cookie, or by the password.
    pub(crate) async fn is_claimed(&self, mailed: &Mailed<U>, given: Option<&GivenPassword>) -> Result<bool, Fault> {
        let (browser, password) = match &mailed.token.claim {
            Some(claim) => (&claim.browser, &claim.password),
            None => (&mailed.account.registered_in, &mailed.account.password),
        };
        let here = self.cookies.get(REGISTERED);
        if browser.as_ref().is_some_and(|browser| here.is_some_and(|here| here.is_hashed_as(browser))) {
            return Ok(true);
        }
        let Some(given) = given else { return Ok(false) };
        Ok(password::verify(password.as_deref(), given.as_str()).await?.is_right())
    }
}

/// Marks a browser as the one that registers, and returns the hash to store. One browser may mark several
/// registrations.
pub(crate) fn mark_browser(cookies: &Cookies) -> Result<protocol::SecretHash, Fault> {
    let browser = cookies.get(REGISTERED).map_or_else(Opaque::random, Ok)?;
    cookies.set(REGISTERED, &browser, UNPROVED_MS / 1_000);
    Ok(browser.hash())
}

/// Removes the mark: the address is proved.
pub(crate) fn unmark_browser(cookies: &Cookies) {
    cookies.remove(REGISTERED);
}

/// User and account once the person who registered proved the address: unchanged, or, if the address had an earlier
/// registration, with what is claimed and nothing else.
pub(crate) fn claimed<U: IdentityUser>(
    user: &U,
    account: &Account,
    claim: Option<&Claim>,
    site: &Site,
) -> (U, Account) {
    let mut user = user.clone();
    user.verify();
    let mut account = account.clone().proved();
    if let Some(claim) = claim {
        user.set_name(claim.name.clone());
        remove_unproved(&mut user, &mut account, site);
        account.password.clone_from(&claim.password);
        account.identities.extend(claim.identity.clone());
        if claim.founder.is_some() {
            user.set_role(IdentityRole::FOUNDER);
            account.is_founder = true;
        }
    }
    (user, account)
}

/// User and account once their owner chose a password by mail: no other way to sign in stays, nor a name that a
/// stranger may have chosen.
pub(crate) fn recovered<U: IdentityUser>(
    user: &U,
    account: &Account,
    hash: &str,
    name: Option<&str>,
    site: &Site,
) -> (U, Account) {
    let was_as_registered = user.is_as_registered();
    let mut user = user.clone();
    user.verify();
    let mut account = account.clone().proved();
    if was_as_registered {
        remove_unproved(&mut user, &mut account, site);
        user.set_name(name_of(user.email()));
    }
    if let Some(name) = name {
        user.set_name(name.to_owned());
    }
    (user, Account { password: Some(hash.to_owned()), ..account.without_ways_in() })
}

/// Removes from an account what a stranger may have registered: ways to sign in, and the right to be the first
/// administrator. On a local service, the first person stays the first administrator.
fn remove_unproved<U: IdentityUser>(user: &mut U, account: &mut Account, site: &Site) {
    *account = account.clone().without_ways_in();
    if account.is_founder && !site.is_local() {
        user.set_role(IdentityRole::NEW_USER);
        account.is_founder = false;
    }
}

/// A name for a user of whom only the address is known: the part before the `@`.
pub(crate) fn name_of(email: &EmailAddress) -> String {
    let before = email.as_str().split('@').next().unwrap_or_default();
    before.chars().take(name::MAX_CHARS).collect()
}
