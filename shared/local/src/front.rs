//! The HTTP front: API Gateway's part on this machine.

mod body;
mod connection;
mod routes;

use std::{collections::HashSet, io, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use gateways::{Gateway, Gateways};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header, request::Parts};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use protocol::{Code, Fault, media_type, trpc};
use runtime::{
    Addressee, Site,
    answer::expect_known,
    api_gateway,
    cors::Cors,
    refuse,
    rest::{Allowed, METHODS, Route, without_body},
    web::PeerAddress,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinError,
};

pub use routes::Routes;

use body::{BodyBudget, BudgetedBody};
use connection::{CheckedConnection, MessageState};
use routes::RouteMatch;

use crate::{
    admission,
    backend::Backend,
    graphiql,
    mail::{self, Mailbox},
};

/// How long a client may take over a request's head, in seconds.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long running calls may take after Ctrl-C.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How many requests run at once; others wait, and are dropped when their clients disconnect.
const MAX_CONCURRENT_REQUESTS: u32 = 1_000;
/// How many connections are open at once; others wait for one of them to close. An idle one is closed after
/// [`HEAD_TIMEOUT`].
const MAX_CONNECTIONS: usize = 1_024;
/// How much of a connection's input is buffered, in bytes: more than the longest request head that is accepted, with a
/// target of 65,534. With [`MAX_CONNECTIONS`] it bounds the memory that slow senders hold.
const BUFFER_BYTES: usize = 128 * 1024;

/// The target of an OPTIONS request for the service as a whole (RFC 9110 section 9.3.7).
const ALL: &str = "*";

/// The parts of the front.
pub struct Front {
    /// The backend that runs calls.
    pub backend: Arc<Backend>,
    /// The procedures that can be called by tRPC.
    pub trpc_procedures: HashSet<&'static str>,
    /// The gateways.
    pub gateways: Gateways,
    /// The CORS policy.
    pub cors: Cors,
    /// The addresses of the service.
    pub site: Arc<Site>,
    /// The procedures that have a path of their own, and REST routes.
    pub routes: Routes,
    /// The response body of `GET /`.
    pub index: Bytes,
    /// The mailbox of the local SES.
    pub mailbox: Mailbox,
}

/// Serves until `stop` resolves; then accepts no more connections and lets running calls end.
pub async fn serve(listener: TcpListener, front: Arc<Front>, stop: impl Future<Output = ()>) {
    // Each connection has a receiver: when all are dropped, all connections are closed.
    let (stopping, _) = watch::channel(());
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(BUFFER_BYTES);
    let mut stop = pin!(stop);
    let permits = Arc::new(Semaphore::new(MAX_CONCURRENT_REQUESTS as usize));
    let (budget, open) = (BodyBudget::new(), Arc::new(Semaphore::new(MAX_CONNECTIONS)));
    loop {
        let (stream, peer, permit) = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &open) => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Most likely the process is out of file handles: some calls must end first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        // Responses are small and written at once; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let front = Arc::clone(&front);
        let (permits, budget) = (Arc::clone(&permits), budget.clone());
        let (http, mut stopped) = (http.clone(), stopping.subscribe());
        tokio::spawn(async move {
            let messages = MessageState::default();
            let mut stream = CheckedConnection::new(stream, messages.clone());
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                messages.begin(!request.body().is_end_stream());
                let (front, permits, budget) = (Arc::clone(&front), Arc::clone(&permits), budget.clone());
                let messages = messages.clone();
                async move {
                    let response = serve_one(front, &permits, &budget, peer, request).await;
                    messages.end();
                    response
                }
            });
            let ended = {
                let mut connection = pin!(http.serve_connection(TokioIo::new(&mut stream), service));
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    _ = stopped.changed() => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                }
            };
            stream.close(ended).await;
            drop(permit);
        });
    }
    drop(listener);
    let drained = async {
        stopping.send_replace(());
        stopping.closed().await;
        // Calls whose clients disconnected run on as well.
        let _ = permits.acquire_many(MAX_CONCURRENT_REQUESTS).await;
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!("some calls did not end in time");
    }
}

/// Accepts the next connection once there is a permit. Until then it waits in the system's backlog.
async fn accept(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
) -> io::Result<(TcpStream, IpAddr, Option<OwnedSemaphorePermit>)> {
    // The semaphore is never closed; if it were, a connection without a permit would be harmless.
    let permit = Arc::clone(open).acquire_owned().await.ok();
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer.ip(), permit))
}

