//! What spans procedures: gateways that know the contract and nothing else.
//!
//! A gateway has no right to stored data and runs no procedure. It reads a request of its style, makes of it the
//! calls that a client would have made, with the same credentials, and puts their answers together. Where a call
//! goes is [`Reach`]'s: in the cloud to the procedure's own function, locally to the same procedure in process.
//! So validation, policy, failures and limits are those of the procedure, whatever the style.
//!
//! - [`contract`]: the contract, as gateways read it.
//! - [`calls`]: one request's calls to procedures.
//! - [`gateway`]: what all styles have in common.
//! - [`lambda()`]: a gateway's `main`; [`invoke`]: how it reaches procedures.

pub mod calls;
pub mod contract;
pub mod gateway;
pub mod invoke;
pub mod lambda;

pub use calls::{Calls, Outcome, Reach, Refusal};
pub use contract::{Contract, Procedure};
pub use gateway::{Facts, Gateway, Gateways, Style};
pub use lambda::lambda;

/// All styles, for a service.
///
/// # Errors
/// When one of them cannot express the contract.
pub fn styles(_contract: &Contract) -> Result<Vec<Box<dyn Style>>, protocol::Cause> {
    Ok(vec![])
}

/// What is known of all styles.
pub const FACTS: &[&Facts] = &[];
