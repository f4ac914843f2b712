//! The types of the wire: procedures, contracts, wire types, inputs and faults.
//!
//! This package depends on neither AWS nor an async runtime, so that every other package can depend on it.
//!
//! - [`wire`]: the Rust types that may travel, and the few that Rust lacks.
//! - [`fault`] and [`code`]: typed failures, codes, numbers and HTTP statuses.
//! - [`fresh`]: the failure of procedures that need a recent sign-in.
//! - [`procedure`], [`service`] and [`contract`]: what a procedure and a service state, and the contract made of it.
//! - [`path`]: the paths of routes. [`rest`]: the responses of REST routes.
//! - [`input`] and [`trpc`]: from bytes to an input, and from a result to bytes.
//! - [`media_type`] and [`accept`]: the media types of bodies, and content negotiation.
//! - [`case`] and [`escape`]: names in the case of other languages, and texts inside other languages.
//! - [`config`]: plain values that differ from stage to stage.
//! - [`cursor`]: what the cursor of a list is bound to.
//! - [`entity`]: how an entity states its keys, indexes and unique values.
//! - [`principal`]: the caller. [`address`]: e-mail addresses.

// Macros emit `::onefold`, in this package too.
extern crate self as onefold;
#[doc(hidden)]
pub extern crate self as protocol;

pub mod accept;
pub mod address;
pub mod case;
pub mod clock;
pub mod code;
pub mod config;
pub mod contract;
pub mod cursor;
pub mod entity;
pub mod escape;
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
pub use config::{ConfigKind, ConfigNeed, ConfigReader, ConfigValue};
pub use cursor::CursorScope;
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

/// The paths that macros emit. Not a public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::input::Strict;
    pub use garde;
    pub use schemars;
    pub use serde;
    pub use serde_json;
    pub use ts_rs;
    pub use uuid;
}
