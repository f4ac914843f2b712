//! A client for the AWS services of which one operation each is needed: Lambda, Secrets Manager and SES.
//!
//! The SDK's crate of a service holds all of its operations and takes long to compile: 43 seconds of a processor for
//! Lambda, 36 for SES. The parts that send, sign and read are the same in all of them, and are used here as those
//! crates use them ([`Operation`]). Left to do are the path and the form of one request, and the place of a refusal's
//! code.

use std::{fmt, time::Duration};

use aws_runtime::auth::{SigV4OperationSigningConfig, sigv4};
use aws_sdk_dynamodb::{
    config::{
        BehaviorVersion,
        endpoint::{DefaultResolver, Params, ResolveEndpoint},
        http::{HttpRequest, HttpResponse},
        timeout::TimeoutConfig,
    },
    error::{ErrorMetadata, SdkError},
};
use aws_smithy_runtime::client::{
    identity::IdentityCache, orchestrator::operation::Operation, retries::classifiers::HttpStatusCodeClassifier,
};
use aws_smithy_runtime_api::client::{
    auth::{AuthSchemeOptionResolverParams, static_resolver::StaticAuthSchemeOptionResolver},
    orchestrator::{OrchestratorError, SensitiveOutput},
    runtime_components::RuntimeComponentsBuilder,
    runtime_plugin::StaticRuntimePlugin,
};
use aws_smithy_types::{body::SdkBody, config_bag::Layer};
use aws_smithy_xml::decode::{Document, try_data};
use aws_types::{SigningName, region::SigningRegion};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use protocol::Cause;
use serde::Deserialize;
use tokio::time::Instant;

use crate::{Access, AttemptError, RetryPolicy, ServiceError, error::ErrorClass, retry::persist, xray::Interceptor};

/// Why a call failed. An error from the service has its code.
pub type CallError = SdkError<ErrorMetadata, HttpResponse>;

/// One of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// AWS Lambda.
    Lambda,
    /// AWS Secrets Manager.
    SecretsManager,
    /// Amazon SES, version 2010-12-01.
    Ses,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lambda => "Lambda",
            Self::SecretsManager => "Secrets Manager",
            Self::Ses => "SES",
        })
    }
}

impl Service {
    const fn operation(self) -> &'static str {
        match self {
            Self::Lambda => "Invoke",
            Self::SecretsManager => "GetSecretValue",
            Self::Ses => "SendEmail",
        }
    }

    /// What X-Ray calls the service.
    const fn trace_name(self) -> &'static str {
        match self {
            Self::Lambda => "Lambda",
            Self::SecretsManager => "SecretsManager",
            Self::Ses => "SES",
        }
    }

    /// The first label of the service's host (AWS General Reference, "Service endpoints").
    const fn host(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::SecretsManager => "secretsmanager",
            Self::Ses => "email",
        }
    }

    /// The service's name in the scope of a signature.
    const fn signing_name(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::SecretsManager => "secretsmanager",
            Self::Ses => "ses",
        }
    }

    /// The service's address in a region. The SDK's table of partitions knows the domain; it is asked for DynamoDB's.
    fn address(self, region: &str) -> Result<String, Cause> {
        let unknown = || Cause::from(format!("the region {region:?} is in no partition of AWS"));
        let params = Params::builder().region(region).build()?;
        let resolver = DefaultResolver::new();
        let of_dynamodb =
            ResolveEndpoint::resolve_endpoint(&resolver, &params).now_or_never().ok_or_else(unknown)??;
        let domain = of_dynamodb.url().strip_prefix(&format!("https://dynamodb.{region}."));
        Ok(format!("https://{}.{region}.{}", self.host(), domain.ok_or_else(unknown)?))
    }
}

/// The client of one service, for the whole process. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct ServiceClient {
    service: Service,
    operation: Operation<Request<Bytes>, Response<Bytes>, ErrorMetadata>,
}

