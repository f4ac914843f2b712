//! Reads a secret from AWS Secrets Manager, by name or ARN.

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::{Request, header};
use protocol::Cause;
use serde::Deserialize;
use serde_json::json;

use crate::{
    Access, RetryPolicy, ServiceError,
    service::{Service, ServiceClient},
};

/// A secret, and the access to Secrets Manager.
#[derive(Clone)]
pub struct SecretSettings {
    /// The secret's name or ARN.
    pub id: String,
    /// How Secrets Manager is reached.
    pub access: Access,
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
/// # Errors
/// [`ServiceError::Denied`] without the right to it, [`ServiceError::Unavailable`] when Secrets Manager does not answer
/// in time, [`ServiceError::Refused`] when the secret does not exist or is no text.
#[inline(never)]
pub fn read_secret(settings: SecretSettings) -> BoxFuture<'static, Result<String, ServiceError>> {
    async move {
        let SecretSettings { id, access } = settings;
        let client = ServiceClient::new(Service::SecretsManager, access, None).map_err(refused)?;
        let body = Bytes::from(json!({ "SecretId": id }).to_string());
        let request = Request::post("/").header(header::CONTENT_TYPE, JSON).header("x-amz-target", TARGET).body(body);
        let request = request.map_err(refused)?;
        let answer = client.call_with_retries(&RetryPolicy::default(), request, Cause::from).await?;
        let unread = |_| refused("the answer of Secrets Manager is none that can be read");
        let value: SecretValue = serde_json::from_slice(answer.body()).map_err(unread)?;
        value.secret_string.ok_or_else(|| refused("the secret is no text"))
    }
    .boxed()
}

fn refused(cause: impl Into<Cause>) -> ServiceError {
    ServiceError::Refused(Service::SecretsManager, cause.into())
}
