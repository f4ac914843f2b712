//! Retries: what is tried again, how often and for how long.

use std::time::Duration;

use protocol::Cause;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::{Instant, sleep, timeout};

use crate::error::ErrorClass;

/// The longest first pause; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The longest pause of all.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How often a request is tried, and how long.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The timeout of one attempt.
    pub attempt_timeout: Duration,
    /// The timeout of one operation with all its attempts and pauses.
    pub total_timeout: Duration,
    /// The maximum number of attempts.
    pub max_attempts: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempt_timeout: Duration::from_secs(1), total_timeout: Duration::from_secs(3), max_attempts: 6 }
    }
}

/// Why one attempt failed.
#[derive(Debug)]
pub enum AttemptError<E> {
    /// A retry would not help.
    Final(E),
    /// A retry may help.
    Retryable {
        /// The error of the attempt.
        cause: Cause,
        /// Whether the service may have carried the request out: only the answer is missing.
        outcome_unknown: bool,
    },
}

impl<E> From<E> for AttemptError<E> {
    fn from(error: E) -> Self {
        Self::Final(error)
    }
}

impl<E> AttemptError<E> {
    /// The failure of an attempt whose error is of a class; `denied` and `refused` make the final errors.
    pub fn of(
        class: ErrorClass,
        cause: impl Into<Cause>,
        denied: impl FnOnce(Cause) -> E,
        refused: impl FnOnce(Cause) -> E,
    ) -> Self {
        match class {
            ErrorClass::Retryable { outcome_unknown } => Self::Retryable { cause: cause.into(), outcome_unknown },
            ErrorClass::Denied => Self::Final(denied(cause.into())),
            ErrorClass::Refused => Self::Final(refused(cause.into())),
        }
    }
}

/// Retries until the call succeeds, fails for good, or the attempts or the time are used up.
///
/// `call` gets whether an earlier attempt may have been carried out. `unavailable` makes the error for the last
/// attempt's cause.
///
/// # Errors
/// The final error of an attempt, or that of `unavailable`.
pub async fn persist<R, E, F, C>(
    policy: &RetryPolicy,
    deadline: Instant,
    unavailable: impl Fn(Cause) -> E,
    mut call: C,
) -> Result<R, E>
where
    C: FnMut(bool) -> F,
    F: Future<Output = Result<R, AttemptError<E>>>,
{
    let mut outcome_unknown = false;
    let mut attempt = 1;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let outcome = match timeout(policy.attempt_timeout.min(left), call(outcome_unknown)).await {
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
        pause(policy, deadline, attempt, cause).await.map_err(&unavailable)?;
        attempt += 1;
    }
}

/// Waits before the next attempt.
///
/// # Errors
/// `cause`, if there is no next attempt.
pub async fn pause(policy: &RetryPolicy, deadline: Instant, attempt: u32, cause: Cause) -> Result<(), Cause> {
    let wait = jitter(longest_pause(attempt));
    if attempt >= policy.max_attempts || Instant::now() + wait >= deadline {
        return Err(cause);
    }
    tracing::debug!(attempt, cause = %cause, "the service is asked again");
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
