//! The styles of API besides tRPC, from outside.

mod batches;
mod graphql;
mod jsonrpc;
mod soap;
