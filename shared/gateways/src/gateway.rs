//! Runs API styles as gateways: what all styles have in common.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use runtime::{BoxFuture, Site, answer::expect_known, cors::Cors, rest::without_body, web::PeerAddress};

use crate::{
    Calls, Refusal, Transport,
    respond::{self, MAX_WEIGHT, weight},
};
use protocol::{
    Fault, PathPattern, Paths,
    contract::{Contract, GatewayContract},
    trpc::{self, MAX_INPUT_BYTES},
};

/// The specification of a gateway; most of it stands in the contract.
#[derive(Debug)]
pub struct GatewaySpec {
    /// The name, such as `graphql`; the function is `gateway-graphql`.
    pub name: &'static str,
    /// Its paths. `/docs/{proxy+}` is everything below `/docs/`.
    pub paths: &'static [&'static str],
    /// Its methods, for preflights and `allow`: `GET, POST`.
    pub methods: &'static str,
    /// The media types of the bodies that it reads; empty if it reads none.
    pub takes: &'static str,
    /// Whether it calls procedures; otherwise it serves documents only.
    pub calls: bool,
    /// The memory of its function, in MiB.
    pub memory_mb: u32,
    /// The timeout of one request, in milliseconds. The HTTP API in front gives up after 30 s.
    pub timeout_ms: u32,
}

impl GatewaySpec {
    /// Its part of the contract. `called` are the procedures that styles call.
    pub fn contract(&self, called: &[String]) -> GatewayContract {
        let Self { name, paths, methods, calls, memory_mb, timeout_ms, takes: _ } = *self;
        GatewayContract {
            name: name.to_owned(),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            methods: methods.split(", ").map(str::to_owned).collect(),
            calls,
            invokes: if calls { called.to_vec() } else { Vec::new() },
            memory_mb,
            timeout_ms,
        }
    }
}

/// The settings of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether the documents are public: documents, descriptions, and schemas.
    pub documents: bool,
}

impl Settings {
    /// Reads them from a function's environment.
    pub fn of(environment: &runtime::Environment) -> Self {
        Self { documents: environment.documents }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { documents: true }
    }
}

/// An API style that spans procedures. It parses its requests, and answers them in its own form, errors too.
pub trait Style: Send + Sync {
    /// The style's specification.
    fn spec(&self) -> &'static GatewaySpec;

    /// Answers, in the style's form, a request that is refused before it is read: it is too large, or was cut off.
    fn refuse(&self, calls: &Calls<'_>, refusal: Refusal) -> Response<Bytes>;

    /// Answers a request, other than a preflight. The body is at most [`MAX_INPUT_BYTES`] long.
    fn answer<'a>(&'a self, contract: &'a Contract, body: Bytes, calls: Calls<'a>) -> BoxFuture<'a, Response<Bytes>>;
}

/// A style with what it needs to run.
pub struct Gateway {
    /// The style.
    pub style: Box<dyn Style>,
    /// The contract of the service.
    pub contract: Arc<Contract>,
    /// How it calls procedures.
    pub transport: Arc<dyn Transport>,
    /// Which pages may call across origins.
    pub cors: Cors,
    /// The service's addresses.
    pub site: Arc<Site>,
}

impl Gateway {
    /// Answers a request in the style's own form, with the headers of the procedures' responses that concern the
    /// client.
    pub async fn answer(&self, request_id: &str, request: Request<Bytes>) -> Response<Bytes> {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let calls = Calls::new(&*self.transport, &self.site, &parts, request_id);
        let mut response = if Cors::is_preflight(&parts.method, &parts.headers) {
            self.options(&parts, None)
        } else {
            let mut response = match readable(&parts, &body) {
                Ok(()) => self.style.answer(&self.contract, body, calls.clone()).await,
                Err(fault) => self.refused(&calls, fault),
            };
            // The last resort: styles that combine responses leave single ones out before this applies.
            if weight(response.body()) > MAX_WEIGHT {
                response = self.style.refuse(&calls, respond::no_room().into());
            }
            response.headers_mut().extend(calls.carried());
            // A style refuses OPTIONS like any other method that it does not have; that response lists its methods.
            if parts.method == Method::OPTIONS && response.status() != StatusCode::NOT_FOUND {
                response = self.options(&parts, response.headers().get(header::ALLOW));
            }
            response
        };
        self.finish(&mut response, &parts, started, request_id);
        response
    }

    fn options(&self, parts: &Parts, allow: Option<&HeaderValue>) -> Response<Bytes> {
        let methods = self.style.spec().methods;
        let allow = allow.and_then(|allow| allow.to_str().ok()).unwrap_or(methods);
        Cors::options(&parts.headers, methods, Some(allow))
    }

    /// Answers a request whose body could not be read.
    pub fn refuse(&self, request_id: &str, request: Request<Bytes>, fault: Fault) -> Response<Bytes> {
        let started = Instant::now();
        let (parts, _) = request.into_parts();
        let calls = Calls::new(&*self.transport, &self.site, &parts, request_id);
        let mut response = self.refused(&calls, fault);
        self.finish(&mut response, &parts, started, request_id);
        response
    }

