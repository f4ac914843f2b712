//! Retries: what is tried again, how often and for how long.

use std::time::Duration;

use protocol::Cause;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::{Instant, sleep, timeout};

use crate::{StoreError, settings::StoreLimits};

/// The longest first pause; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The longest pause of all.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Why one attempt failed.
#[derive(Debug)]
pub(crate) enum AttemptError {
    /// A retry would not help.
    Final(StoreError),
    /// A retry may help.
    Retryable {
        /// The error of the attempt.
        cause: Cause,
        /// Whether the database may have carried the request out: only the answer is missing.
        outcome_unknown: bool,
    },
}

impl From<StoreError> for AttemptError {
    fn from(error: StoreError) -> Self {
        Self::Final(error)
    }
}

/// Retries until the call succeeds, fails for good, or the attempts or the time are used up.
///
/// `call` gets whether an earlier attempt may have been carried out.
pub(crate) async fn persist<R, F, C>(limits: &StoreLimits, deadline: Instant, mut call: C) -> Result<R, StoreError>
where
    C: FnMut(bool) -> F,
    F: Future<Output = Result<R, AttemptError>>,
{
    let mut outcome_unknown = false;
    let mut attempt = 1;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let outcome = match timeout(limits.attempt_timeout.min(left), call(outcome_unknown)).await {
            Ok(outcome) => outcome,
            Err(late) => Err(AttemptError::Retryable { cause: late.into(), outcome_unknown: true }),
        };
        let cause = match outcome {
            Ok(answer) => return Ok(answer),
            Err(AttemptError::Final(error)) => return Err(error),
            Err(AttemptError::Retryable { cause, outcome_unknown: now_unknown }) => {
                outcome_unknown |= now_unknown;
                cause
            }
        };
        pause(limits, deadline, attempt, cause).await?;
        attempt += 1;
    }
}

/// Waits before the next attempt, or fails if there is none.
pub(crate) async fn pause(
    limits: &StoreLimits,
    deadline: Instant,
    attempt: u32,
    cause: Cause,
) -> Result<(), StoreError> {
    let wait = jitter(longest_pause(attempt));
    if attempt >= limits.max_attempts || Instant::now() + wait >= deadline {
        return Err(StoreError::Unavailable(cause));
    }
    tracing::debug!(attempt, cause = %cause, "the database is asked again");
    sleep(wait).await;
    Ok(())
}

fn longest_pause(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST_PAUSE)
}

/// A random time from zero to `longest` ("full jitter"), so that clients that failed together do not retry together.
fn jitter(longest: Duration) -> Duration {
    let mut bytes = [0; 4];
    // Without randomness, the longest pause is safe.
    if SystemRandom::new().fill(&mut bytes).is_err() {
        return longest;
    }
    longest.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound() {
        let pauses: Vec<_> = (1..=7).map(|attempt| longest_pause(attempt).as_millis()).collect();
        assert_eq!(pauses, [25, 50, 100, 200, 400, 500, 500]);
        assert_eq!(longest_pause(u32::MAX).as_millis(), 500);
    }

    #[test]
    fn jitter_spreads_over_the_whole_pause() {
        let pauses: Vec<_> = (0..200).map(|_| jitter(LONGEST_PAUSE)).collect();
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE));
        assert!(pauses.iter().any(|pause| *pause < LONGEST_PAUSE / 4));
        assert!(pauses.iter().any(|pause| *pause > LONGEST_PAUSE / 4 * 3));
    }
}
