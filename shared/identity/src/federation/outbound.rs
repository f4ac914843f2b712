//! Requests to hosts outside of AWS: small, bounded, encrypted.

use std::{error::Error, fmt, time::Duration};

use aws::xray;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use protocol::{Cause, media_type};
use serde::de::DeserializeOwned;
use tower_service::Service as _;

use runtime::BoxFuture;

/// How long one request may take, from the name's look-up to the last byte of the response.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest response body that is read, in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Sends requests to other hosts, each over a connection of its own: a function's process is frozen between two calls,
/// and an old connection would be broken. A pool would bring HTTP/2 along, and 350 KB into a function. Redirects are
/// not followed.
pub struct Outbound {
    connector: HttpsConnector<HttpConnector>,
}

/// The response of another host.
pub(super) struct Answer {
    pub status: StatusCode,
    body: Bytes,
}

impl Outbound {
    /// Loads the root certificates (Mozilla's, as this build knows them). Nothing is sent.
    ///
    /// # Errors
    /// When the TLS settings are refused.
    pub fn new() -> Result<Self, Cause> {
        let tls =
            HttpsConnectorBuilder::new().with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?;
        // [`Address`] decides which hosts may be asked without TLS.
        Ok(Self { connector: tls.https_or_http().enable_http1().build() })
    }

    pub(super) fn get<'a>(
        &'a self,
        address: &'a Address,
        authorization: Option<String>,
    ) -> BoxFuture<'a, Result<Answer, OutboundError>> {
        self.send(Method::GET, address, authorization, Bytes::new())
    }

    pub(super) fn post_form<'a>(
        &'a self,
        address: &'a Address,
        authorization: Option<String>,
        form: String,
    ) -> BoxFuture<'a, Result<Answer, OutboundError>> {
        self.send(Method::POST, address, authorization, form.into())
    }

    #[inline(never)]
    fn send<'a>(
        &'a self,
        method: Method,
        Address(uri): &'a Address,
        authorization: Option<String>,
        body: Bytes,
    ) -> BoxFuture<'a, Result<Answer, OutboundError>> {
        let exchange = async move {
            let request = request(method, uri, authorization, body).ok_or(OutboundError::Unsendable)?;
            let stream = self.connector.clone().call(uri.clone()).await.map_err(OutboundError::Unreachable)?;
            let (mut sender, connection) = http1::handshake(stream).await.map_err(OutboundError::Failed)?;
            // The connection ends with the response, or with the future that waits for it, which reports its errors.
            tokio::spawn(connection);
            let answer = sender.send_request(request).await.map_err(OutboundError::Failed)?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
                Ok(_) => OutboundError::TooLong,
                Err(error) => OutboundError::Unreachable(error),
            });
            Ok(Answer { status, body: body?.to_bytes() })
        };
        let exchange = async { tokio::time::timeout(TIMEOUT, exchange).await.map_err(|_| OutboundError::TooLate)? };
        Box::pin(xray::remote(uri.host().unwrap_or_default(), exchange))
    }
}

/// An HTTP/1.1 request; none if a part of it cannot stand in a header. That part may be a secret, so the error does not
/// describe it.
fn request(method: Method, uri: &Uri, authorization: Option<String>, body: Bytes) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::new(Full::new(body));
    *request.uri_mut() = uri.path_and_query()?.as_str().parse().ok()?;
    let headers = request.headers_mut();
    headers.insert(header::HOST, HeaderValue::from_str(uri.authority()?.as_str()).ok()?);
    headers.insert(header::ACCEPT, HeaderValue::from_static(media_type::JSON));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("onefold"));
    if method == Method::POST {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::FORM));
    }
    if let Some(value) = authorization {
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    *request.method_mut() = method;
    Some(request)
}

impl Answer {
    /// The body as JSON. A mismatch is not described: a description would quote the body.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// An allowed target: `https`, and without TLS this machine alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address(Uri);

impl Address {
    /// Reads an absolute address without user name, password and fragment.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "is no address")?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err("is no absolute address");
        };
        if text.contains('#') || authority.as_str().contains('@') {
            return Err("has a part that does not belong there");
        }
        match scheme {
            "https" => Ok(Self(uri)),
            "http" if is_loopback(authority.host()) => Ok(Self(uri)),
            _ => Err("does not begin with https://"),
        }
    }

    /// An address that a response of this one names. Only this machine may name this machine: an outside host could
    /// otherwise direct requests at its loopback services.
    pub fn named_by(&self, text: &str) -> Result<Self, &'static str> {
        let named = Self::parse(text)?;
        if named.is_loopback() && !self.is_loopback() {
            return Err("leads back to this machine");
        }
        Ok(named)
    }

    /// The same address with further query parameters.
    pub fn with_query(&self, parameters: &[(&str, &str)]) -> String {
        let query = form(parameters);
        let joint = if self.0.query().is_some() { '&' } else { '?' };
        format!("{}{joint}{query}", self.0)
    }

    fn is_loopback(&self) -> bool {
        self.0.host().is_some_and(is_loopback)
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Parameters as `application/x-www-form-urlencoded`.
pub(super) fn form(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// Why a request to another host failed.
#[derive(Debug)]
pub(super) enum OutboundError {
    Unsendable,
    Unreachable(Cause),
    Failed(hyper::Error),
    TooLong,
    TooLate,
}

impl fmt::Display for OutboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsendable => f.write_str("the request cannot be sent"),
            Self::Unreachable(_) => f.write_str("the host cannot be reached"),
            Self::Failed(_) => f.write_str("the host does not answer as it should"),
            Self::TooLong => write!(f, "the answer is longer than {MAX_ANSWER_BYTES} bytes"),
            Self::TooLate => write!(f, "there was no answer within {} s", TIMEOUT.as_secs()),
        }
    }
}

impl Error for OutboundError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreachable(cause) => Some(cause.as_ref()),
            Self::Failed(error) => Some(error),
            Self::Unsendable | Self::TooLong | Self::TooLate => None,
        }
    }
}