impl ServiceClient {
    /// Creates the client. It sends nothing yet and never retries: the caller does.
    ///
    /// # Errors
    /// When the TLS settings are refused, or the region does not exist.
    #[inline(never)]
    pub fn new(service: Service, access: Access, connect_timeout: Option<Duration>) -> Result<Self, Cause> {
        let config = access.sdk_config()?;
        let missing = || Cause::from("the region, the credentials or the HTTP client are missing");
        let region = config.region().ok_or_else(missing)?;
        let traced = Interceptor::of(service.trace_name(), region.as_ref());
        let address = match config.endpoint_url() {
            Some(url) => url.to_owned(),
            None => service.address(region.as_ref())?,
        };
        let signing = SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(region.clone())),
            name: Some(SigningName::from_static(service.signing_name())),
            ..SigV4OperationSigningConfig::default()
        };
        let mut layer = Layer::new("signing");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(signing);
        layer.store_put(SensitiveOutput);
        let components = RuntimeComponentsBuilder::new("signing")
            .with_auth_scheme(sigv4::SigV4AuthScheme::new())
            .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID])))
            .with_identity_cache(Some(IdentityCache::no_cache()))
            .with_identity_resolver(sigv4::SCHEME_ID, config.credentials_provider().ok_or_else(missing)?);
        let mut timeouts = TimeoutConfig::builder();
        timeouts.set_connect_timeout(connect_timeout);
        let operation = Operation::builder()
            .service_name(service.host())
            .operation_name(service.operation())
            .behavior_version(BehaviorVersion::latest())
            .http_client(config.http_client().ok_or_else(missing)?)
            .endpoint_url(&address)
            .no_retry()
            .timeout_config(timeouts.build())
            .interceptor(traced)
            // A connection over which a service reported trouble is not used again.
            .with_connection_poisoning()
            .retry_classifier(HttpStatusCodeClassifier::default())
            .runtime_plugin(StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components))
            .serializer(|request: Request<Bytes>| Ok(HttpRequest::try_from(request.map(SdkBody::from))?))
            .deserializer(read)
            .build();
        Ok(Self { service, operation })
    }

    /// Sends a request, whose address is the path alone, and reads the whole answer.
    ///
    /// # Errors
    /// When there is no answer, or its status is no success.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, CallError> {
        self.operation.invoke(request).await
    }

    /// Sends a request until it is answered, refused, or the attempts or the time are used up. `describe` makes the cause
    /// that is logged from the error of an attempt.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn call_with_retries(
        &self,
        policy: &RetryPolicy,
        request: Request<Bytes>,
        describe: fn(CallError) -> Cause,
    ) -> Result<Response<Bytes>, ServiceError> {
        let service = self.service;
        let unavailable = |cause| ServiceError::Unavailable(service, cause);
        let classify = move |error: CallError| {
            let denied = |cause| ServiceError::Denied(service, cause);
            let refused = |cause| ServiceError::Refused(service, cause);
            AttemptError::of(ErrorClass::of(&error), describe(error), denied, refused)
        };
        persist(policy, Instant::now() + policy.total_timeout, unavailable, |_| {
            let sent = self.call(request.clone()).boxed();
            async move { sent.await.map_err(classify) }
        })
        .await
    }
}

fn read(response: &HttpResponse) -> Result<Response<Bytes>, OrchestratorError<ErrorMetadata>> {
    // The body is complete by now.
    let body = response.body().bytes().unwrap_or_default();
    if !response.status().is_success() {
        return Err(OrchestratorError::operation(refusal(response.headers().get("x-amzn-errortype"), body)));
    }
    let mut read = Response::new(Bytes::copy_from_slice(body));
    for (name, value) in response.headers() {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
            read.headers_mut().append(name, value);
        }
    }
    Ok(read)
}

/// A refusal in the protocols with JSON.
#[derive(Default, Deserialize)]
struct JsonRefusal {
    code: Option<String>,
    #[serde(rename = "__type")]
    kind: Option<String>,
    message: Option<String>,
    #[serde(rename = "Message")]
    capital_message: Option<String>,
}

