//! The SDK client: created once for a process, from explicit settings only.

use std::sync::Arc;

use aws::{access::credentials, xray::Interceptor};
use aws_sdk_dynamodb::{
    Client,
    config::{Builder, Credentials},
};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    StoreError,
    cursor::CursorKey,
    quota::Usages,
    settings::{Settings, StoreLimits},
};

/// The client of one table, for the whole process. Cloning is cheap.
#[derive(Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: Arc<str>,
    pub(crate) limits: StoreLimits,
    pub(crate) cursor_key: Arc<CursorKey>,
    /// The slots of parallel operations, shared by all clones.
    pub(crate) slots: Arc<Semaphore>,
    /// What callers have read in this process and has not been counted in the table yet.
    pub(crate) usages: Usages,
}

impl Store {
    /// Creates the client. It sends nothing yet.
    ///
    /// # Errors
    /// [`StoreError::Broken`] when the TLS settings are refused.
    #[inline(never)]
    pub fn new(settings: Settings) -> Result<Self, StoreError> {
        let Settings { table, access, cursor_key, limits } = settings;
        let traced = Interceptor::of_table(&*access.region, &*table);
        let config = Builder::from(&access.sdk_config().map_err(StoreError::broken)?).interceptor(traced).build();
        Ok(Self {
            client: Client::from_conf(config),
            table: table.into(),
            slots: Arc::new(Semaphore::new(limits.max_parallel.max(1))),
            usages: Usages::default(),
            limits,
            cursor_key: Arc::new(cursor_key.map_or_else(CursorKey::random, |key| CursorKey::new(&key))?),
        })
    }

    /// The same store with a quota: how many read capacity units one caller may use in a minute.
    #[must_use]
    pub fn with_read_units(self, read_units_a_minute: u32) -> Self {
        Self { limits: StoreLimits { read_units_a_minute, ..self.limits }, ..self }
    }

    /// The same table over the same connections, with other credentials: the local service gives each procedure its
    /// own rights this way.
    #[must_use]
    pub fn with_credentials(&self, access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        self.signed_by(credentials(access_key_id.into(), secret_access_key.into(), None))
    }

    /// When an operation that begins now must have ended.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.limits.retries.total_timeout
    }

    #[inline(never)]
    fn signed_by(&self, credentials: Credentials) -> Self {
        let config = self.client.config().to_builder().credentials_provider(credentials).build();
        Self { client: Client::from_conf(config), ..self.clone() }
    }
}
