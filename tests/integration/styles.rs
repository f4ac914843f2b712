//! The styles of API besides tRPC, from outside.

mod batches;
mod jsonrpc;
mod soap;
