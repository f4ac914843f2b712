//! The specification of a procedure: the attributes of `#[procedure(…)]`, apart from its types.

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

/// Who may call a procedure. There is no default: every procedure states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Auth {
    /// All callers.
    Public,
    /// All callers who are signed in.
    SignedIn,
    /// Callers with a permission.
    Permission {
        /// The permission, such as `notes:write`.
        name: &'static str,
        /// Whether callers may call who have it for their own items only (`notes:write:own`). The procedure then
        /// takes an `Ownership` and checks it.
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

/// The attributes of `#[procedure(…)]`, and what follows from its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Query or mutation.
    pub kind: Kind,
    /// Who may call it.
    pub auth: Auth,
    /// Its REST route, such as `GET /v1/orders/{id}`.
    pub rest: Option<&'static str>,
    /// What the responses of this route state in addition to the output.
    pub rest_answer: RestAnswer,
    /// The timeout of one call, in milliseconds.
    pub timeout_ms: u32,
    /// The memory of its function, in MiB.
    pub memory_mb: u32,
    /// The maximum number of parallel calls, at least 1; the account's limit if it is not stated.
    pub concurrency: Option<u32>,
    /// The lifetime of a result in shared caches, in seconds, 1 to 86,400; results are not cached if it is not
    /// stated.
    pub cache_s: Option<u32>,
    /// Its own method and path, such as `POST /webhooks/payments`, for requests in a form that a third party
    /// dictates; the generated clients then do not have the procedure.
    pub http: Option<&'static str>,
    /// The format of errors at that path.
    pub errors: ErrorFormat,
    /// Whether each call looks the token's session up although it changes nothing, so that a revocation takes effect
    /// at once. See [`Spec::looks_at_session`].
    pub sensitive: bool,
    /// Why a mutation does not look the session of a token up, if it does not.
    pub session: Option<&'static str>,
    /// The maximum age of the sign-in or reauthentication, in seconds, at least 1; as old as the session if it is not
    /// stated.
    pub fresh_s: Option<u32>,
    /// Whether that applies to some inputs only, which the input itself decides.
    pub fresh_if: bool,
    /// Whether it has an output.
    pub has_output: bool,
    /// Whether one of its capabilities reveals the caller.
    pub asks_caller: bool,
    /// Whether one of its capabilities has charged reads. See [`Spec::is_charged`].
    pub metered: bool,
    /// The fields of its input, in the order of their declaration.
    pub fields: &'static [Field],
}

impl Spec {
    /// The timeout of a procedure that states none, in milliseconds. The HTTP API in front gives up after 30 s.
    pub const DEFAULT_TIMEOUT_MS: u32 = 10_000;
    /// The memory of a procedure that states none, in MiB.
    pub const DEFAULT_MEMORY_MB: u32 = 256;

    /// Whether a call may begin with a lookup of the caller's session.
    pub const fn looks_at_caller(&self) -> bool {
        !matches!(self.auth, Auth::Public) || (self.asks_caller && self.cache_s.is_none())
    }

    /// Whether a call with a token looks its session up: a token stays valid for minutes after its holder was
    /// deleted, signed out or lost rights, and must change nothing any more. This applies to every mutation that is
    /// not public, unless it states why not, and to procedures that ask for it, or for a recent sign-in, whose time
    /// the session knows.
    pub const fn looks_at_session(&self) -> bool {
        let changes = matches!(self.kind, Kind::Mutation) && !matches!(self.auth, Auth::Public);
        self.sensitive || self.fresh_s.is_some() || (changes && self.session.is_none())
    }

    /// The maximum age of the sign-in that applies to all inputs, in seconds, if it is stated.
    pub fn always_fresh_s(&self) -> Option<u32> {
        self.fresh_s.filter(|_| !self.fresh_if)
    }

    /// Whether its reads are charged to the caller. Those of public mutations are not: sign-in and the like have
    /// limits of their own, and another caller's reads must not keep people of the same network from them.
    pub const fn is_charged(&self) -> bool {
        self.metered && !matches!((self.kind, self.auth), (Kind::Mutation, Auth::Public))
    }

    /// Whether calls are refused once the caller's quota is used up. Mutations are not, nor are procedures about the
    /// own account: a thief of a session must not keep its owner from ending it.
    pub const fn has_quota(&self) -> bool {
        self.is_charged() && matches!(self.kind, Kind::Query) && !matches!(self.auth, Auth::SignedIn)
    }

    /// Whether the lookup includes the token's application: whether it is still registered. Procedures for all
    /// signed-in callers do not need it, since applications may not call them anyway.
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
