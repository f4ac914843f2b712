//! Requests to hosts outside of AWS: small, bounded, encrypted.

use std::{error::Error, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use protocol::Cause;
use serde::de::DeserializeOwned;

use crate::BoxFuture;

/// How long one request may take, from the name's look-up to the answer's last byte.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Asks other hosts. Redirects are not followed and connections are not kept: between two calls a function's
/// process stands still, and what it would find of a connection afterwards is a broken one.
pub struct Outbound {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What the other host said.
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
        // Which addresses may be asked without TLS is for `Address` to say.
        let connector = tls.https_or_http().enable_http1().build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector) })
    }

    pub(super) fn get<'a>(
        &'a self,
        address: &Address,
        authorization: Option<String>,
    ) -> BoxFuture<'a, Result<Answer, OutboundError>> {
        self.send(Request::get(address.0.clone()), authorization, Bytes::new())
    }

    pub(super) fn post_form<'a>(
        &'a self,
        address: &Address,
        authorization: Option<String>,
        form: String,
    ) -> BoxFuture<'a, Result<Answer, OutboundError>> {
        let request = Request::post(address.0.clone());
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, authorization, form.into())
    }

    #[inline(never)]
    fn send(
        &self,
        request: http::request::Builder,
        authorization: Option<String>,
        body: Bytes,
    ) -> BoxFuture<'_, Result<Answer, OutboundError>> {
        Box::pin(async move {
            let request = request.header(header::ACCEPT, "application/json").header(header::USER_AGENT, "onefold");
            let mut request = request.body(Full::new(body)).map_err(|_| OutboundError::Unsendable)?;
            if let Some(value) = authorization {
                // What cannot stand in a header is a secret or a token; the error would describe it.
                let mut value = HeaderValue::try_from(value).map_err(|_| OutboundError::Unsendable)?;
                value.set_sensitive(true);
                request.headers_mut().insert(header::AUTHORIZATION, value);
            }
            let asked = async {
                let answer = self.client.request(request).await.map_err(OutboundError::Failed)?;
                let status = answer.status();
                let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
                let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
                    Ok(_) => OutboundError::TooLong,
                    Err(error) => OutboundError::Broken(error),
                });
                Ok(Answer { status, body: body?.to_bytes() })
            };
            tokio::time::timeout(TIMEOUT, asked).await.map_err(|_| OutboundError::TooLate)?
        })
    }
}

impl Answer {
    /// The body as JSON. What does not fit is not described: a description quotes.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Where requests may go: `https`, and without TLS the machine itself.
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

    /// An address that another one names: only the machine itself may name the machine itself, or an outside
    /// host could have us ask what listens there.
    pub fn named_by(&self, text: &str) -> Result<Self, &'static str> {
        let named = Self::parse(text)?;
        if named.is_loopback() && !self.is_loopback() {
            return Err("leads back to this machine");
        }
        Ok(named)
    }

    /// The same address with parameters more.
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

/// Why another host did not answer.
#[derive(Debug)]
pub(super) enum OutboundError {
    Unsendable,
    Failed(hyper_util::client::legacy::Error),
    Broken(Cause),
    TooLong,
    TooLate,
}

impl fmt::Display for OutboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsendable => f.write_str("the request cannot be sent"),
            Self::Failed(_) => f.write_str("the host cannot be asked"),
            Self::Broken(_) => f.write_str("the answer broke off"),
            Self::TooLong => write!(f, "the answer is longer than {MAX_ANSWER_BYTES} bytes"),
            Self::TooLate => write!(f, "there was no answer within {} s", TIMEOUT.as_secs()),
        }
    }
}

impl Error for OutboundError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Broken(cause) => Some(cause.as_ref()),
            Self::Unsendable | Self::TooLong | Self::TooLate => None,
        }
    }
}
