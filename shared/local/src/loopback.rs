//! A small HTTP server on a free port of 127.0.0.1, for stand-ins of cloud services. It answers programs only, and
//! never a page.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::admission;

/// How long [`Server::stop`] waits for requests in flight.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// A pause when the process has run out of file descriptors, so that accepting does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A handler of requests; each connection has a clone.
pub(crate) trait Handler: Clone + Send + Sync + 'static {
    /// The name of the server in the log.
    const NAME: &'static str;
    /// Answers one request of a program.
    fn handle(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// A running server. Dropping it stops it in the background.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    name: &'static str,
    /// Sent to or dropped: either way the server drains and ends.
    end: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start<A: Handler>(handler: A) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (end, end_requested) = oneshot::channel();
        let accepting = tokio::spawn(accept(listener, handler, end_requested));
        Ok(Self { address, name: A::NAME, end, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn stop(self) {
        drop(self.end);
        if let Err(error) = self.accepting.await {
            tracing::error!(%error, "{} ended by a panic", self.name);
        }
    }
}

async fn accept<A: Handler>(listener: TcpListener, handler: A, mut end_requested: oneshot::Receiver<()>) {
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            _ = &mut end_requested => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "{} could not accept a connection", A::NAME);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        serve(stream, handler.clone(), &connections);
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_LIMIT, connections.shutdown()).await.is_err() {
        tracing::warn!("requests to {} were still open after {} s", A::NAME, DRAIN_LIMIT.as_secs());
    }
}

fn serve<A: Handler>(stream: TcpStream, handler: A, connections: &GracefulShutdown) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let service = service_fn(move |request| {
        let handler = handler.clone();
        async move {
            let (parts, body) = request.into_parts();
            Ok::<_, Infallible>(match admission::admit_program(&parts) {
                Ok(()) => handler.handle(Request::from_parts(parts, body)).await,
                Err(refusal) => refusal.response(),
            })
        }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // A client that disconnects early is no error.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to {} broke", A::NAME);
        }
    });
}

/// `AWS4-HMAC-SHA256 Credential=<ACCESS_KEY_ID>/20260101/us-east-1/dynamodb/aws4_request, …`
/// (Signature Version 4, "Authorization header").
pub(crate) fn access_key_id(authorization: &str) -> Option<&str> {
    let parameters = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
    let credential = parameters.split(',').find_map(|part| part.trim().strip_prefix("Credential="))?;
    let (id, _scope) = credential.split_once('/')?;
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::access_key_id;

    #[test]
    fn the_access_key_id_is_read_from_the_header_and_from_nothing_else() {
        let header = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/dynamodb/aws4_request, \
                      SignedHeaders=host;x-amz-date, Signature=00";
        assert_eq!(access_key_id(header), Some("AKID"));
        assert_eq!(access_key_id("AWS4-HMAC-SHA256 SignedHeaders=host, Credential=AKID/x"), Some("AKID"));
        assert_eq!(access_key_id("Bearer AKID"), None);
        assert_eq!(access_key_id("AWS4-HMAC-SHA256 Credential=AKID"), None);
    }
}
