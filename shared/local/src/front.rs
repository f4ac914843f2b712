//! The HTTP front: what API Gateway is in the cloud.

use std::{collections::HashMap, convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use protocol::{Code, Fault, trpc};
use runtime::{Entry, Site, cors::Cors, refuse, web::PeerAddress};
use tokio::net::TcpListener;

use crate::{
    backend::Backend,
    mail::{self, Mailbox},
};

/// Under which path the procedures are.
pub const BASE_PATH: &str = "/trpc/";
/// How long a client may take over a request's head, in seconds.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take over a request's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a body that is too large is read and dropped before the answer is sent, in bytes. A
/// client that is still sending would see a broken connection instead of the answer.
const DRAIN_BYTES: usize = 128 * 1024 * 1024;
/// How long calls that run may go on after Ctrl-C.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// What the front needs.
pub struct Front {
    /// Runs calls.
    pub backend: Backend,
    /// Which pages may call.
    pub cors: Cors,
    /// Where the service is.
    pub site: Arc<Site>,
    /// The procedures that have a path of their own.
    pub routes: Routes,
    /// What `GET /` answers.
    pub index: Bytes,
    /// Where mails end up.
    pub mailbox: Mailbox,
}

/// Paths of procedures, with their methods. A path may hold names in braces, as the gateway has them
/// (`/oauth/callback/{provider}`): one segment each.
#[derive(Debug, Default)]
pub struct Routes(HashMap<&'static str, Vec<(&'static str, &'static str)>>);

impl Routes {
    /// Of those procedures that have a path of their own.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut routes: HashMap<_, Vec<_>> = HashMap::new();
        for entry in entries {
            if let Some((method, path)) = entry.http() {
                routes.entry(path).or_default().push((method, entry.name));
            }
        }
        Self(routes)
    }

    /// Whether a procedure has a path of its own, and so is nowhere else.
    fn has(&self, name: &str) -> bool {
        self.0.values().flatten().any(|(_, known)| *known == name)
    }

    /// The procedure at a path: the one with this method, else any, which then refuses it.
    fn find(&self, method: &Method, path: &str) -> Option<&'static str> {
        let there = self.0.get(path).or_else(|| {
            let mut patterns = self.0.iter().filter(|(pattern, _)| pattern.contains('{'));
            patterns.find(|(pattern, _)| fits(pattern, path)).map(|(_, there)| there)
        })?;
        there.iter().find(|(known, _)| method == known).or_else(|| there.first()).map(|(_, name)| *name)
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let same = |(known, given): (&str, &str)| known == given || (known.starts_with('{') && !given.is_empty());
    pattern.split('/').count() == path.split('/').count() && pattern.split('/').zip(path.split('/')).all(same)
}

/// Serves until `stop` resolves; then takes no more connections and lets running calls end.
pub async fn serve(listener: TcpListener, front: Arc<Front>, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).pipeline_flush(true);
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => (stream, peer.ip()),
                Err(error) => {
                    // Out of file handles, most likely: let some calls end first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        // Answers are small and whole; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let front = Arc::clone(&front);
        let service = hyper::service::service_fn(move |request| {
            let front = Arc::clone(&front);
            async move { Ok::<_, Infallible>(front.handle(peer, request).await.map(Full::new)) }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A client that goes away in the middle is no fault of ours.
            let _ = connection.await;
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some calls did not end in time");
    }
}

impl Front {
    async fn handle(&self, peer: IpAddr, request: Request<Incoming>) -> Response<Bytes> {
        let request_id = request_id();
        let (parts, body) = request.into_parts();
        let body = read_body(body).await;
        let mut request = Request::from_parts(parts, Bytes::new());
        request.extensions_mut().insert(PeerAddress(peer.to_string()));
        match body {
            Ok(body) => *request.body_mut() = body,
            Err(fault) => return self.refuse(&request_id, &request, None, fault),
        }
        if request.uri().path() == "/" && request.method() == Method::GET {
            return index(self.index.clone());
        }
        if request.uri().path() == mail::page::PATH {
            return match mail::page::answer(&self.mailbox, &request) {
                Ok(response) => response,
                Err(fault) => self.refuse(&request_id, &request, None, fault),
            };
        }
        if let Some(name) = self.routes.find(request.method(), request.uri().path()) {
            return self.backend.call(name, &request_id, (&self.cors, &self.site), request).await;
        }
        let path = request.uri().path().strip_prefix(BASE_PATH);
        let name = match path.map(|path| trpc::percent_decode(path, false)) {
            Some(Some(name)) => name.into_owned(),
            Some(None) => {
                let fault = Fault::bad_request("The address is not percent-encoded UTF-8.");
                return self.refuse(&request_id, &request, None, fault);
            }
            None => {
                let fault = Fault::new(Code::NotFound, "There is nothing here; GET / says what there is.");
                return self.refuse(&request_id, &request, None, fault);
            }
        };
        if !self.backend.knows(&name) || self.routes.has(&name) {
            let message = if name.contains(',') {
                "Batches are not answered here: use httpLink.".to_owned()
            } else {
                format!("There is no procedure {name:?}.")
            };
            return self.refuse(&request_id, &request, Some(&name), Fault::new(Code::NotFound, message));
        }
        self.backend.call(&name, &request_id, (&self.cors, &self.site), request).await
    }

    fn refuse(&self, request_id: &str, request: &Request<Bytes>, path: Option<&str>, fault: Fault) -> Response<Bytes> {
        let response = refuse(&self.cors, &self.site, request_id, request, path, &fault);
        tracing::info!(status = response.status().as_u16(), code = fault.code.key(), request_id, "refused");
        response
    }
}

/// Names a call. Callers do not choose it: it is what the log is searched by.
fn request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

async fn read_body(mut body: Incoming) -> Result<Bytes, Fault> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let reading = async {
        let mut whole = Vec::new();
        let mut seen_bytes = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Fault::bad_request("The body broke off.").because(error))?;
            let Some(data) = frame.data_ref() else { continue };
            seen_bytes += data.len();
            if seen_bytes <= trpc::MAX_INPUT_BYTES {
                whole.extend_from_slice(data);
            } else if seen_bytes > DRAIN_BYTES {
                break;
            }
        }
        if seen_bytes > trpc::MAX_INPUT_BYTES { Err(trpc::too_large()) } else { Ok(Bytes::from(whole)) }
    };
    let late = |_| Fault::new(Code::Timeout, "The body did not arrive in time.");
    tokio::time::timeout(BODY_TIMEOUT, reading).await.map_err(late)?
}

fn index(text: Bytes) -> Response<Bytes> {
    let mut response = Response::new(text);
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_braces_stands_for_one_segment() {
        let routes = Routes(HashMap::from([
            ("/oauth/callback/{provider}", vec![("GET", "oauth.callback")]),
            ("/oauth/start", vec![("GET", "oauth.start")]),
        ]));
        let found = |path| routes.find(&Method::GET, path);
        assert_eq!(found("/oauth/start"), Some("oauth.start"));
        assert_eq!(found("/oauth/callback/acme"), Some("oauth.callback"));
        for other in
            ["/oauth/callback", "/oauth/callback/", "/oauth/callback/acme/x", "/oauth/start/x", "/x/callback/acme"]
        {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
