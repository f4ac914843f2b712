//! What tests share: running programs, HTTP by hand, tokens, the styles of API, cargo.

pub mod browser;
pub mod cargo;
pub mod http;
pub mod mailbox;
pub mod people;
pub mod provider;
pub mod service;
pub mod styles;
pub mod table;
pub mod tokens;

pub use browser::Browser;
pub use http::{Answer, Connection, Request};
pub use people::{Person, Tokens};
pub use service::{Folder, Service, TestServer};
pub use tokens::Key;
