//! The HTTP side of the Runtime API for one instance.
//!
//! It translates requests into reports and verdicts into statuses; the instance's own task decides what is allowed
//! when.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use protocol::media_type;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::PAYLOAD_LIMIT_BYTES;
use crate::admission;

const PREFIX: &str = "/2018-06-01/runtime/";
/// How much of an oversized body is read and dropped, so that the function gets its 413 instead of a broken connection.
const DISCARD_LIMIT_BYTES: usize = 64 * 1024 * 1024;
/// A pause when the process has run out of file descriptors, so that accepting does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A request of the function's runtime.
#[derive(Debug)]
pub(super) enum Report {
    /// `GET /runtime/invocation/next`
    Next(oneshot::Sender<Result<Invocation, Verdict>>),
    /// `POST /runtime/invocation/{id}/response` or `…/error`
    Answer { request_id: String, answer: Answer, verdict: oneshot::Sender<Verdict> },
    /// `POST /runtime/init/error`
    InitError { failure: Failure, verdict: oneshot::Sender<Verdict> },
}

#[derive(Debug)]
pub(super) enum Answer {
    Response(Bytes),
    TooLarge,
    Error(Failure),
}

/// An error that a runtime posts: `{"errorMessage": …, "errorType": …, "stackTrace": […]}`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Failure {
    pub(super) error_message: String,
    pub(super) error_type: String,
}

/// One call in the form that the function gets.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) headers: HeaderMap,
    pub(super) event: Bytes,
}

/// The instance's answer to a report. The statuses and types are those of AWS's own implementation
/// (aws/aws-lambda-runtime-interface-emulator: `internal/lambda/rapi`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Status 202.
    Accepted,
    /// 400: no call of this id is with this instance.
    UnknownRequestId,
    /// 403: not allowed in this state, for example a second response.
    NotNow,
    /// Status 413.
    TooLarge,
}

/// Serves one instance until this future is dropped; its connections end with it.
pub(super) async fn serve(listener: TcpListener, reports: mpsc::Sender<Report>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(converse(stream, reports.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "the Runtime API could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, reports: mpsc::Sender<Report>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let reports = Arc::new(reports);
    let service = service_fn(move |request| {
        let reports = Arc::clone(&reports);
        async move { Ok::<_, Infallible>(answer(request, &reports).await) }
    });
    // A function that dies breaks its connection; the instance notices the exit itself.
    if let Err(error) = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
    {
        tracing::debug!(%error, "a connection to the Runtime API broke");
    }
}

async fn answer(request: Request<Incoming>, reports: &mpsc::Sender<Report>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    if let Err(refusal) = admission::admit_program(&parts) {
        return refusal.response();
    }
    let path: Vec<&str> = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default().split('/').collect();
    match (&parts.method, path.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(reports).await,
        (&Method::POST, ["invocation", request_id, kind @ ("response" | "error")]) => {
            let answer = match collect(body).await {
                Ok(Some(body)) if *kind == "error" => Answer::Error(failure(&parts.headers, &body)),
                Ok(Some(body)) => Answer::Response(body),
                Ok(None) => Answer::TooLarge,
                Err(error) => return cut_off(&error),
            };
            let request_id = (*request_id).to_owned();
            report(reports, |verdict| Report::Answer { request_id, answer, verdict }).await
        }
        (&Method::POST, ["init", "error"]) => {
            let failure = match collect(body).await {
                Ok(body) => failure(&parts.headers, &body.unwrap_or_default()),
                Err(error) => return cut_off(&error),
            };
            report(reports, |verdict| Report::InitError { failure, verdict }).await
        }
        _ => respond(StatusCode::NOT_FOUND, "{}"),
    }
}

async fn next(reports: &mpsc::Sender<Report>) -> Response<Full<Bytes>> {
    let (invocation, handed_out) = oneshot::channel();
    if reports.send(Report::Next(invocation)).await.is_err() {
        return shutting_down();
    }
    match handed_out.await {
        Ok(Ok(invocation)) => {
            let mut response = Response::new(Full::new(invocation.event));
            *response.headers_mut() = invocation.headers;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::JSON));
            response
        }
        Ok(Err(verdict)) => judge(verdict),
        Err(_) => shutting_down(),
    }
}

async fn report(
    reports: &mpsc::Sender<Report>,
    make: impl FnOnce(oneshot::Sender<Verdict>) -> Report,
) -> Response<Full<Bytes>> {
    let (verdict, decided) = oneshot::channel();
    if reports.send(make(verdict)).await.is_err() {
        return shutting_down();
    }
    decided.await.map_or_else(|_| shutting_down(), judge)
}

/// The whole body; `None` when it is over the limit.
async fn collect(mut body: impl Body<Data = Bytes, Error = hyper::Error> + Unpin) -> io::Result<Option<Bytes>> {
    let mut collected =
        Vec::with_capacity(usize::try_from(body.size_hint().lower()).unwrap_or(0).min(PAYLOAD_LIMIT_BYTES));
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else {
            continue;
        };
        length += data.len();
        if length <= PAYLOAD_LIMIT_BYTES {
            collected.extend_from_slice(&data);
        } else if length > DISCARD_LIMIT_BYTES {
            break;
        }
    }
    Ok((length <= PAYLOAD_LIMIT_BYTES).then(|| collected.into()))
}

/// The posted error. The header has the type when the body does not.
fn failure(headers: &HeaderMap, body: &[u8]) -> Failure {
    let mut failure: Failure = serde_json::from_slice(body).unwrap_or_else(|_| Failure {
        error_message: String::from_utf8_lossy(body).into_owned(),
        error_type: String::new(),
    });
    if failure.error_type.is_empty() {
        let header = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
        failure.error_type = header.unwrap_or("Unknown").to_owned();
    }
    failure
}

fn judge(verdict: Verdict) -> Response<Full<Bytes>> {
    match verdict {
        Verdict::Accepted => respond(StatusCode::ACCEPTED, r#"{"status":"OK"}"#),
        Verdict::UnknownRequestId => {
            respond(StatusCode::BAD_REQUEST, r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#)
        }
        Verdict::NotNow => respond(
            StatusCode::FORBIDDEN,
            r#"{"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}"#,
        ),
        Verdict::TooLarge => respond(
            StatusCode::PAYLOAD_TOO_LARGE,
            r#"{"errorMessage":"Exceeded maximum allowed payload size (6291456 bytes).","errorType":"RequestEntityTooLarge"}"#,
        ),
    }
}

fn cut_off(error: &io::Error) -> Response<Full<Bytes>> {
    tracing::debug!(%error, "a function's answer was cut off");
    respond(StatusCode::BAD_REQUEST, r#"{"errorMessage":"The body was cut off","errorType":"InvalidRequest"}"#)
}

/// The response of an instance that is ending; the documented meaning of 500 is that the runtime should exit promptly.
fn shutting_down() -> Response<Full<Bytes>> {
    respond(StatusCode::INTERNAL_SERVER_ERROR, r#"{"errorMessage":"The instance ends","errorType":"Shutdown"}"#)
}

fn respond(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::JSON));
    response
}
