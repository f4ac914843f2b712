//! Identity: sign-in, sessions, accounts, identity providers, and the authorization server.
//!
//! A service mounts [`procedures`] with one line of its index, and implements [`IdentityUser`] for its own user:
//!
//! ```ignore
//! procedures! {
//!     SERVICE, mount identity for User without [Registration];
//!     orders { place, list }
//! }
//! ```
//!
//! Each mounted procedure is a function of the service, with rights of its own. [`Part`] lists what can be left out.
//!
//! - [`user`]: the trait of a service's user. [`Account`] and the other entities: what is stored beside it.
//! - [`sessions`]: they begin, are renewed and end. [`issuer`]: delivery of their secrets. [`rotation`]: refresh
//!   tokens. [`reauthentication`]: a signed-in user proves their identity again; [`own_password`]: by the password.
//!   [`devices`]: the list of signed-in devices.
//! - [`password`]: password hashes, and the check for weak passwords.
//! - [`rights`]: how a change of rights reaches the sessions. [`delegation`]: who may make one.
//! - [`federation`]: identity providers. [`sign_in_flows`]: how a flow begins and ends. [`provider_sign_in`]: the
//!   account of a provider's user.
//! - [`authorization_server`]: third parties' applications.
//! - [`registration`]: how accounts begin, and [`founder`] the first. [`removal`]: how they end.
//! - [`mails`]: mailed tokens, and the mails. [`mailbox_proof`]: what a mailed token proves.
//! - [`notices`]: mails that tell owners about changes of their accounts. [`known_browsers`]: browsers in which a user
//!   has signed in before.
//! - [`limits`]: rate limits of attempts. [`audit`]: entries of the audit log.
//! - [`administration`]: what people do with the users of a service. [`personal_data`]: the data that a user exports.
//!   [`seed`]: demonstration users.
//! - [`pages`]: the pages of a service that has no frontend.

// The macros write `::onefold`.
extern crate runtime as onefold;

pub(crate) mod account_lease;
pub mod administration;
pub mod audit;
pub(crate) mod authorization_server;
pub mod delegation;
pub mod devices;
mod entities;
pub mod federation;
pub(crate) mod founder;
pub(crate) mod issuer;
pub(crate) mod known_browsers;
pub(crate) mod limits;
pub(crate) mod mailbox_proof;
pub(crate) mod mails;
pub mod notices;
pub(crate) mod own_password;
pub(crate) mod pages;
pub mod password;
pub mod personal_data;
pub mod procedures;
pub(crate) mod provider_sign_in;
pub(crate) mod reauthentication;
pub(crate) mod registration;
pub mod removal;
pub mod rights;
pub mod rotation;
pub mod seed;
pub mod sessions;
pub(crate) mod sign_in_flows;
mod signed_in;
#[cfg(test)]
mod tests;
pub mod user;

use protocol::{Code, Fault, FieldFault, entity::same};
use runtime::{
    AuthorizationServer, Callers, Definition, PasswordSignIn, RefusalLog, SessionSignIn, prelude::wire,
    sessions::SessionLookup,
};

#[doc(hidden)]
pub use runtime as __runtime;

pub use entities::*;
pub use macros::{IdentityRole, export};
pub use procedures::Part;
pub use signed_in::SignedIn;
pub use user::{IdentityRole, IdentityUser, NewUser, UNPROVED_MS, UserId, permits};

use sessions::SessionSecret;

/// How callers are authenticated: people by a cookie or a token of their session, applications by tokens.
pub const CALLERS: Callers = Callers::Sessions(SessionLookup::of::<Session>().with_applications::<ApplicationClient>());
/// Mutations write refused callers into the audit log.
pub const REFUSALS: RefusalLog = RefusalLog::of::<AuditEntry>(audit::refused);

