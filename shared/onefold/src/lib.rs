//! The façade of the framework: everything that a service depends on.
//!
//! A service's packages depend on this one alone. A procedure's file begins with the [`prelude`]; further types are
//! at the root here, and the rest is in the framework's packages, each under its name: [`protocol`], [`store`],
//! [`runtime`], [`identity`].
//!
//! ```
//! extern crate onefold as garde;
//!
//! use onefold::Definition;
//!
//! /// What all procedures share.
//! const SERVICE: Definition = Definition::named("shop");
//!
//! onefold::procedures! {
//!     inline SERVICE;
//!     /// What is ordered.
//!     orders { count }
//! }
//!
//! mod orders {
//!     pub mod count {
//!         use onefold::prelude::*;
//!
//!         /// Which orders.
//!         #[wire(input)]
//!         pub struct CountInput {
//!             /// The least amount, in cents.
//!             #[garde(range(max = 1_000_000))]
//!             pub at_least: u32,
//!         }
//!
//!         /// Counts orders.
//!         #[procedure(query, auth = public, rest = "GET /v1/orders/count")]
//!         pub async fn count(#[input] input: CountInput) -> Result<u32, NoFailure> {
//!             Ok(input.at_least)
//!         }
//!     }
//! }
//!
//! fn main() {
//!     assert_eq!(service().procedures[0].entry.name, "orders.count");
//! }
//! ```
//!
//! The rules of `#[garde(…)]` are those of the crate [garde](https://docs.rs/garde). This package re-exports what
//! garde's derive emits, so that a service does not depend on garde: a package with such rules has `extern crate
//! onefold as garde;` at its root.

// Paths that macros emit.
#[doc(hidden)]
pub use garde::{Path, Validate, error, rules, util, validate};
#[doc(hidden)]
pub use protocol::__private;

/// Serialization for types without `#[wire]`, such as secrets.
pub use protocol::__private::serde;

pub use aws;
pub use identity;
pub use protocol;
pub use runtime;
pub use store;

/// Lines of one's own in the log of calls: `onefold::tracing::info!(total, "placed")`. Each says of which call it is.
pub use tracing;

/// What the seeds of a service's domains are written with.
pub use runtime::seed;

/// The error of a custom rule: `#[garde(custom(…))]` names an `fn(&T, &()) -> Result<(), RuleError>`.
pub use garde::Error as RuleError;
pub use macros::{Capability, Entity, Failure, procedure, wire};
pub use protocol::{
    Access, Auth, Base64, Cause, Clock, Code, Cursor, Decimal, Entity, EntityId, Failure, Fault, FieldFault, Finite,
    Grant, Listing, NoFailure, Page, PageSize, Patch, Principal, Raised, SafeInteger, SortKey, Timestamp, Version, id,
};
pub use runtime::{
    Call, Caller, Callers, Capability, ClientInfo, Config, ConfigKind, Cookies, Definition, Entry, Environment,
    HtmlPage, HttpReply, HttpRequest, Ids, Layout, Mail, Metrics, Ownership, Package, Packages, RateLimit, RateLimits,
    RefusalLog, Rights, Secret, SecretKind, Service, Site, TakenAttempt, Unit, about, lambda, prelude, procedures,
};
pub use store::{Create, Delete, Operation, Read, StoreError, StoreSession, Update, Write, transaction};
