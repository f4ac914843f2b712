//! The door: how a call comes in, who is calling, what a procedure may ask for, and what is logged.
//!
//! - [`service`]: procedures without their types, and the index.
//! - [`answer()`]: how a request travels. [`rest`]: by a procedure's own route. [`accept`]: what its client takes.
//! - [`call`]: capabilities. [`tokens`] and [`authenticate`]: callers.
//! - [`refusals`]: callers who were refused.
//! - [`sessions`] and [`rotation`]: cookies and refresh tokens. [`opaque`]: the secrets in them.
//! - [`oauth`]: what an authorization server decides.
//! - [`web`], [`page`] and [`site`]: the HTTP side, for the few procedures that see it. [`limits`], [`secrets`].
//! - [`mail`] and [`password`]: what is sent to people, and what they sign in with. [`registration`]: who may begin to.
//! - [`lambda()`]: a function's `main`. [`gateway`]: its events, for those who send them.

pub mod accept;
pub mod answer;
pub mod authenticate;
pub mod call;
pub mod capability;
mod challenge;
pub mod cors;
pub mod environment;
mod event;
pub mod gateway;
pub mod lambda;
pub mod limits;
pub mod mail;
pub mod oauth;
pub mod oidc;
pub mod opaque;
pub mod page;
pub mod password;
pub mod principal;
pub mod refusals;
pub mod registration;
pub mod rest;
pub mod rotation;
pub mod secrets;
pub mod service;
pub mod sessions;
pub mod site;
pub mod telemetry;
pub mod tokens;
pub mod web;

pub use answer::{Context, answer, refuse};
pub use authenticate::Authenticator;
pub use call::{Call, Ids};
pub use capability::{Capability, Rights};
#[doc(hidden)]
pub use capability::{knows_own, reads_only, same_for_all};
pub use environment::Environment;
pub use lambda::lambda;
pub use limits::{Limit, Limits, Taken};
pub use mail::Mail;
pub use oauth::TokenKeys;
pub use page::Page;
pub use principal::{Caller, Reach, is_withheld};
pub use protocol::{
    AuthorizationServer, Layout, Package, Packages, PasswordSignIn, Principal, SessionSignIn,
    contract::{About, Domain},
};
pub use refusals::{Refusal, RefusalLog};
pub use registration::{NotAdmitted, RegistrationPolicy};
pub use secrets::{Secret, SecretKind, Secrets, Signer};
pub use service::{
    BoxFuture, Callers, Definition, Entry, Named, Outcome, Output, Procedure, Registered, Service, encode,
};
pub use site::Site;
pub use web::{Cookies, Device, HttpReply, HttpRequest, Parameters};

/// What a procedure's file uses.
pub mod prelude {
    pub use macros::{Capability, Failure, procedure, wire};
    pub use protocol::{Clock, Cursor, NoFailure, Page, PageSize, Patch, Raised, SafeInteger, Timestamp, Version};
    pub use store::{Append, Read, StoreError, Write};

    pub use crate::{Caller, Capability, Ids, Reach};
}
