//! The wire: what a procedure is, what travels, and how a call that fails says so.
//!
//! Nothing here knows of AWS or of an async runtime, so that every room can depend on it.
//!
//! - [`wire`]: which Rust types travel, and the few that Rust does not have.
//! - [`fault`] and [`code`]: typed failures, codes, numbers and HTTP statuses.
//! - [`fresh`]: the failure of what only somebody may do who signed in a moment ago.
//! - [`procedure`], [`service`] and [`contract`]: what a procedure and a service state, and what is made of it.
//! - [`path`]: the paths of routes. [`rest`]: what the answers of a REST route say.
//! - [`input`] and [`trpc`]: from bytes to an input, and from an answer to bytes.
//! - [`case`] and [`media_type`]: names in the case of another language, and the media types of bodies.
//! - [`entity`]: what an entity states about how it is kept.
//! - [`principal`]: who is calling. [`address`]: which e-mail addresses are the same.

// The macros write `::onefold`, here too.
extern crate self as onefold;
#[doc(hidden)]
pub extern crate self as protocol;

pub mod address;
pub mod case;
pub mod clock;
pub mod code;
pub mod contract;
pub mod entity;
pub mod fault;
pub mod fresh;
pub mod grant;
pub mod id;
pub mod input;
pub mod media_type;
pub mod path;
pub mod principal;
pub mod procedure;
pub mod rest;
pub mod service;
pub mod trpc;
pub mod wire;

pub use clock::Clock;
pub use code::Code;
pub use entity::{Entity, EntityId, Index, IndexEntry, Listing, SortKey, Tally, Unique};
pub use fault::{Cause, Failure, Fault, FieldFault, NoFailure, Raised};
pub use fresh::Reauthenticate;
pub use grant::{Access, Grant, Needs};
pub use input::WireInput;
pub use path::{PathPattern, Paths};
pub use principal::{Client, PreviousTurn, Principal, Rotation, SecretHash, StoredSession};
pub use procedure::{Auth, ErrorFormat, Kind, Spec};
pub use rest::{RestAnswer, RestDeclaration};
pub use service::{
    About, AuthorizationServer, Layout, Package, Packages, PasswordSignIn, SessionSignIn, Table, TableIndex,
};
pub use wire::{
    Base64, Cursor, Decimal, Field, Finite, Form, Malformed, Page, PageSize, Patch, SafeInteger, Timestamp, Version,
    WireKey, WireType, WireValue,
};

/// What the macros' output names. Not for people.
#[doc(hidden)]
pub mod __private {
    pub use crate::input::Strictly;
    pub use garde;
    pub use schemars;
    pub use serde;
    pub use serde_json;
    pub use ts_rs;
    pub use uuid;
}
