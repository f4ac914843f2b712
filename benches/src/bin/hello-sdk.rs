//! The AWS SDK at its leanest: plain `lambda_runtime` and one GetItem, with settings from the environment, no retries,
//! no timeouts, no TLS. It is the minimum for every function that reads through the SDK.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Config, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

fn main() -> Result<(), Error> {
    let credentials = Credentials::new(var("AWS_ACCESS_KEY_ID")?, var("AWS_SECRET_ACCESS_KEY")?, None, None, "benches");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(var("AWS_REGION")?))
        .endpoint_url(var("AWS_ENDPOINT_URL_DYNAMODB")?)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(credentials)
        .identity_cache(IdentityCache::no_cache())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let request = aws_sdk_dynamodb::Client::from_conf(config.build())
        .get_item()
        .table_name(var("ONEFOLD_TABLE")?)
        .key("pk", AttributeValue::S(var("BENCHES_KEY")?))
        .key("sk", AttributeValue::S("@".to_owned()))
        .consistent_read(true);
    let answer = |_event: LambdaEvent<Value>| {
        let sent = Box::pin(request.clone().send());
        async move {
            let item = sent.await?.item.ok_or("there is no such item")?;
            let document = item.get("doc").and_then(|document| document.as_m().ok());
            let email = document.and_then(|document| document.get("email")?.as_s().ok()).ok_or("it has no e-mail")?;
            Ok::<_, Error>(json!({ "email": email }))
        }
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(lambda_runtime::run(service_fn(answer)))
}

fn var(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|cause| format!("{name}: {cause}").into())
}
