//! The guard's HTTP server: decides on each request, then hands it to the engine unchanged.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use super::guard::{Denial, Guard, Refusal};

/// DynamoDB's own limit on a request.
const BODY_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// Requests that are with the engine at one time. It serves one after the other anyway; the bound
/// keeps a burst of a thousand calls from opening a thousand connections more.
const ENGINE_CONNECTIONS: usize = 32;
/// How long [`Server::stop`] waits for requests in flight.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// A pause when the process has run out of file descriptors, so that accepting does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

const TARGET_PREFIX: &str = "DynamoDB_20120810.";
const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");

/// The running server. Dropping it ends it in the background.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    /// Sent to or dropped: either way the server drains and ends.
    end: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(guard: Arc<Guard>, engine: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(ENGINE_CONNECTIONS).build(connector);
        let uri = format!("http://{engine}/").parse().map_err(io::Error::other)?;
        let gate = Arc::new(Gate { guard, engine: uri, client, turns: Semaphore::new(ENGINE_CONNECTIONS) });
        let (end, end_requested) = oneshot::channel();
        let accepting = tokio::spawn(accept(listener, gate, end_requested));
        Ok(Self { address, end, accepting })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn stop(self) {
        drop(self.end);
        if let Err(error) = self.accepting.await {
            tracing::error!(%error, "the database's guard ended by a panic");
        }
    }
}

async fn accept(listener: TcpListener, gate: Arc<Gate>, mut end_requested: oneshot::Receiver<()>) {
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            _ = &mut end_requested => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the database's guard could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        serve(stream, Arc::clone(&gate), &connections);
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_LIMIT, connections.shutdown()).await.is_err() {
        tracing::warn!("requests to the database were still open after {} s", DRAIN_LIMIT.as_secs());
    }
}

fn serve(stream: TcpStream, gate: Arc<Gate>, connections: &GracefulShutdown) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let service = service_fn(move |request| {
        let gate = Arc::clone(&gate);
        async move { Ok::<_, Infallible>(gate.answer(request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // A client that goes away in the middle is its own business.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the database broke");
        }
    });
}

struct Gate {
    guard: Arc<Guard>,
    engine: Uri,
    client: Client<HttpConnector, Full<Bytes>>,
    turns: Semaphore,
}

impl Gate {
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