/// The code and the message of a refusal, in JSON (Smithy, "AWS JSON 1.1 protocol" and "AWS restJson1 protocol", error
/// serialization) or in XML ("AWS query protocol").
pub(crate) fn refusal(header: Option<&str>, body: &[u8]) -> ErrorMetadata {
    let parsed: JsonRefusal = serde_json::from_slice(body).unwrap_or_else(|_| xml_refusal(body));
    let (code, message) = (parsed.code.or(parsed.kind), parsed.message.or(parsed.capital_message));
    let mut refusal = ErrorMetadata::builder();
    if let Some(code) = header.or(code.as_deref()) {
        // A namespace may stand before the code, an address behind it.
        let code = code.split(':').next().unwrap_or_default();
        refusal = refusal.code(code.rsplit('#').next().unwrap_or_default());
    }
    if let Some(message) = message {
        refusal = refusal.message(message);
    }
    refusal.build()
}

fn xml_refusal(body: &[u8]) -> JsonRefusal {
    let mut refusal = JsonRefusal::default();
    let Ok(mut document) = Document::try_from(body) else { return refusal };
    let Ok(mut root) = document.root_element() else { return refusal };
    while let Some(mut part) = root.next_tag() {
        if part.start_el().local() != "Error" {
            continue;
        }
        while let Some(mut field) = part.next_tag() {
            match field.start_el().local() {
                "Code" => refusal.code = try_data(&mut field).ok().map(Into::into),
                "Message" => refusal.message = try_data(&mut field).ok().map(Into::into),
                _ => {}
            }
        }
    }
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_where_its_region_is() {
        let address = |service: Service, region| service.address(region).unwrap();
        assert_eq!(address(Service::Lambda, "eu-central-1"), "https://lambda.eu-central-1.amazonaws.com");
        assert_eq!(address(Service::Ses, "us-east-1"), "https://email.us-east-1.amazonaws.com");
        assert_eq!(
            address(Service::SecretsManager, "us-gov-west-1"),
            "https://secretsmanager.us-gov-west-1.amazonaws.com"
        );
        assert_eq!(address(Service::Lambda, "cn-north-1"), "https://lambda.cn-north-1.amazonaws.com.cn");
        assert_eq!(address(Service::Lambda, "eusc-de-east-1"), "https://lambda.eusc-de-east-1.amazonaws.eu");
        assert!(Service::Lambda.address("not a region").is_err());
    }

    #[test]
    fn a_refusal_has_its_code_where_the_protocol_puts_it() {
        let read = |header, body: &str| {
            let refusal = refusal(header, body.as_bytes());
            (refusal.code().map(str::to_owned), refusal.message().map(str::to_owned))
        };
        let parsed = |code: &str, message: &str| (Some(code.to_owned()), Some(message.to_owned()));
        let by_header = Some("TooManyRequestsException:http://internal.amazon.com/coral/");
        assert_eq!(read(by_header, r#"{"Message":"no","Type":"Sender"}"#), parsed("TooManyRequestsException", "no"));
        let json = r#"{"__type":"com.amazonaws#AccessDeniedException","message":"no"}"#;
        assert_eq!(read(None, json), parsed("AccessDeniedException", "no"));
        let both = r#"{"__type":"Throttling","code":"Throttling","message":"no","Message":"no"}"#;
        assert_eq!(read(None, both), parsed("Throttling", "no"));
        let xml = "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>Throttling</Code><Message>a &amp; b</Message>\
            </Error><RequestId>1</RequestId></ErrorResponse>";
        assert_eq!(read(None, xml), parsed("Throttling", "a & b"));
        for none in ["", "{}", "no", "<html><body>502</body></html>", "[1]", "<"] {
            assert_eq!(read(None, none), (None, None), "{none}");
        }
    }
}