/// How a name and a password in a call sign a user in for it.
pub const PASSWORD_SIGN_IN: PasswordSignIn = PasswordSignIn {
    sign_in: "auth.login",
    name_field: "email",
    password_field: "password",
    with: &[("keep", "tokens")],
    access_token: "/tokens/accessToken",
    refresh_token: "/tokens/refreshToken",
    sign_out: "auth.logout",
    refresh_token_field: "refreshToken",
};
/// How a client signs in and keeps its session.
pub const SESSION: SessionSignIn = SessionSignIn {
    register: Some("auth.register"),
    sign_in: "auth.login",
    keep_field: "keep",
    cookie: "cookie",
    tokens: "tokens",
    who_field: "user",
    tokens_field: "tokens",
    access_token_field: "accessToken",
    refresh_token_field: "refreshToken",
    expires_in_field: "expiresInS",
    refresh: "auth.refresh",
    ended: "ended",
    sign_out: "auth.logout",
    reauthenticate: Some("auth.reauthenticate"),
    password_field: "password",
};
/// The consent page of the authorization server, for a service that does not leave out [`Part::AuthorizationServer`].
pub const AUTHORIZATION_SERVER: AuthorizationServer =
    AuthorizationServer { authorize: "grants.authorize", token: "grants.token" };

/// Refuses an unsafe definition when a service that mounts this package is compiled.
#[doc(hidden)]
pub const fn expect_safe(service: &Definition) {
    assert!(
        matches!(service.callers, Callers::Sessions(_)),
        "a service that mounts identity knows its callers by their sessions: state `callers: identity::CALLERS`"
    );
    assert!(
        service.refusals.is_some(),
        "a service that mounts identity writes refusals into its audit log: state `refusals: Some(identity::REFUSALS)`"
    );
    assert!(
        has_rights(service.withheld),
        "an application with the permission to give rights could give itself all others: state \
         `withheld: &[identity::RIGHTS]`, and others if there are some"
    );
}

/// Refuses roles of which none can give a role, when they are compiled.
#[doc(hidden)]
pub const fn expect_rights(permissions: &[&str]) {
    assert!(
        has_rights(permissions),
        "nobody could give a role: state `#[permissions(\"rights:write\")]`, which the founder's role then has"
    );
}

/// Whether [`RIGHTS`] is among these permissions.
const fn has_rights(mut permissions: &[&str]) -> bool {
    while let [permission, others @ ..] = permissions {
        if same(permission, RIGHTS) {
            return true;
        }
        permissions = others;
    }
    false
}

/// The name of the cookie by which an account knows a browser, without its prefix.
pub(crate) const KNOWN_BROWSER_COOKIE: &str = "onefold-device";
/// How long a browser is known, in seconds: as long as browsers keep a cookie.
pub(crate) const KNOWN_BROWSER_S: i64 = 400 * 86_400;

/// How a sign-in is kept.
#[wire]
pub enum Keep {
    /// In a cookie that only the browser sees.
    Cookie,
    /// In tokens that the program keeps itself.
    Tokens,
}

impl Keep {
    /// A new session secret of this kind.
    pub(crate) fn new_secret(self) -> Result<SessionSecret, Fault> {
        match self {
            Self::Cookie => SessionSecret::cookie(),
            Self::Tokens => SessionSecret::tokens(),
        }
    }
}

/// The tokens of a program that signed in.
#[wire]
pub struct Tokens {
    /// Says who is calling: `authorization: Bearer <token>`.
    pub access_token: String,
    /// Good for one call of `auth.refresh`, which gives both anew.
    pub refresh_token: String,
    /// How long the access token is good, in seconds from now.
    pub expires_in_s: u32,
}

/// The fault for a user whose sign-in or session is no longer allowed.
pub(crate) fn sign_in_refused(reason: &'static str) -> Fault {
    Fault::new(Code::Unauthorized, reason)
}

/// Whether a fault is [`sign_in_refused`].
pub(crate) fn is_sign_in_refused(fault: &Fault) -> bool {
    fault.code == Code::Unauthorized
}

/// The permissions that procedures of this package require, and [`RIGHTS`]. A role may have them.
pub const PERMISSIONS: &[&str] = &["audit:read", "clients:read", "clients:write", RIGHTS];
/// The permission to give rights: a role, the proof of an address, or an address, since the reader of its mail can
/// choose the password. Its holder gives no right that they lack. No third party's application may have it: it could
/// give itself all others.
pub const RIGHTS: &str = "rights:write";

/// Refuses a password that is too easily guessed, also by an attacker who knows these words about its owner and the
/// service.
pub(crate) fn expect_strong(password: &Password, service: &Definition, about: &[&str]) -> Result<(), Fault> {
    let refusal = |reason: &str| FieldFault { path: "password".to_owned(), message: reason.to_owned() };
    let about = [about, &[service.name]].concat();
    match password::weakness(password.as_str(), &about) {
        Some(reason) => Err(Fault::invalid(vec![refusal(reason)])),
        None => Ok(()),
    }
}
