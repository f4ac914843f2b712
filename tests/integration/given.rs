//! What the tests are given: the running program, HTTP by hand, tokens, cargo.

pub mod browser;
pub mod cargo;
pub mod http;
pub mod mailbox;
pub mod people;
pub mod provider;
pub mod service;
pub mod table;
pub mod tokens;

pub use browser::Browser;
pub use http::{Answer, Connection, Request};
pub use people::{Person, Tokens};
pub use service::{Folder, Office, Service};
pub use tokens::Key;
