//! What spans procedures: gateways that know the contract and nothing else.
//!
//! A gateway has no right to stored data and runs no procedure. It reads a request of its style, makes of it the
//! calls that a client would have made, with the same credentials, and puts their answers together. Where a call
//! goes is [`Transport`]'s: in the cloud to the procedure's own function, locally to the same procedure in process.
//! So validation, policy, failures and limits are those of the procedure, whatever the style.
//!
//! - [`calls`]: one request's calls to procedures.
//! - [`example`]: sample values.
//! - [`gateway`]: what all styles have in common.
//! - [`graphql`]: GraphQL, which asks for fields of what several procedures answer.
//! - [`paths`]: what errors call the members of an input.
//! - [`function`]: a gateway's `main`; [`invoke`]: how it reaches procedures.
//! - [`rest`], [`openapi`]: what procedures' REST routes say, and the document of it.
//! - [`samples`], [`docs`]: how each procedure is called in each style, and the pages that say so.
//! - [`batches`]: tRPC's batches.
//! - [`jsonrpc`]: JSON-RPC 2.0, with OpenRPC.
//! - [`soap`]: SOAP 1.1 and 1.2, with WSDL.
//! - [`words`]: what procedures are called in each style's document.

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

/// All styles, for a stage of a service.
///
/// # Errors
/// When one of them cannot express the contract.
pub fn styles(contract: &Contract, settings: Settings) -> Result<Vec<Box<dyn Style>>, protocol::Cause> {
    Ok(vec![
        Box::new(batches::Batches::new(contract)?),
        Box::new(docs::Docs::with(contract, settings)?),
        Box::new(graphql::GraphQl::with(contract, settings)?),
        Box::new(jsonrpc::JsonRpc::with(contract, settings)?),
        Box::new(soap::Soap::with(contract, settings)?),
    ])
}

/// What is known of all styles.
pub const FACTS: &[&GatewaySpec] = &[
    &batches::Batches::FACTS,
    &docs::Docs::FACTS,
    &graphql::GraphQl::FACTS,
    &jsonrpc::JsonRpc::FACTS,
    &soap::Soap::FACTS,
];
