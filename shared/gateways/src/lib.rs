//! Gateways: API styles that span procedures, and documents, made from the contract alone.
//!
//! A gateway has no right to stored data and runs no procedure. It parses a request of its style, makes the calls
//! that a client would make, with the same credentials, and combines their results. [`Transport`] sends each call: in
//! the cloud to the procedure's own function, locally to the same procedure in process. Validation, permissions,
//! failures and limits are therefore those of the procedure, in every style.
//!
//! - [`calls`]: the calls of one request.
//! - [`example`]: sample values.
//! - [`gateway`]: what all styles have in common.
//! - [`graphql`] answers GraphQL.
//! - [`paths`]: the names of input members in errors.
//! - [`function`]: a gateway's `main`; [`invoke`]: its calls to procedures' functions.
//! - [`rest`], [`openapi`]: the REST routes, and their document.
//! - [`samples`], [`docs`]: sample calls in each style, and the pages that show them.
//! - [`batches`]: tRPC's batches.
//! - [`jsonrpc`]: JSON-RPC 2.0, with OpenRPC.
//! - [`soap`]: SOAP 1.1 and 1.2, with WSDL.
//! - [`words`]: the names of procedures in each style's document.

pub mod batches;
pub mod calls;
pub mod docs;
pub mod example;
pub mod function;
pub mod gateway;
pub mod graphql;
pub mod invoke;
pub mod jsonrpc;
mod lambda;
pub mod names;
pub mod openapi;
pub mod paths;
pub mod respond;
pub mod rest;
pub mod samples;
pub mod soap;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod stub;
pub mod words;

use protocol::contract::Contract;

pub use calls::{Calls, Outcome, Refusal, Transport};
pub use gateway::{Gateway, GatewaySpec, Gateways, Settings, Style};

/// Creates all styles for a stage of a service.
///
/// # Errors
/// When a style cannot express the contract.
pub fn styles(contract: &Contract, settings: Settings) -> Result<Vec<Box<dyn Style>>, protocol::Cause> {
    Ok(vec![
        Box::new(batches::Batches::new(contract)?),
        Box::new(docs::Docs::with(contract, settings)?),
        Box::new(graphql::GraphQl::with(contract, settings)?),
        Box::new(jsonrpc::JsonRpc::with(contract, settings)?),
        Box::new(soap::Soap::with(contract, settings)?),
    ])
}

/// The specifications of all styles.
pub const SPECS: &[&GatewaySpec] =
    &[&batches::Batches::SPEC, &docs::Docs::SPEC, &graphql::GraphQl::SPEC, &jsonrpc::JsonRpc::SPEC, &soap::Soap::SPEC];