async fn serve_one(
    front: Arc<Front>,
    permits: &Arc<Semaphore>,
    budget: &BodyBudget,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, JoinError> {
    let (mut parts, body) = request.into_parts();
    let refused = match (check_message(&parts), admission::admit_caller(&parts, &front.site, &front.cors)) {
        (Err(fault), _) => Some(fault),
        // A preflight is answered whatever else is wrong with the request; here the page's origin is.
        (Ok(()), Err(refusal)) if Cors::is_preflight(&parts.method, &parts.headers) => return Ok(refusal.response()),
        (Ok(()), Err(refusal)) => Some(refusal.into()),
        (Ok(()), Ok(())) => None,
    };
    let has_body = !body.is_end_stream();
    let body = match refused {
        None => budget.read(body).await,
        Some(fault) => {
            // A page that may not call may not read the reason either.
            parts.headers.remove(header::ORIGIN);
            Err(fault)
        }
    };
    let is_unread = has_body && body.is_err();
    let mut response = run_to_completion(permits, async move { front.handle(peer, parts, body).await }).await?;
    if is_unread {
        // The rest of the request would be taken for the next one (RFC 9112 section 9.3).
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(Full::new))
}

/// Checks that a message can be processed, apart from its target.
fn check_message(parts: &Parts) -> Result<(), Fault> {
    let codings = parts.headers.get_all(header::TRANSFER_ENCODING).iter();
    let codings: Vec<_> = codings.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).collect();
    // RFC 9112 section 6.1.
    if !codings.iter().all(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked")) {
        return Err(Fault::new(Code::NotImplemented, "Of transfer codings, `chunked` is understood and no other."));
    }
    if codings.len() > 1 {
        return Err(Fault::bad_request("The transfer coding `chunked` is applied more than once."));
    }
    expect_known(&parts.method)?;
    // The authority form is for CONNECT only, and the asterisk form for OPTIONS (RFC 9112 sections 3.2.3 and 3.2.4).
    let is_of_all = parts.uri.path() == ALL && parts.method != Method::OPTIONS;
    if is_of_all || (parts.uri.scheme().is_none() && parts.uri.authority().is_some()) {
        return Err(Fault::bad_request("The target of a request begins with a slash."));
    }
    Ok(())
}

/// Runs a future to its end even if the client disconnects. So it is in the cloud, where a function does not learn of
/// it, and a call undoes its own changes if it has to.
async fn run_to_completion<T: Send + 'static>(
    permits: &Arc<Semaphore>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    let permit = Arc::clone(permits).acquire_owned().await;
    let working = tokio::spawn(async move {
        let _permit = permit;
        work.await
    });
    working.await
}

/// The target of a request.
enum RequestTarget<'a> {
    /// A procedure: by its REST route, by tRPC, or in an HTTP form of its own.
    Procedure(String, Option<Route>, Option<Allowed>),
    /// A gateway.
    Gateway(&'a Gateway),
    /// The index of the service.
    Index,
    /// The mailbox.
    Mailbox,
    /// GraphQL in a browser.
    GraphiQl,
    /// Nothing. It has the procedure's name if tRPC called one.
    NotFound(Option<String>, Fault),
}

impl Front {
    async fn handle(&self, peer: IpAddr, parts: Parts, body: Result<BudgetedBody, Fault>) -> Response<Bytes> {
        let request_id = request_id();
        let mut request = Request::from_parts(parts, Bytes::new());
        // Headers and address are normalised as in the events of the cloud.
        *request.headers_mut() = api_gateway::joined(request.headers());
        *request.uri_mut() = normalized(request.uri());
        request.extensions_mut().insert(PeerAddress(peer.to_string()));
        // Browsers request it beside every page.
        if request.uri().path() == "/favicon.ico" && self.routes.find(request.method(), "/favicon.ico").is_none() {
            *request.uri_mut() = Uri::from_static(gateways::docs::ICON_PATH);
        }
        let target = self.target(&request);
        if let RequestTarget::Procedure(_, route, methods) = &target {
            let extensions = request.extensions_mut();
            route.clone().map(|route| extensions.insert(route));
            methods.clone().map(|methods| extensions.insert(methods));
        }
        match (body, target) {
            (Err(fault), RequestTarget::Gateway(gateway)) => gateway.refuse(&request_id, request, fault),
            (Err(fault), RequestTarget::Procedure(name, ..)) => {
                let called = Addressee::Called(&name);
                let addressee = self.backend.entry(&name).map_or(called, Addressee::Procedure);
                self.refuse(&request_id, &request, addressee, fault)
            }
            (Err(fault), _) => self.refuse(&request_id, &request, Addressee::Nobody, fault),
            (Ok(body), target) => {
                *request.body_mut() = body.bytes.clone();
                self.answer(target, &request_id, request).await
            }
        }
    }

