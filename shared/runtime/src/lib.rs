//! Runs one call: how a request comes in, who is calling, which capabilities a procedure may ask for, and what is
//! logged.
//!
//! - [`service`]: procedures without their types, and the index.
//! - [`answer()`]: how a request is processed. [`rest`]: REST routes. [`problem`]: error responses.
//! - [`call`], [`capability`]: capabilities. [`tokens`] and [`authenticate`]: callers.
//! - [`refusals`]: the record of refused calls.
//! - [`sessions`]: cookies. [`opaque`]: the secrets in them. [`scope`]: the permissions of an application.
//!   [`token_keys`]: the public keys of tokens.
//! - [`web`], [`html_page`] and [`site`]: the HTTP side, for the few procedures that see it. [`limits`]: rate limits.
//!   [`secrets`]. [`config`]: plain configuration.
//! - [`metrics`]: metrics of a procedure's own. [`mail`]: mail. [`registration`]: who may register. [`seed`]: demonstration data.
//! - [`lambda()`]: a function's `main`. [`api_gateway`]: its events, for those who send them.

// Macros emit `::onefold`, in this package too.
extern crate self as onefold;
#[doc(hidden)]
pub extern crate self as runtime;
#[doc(hidden)]
pub use macros::wire_name;
#[doc(hidden)]
pub use protocol;
#[doc(hidden)]
pub use protocol::__private;

pub mod answer;
pub mod api_gateway;
pub mod authenticate;
pub mod call;
pub mod capability;
mod challenge;
pub mod config;
pub mod cors;
pub mod environment;
mod event;
mod execute;
pub mod html_page;
pub mod lambda;
pub mod limits;
pub mod mail;
pub mod metrics;
pub mod opaque;
pub mod principal;
pub mod problem;
pub mod refusals;
pub mod registration;
mod reply;
pub mod rest;
pub mod scope;
pub mod secrets;
pub mod seed;
pub mod service;
pub mod sessions;
pub mod site;
pub mod telemetry;
pub mod token_keys;
pub mod tokens;
pub mod web;

pub use answer::{Addressee, Context, answer, refuse};
pub use authenticate::Authenticator;
pub use call::{Call, Ids};
pub use capability::{Capability, Rights};
#[doc(hidden)]
pub use capability::{knows_own, reads_only, same_for_all};
pub use config::{Config, ConfigReaders, Configs};
pub use environment::Environment;
pub use html_page::HtmlPage;
pub use lambda::lambda;
pub use limits::{RateLimit, RateLimits, TakenAttempt};
pub use mail::Mail;
pub use metrics::{Metrics, Unit};
pub use principal::{Caller, Ownership, is_withheld};
pub use protocol::{
    About, AuthorizationServer, ConfigKind, Layout, Package, Packages, PasswordSignIn, Principal, SessionSignIn,
    contract::Domain,
};
pub use refusals::{Refusal, RefusalLog};
pub use registration::{NotAdmitted, RegistrationPolicy};
pub use secrets::{Secret, SecretKind, Secrets, Signer};
pub use service::{BoxFuture, Callers, Definition, Entry, Outcome, Output, Procedure, Registered, Service, encode};
pub use site::Site;
pub use token_keys::TokenKeys;
pub use web::{ClientInfo, Cookies, HttpReply, HttpRequest, Parameters};

/// The imports of a procedure's file.
pub mod prelude {
    pub use macros::{Capability, Entity, Failure, procedure, wire};
    pub use protocol::{Clock, Cursor, NoFailure, Page, PageSize, Patch, Raised, SafeInteger, Timestamp, Version};
    pub use store::{Create, Delete, Read, StoreError, Update, Write};

    pub use crate::{Caller, Capability, Ids, Ownership};
}
