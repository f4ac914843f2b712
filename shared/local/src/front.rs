//! The HTTP front: what API Gateway is in the cloud.

mod body;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    io,
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use gateways::{Gateway, Gateways};
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use protocol::{Code, Fault, trpc};
use runtime::{Entry, Site, cors::Cors, refuse, rest::Route, web::PeerAddress};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinError,
};

use body::{Held, Room};

use crate::{
    admission,
    backend::Backend,
    mail::{self, Mailbox},
};

/// Under which path the procedures are.
pub const BASE_PATH: &str = "/trpc/";
/// How long a client may take over a request's head, in seconds.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long calls that run may go on after Ctrl-C.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How many requests are answered at once; others wait, and are forgotten when their clients go away.
const MAX_AT_ONCE: u32 = 1_000;
/// How many connections are open at once; others wait for one of them to end. One that sends nothing, and is answered
/// nothing, ends after [`HEAD_TIMEOUT`].
const MAX_OPEN: usize = 1_024;
/// How much of what a connection sends is read ahead, in bytes: more than the longest head that is answered. With
/// [`MAX_OPEN`] it bounds what those hold together who send slowly.
const BUFFER_BYTES: usize = 128 * 1024;

const MALFORMED_ADDRESS: &str = "The address is not percent-encoded UTF-8.";

/// What the front needs.
pub struct Front {
    /// Runs calls.
    pub backend: Arc<Backend>,
    /// The procedures that tRPC calls.
    pub called: HashSet<&'static str>,
    /// What spans procedures.
    pub gateways: Gateways,
    /// Which pages may call.
    pub cors: Cors,
    /// Where the service is.
    pub site: Arc<Site>,
    /// The procedures that have a path of their own, and REST routes.
    pub routes: Routes,
    /// What `GET /` answers.
    pub index: Bytes,
    /// Where mails end up.
    pub mailbox: Mailbox,
}

/// Paths of procedures, with their methods. A path may hold names in braces, as the gateway has them
/// (`/oauth/callback/{provider}`): one segment each.
#[derive(Debug, Default)]
pub struct Routes(HashMap<&'static str, Path>);

#[derive(Debug, Default)]
struct Path {
    /// Methods, and whose they are.
    procedures: Vec<(&'static str, &'static str)>,
    /// The same methods, as `allow` has them.
    methods: Arc<str>,
    is_rest: bool,
}

/// What is at a path.
struct Found {
    procedure: &'static str,
    /// None where the procedure has a form of its own.
    route: Option<Route>,
}

impl Routes {
    /// Of those procedures that have a path of their own, or a REST route.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut paths: HashMap<_, Path> = HashMap::new();
        for entry in entries {
            for (is_rest, route) in [(false, entry.http()), (true, entry.rest())] {
                let Some((method, path)) = route else { continue };
                let path = paths.entry(path).or_default();
                path.is_rest = is_rest;
                path.procedures.push((method, entry.name));
            }
        }
        for path in paths.values_mut() {
            // The one for GET comes first: it answers for methods that nobody has.
            path.procedures.sort_by_key(|(method, _)| (*method != "GET", *method));
            let methods = path.procedures.iter().map(|(method, _)| if *method == "GET" { "GET, HEAD" } else { method });
            path.methods = methods.collect::<Vec<_>>().join(", ").into();
        }
        Self(paths)
    }

    /// The procedure at a path: the one with this method, else any, which then refuses it.
    fn find(&self, method: &Method, path: &str) -> Option<Found> {
        let by_name =
            || self.0.iter().filter(|(pattern, _)| pattern.contains('{')).find(|(known, _)| fits(known, path));
        let (pattern, there) = self.0.get_key_value(path).or_else(by_name)?;
        let method = if there.is_rest && method == Method::HEAD { &Method::GET } else { method };
        let own = there.procedures.iter().find(|(known, _)| method == known).or_else(|| there.procedures.first());
        let route = Route { parameters: parameters(pattern, path), methods: Some(Arc::clone(&there.methods)) };
        own.map(|(_, procedure)| Found { procedure, route: there.is_rest.then_some(route) })
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let same = |(known, given): (&str, &str)| known == given || (known.starts_with('{') && !given.is_empty());
    pattern.split('/').count() == path.split('/').count() && pattern.split('/').zip(path.split('/')).all(same)
}

/// What stands in a path in the place of names in braces. What cannot be decoded stays as it is, and is no id.
fn parameters(pattern: &str, path: &str) -> Vec<(String, String)> {
    let named = pattern.split('/').zip(path.split('/'));
    let named = named.filter_map(|(known, given)| Some((known.strip_prefix('{')?.strip_suffix('}')?, given)));
    let decoded = |text| trpc::percent_decode(text, false).map_or_else(|| text.to_owned(), Cow::into_owned);
    named.map(|(name, given)| (name.to_owned(), decoded(given))).collect()
}

/// Serves until `stop` resolves; then takes no more connections and lets running calls end.
pub async fn serve(listener: TcpListener, front: Arc<Front>, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).pipeline_flush(true).max_buf_size(BUFFER_BYTES);
    let mut stop = std::pin::pin!(stop);
    let places = Arc::new(Semaphore::new(MAX_AT_ONCE as usize));
    let (room, open) = (Room::new(), Arc::new(Semaphore::new(MAX_OPEN)));
    loop {
        let (stream, peer, place) = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &open) => match accepted {
                Ok(accepted) => accepted,
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
        let (places, room) = (Arc::clone(&places), room.clone());
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (front, places, room) = (Arc::clone(&front), Arc::clone(&places), room.clone());
            async move { serve_one(front, &places, &room, peer, request).await }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A client that goes away in the middle is no fault of ours.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let drained = async {
        graceful.shutdown().await;
        // Calls whose clients went away run as well.
        let _ = places.acquire_many(MAX_AT_ONCE).await;
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!("some calls did not end in time");
    }
}

/// The next connection, once there is a place for it. Until then it waits where the system keeps those that nobody has
/// accepted.
async fn accept(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
) -> io::Result<(TcpStream, IpAddr, Option<OwnedSemaphorePermit>)> {
    // It is never closed; if it were, a connection without a place would be harmless.
    let place = Arc::clone(open).acquire_owned().await.ok();
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer.ip(), place))
}

