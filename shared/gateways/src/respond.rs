//! What answers of several styles have in common.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use protocol::{Code, Fault};
use tokio::time::Instant;

/// How many calls of one request run at once.
pub const MAX_AT_ONCE: usize = 16;

/// How long the calls of one request may take together: the HTTP API in front gives up after 30 s, and with it goes
/// what the others answered.
const TIME: Duration = Duration::from_secs(28);

/// When the time of a request's calls is over.
#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Of a request that begins now.
    pub fn from_now() -> Self {
        Self(Instant::now() + TIME)
    }

    /// What a call comes to, if it does in time.
    ///
    /// # Errors
    /// `GATEWAY_TIMEOUT`.
    pub async fn holds<T>(self, call: impl Future<Output = T>) -> Result<T, Fault> {
        let late = |_| {
            let message = "There was no time left for this call beside the others; whether it was made is not known.";
            Fault::new(Code::GatewayTimeout, message)
        };
        tokio::time::timeout_at(self.0, call).await.map_err(late)
    }
}

/// An answer with a body.
pub fn respond(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// An answer without one.
pub fn empty() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The headers that belong to a fault of the whole request.
pub fn explain(fault: &Fault, headers: &mut HeaderMap) {
    if let Some(allow) = fault.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
        headers.insert(header::ALLOW, allow);
    }
}

/// The media type of a request, without its parameters.
pub fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

/// A call whose answer has no room beside the others.
pub fn no_room(max_bytes: usize) -> Fault {
    let message = format!(
        "The call was made, but the answers of this batch would be larger than {max_bytes} bytes together; ask for \
         less at once."
    );
    Fault::new(Code::PayloadTooLarge, message)
}