    fn refused(&self, calls: &Calls<'_>, fault: Fault) -> Response<Bytes> {
        let mut explained = http::HeaderMap::new();
        respond::explain(&fault, &mut explained);
        let mut response = self.style.refuse(calls, fault.into());
        response.headers_mut().extend(explained);
        if calls.parts().method == Method::HEAD {
            without_body(&mut response);
        }
        response
    }

    /// Adds the headers that every response has, and logs the request.
    fn finish(&self, response: &mut Response<Bytes>, parts: &Parts, started: Instant, request_id: &str) {
        let is_unsupported = response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let headers = response.headers_mut();
        // Procedures' responses are for this caller at this moment; documents state it when caches may keep them.
        let said = headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        let is_kept = said.as_bytes().starts_with(b"public");
        headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
        let takes = self.style.spec().takes;
        if is_unsupported && !headers.contains_key(header::ACCEPT_ENCODING) && !takes.is_empty() {
            headers.insert(header::ACCEPT, HeaderValue::from_static(takes));
        }
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(runtime::answer::REQUEST_ID, id);
        }
        self.cors.allow(&self.site, parts.headers.get(header::ORIGIN), is_kept, headers);
        let (gateway, status) = (self.style.spec().name, response.status().as_u16());
        let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let network = parts.extensions.get::<PeerAddress>().and_then(PeerAddress::in_log);
        tracing::info!(gateway, status, duration_us, request_id, network, "request");
    }
}

/// Refuses a request whose method or body cannot be read.
fn readable(parts: &Parts, body: &Bytes) -> Result<(), Fault> {
    expect_known(&parts.method)?;
    if body.len() > MAX_INPUT_BYTES {
        return Err(trpc::too_large());
    }
    let is_read = !matches!(parts.method, Method::GET | Method::HEAD) || !body.is_empty();
    if is_read { trpc::expect_uncoded(&parts.headers) } else { Ok(()) }
}

/// All gateways of a service in one process.
pub struct Gateways {
    all: Vec<Gateway>,
    /// By path: the index of the gateway.
    paths: Paths<usize>,
}

impl Gateways {
    /// Creates them.
    ///
    /// # Errors
    /// When a style cannot express the contract.
    pub fn new(
        contract: &Arc<Contract>,
        transport: &Arc<dyn Transport>,
        cors: &Cors,
        site: &Arc<Site>,
    ) -> Result<Self, protocol::Cause> {
        let at_work = |style| Gateway {
            style,
            contract: Arc::clone(contract),
            transport: Arc::clone(transport),
            cors: cors.clone(),
            site: Arc::clone(site),
        };
        let all: Vec<_> = crate::styles(contract, Settings::default())?.into_iter().map(at_work).collect();
        let mut paths = Paths::default();
        for (place, gateway) in all.iter().enumerate() {
            for path in gateway.style.spec().paths {
                paths.insert(PathPattern(path), place)?;
            }
        }
        Ok(Self { all, paths })
    }

