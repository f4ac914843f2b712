//! Reads a secret from AWS Secrets Manager, by name or ARN.

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::{Request, header};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    StoreError,
    client::{credentials, sdk_config},
    retry::persist,
    sdk_error::classify,
    service::{Service, ServiceClient},
    settings::StoreLimits,
};

/// The secret, the endpoint and the credentials for Secrets Manager.
#[derive(Clone)]
pub struct SecretSettings {
    /// The secret's name or ARN.
    pub id: String,
    /// The AWS region.
    pub region: String,
    /// The endpoint of Secrets Manager when it is not AWS.
    pub endpoint: Option<String>,
    /// The access key id of the credentials.
    pub access_key_id: String,
    /// The secret access key, which signs the request.
    pub secret_access_key: String,
    /// The session token of temporary credentials, such as those of Lambda.
    pub session_token: Option<String>,
}

/// Content type and target of the request (Secrets Manager API Reference, "GetSecretValue").
const JSON: &str = "application/x-amz-json-1.1";
const TARGET: &str = "secretsmanager.GetSecretValue";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<String>,
}

/// Reads the secret's text.
///
/// [`StoreError::Denied`] without the right to it, [`StoreError::Unavailable`] when Secrets Manager does not answer
/// in time, [`StoreError::Broken`] when the secret does not exist or is no text.
#[inline(never)]
pub fn read_secret(settings: SecretSettings) -> BoxFuture<'static, Result<String, StoreError>> {
    async move {
        let SecretSettings { id, region, endpoint, access_key_id, secret_access_key, session_token } = settings;
        let config = sdk_config(region, endpoint, credentials(access_key_id, secret_access_key, session_token))?;
        let client = ServiceClient::new(Service::SecretsManager, &config, None)?;
        let body = Bytes::from(json!({ "SecretId": id }).to_string());
        let request = Request::post("/").header(header::CONTENT_TYPE, JSON).header("x-amz-target", TARGET).body(body);
        let request = request.map_err(StoreError::broken)?;
        let limits = StoreLimits::default();
        let answer = persist(&limits, Instant::now() + limits.total_timeout, |_| {
            let sent = client.call(request.clone()).boxed();
            async move { sent.await.map_err(classify) }
        });
        let unread = |_| StoreError::broken("the answer of Secrets Manager is none that can be read");
        let value: SecretValue = serde_json::from_slice(answer.await?.body()).map_err(unread)?;
        value.secret_string.ok_or_else(|| StoreError::broken("the secret is no text"))
    }
    .boxed()
}
