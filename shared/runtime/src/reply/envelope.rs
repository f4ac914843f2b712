//! The form of tRPC: an input in the address or the body, and responses in envelopes.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, request::Parts};
use protocol::{
    Fault, media_type,
    trpc::{
        self,
        batch::{Answers, BatchFormat},
    },
};

use super::{explain, response};
use crate::Entry;

/// The methods that tRPC calls use.
pub(crate) const METHODS: &str = "GET, HEAD, POST";
const JSON: HeaderValue = HeaderValue::from_static(media_type::JSON);
const VARY: HeaderValue = HeaderValue::from_static("trpc-accept, accept");

/// Reads the input of a call.
///
/// # Errors
/// 400, 405, 413 and 415.
pub(super) fn read(entry: &Entry, parts: &Parts, body: Bytes) -> Result<Option<Bytes>, Fault> {
    let (kind, over) = (entry.spec.kind, entry.service.method_override);
    let input = trpc::take_input(kind, over, &parts.method, parts.uri.query(), &parts.headers, body)?;
    let is_infinite = trpc::is_infinite(entry.spec.fields.iter().map(|field| field.name));
    Ok(if is_infinite { input.map(trpc::without_direction) } else { input })
}

/// The response to a call that succeeded: the output as JSON, or none.
pub(super) fn success(batch: Option<BatchFormat>, output: Option<&[u8]>) -> Response<Bytes> {
    enveloped(batch, StatusCode::OK, trpc::result_envelope(output))
}

/// The response to a call that failed. `path` is the name of the called procedure.
pub(crate) fn fault(
    batch: Option<BatchFormat>,
    fault: &Fault,
    path: Option<&str>,
    request_id: &str,
) -> Response<Bytes> {
    let mut response = enveloped(batch, super::status_of(fault), trpc::error_envelope(fault, path, request_id));
    explain(fault, &mut response);
    response
}

fn enveloped(batch: Option<BatchFormat>, status: StatusCode, envelope: Vec<u8>) -> Response<Bytes> {
    let Some(form) = batch else { return response(status, JSON, VARY, envelope) };
    let mut answers = Answers::new(form);
    answers.add(0, status.as_u16(), envelope);
    let (status_of_batch, body) = answers.finish();
    let status = StatusCode::from_u16(status_of_batch).unwrap_or(status);
    response(status, HeaderValue::from_static(form.content_type()), VARY, body)
}
