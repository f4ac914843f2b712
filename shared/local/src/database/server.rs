//! The guard's HTTP server: it decides on each request, then passes it to the engine.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use dynoxide::Database;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;

use super::guard::{Denial, Guard, Refusal};
use super::operations;
use crate::loopback::{Handler, Server};

/// DynamoDB's own limit on a request.
const BODY_LIMIT_BYTES: usize = 16 * 1024 * 1024;

const TARGET_PREFIX: &str = "DynamoDB_20120810.";
const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");

/// Starts the server on the current runtime's threads.
pub(super) async fn start(guard: Arc<Guard>, database: Database) -> io::Result<Server> {
    Server::start(Arc::new(Gate { guard, database })).await
}

struct Gate {
    guard: Arc<Guard>,
    database: Database,
}

impl Handler for Arc<Gate> {
    const NAME: &'static str = "the database's guard";

    async fn handle(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, BODY_LIMIT_BYTES).collect().await else {
            let message = "The request is larger than 16 MB or was cut off.";
            return error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message);
        };
        let body = body.to_bytes();
        let operation = text(&parts.headers, "x-amz-target").and_then(|target| target.strip_prefix(TARGET_PREFIX));
        let authorization = text(&parts.headers, header::AUTHORIZATION.as_str());
        // A request without a DynamoDB target (streams, for one) is administrative by any name.
        let operation = operation.unwrap_or("UnknownOperation");
        match self.guard.decide(authorization, operation, &body) {
            Err(refusal) => refuse(&refusal),
            Ok(()) => {
                let (status, answer) = operations::answer(&self.database, operation, &body);
                respond(status, answer.into())
            }
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn refuse(refusal: &Refusal) -> Response<Full<Bytes>> {
    let bad_request = StatusCode::BAD_REQUEST;
    match refusal {
        Refusal::UnknownPrincipal => {
            error(bad_request, "UnrecognizedClientException", "The security token included in the request is invalid.")
        }
        Refusal::Malformed => error(bad_request, "SerializationException", "The request body could not be read."),
        Refusal::Denied(denial) => {
            log(denial);
            error(bad_request, "AccessDeniedException", &denial.to_string())
        }
    }
}

fn log(denial: &Denial) {
    tracing::error!(
        procedure = denial.principal,
        action = denial.action,
        key = denial.key,
        "{} touched what it does not name: {}; {}",
        denial.principal,
        denial.because,
        denial.remedy,
    );
}

/// DynamoDB's error shape. Its services disagree on the case of `message`; AWS denies with `Message`.
fn error(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    let message_field = if kind == "AccessDeniedException" { "Message" } else { "message" };
    let body = serde_json::json!({ "__type": format!("com.amazon.coral.service#{kind}"), message_field: message });
    respond(status, body.to_string().into())
}

fn respond(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}
