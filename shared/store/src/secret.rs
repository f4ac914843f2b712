//! A secret by reference: read from AWS Secrets Manager once, when the process starts.

use aws_sdk_secretsmanager::Client;
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::Instant;

use crate::{
    StoreError,
    client::{credentials, sdk_config},
    retry::persist,
    settings::Limits,
    trouble::trouble,
};

/// Which secret, where, and who asks.
#[derive(Clone)]
pub struct SecretSettings {
    /// The secret's name or ARN.
    pub id: String,
    /// The AWS region.
    pub region: String,
    /// Where secrets are when they are not at AWS.
    pub endpoint: Option<String>,
    /// Who asks.
    pub access_key_id: String,
    /// Signs the request.
    pub secret_access_key: String,
    /// Lambda's credentials come with one.
    pub session_token: Option<String>,
}

/// The secret's text.
///
/// # Errors
/// [`StoreError::Denied`] without the right to it, [`StoreError::Unavailable`] when Secrets Manager does not
/// answer in time, [`StoreError::Broken`] when there is no such secret or it is no text.
#[inline(never)]
pub fn read_secret(settings: SecretSettings) -> BoxFuture<'static, Result<String, StoreError>> {
    async move {
        let SecretSettings { id, region, endpoint, access_key_id, secret_access_key, session_token } = settings;
        let config = sdk_config(region, endpoint, credentials(access_key_id, secret_access_key, session_token))?;
        let request = Client::new(&config).get_secret_value().secret_id(id);
        let limits = Limits::default();
        let answer = persist(&limits, Instant::now() + limits.total_timeout, |_| {
            let sent = Box::pin(request.clone().send());
            async move { sent.await.map_err(trouble) }
        })
        .await?;
        answer.secret_string.ok_or_else(|| StoreError::broken("the secret is no text"))
    }
    .boxed()
}
