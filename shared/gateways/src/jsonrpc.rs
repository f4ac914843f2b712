//! JSON-RPC 2.0: a method for each procedure, whose parameters are the input's fields, by name or by position.
//!
//! All errors that JSON-RPC can express have HTTP status 200; only requests that no JSON-RPC client sends (another
//! HTTP method, another media type, a body that is too large) have another status.

mod openrpc;
mod request;

use std::{
    borrow::Cow,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, Method, Response, request::Parts};
use protocol::{
    Cause, Code, Fault, FieldFault,
    contract::{Contract, ProcedureContract},
    media_type, trpc,
};
use runtime::BoxFuture;
use serde::Serialize;
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

pub use openrpc::openrpc;

use crate::{
    Calls, GatewaySpec, Refusal, Settings, Style,
    respond::{CallsDeadline, MAX_AT_ONCE, MAX_WEIGHT, empty, explain, no_room, respond, shortened, weight},
};
use request::{Entry, Message, elements};

/// The maximum number of calls of a batch.
pub const MAX_CALLS: usize = 100;
/// Its path.
pub const PATH: &str = "/jsonrpc";
/// The method that returns the [`openrpc`] document.
const DISCOVER: &str = "rpc.discover";

/// The codes that the specification reserves (section 5.1), with their messages.
const PARSE_ERROR: (i32, &str) = (-32700, "Parse error");
const INVALID_REQUEST: (i32, &str) = (-32600, "Invalid Request");
const METHOD_NOT_FOUND: (i32, &str) = (-32601, "Method not found");
const INVALID_PARAMS: i32 = -32602;

/// The style of JSON-RPC 2.0.
pub struct JsonRpc {
    document: OnceLock<Box<RawValue>>,
    settings: Settings,
}

impl JsonRpc {
    /// The style's specification.
    pub const SPEC: GatewaySpec = GatewaySpec {
        name: "jsonrpc",
        paths: &[PATH],
        methods: "POST",
        takes: media_type::JSON,
        calls: true,
        memory_mb: 256,
        timeout_ms: 29_000,
    };

    /// Creates the style for a service.
    ///
    /// # Errors
    /// Never: every contract fits JSON-RPC.
    pub fn new(contract: &Contract) -> Result<Self, Cause> {
        Self::with(contract, Settings::default())
    }

    /// Creates the style for a stage: without public documents, there is no method for them.
    ///
    /// # Errors
    /// As [`JsonRpc::new`].
    pub fn with(_: &Contract, settings: Settings) -> Result<Self, Cause> {
        Ok(Self { document: OnceLock::new(), settings })
    }

    /// The document, which stays the same as long as the service's address does.
    fn document(&self, contract: &Contract, url: &str) -> Box<RawValue> {
        let make = || to_raw_value(&openrpc(contract, url)).unwrap_or_else(|_| RawValue::NULL.to_owned());
        self.document.get_or_init(make).clone()
    }

    async fn respond(
        &self,
        contract: &Contract,
        body: Bytes,
        calls: &Calls<'_>,
    ) -> Result<Response<Bytes>, MessageError> {
        expect_json_by_post(calls.parts()).map_err(MessageError::Http)?;
        let request = BatchContext {
            contract,
            calls,
            deadline: CallsDeadline::from_now(),
            is_described: &AtomicBool::new(false),
        };
        Ok(match request::read(&body).map_err(MessageError::Message)? {
            Message::Single(entry) => {
                let answer = self.answer_to(request, entry).await;
                answer.map_or_else(empty, |answer| respond(200, media_type::JSON, answer))
            }
            Message::Batch(entries) => self.answer_to_all(request, entries).await,
        })
    }

