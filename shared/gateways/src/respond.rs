//! Limits and responses that several styles share.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
pub use protocol::fault::{is_short, shortened};
use protocol::{Code, Fault};
use tokio::time::Instant;

/// The maximum [weight](weight) of a response, in bytes. Lambda limits a function's response to 6 MB, with its
/// headers.
pub const MAX_WEIGHT: usize = 5_500_000;

/// The size of a body in a function's response, which is a JSON text: escapes take more space, and a body that is not
/// text is base64.
pub fn weight(body: &[u8]) -> usize {
    if std::str::from_utf8(body).is_err() {
        return body.len() / 3 * 4 + 4;
    }
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..=31 => 6,
        _ => 1,
    };
    body.iter().map(escaped).sum()
}

/// The maximum number of parallel calls of one request.
pub const MAX_AT_ONCE: usize = 16;

/// The timeout of all calls of one request together. The HTTP API in front gives up after 30 s, and would lose the
/// results of the calls that ended.
const TIME: Duration = Duration::from_secs(28);

/// The end of the time for a request's calls.
#[derive(Clone, Copy)]
pub struct CallsDeadline(Instant);

impl CallsDeadline {
    /// The deadline of a request that begins now.
    pub fn from_now() -> Self {
        Self(Instant::now() + TIME)
    }

    /// The same, but earlier by `time`, which is left for work afterwards.
    pub fn keeping(time: Duration) -> Self {
        Self(Instant::now() + TIME.saturating_sub(time))
    }

    /// The result of a call, if it ends in time.
    ///
    /// # Errors
    /// `GATEWAY_TIMEOUT`.
    pub async fn holds<T>(self, call: impl Future<Output = T>) -> Result<T, Fault> {
        let message = "There was no time left for this call; whether it was made is not known.";
        tokio::time::timeout_at(self.0, call).await.map_err(|_| Fault::new(Code::GatewayTimeout, message))
    }
}

/// A response with a body.
pub fn respond(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A response without a body.
pub fn empty() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Sets the headers of a fault of the whole request: accepted types, and when to retry.
pub fn explain(fault: &Fault, headers: &mut HeaderMap) {
    if let Some(allow) = fault.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
        headers.insert(header::ALLOW, allow);
    }
    for (name, value) in fault.accepted.headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if matches!(fault.code, Code::ServiceUnavailable | Code::TooManyRequests) {
        headers.insert(header::RETRY_AFTER, fault.retry_after_s.map_or(1, u32::from).into());
    }
}

/// The fault of a call whose response would make the whole too large.
pub fn no_room() -> Fault {
    let message = format!(
        "The call was made, but the answers would be larger than {MAX_WEIGHT} bytes together; ask for less at once."
    );
    Fault::new(Code::PayloadTooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_weighs_what_it_takes_as_a_json_text() {
        for body in ["", "plain", "\"quoted\" \\ \n\r\t", "\u{0}\u{1f}", "ä€😀"] {
            let text = serde_json::to_string(body).unwrap();
            assert_eq!(weight(body.as_bytes()), text.len() - 2, "{body:?}");
        }
        assert!(weight(&[0xff; 300]) >= 400);
    }
}
