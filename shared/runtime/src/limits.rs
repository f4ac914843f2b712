//! The capability to count how often somebody does something, and to say when it is too often. The counts are
//! in the table, so that they hold for all instances of all functions together.

use std::any::TypeId;

use protocol::{Fault, Grant};
use store::{StoreSession, counter};

use crate::opaque;

/// How often something may be done in a span of time. Spans begin at fixed times, the same for everybody: at
/// the turn of two, twice as much is possible at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// What is counted; part of the stored key.
    pub name: &'static str,
    /// How often.
    pub most: u32,
    /// In how many seconds.
    pub span_s: u32,
}

/// See the module.
#[derive(Clone)]
pub struct RateLimits {
    session: StoreSession,
}

impl RateLimits {
    /// Counting, and nothing else.
    pub(crate) const GRANT: Grant = Grant::of_counts("Limit", counter::PREFIX, TypeId::of::<Self>());

    /// For the call of this session.
    pub fn new(session: StoreSession) -> Self {
        Self { session }
    }

    /// Counts once more what `who` does. It is counted before it is done, so that many at once cannot
    /// pass together.
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
        // What was refused was not done: who asks too often waits no longer for that.
        taken.give_back().await?;
        let wait_s = u32::try_from((ends_s - now_s).max(1)).unwrap_or(limit.span_s);
        Err(Fault::too_many(format!("That was too often. Try again in {wait_s} seconds."), wait_s))
    }
}

/// What was counted, where it was counted: in its own span, whatever the time is when it is given back. In another
/// span, of which nothing was taken, as much more would be let through.
#[derive(Clone)]
pub struct TakenAttempt {
    limits: RateLimits,
    key: String,
}

impl TakenAttempt {
    /// Takes it back: it was no attempt to guess.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn give_back(self) -> Result<(), Fault> {
        Ok(counter::take_back(self.limits.session, self.key).await?)
    }
}

/// Under which key it is counted, and when the span ends. Addresses of people do not stand in keys.
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
