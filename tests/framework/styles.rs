//! The styles of API, from outside: each by itself, and all of them held against each other.

mod batches;
mod documents;
mod freshness;
mod graphql;
mod hostile;
mod jsonrpc;
mod parity;
mod persisted;
mod soap;
mod values;