async fn serve_one(
    front: Arc<Front>,
    places: &Arc<Semaphore>,
    room: &Room,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, JoinError> {
    let (mut parts, body) = request.into_parts();
    let body = match admission::of_caller(&parts, &front.site, &front.cors) {
        Ok(()) => room.read(body).await,
        // Preflights are answered whatever else is wrong with a request; here it is the page that is.
        Err(foreign) if parts.method == Method::OPTIONS => return Ok(foreign.response()),
        Err(foreign) => {
            // A page that may not call may not read why either.
            parts.headers.remove(header::ORIGIN);
            Err(foreign.into())
        }
    };
    let response = to_its_end(places, async move { front.handle(peer, parts, body).await }).await?;
    Ok(response.map(Full::new))
}

/// Does what has begun to its end, whether or not anybody still waits for it: so it is in the cloud, where a function
/// does not learn that its caller went away. What a call has to undo is undone.
async fn to_its_end<T: Send + 'static>(
    places: &Arc<Semaphore>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    let place = Arc::clone(places).acquire_owned().await;
    let working = tokio::spawn(async move {
        let _place = place;
        work.await
    });
    working.await
}

/// Where a request goes.
enum Goal<'a> {
    /// To a procedure; by its REST route, or as a call of tRPC.
    Procedure(String, Option<Route>),
    /// To what spans procedures.
    Gateway(&'a Gateway),
    /// What there is.
    Index,
    /// The mails that were sent.
    Mailbox,
    /// Nowhere. It has a name all the same, when it was called as a procedure.
    Nowhere(Option<String>, Fault),
}

impl Front {
    async fn handle(&self, peer: IpAddr, parts: Parts, body: Result<Held, Fault>) -> Response<Bytes> {
        let request_id = request_id();
        let mut request = Request::from_parts(parts, Bytes::new());
        request.extensions_mut().insert(PeerAddress(peer.to_string()));
        let goal = self.goal(&request);
        if let Goal::Procedure(_, Some(route)) = &goal {
            request.extensions_mut().insert(route.clone());
        }
        match (body, goal) {
            (Err(fault), Goal::Gateway(gateway)) => gateway.refuse(&request_id, request, fault),
            (Err(fault), Goal::Procedure(name, _)) => self.refuse(&request_id, &request, Some(&name), fault),
            (Err(fault), _) => self.refuse(&request_id, &request, None, fault),
            (Ok(body), goal) => {
                *request.body_mut() = body.bytes.clone();
                self.answer(goal, &request_id, request).await
            }
        }
    }

