//! The guard's HTTP server: decides on each request, then hands it to the engine unchanged.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;

use super::guard::{Denial, Guard, Refusal};
use crate::loopback::{Answer, Server};

/// DynamoDB's own limit on a request.
const BODY_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// Requests that are with the engine at one time. It serves one after the other anyway; the bound
/// keeps a burst of a thousand calls from opening a thousand connections more.
const ENGINE_CONNECTIONS: usize = 32;

const TARGET_PREFIX: &str = "DynamoDB_20120810.";
const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");

/// Lets requests in to the engine at this address.
pub(super) async fn start(guard: Arc<Guard>, engine: SocketAddr) -> io::Result<Server> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(ENGINE_CONNECTIONS).build(connector);
    let uri = format!("http://{engine}/").parse().map_err(io::Error::other)?;
    let gate = Gate { guard, engine: uri, client, turns: Semaphore::new(ENGINE_CONNECTIONS) };
    Server::start(Arc::new(gate)).await
}

struct Gate {
    guard: Arc<Guard>,
    engine: Uri,
    client: Client<HttpConnector, Full<Bytes>>,
    turns: Semaphore,
}

impl Answer for Arc<Gate> {
    const WHAT: &'static str = "the database's guard";

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, BODY_LIMIT_BYTES).collect().await else {
            let message = "The request is larger than 16 MB or was cut off.";
            return error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message);
        };
        let body = body.to_bytes();
        let operation = text(&parts.headers, "x-amz-target").and_then(|target| target.strip_prefix(TARGET_PREFIX));
        let authorization = text(&parts.headers, header::AUTHORIZATION.as_str());
        // What has no DynamoDB target (streams, for one) is administrative by any name.
        if let Err(refusal) = self.guard.decide(authorization, operation.unwrap_or("UnknownOperation"), &body) {
            return refuse(&refusal);
        }
        for hop_by_hop in [header::CONNECTION, header::TRANSFER_ENCODING] {
            parts.headers.remove(hop_by_hop);
        }
        parts.uri = self.engine.clone();
        self.forward(Request::from_parts(parts, Full::new(body))).await
    }
}

impl Gate {
    async fn forward(&self, request: Request<Full<Bytes>>) -> Response<Full<Bytes>> {
        // The semaphore is never closed; if it were, going on without a turn would be harmless.
        let _turn = self.turns.acquire().await;
        let forwarded = async {
            let (parts, body) = self.client.request(request).await.map_err(io::Error::other)?.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            Ok::<_, io::Error>((parts, body))
        };
        match forwarded.await {
            Ok((mut parts, body)) => {
                for hop_by_hop in [header::CONNECTION, header::TRANSFER_ENCODING] {
                    parts.headers.remove(hop_by_hop);
                }
                Response::from_parts(parts, Full::new(body))
            }
            Err(cause) => {
                tracing::error!(error = %cause, "the database did not answer");
                error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "The database did not answer.")
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
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}
