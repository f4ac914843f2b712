//! One request's calls, which run in parallel up to a bound.

use std::sync::atomic::{AtomicUsize, Ordering};

use protocol::{Code, contract::Contract};
use serde_json::Value as Json;
use tokio::sync::Semaphore;

use super::types::Types;
use crate::{
    Calls, Outcome, Refusal,
    respond::{Deadline, MAX_AT_ONCE, MAX_WEIGHT},
};

/// What is kept of an answer's weight for what stands around the operations' answers, and says that one is too large.
const RESERVED: usize = 10_000;

/// What all operations of a request share.
pub(super) struct Run<'r> {
    pub types: &'r Types,
    contract: &'r Contract,
    calls: &'r Calls<'r>,
    places: Semaphore,
    deadline: Deadline,
    /// What the answers weigh so far.
    weight: AtomicUsize,
}

impl<'r> Run<'r> {
    pub(super) fn new(types: &'r Types, contract: &'r Contract, calls: &'r Calls<'r>) -> Self {
        let (places, deadline) = (Semaphore::new(MAX_AT_ONCE), Deadline::from_now());
        Self { types, contract, calls, places, deadline, weight: AtomicUsize::new(0) }
    }

    /// Takes room of the request's answer: memory stays flat, whatever lists hold. False when there is none left.
    pub(super) fn takes(&self, weight: usize) -> bool {
        self.weight.fetch_add(weight, Ordering::Relaxed).saturating_add(weight) <= MAX_WEIGHT - RESERVED
    }

    /// Gives room back that was taken for what is not answered after all.
    pub(super) fn gives_back(&self, weight: usize) {
        self.weight.fetch_sub(weight, Ordering::Relaxed);
    }

    /// Calls a procedure with the request's credentials.
    pub(super) async fn call(&self, procedure: &str, input: Option<&Json>) -> Outcome {
        let wrong = || Refusal::new(Code::InternalServerError, "Something went wrong on our side.");
        let procedure = self.contract.find_in_styles(procedure).ok_or_else(wrong)?;
        let input = input.map(serde_json::to_vec).transpose().map_err(|_| wrong())?;
        let call = async {
            // It is never closed; if it were, a call without a place would be harmless.
            let _place = self.places.acquire().await.ok();
            self.calls.run(procedure, input.as_deref()).await
        };
        self.deadline.holds(call).await.map_err(|fault| Refusal::new(fault.code, fault.message))?
    }
}
