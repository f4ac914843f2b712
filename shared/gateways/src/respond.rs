//! What answers of several styles have in common.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use protocol::{Code, Fault};

/// How many calls of one request run at once.
pub const MAX_AT_ONCE: usize = 16;

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
