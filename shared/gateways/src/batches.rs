//! tRPC's batches: several calls in one request, and all other addresses below `/trpc/` that are no procedure's own
//! path.
//!
//! Each call is made as if it came alone, and its envelope stays as the procedure wrote it. API Gateway cannot
//! stream: a client that asks for JSON Lines gets them all at once, in the order in which the calls ended.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header, request::Parts};
use protocol::{
    Cause, Code, Fault, Kind,
    contract::{Contract, ProcedureContract},
    media_type,
    trpc::{
        self,
        batch::{self, Answers, BatchFormat},
    },
};
use runtime::BoxFuture;
use serde::de::IgnoredAny;

use crate::{
    Calls, GatewaySpec, Refusal, Style,
    respond::{CallsDeadline, MAX_AT_ONCE, MAX_WEIGHT, empty, explain, no_room, respond, shortened, weight},
};

/// The maximum number of calls of a batch.
pub const MAX_CALLS: usize = 50;

/// Headers that belong to a status, and so to the whole response if all calls have the same status.
const WITH_STATUS: [HeaderName; 3] = [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE];

/// The style of tRPC's batches.
pub struct Batches(());

impl Batches {
    /// The style's specification.
    pub const SPEC: GatewaySpec = GatewaySpec {
        name: "trpc",
        paths: &["/trpc/{proxy+}"],
        methods: "GET, HEAD, POST",
        takes: media_type::JSON,
        calls: true,
        memory_mb: 256,
        timeout_ms: 29_000,
    };

    /// Creates the style for a service.
    ///
    /// # Errors
    /// Never: every contract fits tRPC.
    pub fn new(_: &Contract) -> Result<Self, Cause> {
        Ok(Self(()))
    }
}

impl Style for Batches {
    fn spec(&self) -> &'static GatewaySpec {
        &Self::SPEC
    }

    fn answer<'a>(&'a self, contract: &'a Contract, body: Bytes, calls: Calls<'a>) -> BoxFuture<'a, Response<Bytes>> {
        Box::pin(async move {
            if calls.parts().method == Method::HEAD {
                return empty();
            }
            let response = answer(contract, body, &calls).await;
            varied(response.unwrap_or_else(|(path, fault)| refused(&calls, path.as_deref(), &fault)))
        })
    }

    fn refuse(&self, calls: &Calls<'_>, refusal: Refusal) -> Response<Bytes> {
        varied(refused(calls, None, &Fault::new(refusal.code, refusal.message)))
    }
}

fn varied(mut response: Response<Bytes>) -> Response<Bytes> {
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("trpc-accept, accept"));
    response
}

/// An error in an envelope.
fn refused(calls: &Calls<'_>, path: Option<&str>, fault: &Fault) -> Response<Bytes> {
    let body = trpc::error_envelope(fault, path, calls.request_id());
    let mut response = respond(fault.code.http_status(), media_type::JSON, body);
    explain(fault, response.headers_mut());
    response
}

/// Why a request is refused as a whole, and the procedure it is about. One envelope reaches every call of a
/// batch: the official client's links give it to each of them, those that stream as well.
type BatchError = (Option<String>, Fault);

