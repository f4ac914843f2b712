//! One call: who makes it, what time it is in it, and what it consumes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aws_sdk_dynamodb::types::ConsumedCapacity;
use protocol::{Clock, Timestamp};
use tokio::{sync::SemaphorePermit, time::Instant};

use crate::{Store, settings::StoreLimits};

/// The store as one call sees it. Cloning is cheap; clones share the meter.
#[derive(Clone)]
pub struct StoreSession {
    call: Arc<Call>,
}

#[derive(Clone)]
struct Call {
    store: Store,
    scope: Scope,
    clock: Clock,
    meter: Arc<Meter>,
    /// Who is charged for what the call reads; nobody, when it is not.
    payer: Option<Arc<str>>,
    /// Whether a read that is dear is refused when the payer has used up what they may read.
    is_bounded: bool,
}

/// What a cursor is bound to, besides the query.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The procedure, such as `orders.list`.
    pub procedure: &'static str,
    /// Who calls; `None` when nobody is signed in.
    pub caller: Option<String>,
    /// The call's input, as JSON. It is read only when a cursor is sealed or opened.
    pub input: bytes::Bytes,
}

impl StoreSession {
    /// Begins a call.
    #[must_use]
    pub fn new(store: Store, scope: Scope, clock: Clock) -> Self {
        Self { call: Arc::new(Call { store, scope, clock, meter: Arc::default(), payer: None, is_bounded: false }) }
    }

    /// The same call, once it is known who makes it.
    #[must_use]
    pub fn called_by(&self, caller: Option<String>) -> Self {
        let scope = Scope { caller, ..self.call.scope.clone() };
        Self { call: Arc::new(Call { scope, ..Call::clone(&self.call) }) }
    }

    /// The same call, which is charged for what it reads: see [`quota`](crate::quota). Whose name stands in a key is a
    /// hash, as everywhere.
    #[must_use]
    pub fn charged_to(&self, payer: &str) -> Self {
        Self { call: Arc::new(Call { payer: Some(payer.into()), ..Call::clone(&self.call) }) }
    }

    /// The same call, whose dear reads are refused once its payer has used up what they may read. It is for what leaves
    /// nothing half done: a query.
    #[must_use]
    pub fn bounded(&self) -> Self {
        Self { call: Arc::new(Call { is_bounded: true, ..Call::clone(&self.call) }) }
    }

    /// The time, by the call's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.call.clock.now()
    }

    /// What the call has consumed so far.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.call.meter
    }

    pub(crate) fn store(&self) -> &Store {
        &self.call.store
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.call.scope
    }

    pub(crate) fn payer(&self) -> Option<&Arc<str>> {
        self.call.payer.as_ref()
    }

    pub(crate) fn is_bounded(&self) -> bool {
        self.call.is_bounded
    }

    pub(crate) fn limits(&self) -> &StoreLimits {
        &self.call.store.limits
    }

    /// Milliseconds of the Unix epoch, by the call's clock.
    pub(crate) fn now_unix_ms(&self) -> i64 {
        self.call.clock.now().unix_ms()
    }

    /// Waits until there is room for one more operation, and begins it. How long that may take is for
    /// the time limit of the call to say.
    pub(crate) async fn begin_operation(&self) -> OperationSlot<'_> {
        // It is never closed; if it were, an operation without a place would be harmless.
        let place = self.store().slots.acquire().await.ok();
        OperationSlot { deadline: Instant::now() + self.limits().total_timeout, _place: place }
    }
}

/// One operation, as long as it lives.
pub(crate) struct OperationSlot<'a> {
    /// When it must have ended.
    pub(crate) deadline: Instant,
    /// Its place among [`StoreLimits::max_parallel`].
    _place: Option<SemaphorePermit<'a>>,
}

/// Capacity units that one call consumed, as DynamoDB reported them. Requests that were refused (a
/// condition that did not hold) are not reported by it and not counted.
#[derive(Debug, Default)]
pub struct Meter {
    read_milliunits: AtomicU64,
    write_milliunits: AtomicU64,
    /// How much of what was read, or is about to be, was charged to the payer.
    charged_milliunits: AtomicU64,
}

impl Meter {
    /// Read capacity units.
    #[must_use]
    pub fn read_units(&self) -> f64 {
        units(&self.read_milliunits)
    }

    /// Write capacity units.
    #[must_use]
    pub fn write_units(&self) -> f64 {
        units(&self.write_milliunits)
    }

    /// What is to be charged to the payer, in milliunits: what was read since the last time, and what is about to be.
    pub(crate) fn uncharged(&self, ahead_units: usize) -> u64 {
        let ahead = u64::try_from(ahead_units).unwrap_or(u64::MAX).saturating_mul(1_000);
        let all = self.read_milliunits.load(Ordering::Relaxed).saturating_add(ahead);
        all.saturating_sub(self.charged_milliunits.fetch_max(all, Ordering::Relaxed))
    }

    pub(crate) fn count_read(&self, consumed: Option<&ConsumedCapacity>) {
        add(&self.read_milliunits, consumed.and_then(ConsumedCapacity::capacity_units));
    }

    /// A transaction that is repeated with its token is answered from memory and reports reads.
    pub(crate) fn count_write(&self, consumed: Option<&ConsumedCapacity>) {
        let Some(consumed) = consumed else { return };
        match (consumed.read_capacity_units(), consumed.write_capacity_units()) {
            (None, None) => add(&self.write_milliunits, consumed.capacity_units()),
            (read, write) => {
                add(&self.read_milliunits, read);
                add(&self.write_milliunits, write);
            }
        }
    }
}

// A sum of 1/1000 units stays below 2^53 for any call: the conversions are exact.
#[allow(clippy::cast_precision_loss)]
fn units(milliunits: &AtomicU64) -> f64 {
    milliunits.load(Ordering::Relaxed) as f64 / 1_000.0
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn add(milliunits: &AtomicU64, units: Option<f64>) {
    if let Some(units) = units {
        milliunits.fetch_add((units * 1_000.0).round() as u64, Ordering::Relaxed);
    }
}
