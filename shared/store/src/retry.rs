//! Retries of requests to the table, by the store's own timeouts.

use protocol::Cause;
use tokio::time::Instant;

use crate::{Store, StoreError};

/// Why one attempt failed.
pub(crate) type AttemptError = aws::AttemptError<StoreError>;

/// Retries until the call succeeds, fails for good, or the attempts or the time are used up. `call` gets whether an
/// earlier attempt may have been carried out.
pub(crate) async fn persist<R, F>(
    store: &Store,
    deadline: Instant,
    call: impl FnMut(bool) -> F,
) -> Result<R, StoreError>
where
    F: Future<Output = Result<R, AttemptError>>,
{
    aws::retry::persist(&store.limits.retries, deadline, StoreError::Unavailable, call).await
}

/// Waits before the next attempt, or fails if there is none.
pub(crate) async fn pause(
    store: &Store,
    deadline: Instant,
    attempt: u32,
    cause: impl Into<Cause>,
) -> Result<(), StoreError> {
    aws::retry::pause(&store.limits.retries, deadline, attempt, cause.into()).await.map_err(StoreError::Unavailable)
}