    async fn answer_to_all(&self, request: BatchContext<'_>, entries: Vec<&RawValue>) -> Response<Bytes> {
        let pending = entries.into_iter().enumerate();
        let pending = pending.map(|(place, entry)| async move { (place, entry, self.answer_to(request, entry).await) });
        // Boxed: otherwise the compiler infers lifetime bounds here that do not hold.
        let pending: Vec<PendingCall<'_>> = pending.map(|pending| Box::pin(pending) as _).collect();
        let mut pending = stream::iter(pending).buffer_unordered(MAX_AT_ONCE);
        let (mut answers, mut heavy) = (Vec::new(), 0);
        while let Some((place, entry, answer)) = pending.next().await {
            let Some(mut answer) = answer else { continue };
            if heavy + weight(&answer) > MAX_WEIGHT {
                let refusal = Refusal::from(no_room());
                answer = failed(JsonRpcError::of(&refusal, request.calls.request_id()), Entry::read(entry).id());
            }
            heavy += weight(&answer);
            answers.push((place, answer));
        }
        if answers.is_empty() {
            return empty();
        }
        answers.sort_by_key(|(place, _)| *place);
        let answers: Vec<_> = answers.into_iter().map(|(_, answer)| answer).collect();
        respond(200, media_type::JSON, [b"[", answers.join(&b',').as_slice(), b"]"].concat())
    }

    /// The response to one entry; none to a notification.
    async fn answer_to(&self, request: BatchContext<'_>, entry: &RawValue) -> Option<Vec<u8>> {
        let entry = Entry::read(entry);
        let outcome = match &entry {
            Entry::Invalid { why, .. } => {
                Err(JsonRpcError::reserved(INVALID_REQUEST, Code::BadRequest, why, request.calls.request_id()))
            }
            Entry::Call { id: None, method, .. } if method == DISCOVER => return None,
            Entry::Call { method, params, .. } => self.call(request, method, *params).await,
        };
        if matches!(entry, Entry::Call { id: None, .. }) {
            return None;
        }
        Some(match outcome {
            Ok(result) => {
                written(&JsonRpcResponse { jsonrpc: "2.0", result: Some(&result), error: None, id: entry.id() })
            }
            Err(error) => failed(error, entry.id()),
        })
    }

    async fn call(
        &self,
        BatchContext { contract, calls, deadline, is_described }: BatchContext<'_>,
        method: &str,
        params: Option<&RawValue>,
    ) -> Result<Box<RawValue>, JsonRpcError> {
        let request_id = calls.request_id();
        if method == DISCOVER && self.settings.documents {
            if is_described.swap(true, Ordering::Relaxed) {
                let detail = "A batch is told once what there is, and this is not the first call that asks.";
                return Err(JsonRpcError::reserved(INVALID_REQUEST, Code::BadRequest, detail, request_id));
            }
            return Ok(self.document(contract, calls.site().url()));
        }
        let Some(procedure) = contract.find_in_styles(method) else {
            let detail = format!("There is no procedure {:?}.", shortened(method));
            return Err(JsonRpcError::reserved(METHOD_NOT_FOUND, Code::NotFound, &detail, request_id));
        };
        let input = params.map(|params| input(procedure, params)).transpose();
        let input = input.map_err(|refusal| JsonRpcError::of(&refusal, request_id))?.flatten();
        let running = calls.run(procedure, input.as_deref().map(str::as_bytes));
        let outcome = deadline.holds(running).await;
        let outcome = outcome.unwrap_or_else(|late| Err(late.into()));
        let output = outcome.map_err(|refusal| JsonRpcError::of(&refusal, request_id))?;
        Ok(output.unwrap_or_else(|| RawValue::NULL.to_owned()))
    }
}

impl Style for JsonRpc {
    fn spec(&self) -> &'static GatewaySpec {
        &Self::SPEC
    }

    fn refuse(&self, calls: &Calls<'_>, refusal: Refusal) -> Response<Bytes> {
        let error = failed(JsonRpcError::of(&refusal, calls.request_id()), RawValue::NULL);
        respond(refusal.code.http_status(), media_type::JSON, error)
    }

    fn answer<'a>(&'a self, contract: &'a Contract, body: Bytes, calls: Calls<'a>) -> BoxFuture<'a, Response<Bytes>> {
        Box::pin(async move {
            match self.respond(contract, body, &calls).await {
                Ok(response) => response,
                Err(MessageError::Message((reserved, code, detail))) => {
                    let error = JsonRpcError::reserved(reserved, code, &detail, calls.request_id());
                    respond(200, media_type::JSON, failed(error, RawValue::NULL))
                }
                Err(MessageError::Http(fault)) => {
                    let mut headers = HeaderMap::new();
                    explain(&fault, &mut headers);
                    let mut response = self.refuse(&calls, fault.into());
                    response.headers_mut().extend(headers);
                    response
                }
            }
        })
    }
}

