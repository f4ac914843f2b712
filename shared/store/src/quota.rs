//! What reads cost, and who pays: the units that DynamoDB reports are counted for each payer and minute, and who has
//! used up a minute's reads waits for the next one. One caller cannot use up what all callers share.
//!
//! What is cheap costs no write. What a payer reads is added up in this process, and goes to the table's count when it is
//! worth a write, [`COUNTED_UNITS`]. A query asks before each read that is dear, so that many calls at once do
//! not pass together; what changes something asks when it begins, and no more, so that nothing ends half done:
//!
//! ```text
//! begins ── read many ── read many ── … ── answers
//!    │          │            │               └ what is left is added up
//!    └──────────┴────────────┴ what was read is added up; is it worth a write, it is counted; is it too much, that is all
//!               └ in a query only
//! ```
//!
//! So the limit is no wall: what is read besides is what calls that have begun read until they ask again, as many as they
//! are, and what each process has not counted yet.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;

use crate::{StoreError, StoreSession, counter, keys};

/// What the partition keys of these counts begin with. It is theirs alone: the right to count reads, which queries have
/// as well, reaches nothing else.
pub const PREFIX: &str = "meter";

/// How many units a process adds up before it counts them in the table: a write costs as much as five of them.
const COUNTED_UNITS: u64 = 16;
/// How long a span is. Spans begin at fixed times: at the turn of two, twice as much is possible at most.
const SPAN_S: i64 = 60;
/// Of how many payers a process adds up.
const MAX_PAYERS: usize = 10_000;

/// What payers have read in this process and have not been counted for.
#[derive(Clone, Default)]
pub(crate) struct Usages(Arc<Mutex<HashMap<Arc<str>, Usage>>>);

/// What one payer has read in one span.
#[derive(Clone, Copy)]
struct Usage {
    starts_s: i64,
    milliunits: u64,
    /// Whether the span is used up.
    is_exceeded: bool,
}

/// What is to be counted now: for whom, in which span, and how many milliunits.
struct Due<'a> {
    payer: &'a Arc<str>,
    starts_s: i64,
    milliunits: u64,
}

/// What comes of adding something up.
#[derive(Debug, PartialEq, Eq)]
enum Charged {
    /// It stays there.
    Pending,
    /// So much is to be counted now.
    Due(u64),
    /// The span is used up.
    Exceeded,
}

impl Usages {
    fn add(&self, payer: &Arc<str>, starts_s: i64, milliunits: u64) -> Charged {
        self.with(payer, starts_s, |usage| {
            usage.milliunits = usage.milliunits.saturating_add(milliunits);
            match usage.milliunits {
                _ if usage.is_exceeded => Charged::Exceeded,
                milliunits if milliunits < COUNTED_UNITS * 1_000 => Charged::Pending,
                milliunits => {
                    usage.milliunits = 0;
                    Charged::Due(milliunits)
                }
            }
        })
    }

    fn close(&self, payer: &Arc<str>, starts_s: i64) {
        self.with(payer, starts_s, |usage| usage.is_exceeded = true);
    }

    fn with<T>(&self, payer: &Arc<str>, starts_s: i64, change: impl FnOnce(&mut Usage) -> T) -> T {
        // Each change is whole by itself: a panic elsewhere leaves nothing half done.
        let mut usages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if usages.len() >= MAX_PAYERS && !usages.contains_key(payer) {
            usages.retain(|_, usage| usage.starts_s >= starts_s);
            if usages.len() >= MAX_PAYERS {
                // What is over stays over: the table's count says so again.
                usages.clear();
            }
        }
        let new = Usage { starts_s, milliunits: 0, is_exceeded: false };
        let usage = usages.entry(Arc::clone(payer)).or_insert(new);
        if usage.starts_s != starts_s {
            *usage = new;
        }
        change(usage)
    }
}

