//! Stores entities as DynamoDB items, with transactions, cursors and versions.
//!
//! A procedure sees [`Read`] and [`Write`], and the parts of [`Write`]: [`Create`], [`Update`] and [`Delete`]. They
//! are generic over the entity and thin: they convert it to JSON and back. Everything below them is not generic and
//! returns boxed futures, so that the SDK is compiled once, here, and not again in every function.
//!
//! - [`settings`], [`client`]: the store's settings, and the SDK client.
//! - [`table`]: the table's definition, once, for the cloud and for the local service.
//! - [`keys`]: the only place that builds keys. `item`: the form of an entity as an item.
//! - [`read`], [`list`], `shards`, `cursor`: fetching, pages, sealed cursors.
//! - [`write`] and its parts, `create`, `update`, `delete`: changes. `action`, [`mod@transaction`]: what they do to
//!   the table, and lost answers.
//! - [`counter`]: counters that expire. [`quota`]: the cost of reads.
//! - [`error`], `sdk_error`, `retry`: errors, and retries.

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
pub mod quota;
pub mod read;
mod retry;
mod sdk_error;
pub mod session;
pub mod settings;
mod shards;
pub mod table;
pub mod transaction;
mod update;
pub mod write;

pub use client::Store;
pub use create::Create;
pub use delete::Delete;
pub use error::StoreError;
pub use list::List;
pub use read::Read;
pub use session::{Meter, StoreSession};
pub use settings::{Settings, StoreLimits};
pub use transaction::{Operation, transaction};
pub use update::Update;
pub use write::Write;
