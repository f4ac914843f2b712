//! What the store is told when the process starts.

use std::time::Duration;

/// Which table, where, with whose rights. Whoever starts the process reads it from the environment.
#[derive(Clone)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The AWS region, such as `eu-central-1`.
    pub region: String,
    /// Where the database answers when it is not AWS: `http://127.0.0.1:8000`. With plain HTTP no TLS is
    /// loaded at all.
    pub endpoint: Option<String>,
    /// Who asks.
    pub access_key_id: String,
    /// Signs the requests.
    pub secret_access_key: String,
    /// Lambda's credentials come with one.
    pub session_token: Option<String>,
    /// Seals cursors. All processes share it whose callers hold some; another one makes those invalid. A process without
    /// one draws its own: it reads on within one call, and gives no cursor away.
    pub cursor_key: Option<[u8; 32]>,
    /// How long and how often.
    pub limits: StoreLimits,
}

/// How long and how often the store tries.
#[derive(Clone, Copy, Debug)]
pub struct StoreLimits {
    /// How long one request may take.
    pub attempt_timeout: Duration,
    /// How long one operation may take with all its attempts and pauses; a list counts as one.
    pub total_timeout: Duration,
    /// How many operations of this process are with the database at one time; others wait for their
    /// turn, and their time starts with it. A function has one call at a time and never waits; a
    /// process with a thousand would otherwise open a thousand connections and get none of them done.
    pub max_parallel: usize,
    /// How often one request is tried.
    pub max_attempts: u32,
    /// How many entries one page reads at most, and two more at its ends. It counts where no index serves a filter: one
    /// that drops nearly everything then answers with a short page and a cursor. A page without a filter reads what it
    /// has, and one entry more.
    pub max_examined: usize,
    /// How many units of read capacity one caller may use in a minute, see [`quota`](crate::quota). One partition gives
    /// 3,000 in a second (DynamoDB, "Quotas"), and a list is one partition: nobody keeps the others from their lists
    /// for longer than a second of each minute.
    pub read_units_a_minute: u32,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            attempt_timeout: Duration::from_secs(1),
            total_timeout: Duration::from_secs(3),
            max_parallel: 32,
            max_attempts: 6,
            max_examined: 500,
            read_units_a_minute: 3_000,
        }
    }
}
