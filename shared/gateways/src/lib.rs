//! What spans procedures: gateways that know the contract and nothing else.
//!
//! A gateway has no right to stored data and runs no procedure. It reads a request of its style, makes of it the
//! calls that a client would have made, with the same credentials, and puts their answers together. Where a call
//! goes is [`Reach`]'s: in the cloud to the procedure's own function, locally to the same procedure in process.
//! So validation, policy, failures and limits are those of the procedure, whatever the style.
//!
//! - [`contract`]: the contract, as gateways read it.
//! - [`calls`]: one request's calls to procedures.
//! - [`example`]: sample values.
//! - [`gateway`]: what all styles have in common.
//! - [`soap`]: SOAP 1.1 and 1.2.
//! - [`rest`], [`openapi`]: what procedures' REST routes say, and the document of it.

pub mod calls;
pub mod contract;
pub mod example;
pub mod gateway;
pub mod openapi;
pub mod rest;
pub mod soap;

pub use calls::{Calls, Outcome, Reach, Refusal};
pub use contract::{Contract, Procedure};
pub use gateway::{Facts, Gateway, Gateways, Style};

/// All styles, for a service.
///
/// # Errors
/// When one of them cannot express the contract.
pub fn styles(contract: &Contract) -> Result<Vec<Box<dyn Style>>, protocol::Cause> {
    Ok(vec![Box::new(soap::Soap::new(contract)?)])
}

/// What is known of all styles.
pub const FACTS: &[&Facts] = &[&soap::Soap::FACTS];
