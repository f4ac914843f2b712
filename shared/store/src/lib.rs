//! The memory: entities to and from DynamoDB items, transactions, cursors, versions.
//!
//! A procedure sees [`Read`] and [`Write`], and the parts of [`Write`]: [`Create`], [`Update`] and [`Delete`]. They are
//! generic over the entity and thin: they turn an entity into JSON and back. Everything below them is not generic and
//! answers with boxed futures, so that the SDK is compiled once, here, and not again in every function.
//!
//! - [`settings`], [`client`]: what the store is told, and the SDK client that is made of it; gateways make theirs so.
//! - [`service`]: calls to other services of AWS. `secret`: what a function may not find in its environment.
//!   [`mail`]: what it sends.
//! - [`table`]: the table's definition, once, for the cloud and for the local service.
//! - [`keys`]: the only place that builds keys. `item`: how an entity looks as an item.
//! - [`read`], [`list`], `lanes`, `cursor`: fetching, pages, sealed cursors.
//! - [`write`] and its parts, `create`, `update`, `delete`: changes. `action`, [`mod@transaction`]: what they do to the
//!   table, and lost answers.
//! - [`counter`]: counts that forget themselves. [`quota`]: what reads cost.
//! - [`error`], `trouble`, `retry`: what can go wrong, and what is tried again.

#![warn(unreachable_pub)]

mod action;
pub mod client;
pub mod counter;
mod create;
mod cursor;
mod delete;
pub mod error;
mod fetch;
mod item;
pub mod keys;
pub mod list;
pub mod mail;
pub mod quota;
pub mod read;
mod retry;
mod secret;
pub mod service;
pub mod session;
pub mod settings;
mod shards;
pub mod table;
pub mod transaction;
mod trouble;
mod update;
pub mod write;

pub use client::Store;
pub use create::Create;
pub use delete::Delete;
pub use error::StoreError;
pub use list::List;
pub use mail::{Letter, MailError, MailSettings, Mailer};
pub use read::Read;
pub use secret::{SecretSettings, read_secret};
pub use session::{Meter, Scope, StoreSession};
pub use settings::{Settings, StoreLimits};
pub use transaction::{Operation, transaction};
pub use update::Update;
pub use write::Write;
