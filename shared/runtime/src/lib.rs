//! The door: how a call comes in, who is calling, what a procedure may ask for, and what is logged.
//!
//! - [`service`]: procedures without their types, and the index.
//! - [`answer()`]: how a request travels.
//! - [`call`]: capabilities. [`tokens`] and [`authenticate`]: callers.
//! - [`lambda()`]: a function's `main`. [`gateway`]: its events, for those who send them.

pub mod answer;
pub mod authenticate;
pub mod call;
pub mod cors;
pub mod environment;
pub mod gateway;
pub mod lambda;
pub mod principal;
pub mod service;
pub mod telemetry;
pub mod tokens;

pub use answer::{Context, answer, refuse};
pub use authenticate::Authenticator;
pub use call::{Call, Capability, Ids};
#[doc(hidden)]
pub use call::{reads_only, same_for_all};
pub use environment::Environment;
pub use lambda::lambda;
pub use principal::{Caller, Principal};
pub use service::{BoxFuture, Callers, Definition, Entry, Named, Outcome, Procedure, Registered, Service, encode};

/// What a procedure's file uses.
pub mod prelude {
    pub use macros::{Failure, procedure, wire};
    pub use protocol::{Clock, Cursor, NoFailure, Page, PageSize, Patch, Raised, SafeInteger, Timestamp, Version};
    pub use store::{Read, StoreError, Write};

    pub use crate::{Caller, Ids};
}
