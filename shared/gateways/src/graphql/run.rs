//! Runs the calls of one request in parallel, up to a limit.

use std::sync::atomic::{AtomicUsize, Ordering};

use protocol::{Code, contract::Contract};
use serde_json::Value as Json;
use tokio::sync::Semaphore;

use super::types::Types;
use crate::{
    Calls, Outcome, Refusal,
    respond::{CallsDeadline, MAX_AT_ONCE, MAX_WEIGHT},
};

/// The part of a response's weight that is reserved for its frame, and for the error about an operation that is too
/// large.
const RESERVED: usize = 10_000;

/// What all operations of a request share.
pub(super) struct Run<'r> {
    pub types: &'r Types,
    contract: &'r Contract,
    calls: &'r Calls<'r>,
    permits: Semaphore,
    deadline: CallsDeadline,
    /// The weight of the response so far.
    weight: AtomicUsize,
}

impl<'r> Run<'r> {
    pub(super) fn new(types: &'r Types, contract: &'r Contract, calls: &'r Calls<'r>) -> Self {
        let (permits, deadline) = (Semaphore::new(MAX_AT_ONCE), CallsDeadline::from_now());
        Self { types, contract, calls, permits, deadline, weight: AtomicUsize::new(0) }
    }

    /// Reserves weight of the response: memory stays bounded, whatever lists hold. False when none is left.
    pub(super) fn reserve(&self, weight: usize) -> bool {
        self.weight.fetch_add(weight, Ordering::Relaxed).saturating_add(weight) <= MAX_WEIGHT - RESERVED
    }

    /// Releases weight that was reserved for a part that is not sent.
    pub(super) fn release(&self, weight: usize) {
        self.weight.fetch_sub(weight, Ordering::Relaxed);
    }

    /// Calls a procedure with the request's credentials.
    pub(super) async fn call(&self, procedure: &str, input: Option<&Json>) -> Outcome {
        let wrong = || Refusal::new(Code::InternalServerError, "Something went wrong on our side.");
        let procedure = self.contract.find_in_styles(procedure).ok_or_else(wrong)?;
        let input = input.map(serde_json::to_vec).transpose().map_err(|_| wrong())?;
        let call = async {
            // The semaphore is never closed; if it were, a call without a permit would be harmless.
            let _permit = self.permits.acquire().await.ok();
            self.calls.run(procedure, input.as_deref()).await
        };
        self.deadline.holds(call).await.map_err(|fault| Refusal::new(fault.code, fault.message))?
    }
}
