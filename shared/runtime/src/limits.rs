//! The capability to limit the rate of an action. The counters are in the table, so that a limit holds for all
//! instances of all functions together.

use std::any::TypeId;

use protocol::{Fault, Grant};
use store::{StoreSession, counter};

use crate::opaque;

/// How often an action may be done in a span of time. Spans begin at fixed times, the same for all callers: around
/// the boundary of two, twice as much is possible at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The name of the action; part of the stored key.
    pub name: &'static str,
    /// The maximum number of actions in a span.
    pub most: u32,
    /// The length of a span, in seconds.
    pub span_s: u32,
}

/// The capability to count actions against rate limits.
#[derive(Clone)]
pub struct RateLimits {
    session: StoreSession,
}

impl RateLimits {
    /// The right to increment counters, and nothing else.
    pub(crate) const GRANT: Grant = Grant::of_counts("Limit", counter::PREFIX, TypeId::of::<Self>());

    /// Creates the capability for the call of this session.
    pub fn new(session: StoreSession) -> Self {
        Self { session }
    }

    /// Counts one action of `who`. It counts before the action is done, so that many parallel calls cannot pass
    /// together.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`, with the time to wait.
    pub async fn take(&self, limit: &RateLimit, who: &str) -> Result<TakenAttempt, Fault> {
        let now_s = self.session.now().unix_ms().div_euclid(1_000);
        let (key, ends_s) = place(limit, who, now_s);
        let count = counter::add(self.session.clone(), key.clone(), ends_s).await?;
        let taken = TakenAttempt { limits: self.clone(), key };
        if count <= i64::from(limit.most) {
            return Ok(taken);
        }
        // A refused action was not done: it does not count, and the caller waits no longer for it.
        taken.give_back().await?;
        let wait_s = u32::try_from((ends_s - now_s).max(1)).unwrap_or(limit.span_s);
        Err(Fault::too_many(format!("That was too often. Try again in {wait_s} seconds."), wait_s))
    }
}

/// One counted action. It knows its own span, whatever the time is when it is given back: in another span, which did
/// not count it, giving it back would admit one action too many.
#[derive(Clone)]
pub struct TakenAttempt {
    limits: RateLimits,
    key: String,
}

impl TakenAttempt {
    /// Uncounts the action, such as a sign-in with the right password: it was no attempt to guess.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn give_back(self) -> Result<(), Fault> {
        Ok(counter::take_back(self.limits.session, self.key).await?)
    }
}

/// The key of the counter, and the end of the span. Keys hold a hash, so that no person's address stands in them.
fn place(limit: &RateLimit, who: &str, now_s: i64) -> (String, i64) {
    let span_s = i64::from(limit.span_s.max(1));
    let starts_s = now_s - now_s.rem_euclid(span_s);
    (format!("{}#{starts_s}#{}", limit.name, opaque::hash(who.as_bytes())), starts_s + span_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_one_key_and_people_have_keys_of_their_own() {
        let limit = RateLimit { name: "sign-in", most: 3, span_s: 60 };
        assert_eq!(place(&limit, "ada", 120), place(&limit, "ada", 179));
        assert_ne!(place(&limit, "ada", 120).0, place(&limit, "ada", 180).0);
        assert_ne!(place(&limit, "ada", 120).0, place(&limit, "bob", 120).0);
        assert_eq!(place(&limit, "ada", 125).1, 180);
        assert!(!place(&limit, "ada@example.com", 0).0.contains("ada"));
    }
}