/// A call in progress: its index, its procedure's name, and its result.
type PendingCall<'a> = BoxFuture<'a, (usize, &'a str, Result<Response<Bytes>, Fault>)>;

async fn answer(contract: &Contract, body: Bytes, calls: &Calls<'_>) -> Result<Response<Bytes>, BatchError> {
    let parts = calls.parts();
    let batch_response = |fault| (None, fault);
    let path = parts.uri.path().strip_prefix(trpc::BASE_PATH).and_then(|path| trpc::percent_decode(path, false));
    let path = path.ok_or_else(|| batch_response(Fault::bad_request("The address is not percent-encoded UTF-8.")))?;
    trpc::expect_once(parts.uri.query()).map_err(batch_response)?;
    let Some(form) = BatchFormat::of(parts.uri.query(), &parts.headers) else {
        return single(contract, body, calls, &path).await.map_err(|fault| (Some(path.into_owned()), fault));
    };
    if ![Method::GET, Method::POST].contains(&parts.method) {
        return Err(batch_response(Fault::method_not_supported(parts.method.as_str(), Batches::SPEC.methods)));
    }
    let count = path.split(',').count();
    if count > MAX_CALLS {
        let message = format!("A batch has at most {MAX_CALLS} calls, and this one has {count}.");
        return Err(batch_response(Fault::new(Code::PayloadTooLarge, message)));
    }
    let input = match parts.method {
        Method::POST => trpc::from_body(&parts.headers, body),
        _ => trpc::from_address(parts.uri.query()),
    };
    let input = input.map_err(batch_response)?;
    let inputs = batch::inputs(input.as_deref(), count).map_err(batch_response)?;
    let deadline = CallsDeadline::from_now();
    let pending = path.split(',').zip(inputs).enumerate().map(|(place, (name, input))| async move {
        let input = input.map(|input| input.get().as_bytes());
        (place, name, deadline.holds(call(contract, calls, name, input)).await.flatten())
    });
    // Boxed: otherwise the compiler infers lifetime bounds here that do not hold.
    let pending: Vec<PendingCall<'_>> = pending.map(|pending| Box::pin(pending) as _).collect();
    let mut pending = stream::iter(pending).buffer_unordered(MAX_AT_ONCE);
    let mut batch_response = BatchResponse { answers: Answers::new(form), weight: 0, headers: HeaderMap::new() };
    while let Some((place, name, outcome)) = pending.next().await {
        let mut response = outcome.unwrap_or_else(|fault| refused(calls, Some(name), &fault));
        if !batch_response.has_room(&response) {
            response = refused(calls, Some(name), &no_room());
        }
        batch_response.add(place, response);
    }
    Ok(batch_response.finish(form))
}

/// The responses of a batch so far.
struct BatchResponse {
    answers: Answers,
    weight: usize,
    headers: HeaderMap,
}

impl BatchResponse {
    fn has_room(&self, response: &Response<Bytes>) -> bool {
        self.weight + weight(response.body()) <= MAX_WEIGHT
    }

    fn add(&mut self, place: usize, response: Response<Bytes>) {
        let (parts, body) = response.into_parts();
        self.weight += weight(&body);
        self.headers.extend(with_status(&parts.headers));
        self.answers.add(place, parts.status.as_u16(), body.into());
    }

    fn finish(self, form: BatchFormat) -> Response<Bytes> {
        let (status, body) = self.answers.finish();
        let mut response = respond(status, form.content_type(), body);
        if status >= 400 {
            response.headers_mut().extend(self.headers);
        }
        response
    }
}

fn with_status(headers: &HeaderMap) -> HeaderMap {
    let known = WITH_STATUS.into_iter().filter_map(|name| headers.get(&name).map(|value| (name, value.clone())));
    known.collect()
}

/// A request that is no batch: a procedure's own path in another spelling, such as `users%2Eget`.
async fn single(contract: &Contract, body: Bytes, calls: &Calls<'_>, name: &str) -> Result<Response<Bytes>, Fault> {
    let procedure = find(contract, name)?;
    let Parts { method, uri, headers, .. } = calls.parts();
    let input = trpc::take_input(procedure.kind, true, method, uri.query(), headers, body)?;
    let response = forward(calls, procedure, input.as_deref()).await?;
    let mut answer = respond(response.status().as_u16(), media_type::JSON, response.body().clone());
    answer.headers_mut().extend(with_status(response.headers()));
    Ok(answer)
}

async fn call(
    contract: &Contract,
    calls: &Calls<'_>,
    name: &str,
    input: Option<&[u8]>,
) -> Result<Response<Bytes>, Fault> {
    let procedure = find(contract, name)?;
    if procedure.kind == Kind::Mutation && calls.parts().method == Method::GET {
        return Err(Fault::method_not_supported("GET", trpc::allowed_methods(Kind::Mutation, true)));
    }
    forward(calls, procedure, input).await
}

fn find<'a>(contract: &'a Contract, name: &str) -> Result<&'a ProcedureContract, Fault> {
    contract.find_in_styles(name).ok_or_else(|| {
        let is_batch = name.contains(',');
        let hint = if is_batch { " A batch says so: ?batch=1." } else { "" };
        Fault::new(Code::NotFound, format!("There is no procedure {:?}.{hint}", shortened(name)))
    })
}

async fn forward(
    calls: &Calls<'_>,
    procedure: &ProcedureContract,
    input: Option<&[u8]>,
) -> Result<Response<Bytes>, Fault> {
    let response = calls.forward(procedure, input, None).await;
    let response = response.map_err(|refusal| Fault::new(refusal.code, refusal.message))?;
    // One response that is not JSON would make the whole batch unreadable.
    match serde_json::from_slice::<IgnoredAny>(response.body()) {
        Ok(IgnoredAny) => Ok(response),
        Err(_) => Err(Fault::new(Code::BadGateway, "The procedure gave no answer that can be read.")),
    }
}

#[cfg(test)]
mod tests;
