//! The SDK client: created once for a process, from explicit settings only.
//!
//! The SDK's own retries and timeouts are off, since this crate has its own. Two more parts are not wanted: the chain
//! of credential providers, which costs 3 ms and may call the instance metadata service, and the system's 144 root
//! certificates, which cost 3 ms more.

use std::sync::Arc;

use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, Credentials, IdentityCache, Region, SharedCredentialsProvider, SharedHttpClient,
        StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_types::SdkConfig;
use tokio::sync::Semaphore;

use crate::{
    StoreError,
    cursor::CursorKey,
    quota::Usages,
    settings::{Settings, StoreLimits},
};

/// The root certificates of DynamoDB's own certificates (<https://www.amazontrust.com/repository/>).
const AMAZON_ROOTS: [&str; 4] = [
    include_str!("roots/amazon_root_ca_1.pem"),
    include_str!("roots/amazon_root_ca_2.pem"),
    include_str!("roots/amazon_root_ca_3.pem"),
    include_str!("roots/amazon_root_ca_4.pem"),
];

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
        let Settings { table, region, endpoint, cursor_key, limits, .. } = settings;
        let credentials = credentials(settings.access_key_id, settings.secret_access_key, settings.session_token);
        let config = sdk_config(region, endpoint, credentials)?;
        Ok(Self {
            client: Client::new(&config),
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

    #[inline(never)]
    fn signed_by(&self, credentials: Credentials) -> Self {
        let config = self.client.config().to_builder().credentials_provider(credentials).build();
        Self { client: Client::from_conf(config), ..self.clone() }
    }
}

/// AWS credentials. Those of Lambda come with a session token.
pub fn credentials(access_key_id: String, secret_access_key: String, session_token: Option<String>) -> Credentials {
    Credentials::new(access_key_id, secret_access_key, session_token, None, "settings")
}

/// The configuration that the clients of all services share. It has no retries and no timeouts: each caller adds its
/// own.
///
/// # Errors
/// [`StoreError::Broken`] when the TLS settings are refused.
pub fn sdk_config(region: String, endpoint: Option<String>, credentials: Credentials) -> Result<SdkConfig, StoreError> {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .http_client(http_client(endpoint.as_deref())?)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .identity_cache(IdentityCache::no_cache())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Ok(match endpoint {
        Some(endpoint) => config.endpoint_url(endpoint).build(),
        None => config.build(),
    })
}

fn http_client(endpoint: Option<&str>) -> Result<SharedHttpClient, StoreError> {
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        return Ok(Builder::new().build_http());
    }
    let mut roots = TrustStore::empty();
    for pem in AMAZON_ROOTS {
        roots.add_pem_certificate(pem);
    }
    let context = TlsContext::builder().with_trust_store(roots).build().map_err(StoreError::broken)?;
    Ok(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https())
}
