//! The read quota: the capacity units that DynamoDB reports are counted for each payer and minute. A payer who has
//! used up a minute's units waits for the next minute, so that one caller cannot use up what all callers share.
//!
//! Cheap reads cost no write. The process adds up what a payer reads and writes the sum to the table's count when it
//! is worth a write, [`COUNTED_UNITS`]. A query checks the quota before each expensive read, so that many parallel
//! calls do not pass together. A mutation checks it only at its beginning, so that no mutation stops half done:
//!
//! ```text
//! begins ── read many ── read many ── … ── answers
//!    │          │            │               └ what is left is added up
//!    └──────────┴────────────┴ what was read is added up; is it worth a write, it is counted; is it too much, that is all
//!               └ in a query only
//! ```
//!
//! The limit is therefore approximate: calls that have begun may exceed it by what they read until their next check,
//! and each process by what it has not counted yet.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;

use crate::{StoreError, StoreSession, counter, keys};

/// The prefix of these counts' partition keys. No other item has it: queries have the right to count reads as well,
/// and the right reaches nothing else.
pub const PREFIX: &str = "meter";

/// How many units a process adds up before it counts them in the table: one write costs as much as five of them.
const COUNTED_UNITS: u64 = 16;
/// The length of a span, in seconds. Spans begin at fixed times: around the boundary of two, a payer may read twice
/// as much at most.
const SPAN_S: i64 = 60;
/// The largest number of payers whose reads a process adds up.
const MAX_PAYERS: usize = 10_000;

/// What payers have read in this process and has not been counted in the table yet.
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

/// What must be counted now: the payer, the span, and the number of milliunits.
struct Due<'a> {
    payer: &'a Arc<str>,
    starts_s: i64,
    milliunits: u64,
}

/// The result of adding units to a payer's usage.
#[derive(Debug, PartialEq, Eq)]
enum Charged {
    /// The units stay in this process for now.
    Pending,
    /// This many milliunits must be counted in the table now.
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
        // Each change is complete by itself: a panic in another thread leaves nothing half done.
        let mut usages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if usages.len() >= MAX_PAYERS && !usages.contains_key(payer) {
            usages.retain(|_, usage| usage.starts_s >= starts_s);
            if usages.len() >= MAX_PAYERS {
                // An exceeded span stays exceeded: the table's count says so again.
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
    /// Charges what the call has read since the last charge to its payer, and checks whether the call may go on. A
    /// call without a payer always may.
    ///
    /// # Errors
    /// [`StoreError::QuotaExceeded`] when the payer has used up this minute's units; otherwise as [`counter::add`].
    pub async fn charge(&self) -> Result<(), StoreError> {
        // Mostly there is nothing to count, and no operation slot to wait for.
        let Some(due) = self.due(0)? else { return Ok(()) };
        let turn = self.begin_operation().await;
        self.count_reads(due, turn.deadline).await
    }

    /// [`Self::charge`] within an operation of a bounded call that has its slot and is about to read at least
    /// `ahead_units` more.
    pub(crate) async fn charge_within(&self, deadline: Instant, ahead_units: usize) -> Result<(), StoreError> {
        if !self.is_bounded() {
            return Ok(());
        }
        match self.due(ahead_units)? {
            Some(due) => self.count_reads(due, deadline).await,
            None => Ok(()),
        }
    }

    /// What must be counted now, if it is worth a write.
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
                // The count failed: the units remain to be counted.
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
