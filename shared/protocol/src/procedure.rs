//! What a procedure states about itself, apart from its types.

use serde::{Deserialize, Serialize};

use crate::Field;

/// Whether a procedure changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
        /// Which one, such as `posts:write`.
        name: &'static str,
        /// Whether those come through as well who have it for their own items only (`posts:write:own`). The
        /// procedure then takes a `Reach` and asks it.
        own: bool,
    },
}

/// The facts of `#[procedure(…)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Whether it changes anything.
    pub kind: Kind,
    /// Who may call it.
    pub auth: Auth,
    /// Its REST route, such as `GET /v1/users/{id}`.
    pub rest: Option<&'static str>,
    /// How long one call may take, in milliseconds.
    pub timeout_ms: u32,
    /// How much memory its function has, in MiB.
    pub memory_mb: u32,
    /// How many of its calls may run at once, at least 1; as many as the account allows when it is not stated.
    pub concurrency: Option<u32>,
    /// For how many seconds a shared cache may keep a result, 1 to 86,400; none may when it is not stated.
    pub cache_s: Option<u32>,
    /// Its own method and path, such as `POST /oauth/token`, for a form of request that a standard dictates; the
    /// procedure then has no place in the generated clients.
    pub http: Option<&'static str>,
    /// Whether a token's session is looked at in each call although nothing is changed, so that what was revoked counts
    /// at once. See [`Spec::looks_at_session`].
    pub sensitive: bool,
    /// Why a mutation need not look at the session of a token, where it does not.
    pub session: Option<&'static str>,
    /// For how many seconds after a person proved who they are it may be called, at least 1; as long as the session
    /// lasts when it is not stated.
    pub fresh_s: Option<u32>,
    /// Whether one of its capabilities tells who is calling.
    pub asks_caller: bool,
    /// Whether what it reads is charged to who calls.
    pub metered: bool,
    /// The fields of its input, in the order of their declaration.
    pub fields: &'static [Field],
}

/// How a gateway signs somebody in for one call, for styles in which a name and a password come with the call
/// (SOAP's UsernameToken): by the same procedures as everybody, so that their limits and their log count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordSignIn {
    /// The procedure that takes name and password, such as `auth.login`.
    pub sign_in: &'static str,
    /// The field of its input that takes the name.
    pub name_field: &'static str,
    /// The field that takes the password.
    pub password_field: &'static str,
    /// What its input holds besides: fields and their texts, such as `("keep", "tokens")`.
    pub with: &'static [(&'static str, &'static str)],
    /// Where its output has the access token, as a JSON Pointer (RFC 6901): `/tokens/accessToken`.
    pub access_token: &'static str,
    /// Where its output has what ends the sign-in.
    pub refresh_token: &'static str,
    /// The procedure that ends it, such as `auth.logout`.
    pub sign_out: &'static str,
    /// The field of its input that takes what was at `refresh_token`.
    pub refresh_token_field: &'static str,
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

    /// Whether such a look is also at the application that has the token: whether it is still registered. Where it
    /// takes to be signed in, and no more, no application comes through anyway.
    pub const fn looks_at_application(&self) -> bool {
        self.looks_at_session() && !matches!(self.auth, Auth::SignedIn)
    }
}
