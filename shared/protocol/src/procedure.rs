//! What a procedure states about itself, apart from its types.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Field, RestAnswer};

/// Whether a procedure changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Reads only; may be repeated and cached.
    Query,
    /// Changes something.
    Mutation,
}

/// Who may call a procedure. There is no default: every procedure says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Auth {
    /// Anybody.
    Public,
    /// Anybody who is signed in.
    SignedIn,
    /// Callers who have a permission.
    Permission {
        /// Which one, such as `notes:write`.
        name: &'static str,
        /// Whether those come through as well who have it for their own items only (`notes:write:own`). The
        /// procedure then takes an `Ownership` and asks it.
        own: bool,
    },
}

/// How a procedure with `http` answers programs when a call does not succeed. A browser is shown a page in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum ErrorFormat {
    /// Problems: `application/problem+json` (RFC 9457), as REST has them.
    #[default]
    Problem,
    /// The errors of OAuth: JSON with `error` and `error_description` (RFC 6749, section 5.2).
    OAuth,
}

/// The facts of `#[procedure(…)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Whether it changes anything.
    pub kind: Kind,
    /// Who may call it.
    pub auth: Auth,
    /// Its REST route, such as `GET /v1/orders/{id}`.
    pub rest: Option<&'static str>,
    /// What the answers of this route say besides the output.
    pub rest_answer: RestAnswer,
    /// How long one call may take, in milliseconds.
    pub timeout_ms: u32,
    /// How much memory its function has, in MiB.
    pub memory_mb: u32,
    /// How many of its calls may run at once, at least 1; as many as the account allows when it is not stated.
    pub concurrency: Option<u32>,
    /// For how many seconds a shared cache may keep a result, 1 to 86,400; none may when it is not stated.
    pub cache_s: Option<u32>,
    /// Its own method and path, such as `POST /webhooks/payments`, for requests in a form that others dictate; the
    /// procedure then has no place in the generated clients.
    pub http: Option<&'static str>,
    /// How it answers there when a call does not succeed.
    pub errors: ErrorFormat,
    /// Whether a token's session is looked at in each call although nothing is changed, so that what was revoked counts
    /// at once. See [`Spec::looks_at_session`].
    pub sensitive: bool,
    /// Why a mutation need not look at the session of a token, where it does not.
    pub session: Option<&'static str>,
    /// For how many seconds after a person proved who they are it may be called, at least 1; as long as the session
    /// lasts when it is not stated.
    pub fresh_s: Option<u32>,
    /// Whether that is so with some inputs only, which the input itself tells.
    pub fresh_if: bool,
    /// Whether it answers anything but that it was done.
    pub has_output: bool,
    /// Whether one of its capabilities tells who is calling.
    pub asks_caller: bool,
    /// Whether one of its capabilities reads what is charged for. See [`Spec::is_charged`].
    pub metered: bool,
    /// The fields of its input, in the order of their declaration.
    pub fields: &'static [Field],
}

impl Spec {
    /// What a procedure has that states nothing else. The HTTP API in front gives up after 30 s.
    pub const DEFAULT_TIMEOUT_MS: u32 = 10_000;
    /// See [`Spec::DEFAULT_TIMEOUT_MS`].
    pub const DEFAULT_MEMORY_MB: u32 = 256;

    /// Whether a call may begin with a look at the caller's session.
    pub const fn looks_at_caller(&self) -> bool {
        !matches!(self.auth, Auth::Public) || (self.asks_caller && self.cache_s.is_none())
    }

    /// Whether a call with a token looks at its session: a token goes on for minutes when its holder was deleted, was
    /// signed out or has fewer rights, and must change nothing any more. So it is in every mutation that is not public,
    /// unless it says why not, and wherever a procedure asks for it, or for a fresh sign-in, which the session knows of.
    pub const fn looks_at_session(&self) -> bool {
        let changes = matches!(self.kind, Kind::Mutation) && !matches!(self.auth, Auth::Public);
        self.sensitive || self.fresh_s.is_some() || (changes && self.session.is_none())
    }

    /// For how many seconds after a sign-in it may be called whatever its input is, if that is stated.
    pub fn always_fresh_s(&self) -> Option<u32> {
        self.fresh_s.filter(|_| !self.fresh_if)
    }

    /// Whether what it reads is charged to who calls. It is not where anybody may change something: signing in and the
    /// like has limits of its own, and nobody's reads keep others of the same network from it.
    pub const fn is_charged(&self) -> bool {
        self.metered && !matches!((self.kind, self.auth), (Kind::Mutation, Auth::Public))
    }

    /// Whether a call is refused whose caller has used up what they may read. What changes something is not, nor what is
    /// about the own account: who has stolen a session does not keep its owner from ending it.
    pub const fn has_quota(&self) -> bool {
        self.is_charged() && matches!(self.kind, Kind::Query) && !matches!(self.auth, Auth::SignedIn)
    }

    /// Whether such a look is also at the application that has the token: whether it is still registered. Where it
    /// takes to be signed in, and no more, no application comes through anyway.
    pub const fn looks_at_application(&self) -> bool {
        self.looks_at_session() && !matches!(self.auth, Auth::SignedIn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITH_PERMISSION: Auth = Auth::Permission { name: "visits:write", own: false };

    /// A procedure that reads.
    fn spec(kind: Kind, auth: Auth) -> Spec {
        Spec {
            kind,
            auth,
            rest: None,
            rest_answer: RestAnswer::NONE,
            timeout_ms: Spec::DEFAULT_TIMEOUT_MS,
            memory_mb: Spec::DEFAULT_MEMORY_MB,
            concurrency: None,
            cache_s: None,
            http: None,
            errors: ErrorFormat::Problem,
            sensitive: false,
            session: None,
            fresh_s: None,
            fresh_if: false,
            has_output: true,
            asks_caller: true,
            metered: true,
            fields: &[],
        }
    }

    #[test]
    fn whatever_changes_something_looks_at_the_session_unless_it_says_why_not() {
        for (kind, auth, looks) in [
            (Kind::Mutation, Auth::Public, false),
            (Kind::Mutation, Auth::SignedIn, true),
            (Kind::Mutation, WITH_PERMISSION, true),
            (Kind::Query, Auth::SignedIn, false),
            (Kind::Query, WITH_PERMISSION, false),
        ] {
            let spec = spec(kind, auth);
            assert_eq!(spec.looks_at_session(), looks, "{kind:?} {auth:?}");
            assert!(!Spec { session: Some("it only counts"), ..spec }.looks_at_session());
            assert!(Spec { sensitive: true, ..spec }.looks_at_session());
            assert!(Spec { fresh_s: Some(300), ..spec }.looks_at_session());
        }
    }

    #[test]
    fn reads_of_others_in_a_network_and_of_a_thief_keep_nobody_from_the_own_account() {
        for (kind, auth, is_charged, has_quota) in [
            (Kind::Mutation, Auth::Public, false, false),
            (Kind::Query, Auth::Public, true, true),
            (Kind::Query, Auth::SignedIn, true, false),
            (Kind::Mutation, Auth::SignedIn, true, false),
            (Kind::Query, WITH_PERMISSION, true, true),
            (Kind::Mutation, WITH_PERMISSION, true, false),
        ] {
            let spec = spec(kind, auth);
            assert_eq!((spec.is_charged(), spec.has_quota()), (is_charged, has_quota), "{kind:?} {auth:?}");
            assert!(!Spec { metered: false, ..spec }.is_charged());
        }
    }
}
