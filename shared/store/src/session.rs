//! The store's side of one call: its caller, its time, and what it consumes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aws_sdk_dynamodb::types::ConsumedCapacity;
use protocol::{Clock, CursorScope, Timestamp};
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
    scope: CursorScope,
    clock: Clock,
    meter: Arc<Meter>,
    /// Who pays for the call's reads; `None` if nobody does.
    payer: Option<Arc<str>>,
    /// Whether an expensive read is refused once the payer's quota is used up.
    is_bounded: bool,
}

impl StoreSession {
    /// Begins a call, whose cursors are bound to `scope`.
    #[must_use]
    pub fn new(store: Store, scope: CursorScope, clock: Clock) -> Self {
        Self { call: Arc::new(Call { store, scope, clock, meter: Arc::default(), payer: None, is_bounded: false }) }
    }

    /// The same call with its caller, once that is known.
    #[must_use]
    pub fn called_by(&self, caller: Option<String>) -> Self {
        let scope = CursorScope { caller, ..self.call.scope.clone() };
        Self { call: Arc::new(Call { scope, ..Call::clone(&self.call) }) }
    }

    /// The same call, whose reads are charged to `payer`: see [`quota`](crate::quota). The key holds a hash of the
    /// payer's name.
    #[must_use]
    pub fn charged_to(&self, payer: &str) -> Self {
        Self { call: Arc::new(Call { payer: Some(payer.into()), ..Call::clone(&self.call) }) }
    }

    /// The same call, whose expensive reads are refused once the payer's quota is used up. Only for calls that leave
    /// nothing half done: queries.
    #[must_use]
    pub fn bounded(&self) -> Self {
        Self { call: Arc::new(Call { is_bounded: true, ..Call::clone(&self.call) }) }
    }

    /// The current time, by the call's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.call.clock.now()
    }

    /// The capacity that the call has consumed so far.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.call.meter
    }

    pub(crate) fn store(&self) -> &Store {
        &self.call.store
    }

    pub(crate) fn scope(&self) -> &CursorScope {
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

    /// Waits for a slot for one more operation, and begins it. The call's own timeout bounds the wait.
    pub(crate) async fn begin_operation(&self) -> OperationSlot<'_> {
        // The semaphore is never closed; if it were, an operation without a permit would be harmless.
        let permit = self.store().slots.acquire().await.ok();
        OperationSlot { deadline: self.store().deadline(), _permit: permit }
    }
}

/// One operation; dropping it frees its slot.
pub(crate) struct OperationSlot<'a> {
    /// When the operation must have ended.
    pub(crate) deadline: Instant,
    /// Its place among [`StoreLimits::max_parallel`].
    _permit: Option<SemaphorePermit<'a>>,
}

/// Capacity units that one call consumed, as DynamoDB reported them. DynamoDB reports none for refused requests (a
/// failed condition), so they are not counted.
#[derive(Debug, Default)]
pub struct Meter {
    read_milliunits: AtomicU64,
    write_milliunits: AtomicU64,
    /// How much was charged to the payer, for reads done and reads about to begin.
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

    /// The milliunits still to be charged to the payer: for reads since the last charge, and for those about to
    /// begin.
    pub(crate) fn uncharged(&self, ahead_units: usize) -> u64 {
        let ahead = u64::try_from(ahead_units).unwrap_or(u64::MAX).saturating_mul(1_000);
        let all = self.read_milliunits.load(Ordering::Relaxed).saturating_add(ahead);
        all.saturating_sub(self.charged_milliunits.fetch_max(all, Ordering::Relaxed))
    }

    pub(crate) fn count_read(&self, consumed: Option<&ConsumedCapacity>) {
        add(&self.read_milliunits, consumed.and_then(ConsumedCapacity::capacity_units));
    }

    /// DynamoDB answers a transaction that is repeated with its token from memory, and reports reads for it.
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
