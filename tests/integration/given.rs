//! What the tests are given: the running program, HTTP by hand, tokens, cargo.

pub mod cargo;
pub mod http;
pub mod service;
pub mod tokens;

pub use http::{Answer, Connection, Request};
pub use service::{Folder, Office, Service};
pub use tokens::Key;