    /// The gateway at a path.
    pub fn find(&self, path: &str) -> Option<&Gateway> {
        self.paths.at(path).and_then(|place| self.all.get(*place))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{SPECS, stub};

    /// The responses of each style at each of its paths to every kind of request for documents and descriptions.
    async fn responses(settings: Settings) -> Vec<(String, StatusCode, String)> {
        let contract = || Contract::parse(include_str!("../fixtures/library.json")).unwrap();
        let asked = [
            ("GET", "", ""),
            ("HEAD", "", ""),
            ("GET", "?wsdl", ""),
            ("GET", "?query=%7B__schema%7Btypes%7Bname%7D%7D%7D", ""),
            ("POST", "", r#"{"query": "{ __schema { types { name } } }"}"#),
            ("POST", "", r#"{"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}"#),
            ("POST", "", r#"[{"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}]"#),
        ];
        let mut responses = Vec::new();
        for spec in SPECS {
            let paths = spec.paths.iter().map(|path| path.replace("{proxy+}", "docs.js"));
            for (path, (method, query, body)) in paths.flat_map(|path| asked.map(|asked| (path.clone(), asked))) {
                let styles = crate::styles(&contract(), settings).unwrap();
                let style = styles.into_iter().find(|style| style.spec().name == spec.name).unwrap();
                let request = Request::builder().method(method).uri(format!("{path}{query}"));
                let request = request.header("content-type", "application/json").body(body.into()).unwrap();
                let transport = stub::Stub::new(|_, _| Ok(None));
                let answer = stub::ask(style, contract(), transport, request).await;
                let text = String::from_utf8_lossy(answer.body()).into_owned();
                responses.push((format!("{method} {path}{query} {body}"), answer.status(), text));
            }
        }
        responses
    }

    /// A request that is refused before the style reads it gets the style's form, with the accepted types and the
    /// time to retry.
    #[test]
    fn what_is_refused_early_says_in_every_style_what_would_be_taken() {
        let contract = Arc::new(Contract::parse(include_str!("../fixtures/library.json")).unwrap());
        let site = Arc::new(Site::new("", "", ""));
        let transport: Arc<dyn Transport> = stub::Stub::new(|_, _| Ok(None));
        let gateways = Gateways::new(&contract, &transport, &Cors::AnyOrigin, &site).unwrap();
        for gateway in &gateways.all {
            let spec = gateway.style.spec();
            let refused = |fault| {
                let path = spec.paths[0].replace("{proxy+}", "a.b,c.d?batch=1");
                gateway.refuse("r1", Request::post(path).body(Bytes::new()).unwrap(), fault)
            };
            let busy = refused(Fault::busy("Later.", 7));
            assert_eq!(busy.headers()[header::RETRY_AFTER], "7", "{}", spec.name);
            let coded = refused(Fault::unsupported("Coded.", protocol::fault::AcceptedBody::Uncoded));
            assert_eq!(coded.headers()[header::ACCEPT_ENCODING], "identity", "{}", spec.name);
            assert!(!coded.headers().contains_key(header::ACCEPT), "{}", spec.name);
            let type_of = |response: &Response<Bytes>| response.headers()[header::CONTENT_TYPE].clone();
            assert_eq!(type_of(&busy), type_of(&coded), "{}", spec.name);
        }
    }

    /// Each path of each gateway, and one of `/docs/` and `/trpc/` at which there is nothing.
    async fn asked(method: &str, headers: &[(&str, &str)]) -> Vec<(String, Response<Bytes>)> {
        let contract = Arc::new(Contract::parse(include_str!("../fixtures/library.json")).unwrap());
        let site = Arc::new(Site::new("", "", ""));
        let transport: Arc<dyn Transport> = stub::Stub::new(|_, _| panic!("nothing is called"));
        let gateways = Gateways::new(&contract, &transport, &Cors::AnyOrigin, &site).unwrap();
        let mut answers = Vec::new();
        let paths = SPECS.iter().flat_map(|spec| spec.paths).flat_map(|path| match path.strip_suffix("{proxy+}") {
            Some("/trpc/") => vec!["/trpc/pulse.ping,readers.list?batch=1".to_owned(), "/trpc/nothing.here".to_owned()],
            Some(start) => vec![format!("{start}docs.js"), format!("{start}nothing")],
            None => vec![(*path).to_owned()],
        });
        for path in paths {
            let request =
                headers.iter().fold(Request::builder().method(method).uri(&path), |r, (k, v)| r.header(*k, *v));
            let gateway = gateways.find(path.split('?').next().unwrap()).unwrap();
            answers.push((path, gateway.answer("r1", request.body(Bytes::new()).unwrap()).await));
        }
        answers
    }

    #[tokio::test]
    async fn options_says_in_every_style_which_methods_there_are() {
        let is_nowhere = |path: &str| path.ends_with("/nothing") || path.ends_with("nothing.here");
        let refused: Vec<_> = asked("PUT", &[]).await;
        for ((path, answer), (_, refused)) in asked("OPTIONS", &[]).await.iter().zip(&refused) {
            let allow = |answer: &Response<Bytes>| answer.headers().get(header::ALLOW).cloned();
            if is_nowhere(path) {
                assert_eq!((answer.status().as_u16(), refused.status().as_u16()), (404, 404), "{path}");
            } else {
                assert_eq!((answer.status().as_u16(), refused.status().as_u16()), (204, 405), "{path}");
                assert!(allow(answer).is_some() && allow(answer) == allow(refused), "{path}: {answer:?}");
                assert!(answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_METHODS), "{path}");
            }
        }
        // A page may read that there is nothing.
        let preflight = [("origin", "https://a.example.com"), ("access-control-request-method", "POST")];
        for (path, answer) in asked("OPTIONS", &preflight).await {
            assert_eq!((answer.status().as_u16(), answer.body().len()), (204, 0), "{path}");
        }
    }

    #[tokio::test]
    async fn a_method_that_nobody_knows_is_no_wrong_one_in_any_style() {
        let right = asked("PUT", &[]).await;
        for ((path, answer), (_, refused)) in asked("FOO", &[]).await.iter().zip(&right) {
            assert_eq!((answer.status().as_u16(), answer.headers().get(header::ALLOW)), (501, None), "{path}");
            let type_of = |answer: &Response<Bytes>| answer.headers()[header::CONTENT_TYPE].clone();
            assert_eq!(type_of(answer), type_of(refused), "{path}: in the form of the style");
        }
    }

    #[tokio::test]
    async fn what_tells_what_there_is_to_call_is_off_together() {
        let names = ["readers.list", "readersList", "readers_list", "/v1/readers", "ReadersList"];
        let tells = |text: &str| names.iter().any(|name| text.contains(name)) || text.contains("__Schema");
        let on = responses(Settings::default()).await;
        assert!(on.iter().filter(|(_, _, text)| tells(text)).count() >= 7, "each way of asking is answered somewhere");
        for (asked, status, text) in responses(Settings { documents: false }).await {
            assert!(!tells(&text), "{asked}: {status} {text}");
            // GraphQL's refusals of a query that could be read have 200.
            let is_document = (asked.starts_with("GET") || asked.starts_with("HEAD")) && !asked.contains("?query=");
            assert!(!is_document || status != StatusCode::OK, "{asked}");
        }
    }
}
