//! The `main` of each gateway's function, by its name in the contract (`GatewaySpec::name`). A service's programs
//! pass the text of its contract, as in:
//!
//! ```ignore
//! fn main() -> std::process::ExitCode {
//!     onefold_gateways::function::graphql(include_str!("../../bindings/contract.json"))
//! }
//! ```

use std::process::ExitCode;

use crate::{batches::Batches, docs::Docs, graphql::GraphQl, jsonrpc::JsonRpc, lambda::lambda, soap::Soap};

/// Serves the documentation's pages.
pub fn docs(contract: &'static str) -> ExitCode {
    lambda(Docs::with, contract)
}

/// Serves GraphQL.
pub fn graphql(contract: &'static str) -> ExitCode {
    lambda(GraphQl::with, contract)
}

/// Serves JSON-RPC.
pub fn jsonrpc(contract: &'static str) -> ExitCode {
    lambda(JsonRpc::with, contract)
}

/// Serves SOAP.
pub fn soap(contract: &'static str) -> ExitCode {
    lambda(Soap::with, contract)
}

/// Serves tRPC's batches.
pub fn trpc(contract: &'static str) -> ExitCode {
    lambda(|contract, _| Batches::new(contract), contract)
}
