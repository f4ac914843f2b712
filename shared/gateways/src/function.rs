//! The gateways' functions, each by the name that it has in the contract (`GatewaySpec::name`). The programs that a service has of
//! them give the text of its contract, as in:
//!
//! ```ignore
//! fn main() -> std::process::ExitCode {
//!     onefold_gateways::function::graphql(include_str!("../../bindings/contract.json"))
//! }
//! ```

use std::process::ExitCode;

use crate::{batches::Batches, docs::Docs, graphql::GraphQl, jsonrpc::JsonRpc, lambda::lambda, soap::Soap};

/// The documentation's pages.
pub fn docs(contract: &'static str) -> ExitCode {
    lambda(Docs::with, contract)
}

/// GraphQL.
pub fn graphql(contract: &'static str) -> ExitCode {
    lambda(GraphQl::with, contract)
}

/// JSON-RPC.
pub fn jsonrpc(contract: &'static str) -> ExitCode {
    lambda(JsonRpc::with, contract)
}

/// SOAP.
pub fn soap(contract: &'static str) -> ExitCode {
    lambda(Soap::with, contract)
}

/// tRPC's batches.
pub fn trpc(contract: &'static str) -> ExitCode {
    lambda(|contract, _| Batches::new(contract), contract)
}
