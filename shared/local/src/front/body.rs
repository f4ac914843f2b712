//! Request bodies, and a bound on the memory that they take together.
//!
//! A client that sends a body slowly, or many at once, makes the service hold them. Small bodies are bounded by the
//! number of open connections. Larger ones share one budget; when it is spent, they are refused instead of queued, so
//! that they do not block other clients' small ones.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use protocol::{Cause, Fault, trpc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget of all larger bodies together, in bytes.
const BUDGET_BYTES: usize = 64 * 1024 * 1024;
/// How much of each body does not count, in bytes.
const SMALL_BYTES: usize = 16 * 1024;
/// The unit in which the budget is taken, in bytes.
const STEP_BYTES: usize = 1024;
/// How long a client may take over a request's body.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The budget that the bodies of all requests share.
#[derive(Clone)]
pub(super) struct BodyBudget(Arc<Semaphore>);

/// A body with its share of the budget, which it holds until it is dropped.
#[derive(Default)]
pub(super) struct BudgetedBody {
    pub(super) bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

impl BodyBudget {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET_BYTES / STEP_BYTES)))
    }

    /// Reads a whole body. One that is too large is refused early: if its length is announced, nothing of it is read,
    /// and a client that waits for `100 Continue` does not send it (RFC 9110 section 10.1.1).
    ///
    /// # Errors
    /// When it is too large, breaks off or takes too long, and when the budget is spent.
    pub(super) async fn read(&self, body: Incoming) -> Result<BudgetedBody, Fault> {
        if body.is_end_stream() {
            return Ok(BudgetedBody::default());
        }
        let late = |_| Fault::new(protocol::Code::Timeout, "The body did not arrive in time.");
        tokio::time::timeout(TIMEOUT, self.collect(body)).await.map_err(late)?
    }

    async fn collect<B: Body<Data = Bytes, Error: Into<Cause>> + Unpin>(
        &self,
        mut body: B,
    ) -> Result<BudgetedBody, Fault> {
        if body.size_hint().lower() > trpc::MAX_INPUT_BYTES as u64 {
            return Err(trpc::too_large());
        }
        let (mut whole, mut share) = (Vec::new(), None);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Fault::bad_request("The body broke off.").because(error))?;
            let Some(data) = frame.data_ref() else { continue };
            let bytes = whole.len() + data.len();
            if bytes > trpc::MAX_INPUT_BYTES {
                return Err(trpc::too_large());
            }
            if !self.grow(&mut share, bytes) {
                return Err(Fault::busy("The service holds as many requests as it can. Try again in a second.", 1));
            }
            whole.extend_from_slice(data);
        }
        Ok(BudgetedBody { bytes: whole.into(), _share: share })
    }

    /// Takes the share for a body of this length; false when the budget is spent.
    fn grow(&self, share: &mut Option<OwnedSemaphorePermit>, bytes: usize) -> bool {
        let wanted = bytes.saturating_sub(SMALL_BYTES).div_ceil(STEP_BYTES);
        let more = wanted.saturating_sub(share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        let Ok(more) = u32::try_from(more) else { return false };
        match (more, Arc::clone(&self.0).try_acquire_many_owned(more), share) {
            (0, ..) => true,
            (_, Err(_), _) => false,
            (_, Ok(permit), Some(share)) => {
                share.merge(permit);
                true
            }
            (_, Ok(permit), share) => {
                *share = Some(permit);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        mem,
        pin::Pin,
        task::{Context, Poll},
    };

    use http_body_util::Full;
    use hyper::body::{Frame, SizeHint};
    use protocol::Code;

    use super::*;

    async fn read(budget: &BodyBudget, bytes: usize) -> Result<BudgetedBody, Code> {
        budget.collect(Full::new(Bytes::from(vec![b' '; bytes]))).await.map_err(|fault| fault.code)
    }

    /// A body of which the rest never comes.
    struct Unfinished {
        left_bytes: usize,
        announced_bytes: u64,
    }

    impl Body for Unfinished {
        type Data = Bytes;
        type Error = Cause;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cause>>> {
            match mem::take(&mut self.left_bytes) {
                0 => Poll::Pending,
                bytes => Poll::Ready(Some(Ok(Frame::data(vec![b' '; bytes].into())))),
            }
        }

        fn size_hint(&self) -> SizeHint {
            let mut hint = SizeHint::new();
            hint.set_lower(self.announced_bytes);
            hint
        }
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_not_waited_for() {
        let budget = BodyBudget::new();
        let over = trpc::MAX_INPUT_BYTES + 1;
        for (left_bytes, announced_bytes) in [(0, over as u64), (1, u64::MAX), (over, 0)] {
            let refused = budget.collect(Unfinished { left_bytes, announced_bytes }).await;
            assert_eq!(refused.err().unwrap().code, Code::PayloadTooLarge, "{left_bytes} of {announced_bytes}");
        }
        assert_eq!(budget.0.available_permits(), BUDGET_BYTES / STEP_BYTES, "nothing of them is held");
    }

    #[tokio::test]
    async fn the_sum_of_what_is_held_is_bounded_and_what_is_small_gets_in() {
        let budget = BodyBudget::new();
        let mut held = Vec::new();
        let refused = loop {
            match read(&budget, trpc::MAX_INPUT_BYTES).await {
                Ok(body) => held.push(body),
                Err(code) => break code,
            }
        };
        assert_eq!(refused, Code::ServiceUnavailable);
        let sum: usize = held.iter().map(|body| body.bytes.len()).sum();
        assert!((BUDGET_BYTES..=BUDGET_BYTES + held.len() * SMALL_BYTES).contains(&sum), "{sum}");
        assert_eq!(read(&budget, SMALL_BYTES).await.unwrap().bytes.len(), SMALL_BYTES);
        assert_eq!(read(&budget, trpc::MAX_INPUT_BYTES + 1).await.err(), Some(Code::PayloadTooLarge));
        // A response frees its request's share.
        held.truncate(1);
        assert_eq!(read(&budget, trpc::MAX_INPUT_BYTES).await.unwrap().bytes.len(), trpc::MAX_INPUT_BYTES);
        drop(held);
        assert_eq!(budget.0.available_permits(), BUDGET_BYTES / STEP_BYTES);
    }
}