    async fn answer(&self, goal: Goal<'_>, request_id: &str, request: Request<Bytes>) -> Response<Bytes> {
        match goal {
            Goal::Procedure(name, _) => self.backend.call(&name, request_id, (&self.cors, &self.site), request).await,
            Goal::Gateway(gateway) => gateway.answer(request_id, request).await,
            Goal::Index => index(self.index.clone()),
            Goal::Mailbox => match mail::page::answer(&self.mailbox, &request) {
                Ok(response) => response,
                Err(fault) => self.refuse(request_id, &request, None, fault),
            },
            Goal::Nowhere(name, fault) => self.refuse(request_id, &request, name.as_deref(), fault),
        }
    }

    /// Where a request goes.
    fn goal(&self, request: &Request<Bytes>) -> Goal<'_> {
        let path = request.uri().path();
        if path == "/" && request.method() == Method::GET {
            return Goal::Index;
        }
        if path == mail::page::PATH {
            return Goal::Mailbox;
        }
        if let Some(Found { procedure, route }) = self.routes.find(request.method(), path) {
            return Goal::Procedure(procedure.into(), route);
        }
        let called = path.strip_prefix(BASE_PATH).map(|name| trpc::percent_decode(name, false));
        match called {
            Some(Some(name)) if self.called.contains(&*name) => Goal::Procedure(name.into_owned(), None),
            Some(None) => Goal::Nowhere(None, Fault::bad_request(MALFORMED_ADDRESS)),
            called => match (self.gateways.find(path), called.flatten()) {
                (Some(gateway), _) => Goal::Gateway(gateway),
                (None, Some(name)) => {
                    let fault = Fault::new(Code::NotFound, format!("There is no procedure {name:?}."));
                    Goal::Nowhere(Some(name.into_owned()), fault)
                }
                (None, None) => {
                    Goal::Nowhere(None, Fault::new(Code::NotFound, "There is nothing here; GET / says what there is."))
                }
            },
        }
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

fn index(text: Bytes) -> Response<Bytes> {
    let mut response = Response::new(text);
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_has_begun_ends_when_nobody_waits_for_it() {
        let places = Arc::new(Semaphore::new(1));
        let (go_on, told) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let work = async move {
            let _ = told.await;
            end.send(()).unwrap();
        };
        let waiting = to_its_end(&places, work);
        // One poll begins it; then the client is gone.
        assert!(tokio::time::timeout(Duration::ZERO, waiting).await.is_err());
        assert!(places.try_acquire().is_err(), "it runs, and has its place");
        go_on.send(()).unwrap();
        ended.await.unwrap();
        let _ = places.acquire().await.unwrap();
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

    #[test]
    fn a_name_in_braces_stands_for_one_segment() {
        let there = |procedure, is_rest| Path { procedures: vec![("GET", procedure)], is_rest, ..Path::default() };
        let routes = Routes(HashMap::from([
            ("/oauth/callback/{provider}", there("oauth.callback", false)),
            ("/oauth/start", there("oauth.start", false)),
            ("/v1/users/{id}", there("users.get", true)),
            ("/v1/users/me", there("users.me", true)),
        ]));
        let found = |path| routes.find(&Method::GET, path).map(|found| found.procedure);
        assert_eq!(found("/oauth/start"), Some("oauth.start"));
        assert_eq!(found("/oauth/callback/acme"), Some("oauth.callback"));
        assert_eq!(found("/v1/users/me"), Some("users.me"));
        for other in
            ["/oauth/callback", "/oauth/callback/", "/oauth/callback/acme/x", "/oauth/start/x", "/x/callback/acme"]
        {
            assert_eq!(found(other), None, "{other}");
        }
        let route = routes.find(&Method::HEAD, "/v1/users/a%2Fb").unwrap().route.unwrap();
        assert_eq!(route.parameters, [("id".to_owned(), "a/b".to_owned())]);
    }
}
