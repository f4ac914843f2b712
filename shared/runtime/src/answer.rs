//! How a request travels: input, who is calling, may they, run, envelope, log line.
//!
//! The local service, the real functions and the gateways all come through [`answer`]. It cannot
//! fail: whatever goes wrong becomes a typed error with a request id.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use protocol::{Auth, Clock, Code, Fault, trpc};
use store::{Scope, Session, Store};

use crate::{Authenticator, BoxFuture, Call, Entry, authenticate::authorize, cors::Cors};

/// What calls share in one process.
pub struct Context {
    /// Knows callers.
    pub authenticator: Arc<Authenticator>,
    /// The database, for services that have one.
    pub store: Option<Store>,
    /// The time.
    pub clock: Clock,
    /// Which pages may call.
    pub cors: Cors,
}

/// The header that carries a call's id both ways into the logs.
pub const REQUEST_ID: &str = "x-request-id";

/// Answers one request to one procedure.
pub fn answer<'a>(
    entry: &'a Entry,
    context: &'a Context,
    request_id: &'a str,
    request: Request<Bytes>,
) -> BoxFuture<'a, Response<Bytes>> {
    Box::pin(async move {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut response = match *request.method() {
            Method::OPTIONS => context.cors.preflight(request.headers()),
            Method::HEAD => empty(StatusCode::NO_CONTENT),
            _ => run_logged(entry, context, request_id, request).await,
        };
        context.cors.allow(origin.as_ref(), response.headers_mut());
        response
    })
}

/// Answers a request that reaches no procedure, in the same form.
pub fn refuse(
    cors: &Cors,
    request_id: &str,
    request: &Request<Bytes>,
    path: Option<&str>,
    fault: &Fault,
) -> Response<Bytes> {
    let mut response = match *request.method() {
        Method::OPTIONS => cors.preflight(request.headers()),
        _ => fault_response(fault, path, request_id),
    };
    cors.allow(request.headers().get(header::ORIGIN), response.headers_mut());
    response
}

async fn run_logged(entry: &Entry, context: &Context, request_id: &str, request: Request<Bytes>) -> Response<Bytes> {
    let started = std::time::Instant::now();
    let mut session = None;
    let outcome = run(entry, context, request, &mut session).await;
    let (response, fault) = match outcome {
        Ok(output) => (json(StatusCode::OK, trpc::result_envelope(output.as_deref()), request_id), None),
        Err(fault) => (fault_response(&fault, Some(entry.name), request_id), Some(fault)),
    };
    let meter = session.as_ref().map(Session::meter);
    crate::telemetry::call(&crate::telemetry::CallLine {
        procedure: entry.name,
        status: response.status().as_u16(),
        duration: started.elapsed(),
        read_units: meter.map_or(0.0, store::Meter::read_units),
        write_units: meter.map_or(0.0, store::Meter::write_units),
        request_id,
        fault: fault.as_ref(),
    });
    response
}

async fn run(
    entry: &Entry,
    context: &Context,
    request: Request<Bytes>,
    session: &mut Option<Session>,
) -> Result<Option<Vec<u8>>, Fault> {
    let (parts, body) = request.into_parts();
    let (kind, over) = (entry.spec.kind, entry.service.method_override);
    let input = trpc::take_input(kind, over, &parts.method, parts.uri.query(), &parts.headers, body)?;
    // A public procedure looks at credentials only if it asks who is calling.
    let (principal, credentials) = if entry.spec.auth == Auth::Public {
        (None, Some((Arc::clone(&context.authenticator), parts.headers)))
    } else {
        (context.authenticator.authenticate(&parts.headers, context.clock.now())?, None)
    };
    authorize(entry.spec.auth, entry.service, principal.as_deref())?;
    *session = context.store.as_ref().map(|store| {
        let scope = Scope {
            procedure: entry.name,
            caller: principal.as_ref().map(|principal| principal.subject.clone()),
            input: input.clone().unwrap_or_default(),
        };
        Session::new(store.clone(), scope, context.clock)
    });
    let call = Call::new(input, principal, credentials, session.clone(), context.clock);
    let limit = Duration::from_millis(entry.spec.timeout_ms.into());
    let running = AssertUnwindSafe(async { (entry.run)(call).await }).catch_unwind();
    match tokio::time::timeout(limit, running).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(Fault::internal(panic_message(&*panic))),
        Err(_) => {
            let message = format!("The procedure did not answer in {} ms.", entry.spec.timeout_ms);
            Err(Fault::new(Code::GatewayTimeout, message))
        }
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the procedure panicked: {}", text.unwrap_or("without a message"))
}

fn fault_response(fault: &Fault, path: Option<&str>, request_id: &str) -> Response<Bytes> {
    let status = StatusCode::from_u16(fault.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, trpc::error_envelope(fault, path, request_id), request_id);
    let headers = response.headers_mut();
    if let Some(allow) = fault.allow {
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    match fault.code {
        // RFC 6750 section 3.
        Code::Unauthorized => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Code::ServiceUnavailable => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
        _ => None,
    };
    response
}

fn json(status: StatusCode, body: Vec<u8>, request_id: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::VARY, HeaderValue::from_static("trpc-accept, accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
    response
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
