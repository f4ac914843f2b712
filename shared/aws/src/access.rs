//! How the services of AWS are reached: from explicit settings only.
//!
//! The SDK's own retries and timeouts are off, since the callers have their own. Two more parts are not wanted: the
//! chain of credential providers, which costs 3 ms and may call the instance metadata service, and the system's 144
//! root certificates, which cost 3 ms more.

use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, IdentityCache, Region, SharedCredentialsProvider, SharedHttpClient,
    StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_types::SdkConfig;
use protocol::Cause;

/// The root certificates of AWS's own certificates (<https://www.amazontrust.com/repository/>).
const AMAZON_ROOTS: [&str; 4] = [
    include_str!("roots/amazon_root_ca_1.pem"),
    include_str!("roots/amazon_root_ca_2.pem"),
    include_str!("roots/amazon_root_ca_3.pem"),
    include_str!("roots/amazon_root_ca_4.pem"),
];

/// The region, the endpoint and the credentials with which one service of AWS is called.
#[derive(Clone)]
pub struct Access {
    /// The AWS region, such as `eu-central-1`.
    pub region: String,
    /// The service's endpoint when it is not AWS: `http://127.0.0.1:8000`. With plain HTTP no TLS is loaded at all.
    pub endpoint: Option<String>,
    /// The access key id of the credentials.
    pub access_key_id: String,
    /// The secret access key, which signs the requests.
    pub secret_access_key: String,
    /// The session token of temporary credentials, such as those of Lambda.
    pub session_token: Option<String>,
}

impl Access {
    /// The SDK's configuration, for the client of any service. It has no retries and no timeouts: each caller adds its
    /// own.
    ///
    /// # Errors
    /// When the TLS settings are refused.
    pub fn sdk_config(self) -> Result<SdkConfig, Cause> {
        let Self { region, endpoint, access_key_id, secret_access_key, session_token } = self;
        let credentials = credentials(access_key_id, secret_access_key, session_token);
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
}

/// The SDK's form of credentials. Those of Lambda come with a session token.
pub fn credentials(access_key_id: String, secret_access_key: String, session_token: Option<String>) -> Credentials {
    Credentials::new(access_key_id, secret_access_key, session_token, None, "settings")
}

fn http_client(endpoint: Option<&str>) -> Result<SharedHttpClient, Cause> {
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        return Ok(Builder::new().build_http());
    }
    let mut roots = TrustStore::empty();
    for pem in AMAZON_ROOTS {
        roots.add_pem_certificate(pem);
    }
    let context = TlsContext::builder().with_trust_store(roots).build()?;
    Ok(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https())
}