impl StoreSession {
    /// Adds what the call has read since the last time to what its payer has read, and asks whether it may go on. A call
    /// without a payer may.
    ///
    /// # Errors
    /// [`StoreError::QuotaExceeded`] when the payer has used up this minute's reads; as [`counter::add`].
    pub async fn charge(&self) -> Result<(), StoreError> {
        // Most of the time there is nothing to ask the database, and no turn to wait for.
        let Some(due) = self.due(0)? else { return Ok(()) };
        let turn = self.begin_operation().await;
        self.count_reads(due, turn.deadline).await
    }

    /// The same within an operation of a bounded call that has its turn, and is about to read so many units more at
    /// least.
    pub(crate) async fn charge_within(&self, deadline: Instant, ahead_units: usize) -> Result<(), StoreError> {
        if !self.is_bounded() {
            return Ok(());
        }
        match self.due(ahead_units)? {
            Some(due) => self.count_reads(due, deadline).await,
            None => Ok(()),
        }
    }

    /// What is to be counted now, if it is worth it.
    fn due(&self, ahead_units: usize) -> Result<Option<Due<'_>>, StoreError> {
        let Some(payer) = self.payer() else { return Ok(None) };
        let now_s = self.now_unix_ms().div_euclid(1_000);
        let starts_s = now_s - now_s.rem_euclid(SPAN_S);
        match self.store().usages.add(payer, starts_s, self.meter().uncharged(ahead_units)) {
            Charged::Pending => Ok(None),
            Charged::Due(milliunits) => Ok(Some(Due { payer, starts_s, milliunits })),
            Charged::Exceeded => Err(quota_exceeded(now_s, starts_s)),
        }
    }

    async fn count_reads(&self, due: Due<'_>, deadline: Instant) -> Result<(), StoreError> {
        let Due { payer, starts_s, milliunits } = due;
        let key = keys::count(PREFIX, &format!("{starts_s}#{payer}"));
        let by = i64::try_from(milliunits).unwrap_or(i64::MAX);
        let counted = counter::add_within(self.clone(), key, by, starts_s + SPAN_S, deadline).await;
        let most = i64::from(self.limits().read_units_a_minute) * 1_000;
        match counted {
            Ok(count) if count <= most => Ok(()),
            Ok(_) => {
                self.store().usages.close(payer, starts_s);
                Err(quota_exceeded(self.now_unix_ms().div_euclid(1_000), starts_s))
            }
            Err(error) => {
                // It is still to be counted.
                self.store()
                    .usages
                    .with(payer, starts_s, |usage| usage.milliunits = usage.milliunits.saturating_add(milliunits));
                Err(error)
            }
        }
    }
}

fn quota_exceeded(now_s: i64, starts_s: i64) -> StoreError {
    StoreError::QuotaExceeded { wait_s: u32::try_from((starts_s + SPAN_S - now_s).max(1)).unwrap_or(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payer(name: &str) -> Arc<str> {
        name.into()
    }

    #[test]
    fn what_is_read_adds_up_until_it_is_worth_a_write() {
        let (usages, ada) = (Usages::default(), payer("ada"));
        assert_eq!(usages.add(&ada, 0, 9_000), Charged::Pending);
        assert_eq!(usages.add(&payer("bob"), 0, 9_000), Charged::Pending, "each has what they read");
        assert_eq!(usages.add(&ada, 0, 8_500), Charged::Due(17_500));
        assert_eq!(usages.add(&ada, 0, 1_000), Charged::Pending);
    }

    #[test]
    fn a_span_that_is_used_up_ends() {
        let (usages, ada) = (Usages::default(), payer("ada"));
        usages.close(&ada, 0);
        assert_eq!(usages.add(&ada, 0, 0), Charged::Exceeded);
        assert_eq!(usages.add(&payer("bob"), 0, 0), Charged::Pending);
        assert_eq!(usages.add(&ada, SPAN_S, 0), Charged::Pending, "the next one begins anew");
    }

    #[test]
    fn a_process_adds_up_for_so_many_payers_and_no_more() {
        let usages = Usages::default();
        for place in 0..3 * MAX_PAYERS {
            usages.add(&payer(&place.to_string()), 0, 1);
        }
        assert!(usages.0.lock().unwrap().len() <= MAX_PAYERS);
    }
}