/// A call in progress: its index, its entry, and the response, if it has one.
type PendingCall<'a> = BoxFuture<'a, (usize, &'a RawValue, Option<Vec<u8>>)>;

/// The service, the caller and the deadline of a request.
#[derive(Clone, Copy)]
struct BatchContext<'a> {
    contract: &'a Contract,
    calls: &'a Calls<'a>,
    deadline: CallsDeadline,
    /// Whether a response of this batch holds the document already, which is large.
    is_described: &'a AtomicBool,
}

fn expect_json_by_post(parts: &Parts) -> Result<(), Fault> {
    if parts.method != Method::POST {
        return Err(Fault::method_not_supported(parts.method.as_str(), JsonRpc::SPEC.methods));
    }
    if [media_type::JSON, media_type::JSON_RPC].iter().any(|known| media_type::is_utf8(&parts.headers, known)) {
        Ok(())
    } else {
        Err(Fault::new(Code::UnsupportedMediaType, "The content-type must be application/json in UTF-8."))
    }
}

/// Why a message is refused as a whole.
enum MessageError {
    /// HTTP has a status for it.
    Http(Fault),
    /// JSON-RPC has a code for it.
    Message(request::Unreadable),
}

/// The input of parameters. An empty array is no input.
///
/// # Errors
/// When there are more parameters than the input has fields.
fn input<'a>(procedure: &ProcedureContract, params: &'a RawValue) -> Result<Option<Cow<'a, str>>, Refusal> {
    let names = &procedure.input_fields;
    if params.get().starts_with('{') {
        // Only clients of tRPC may add a `direction`. Here it becomes null, which no such client sends, so that the
        // procedure refuses it together with all other faults.
        let infinite = trpc::is_infinite(names.iter().map(String::as_str));
        let values = if infinite { trpc::with_foreign_direction(params.get()) } else { params.get().into() };
        return Ok(Some(values));
    }
    let (values, count) = elements(params, names.len());
    if count == 0 {
        return Ok(None);
    }
    if count > names.len() {
        let message = match (&procedure.input, names.len()) {
            (Some(_), 0) => "This method takes its parameters by name.".to_owned(),
            (_, most) => format!("This method takes at most {most} parameters, and {count} were given."),
        };
        return Err(Refusal::new(Code::BadRequest, message));
    }
    // Field names are Rust names in camel case: they need no escapes.
    let fields: Vec<_> = names.iter().zip(values).map(|(name, value)| format!("\"{name}\":{value}")).collect();
    Ok(Some(Cow::Owned(format!("{{{}}}", fields.join(",")))))
}

#[derive(Serialize)]
struct JsonRpcResponse<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonRpcError>,
    id: &'a RawValue,
}

#[derive(Serialize)]
struct JsonRpcError {
    code: i32,
    message: String,
    data: ErrorData,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorData {
    code: Code,
    http_status: u16,
    /// The detail that a reserved message does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldFault>,
    request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u32>,
}

impl JsonRpcError {
    /// An error that the specification reserves.
    fn reserved((number, message): (i32, &str), code: Code, detail: &str, request_id: &str) -> Self {
        let refusal = Refusal::new(code, message);
        let mut error = Self::of(&refusal, request_id);
        error.code = number;
        error.data.detail = Some(detail.to_owned());
        error
    }

    fn of(refusal: &Refusal, request_id: &str) -> Self {
        let Refusal { code, message, failure, fields, request_id: own, retry_after_s } = refusal.clone();
        let request_id = own.unwrap_or_else(|| request_id.to_owned());
        let http_status = code.http_status();
        let data = ErrorData { code, http_status, detail: None, failure, fields, request_id, retry_after_s };
        Self { code: number(code), message, data }
    }
}

/// The number of a code: tRPC's, which is reserved by JSON-RPC or in the range for servers. tRPC's bad request is
/// "Invalid params" here, since the request could be read.
const fn number(code: Code) -> i32 {
    match code {
        Code::BadRequest => INVALID_PARAMS,
        code => code.number(),
    }
}

fn failed(error: JsonRpcError, id: &RawValue) -> Vec<u8> {
    written(&JsonRpcResponse { jsonrpc: "2.0", result: None, error: Some(error), id })
}

fn written(answer: &JsonRpcResponse<'_>) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_default()
}

#[cfg(test)]
mod tests;
