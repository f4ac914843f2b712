//! The styles of API, from outside: each by itself, and all of them held against each other.

mod batches;
pub mod calls;
pub mod drivers;
mod freshness;
mod graphql;
mod hostile;
mod jsonrpc;
mod parity;
mod persisted;
mod play;
mod soap;
mod words;
