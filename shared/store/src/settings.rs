//! The store's settings, fixed when the process starts.

use aws::{Access, RetryPolicy};

/// The table, and the access to DynamoDB. The process reads them from its environment when it starts.
#[derive(Clone)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// How DynamoDB is reached.
    pub access: Access,
    /// The key that seals cursors. All processes whose callers hold cursors share it; a new key makes those cursors
    /// invalid. A process without a key draws its own: it can read on within one call, and returns no cursor to
    /// callers.
    pub cursor_key: Option<[u8; 32]>,
    /// Timeouts and retries.
    pub limits: StoreLimits,
}

/// Timeouts, retries and limits of the store.
#[derive(Clone, Copy, Debug)]
pub struct StoreLimits {
    /// Timeouts and retries. A list is one operation.
    pub retries: RetryPolicy,
    /// The maximum number of parallel operations of this process; further ones wait for a slot, and their time starts
    /// with it. A function has one call at a time and never waits; a process with a thousand calls would otherwise
    /// open a thousand connections and finish none of them.
    pub max_parallel: usize,
    /// The maximum number of entries that one page reads, and two more at its ends. It matters where no index serves
    /// a filter: a filter that drops nearly everything then returns a short page and a cursor. A page without a
    /// filter reads its own entries and one more.
    pub max_examined: usize,
    /// The maximum read capacity units of one caller in a minute, see [`quota`](crate::quota). One partition serves
    /// 3,000 units in a second (DynamoDB, "Quotas"), and a list is one partition: one caller can block the list for
    /// others for one second of each minute at most.
    pub read_units_a_minute: u32,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self { retries: RetryPolicy::default(), max_parallel: 32, max_examined: 500, read_units_a_minute: 3_000 }
    }
}