    async fn answer(&self, target: RequestTarget<'_>, request_id: &str, request: Request<Bytes>) -> Response<Bytes> {
        match target {
            RequestTarget::Procedure(name, ..) => {
                self.backend.call(&name, request_id, (&self.cors, &self.site), request).await
            }
            RequestTarget::Gateway(gateway) => gateway.answer(request_id, request).await,
            RequestTarget::Index => {
                let mut response = index(self.index.clone());
                if request.method() == Method::HEAD {
                    without_body(&mut response);
                }
                response
            }
            RequestTarget::Mailbox => match mail::page::answer(&self.mailbox, &request) {
                Ok(response) => response,
                Err(fault) => self.refuse(request_id, &request, Addressee::Nobody, fault),
            },
            RequestTarget::GraphiQl => graphiql::page(request.method()),
            RequestTarget::NotFound(name, fault) => {
                let addressee = name.as_deref().map_or(Addressee::Nobody, Addressee::Called);
                self.refuse(request_id, &request, addressee, fault)
            }
        }
    }

    /// Finds the target of a request.
    fn target(&self, request: &Request<Bytes>) -> RequestTarget<'_> {
        let path = request.uri().path();
        let not_supported = |allow| Fault::method_not_supported(request.method().as_str(), allow);
        match (path, request.method()) {
            ("/", &Method::GET | &Method::HEAD) => return RequestTarget::Index,
            ("/", _) => return RequestTarget::NotFound(None, not_supported("GET, HEAD")),
            (ALL, _) => return RequestTarget::NotFound(None, not_supported(METHODS)),
            _ => {}
        }
        if trpc::percent_decode(path, false).is_none() {
            return RequestTarget::NotFound(None, Fault::bad_request("The address is not percent-encoded UTF-8."));
        }
        if path == mail::page::PATH {
            return RequestTarget::Mailbox;
        }
        if graphiql::is_page_request(request) {
            return RequestTarget::GraphiQl;
        }
        if let Some(RouteMatch { procedure, route, methods }) = self.routes.find(request.method(), path) {
            return RequestTarget::Procedure(procedure.into(), route, Some(methods));
        }
        let called = path.strip_prefix(trpc::BASE_PATH).and_then(|name| trpc::percent_decode(name, false));
        match called {
            Some(name) if self.trpc_procedures.contains(&*name) => {
                RequestTarget::Procedure(name.into_owned(), None, None)
            }
            called => match (self.gateways.find(path), called) {
                (Some(gateway), _) => RequestTarget::Gateway(gateway),
                (None, Some(name)) => {
                    let fault = Fault::new(Code::NotFound, format!("There is no procedure {name:?}."));
                    RequestTarget::NotFound(Some(name.into_owned()), fault)
                }
                (None, None) => RequestTarget::NotFound(
                    None,
                    Fault::new(Code::NotFound, "There is nothing here; GET / says what there is."),
                ),
            },
        }
    }

    fn refuse(
        &self,
        request_id: &str,
        request: &Request<Bytes>,
        addressee: Addressee<'_>,
        fault: Fault,
    ) -> Response<Bytes> {
        let response = refuse(&self.cors, &self.site, request_id, request, addressee, &fault);
        tracing::info!(status = response.status().as_u16(), code = fault.code.key(), request_id, "refused");
        response
    }
}

/// The address with normalised path and query.
fn normalized(uri: &Uri) -> Uri {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query =
        parts.path_and_query.map(|address| api_gateway::normalized(address.as_str()).try_into().unwrap_or(address));
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

/// A new request id. Clients do not choose it, since the log is searched by it.
fn request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn index(text: Bytes) -> Response<Bytes> {
    let mut response = Response::new(text);
    *response.status_mut() = StatusCode::OK;
    for (name, value) in [
        (header::CONTENT_TYPE, media_type::JSON),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_has_begun_ends_when_nobody_waits_for_it() {
        let permits = Arc::new(Semaphore::new(1));
        let (go_on, resumed) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let work = async move {
            let _ = resumed.await;
            end.send(()).unwrap();
        };
        let waiting = run_to_completion(&permits, work);
        // One poll starts the request; then the client disconnects.
        assert!(tokio::time::timeout(Duration::ZERO, waiting).await.is_err());
        assert!(permits.try_acquire().is_err(), "it runs, and has its place");
        go_on.send(()).unwrap();
        ended.await.unwrap();
        let _ = permits.acquire().await.unwrap();
    }

    #[tokio::test]
    async fn so_many_connections_are_open_and_others_wait_for_one_to_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::new(Semaphore::new(2));
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let first = accept(&listener, &open).await.unwrap();
        let _second = accept(&listener, &open).await.unwrap();
        let third = tokio::time::timeout(Duration::from_millis(50), accept(&listener, &open)).await;
        assert!(third.is_err(), "there is no place");
        drop(first);
        let (third, ..) = accept(&listener, &open).await.unwrap();
        assert_eq!(third.peer_addr().unwrap(), clients[2].local_addr().unwrap(), "it was not forgotten");
    }
}
