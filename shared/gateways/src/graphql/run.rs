//! One request's calls, which run in parallel up to a bound.

use protocol::Code;
use serde_json::Value as Json;
use tokio::sync::Semaphore;

use super::types::Types;
use crate::{
    Calls, Contract, Outcome, Refusal,
    respond::{Deadline, MAX_AT_ONCE},
};

/// What all operations of a request share.
pub(super) struct Run<'r> {
    pub types: &'r Types,
    contract: &'r Contract,
    calls: &'r Calls<'r>,
    places: Semaphore,
    deadline: Deadline,
}

impl<'r> Run<'r> {
    pub(super) fn new(types: &'r Types, contract: &'r Contract, calls: &'r Calls<'r>) -> Self {
        Self { types, contract, calls, places: Semaphore::new(MAX_AT_ONCE), deadline: Deadline::from_now() }
    }

    /// Calls a procedure with the request's credentials.
    pub(super) async fn call(&self, procedure: &str, input: Option<&Json>) -> Outcome {
        let wrong = || Refusal::new(Code::InternalServerError, "Something went wrong on our side.");
        let procedure = self.contract.find(procedure).ok_or_else(wrong)?;
        let input = input.map(serde_json::to_vec).transpose().map_err(|_| wrong())?;
        let call = async {
            // It is never closed; if it were, a call without a place would be harmless.
            let _place = self.places.acquire().await.ok();
            self.calls.run(procedure, input.as_deref()).await
        };
        self.deadline.holds(call).await.map_err(|fault| Refusal::new(fault.code, fault.message))?
    }
}
