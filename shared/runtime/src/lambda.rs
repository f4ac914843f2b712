//! The `main` of a function: runs a procedure or a gateway behind the Lambda Runtime API.

use std::{convert::Infallible, panic::AssertUnwindSafe, process::ExitCode, sync::Arc};

use aws::xray::{self, Daemon};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderValue, Request, Response, header};
use lambda_http::{LambdaEvent, aws_lambda_events::apigw::ApiGatewayV2httpResponse, lambda_runtime, service_fn};
use protocol::{Cause, Clock, Fault, PathPattern, Paths};
use serde_json::value::RawValue;
use store::Store;

use crate::{
    Authenticator, BoxFuture, Context, Entry, Environment, answer,
    config::{ConfigReaders, ConfigText, Configs},
    cors::Cors,
    environment,
    event::{self, Event, EventError},
    mail::MailTransport,
    metrics::MetricOutput,
    reply::{envelope, named},
    rest::{Allowed, Route},
    secrets::Secrets,
    site::Site,
    telemetry,
};

/// Runs a procedure as a Lambda function until the platform ends the process.
///
/// The events are those of an API Gateway HTTP API (payload format 2.0) and of function URLs, which
/// have the same form.
#[inline(never)]
pub fn lambda(entry: Entry) -> ExitCode {
    telemetry::start_on_stdout();
    match serve(entry) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            tracing::error!(procedure = entry.name, cause = telemetry::chain(&*cause), "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

fn serve(entry: Entry) -> Result<(), Cause> {
    // A function has one call at a time: one thread suffices, and starts sooner.
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut environment = tokio.block_on(Environment::from_process())?;
    let daemon = environment.xray_daemon.as_deref().map(Daemon::at);
    let address_header: Option<Arc<str>> = environment.address_header.take().map(Arc::from);
    let methods = environment.methods.take().map(|text| PathMethods::parse(&text)).transpose()?.map(Arc::new);
    let context = Arc::new(context(&entry, environment)?);
    tokio.block_on(lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let (context, address_header, methods) = (Arc::clone(&context), address_header.clone(), methods.clone());
        let daemon = daemon.clone();
        async move {
            let handled = handle(&entry, &context, address_header.as_deref(), methods.as_deref(), &event);
            let response = xray::traced(daemon.as_ref(), event.context.xray_trace_id.as_deref(), handled).await;
            Ok::<ApiGatewayV2httpResponse, Infallible>(event::answer(response))
        }
    })))
}

fn context(entry: &Entry, environment: Environment) -> Result<Context, Cause> {
    let configs = configs(&entry.configs)?;
    let Environment { url, app_url, allowed_origins, .. } = &environment;
    let site = Arc::new(Site::new(url, app_url, allowed_origins));
    let registration = Arc::new(environment.registration.clone());
    Ok(Context {
        authenticator: Arc::new(Authenticator::new(entry.service, environment.tokens.as_ref(), url)?),
        store: environment.store.map(Store::new).transpose()?,
        clock: Clock::System,
        cors: Cors::from_list(&environment.allowed_origins),
        site,
        registration,
        secrets: Arc::new(Secrets::new(environment.secrets)),
        configs,
        metrics: environment.stage.map_or(MetricOutput::Log, |stage| MetricOutput::Cloud { stage }),
        mail_transport: Arc::new(MailTransport::new(environment.mail)),
    })
}

/// The configurations that the environment states.
fn configs(readers: &ConfigReaders) -> Result<Configs, Cause> {
    readers.read(|name| {
        let variable = environment::variable_of(environment::CONFIG_OF, name);
        match environment::config(name) {
            Some(text) => Ok(ConfigText { text, place: variable }),
            None => Err(format!("{variable} is not set: the procedure takes the configuration `{name}`").into()),
        }
    })
}

async fn handle(
    entry: &Entry,
    context: &Context,
    address_header: Option<&str>,
    methods: Option<&PathMethods>,
    event: &LambdaEvent<Box<RawValue>>,
) -> Response<Bytes> {
    let request_id = &event.context.request_id;
    match request_of(&event.payload, address_header) {
        Ok(RoutedRequest { mut request, route }) => {
            if let Some(methods) = methods.map(|methods| methods.at(request.uri().path())) {
                request.extensions_mut().insert(Allowed(methods));
            }
            if let Some(route) = route.and_then(|route| rest_route(entry, route)) {
                request.extensions_mut().insert(route);
            }
            answer(entry, context, request_id, request).await
        }
        Err(why) => unread(&why, request_id),
    }
}

/// The request that an event stands for.
struct RoutedRequest {
    request: Request<Bytes>,
    /// The path of the route that matched, and the values of its parameters.
    route: Option<(String, Vec<(String, String)>)>,
}

fn request_of(text: &RawValue, address_header: Option<&str>) -> Result<RoutedRequest, EventError> {
    let event = Event::parse(text.get())?;
    let route = event.route_path().map(|path| (path.to_owned(), event.parameters()));
    Ok(RoutedRequest { request: event.into_request(address_header)?, route })
}

/// The REST route that matched. The event names it; paths are not parsed here.
fn rest_route(entry: &Entry, (path, parameters): (String, Vec<(String, String)>)) -> Option<Route> {
    entry.rest().filter(|(_, own)| *own == path)?;
    Some(Route { parameters })
}

/// The methods of a path where one function answers all methods that no other function has: those of its own route,
/// and those of more specific routes that overlap it and have functions of their own (`shared/infra/src/routes.ts`).
struct PathMethods {
    own: Arc<str>,
    others: Paths<Arc<str>>,
}

impl PathMethods {
    /// Parses `GET, HEAD;/v1/notes/touch GET, HEAD, POST`: the methods of its own path, then each overlapping path
    /// with its methods.
    fn parse(text: &str) -> Result<Self, Cause> {
        let mut parts = text.split(';');
        let own = parts.next().unwrap_or_default().into();
        let mut others = Paths::default();
        for (path, methods) in parts.filter_map(|part| part.split_once(' ')) {
            others.insert(PathPattern(path), methods.into())?;
        }
        Ok(Self { own, others })
    }

    fn at(&self, path: &str) -> Arc<str> {
        Arc::clone(self.others.at(path).unwrap_or(&self.own))
    }
}

/// The response to an event that is not a request.
fn unread(EventError { status, cause }: &EventError, request_id: &str) -> Response<Bytes> {
    tracing::error!(request_id, status = status.as_u16(), cause = telemetry::chain(&**cause), "the event was not read");
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = *status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert("x-request-id", id);
    }
    response
}

/// The handler of a gateway's requests. The `String` is the request's id.
pub type Handler = Arc<dyn Fn(String, Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync>;

/// Runs a gateway as a Lambda function until the platform ends the process. `make` creates its handler from the
/// environment.
///
/// The events are those of [`lambda`]; addresses, bodies, logs and ids are treated in the same way.
#[inline(never)]
pub fn gateway(make: Box<dyn FnOnce(Environment) -> Result<Handler, Cause>>) -> ExitCode {
    telemetry::start_on_stdout();
    match serve_gateway(make) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            tracing::error!(cause = telemetry::chain(&*cause), "the gateway cannot start");
            ExitCode::FAILURE
        }
    }
}

fn serve_gateway(make: Box<dyn FnOnce(Environment) -> Result<Handler, Cause>>) -> Result<(), Cause> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut environment = tokio.block_on(Environment::from_process())?;
    let daemon = environment.xray_daemon.as_deref().map(Daemon::at);
    let address_header: Option<Arc<str>> = environment.address_header.take().map(Arc::from);
    let handler = make(environment)?;
    tokio.block_on(lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let (handler, address_header, daemon) = (Arc::clone(&handler), address_header.clone(), daemon.clone());
        async move {
            let request_id = event.context.request_id;
            let response = match request_of(&event.payload, address_header.as_deref()) {
                Ok(RoutedRequest { request, .. }) => {
                    let handled = guarded(&handler, request_id, request);
                    xray::traced(daemon.as_ref(), event.context.xray_trace_id.as_deref(), handled).await
                }
                Err(why) => unread(&why, &request_id),
            };
            Ok::<ApiGatewayV2httpResponse, Infallible>(event::answer(response))
        }
    })))
}

/// The handler's response, or an internal error when the handler panics.
async fn guarded(handler: &Handler, request_id: String, request: Request<Bytes>) -> Response<Bytes> {
    let answered = AssertUnwindSafe(async { handler(request_id.clone(), request).await }).catch_unwind().await;
    answered.unwrap_or_else(|_| {
        let fault = Fault::internal("the gateway panicked");
        tracing::error!(request_id, code = fault.code.key(), "the gateway panicked");
        named(envelope::fault(None, &fault, None, &request_id), &request_id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::PeerAddress;

    /// A request as it arrives through the event that an HTTP API sends.
    fn arrived(request: &Request<Bytes>, header: Option<&str>) -> Request<Bytes> {
        let event = String::from_utf8(crate::api_gateway::event("ANY /x", "r1", request)).unwrap();
        request_of(&RawValue::from_string(event).unwrap(), header).unwrap().request
    }

    #[test]
    fn behind_a_front_the_address_is_what_the_front_says() {
        let mut request = Request::get("/x").header("x-viewer-address", "203.0.113.7").body(Bytes::new()).unwrap();
        request.extensions_mut().insert(PeerAddress("198.51.100.1".to_owned()));
        let address = |header| arrived(&request, header).extensions().get::<PeerAddress>().cloned();
        assert_eq!(address(None), Some(PeerAddress("198.51.100.1".to_owned())));
        assert_eq!(address(Some("x-viewer-address")), Some(PeerAddress("203.0.113.7".to_owned())));
        assert_eq!(address(Some("x-other")), None, "nobody is asked in its place");
    }

    #[test]
    fn a_body_comes_as_it_was_sent() {
        for sent in [&b""[..], b"{}", &[0xff, 0x00]] {
            let request = Request::post("/x").body(Bytes::copy_from_slice(sent)).unwrap();
            assert_eq!(arrived(&request, None).body(), sent);
        }
    }

    /// What a function answers to an event: its status, its body and its headers.
    async fn answered(rest: Option<&'static str>, event: serde_json::Value) -> (u16, serde_json::Value) {
        let query = crate::answer::tests::query(None);
        let entry = Entry { spec: protocol::Spec { rest, ..query.spec }, ..query };
        let mut lambda = lambda_runtime::Context::default();
        lambda.request_id = "r1".to_owned();
        let event = LambdaEvent::new(RawValue::from_string(event.to_string()).unwrap(), lambda);
        let context = crate::answer::tests::context(Cors::AnyOrigin);
        let response = handle(&entry, &context, None, None, &event).await;
        assert_eq!(response.headers()["x-request-id"], "r1");
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    #[tokio::test]
    async fn an_event_is_answered_whatever_stands_in_its_address() {
        use serde_json::json;
        let event = |route: &str, path: &str, query: &str, parameters: serde_json::Value| {
            json!({
                "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query,
                "headers": { "host": "api.example.com" }, "pathParameters": parameters,
                "requestContext": { "routeKey": route, "http": { "method": "GET", "path": path } },
            })
        };
        let called = |query| event("ANY /trpc/who.calls", "/trpc/who.calls", query, serde_json::Value::Null);
        for (query, status) in [("input={}", 200), ("input={\"limit\": 2}", 400), ("input=%zz", 400), ("#\u{0}\"", 200)]
        {
            assert_eq!(answered(None, called(query)).await.0, status, "{query}");
        }
        // What is in the path is no parameter of the query.
        let route = "GET /v1/callers/{id}";
        let by_route = event(route, "/v1/callers/a?b=c", "", json!({ "id": "a?b=c" }));
        let (status, problem) = answered(Some(route), by_route).await;
        assert_eq!((status, &problem["instance"]), (400, &json!("/v1/callers/a%3Fb%3Dc")), "{problem}");
        assert!(!problem.to_string().contains("`b`"), "{problem}");
    }

    /// The text is that of `shared/infra/test/identity.test.ts`, the methods are those of `shared/local/src/front/routes.rs`.
    #[test]
    fn where_routes_overlap_all_methods_of_the_address_are_told() {
        let methods = PathMethods::parse("GET, HEAD, DELETE;/v1/notes/touch GET, HEAD, DELETE, POST").unwrap();
        assert_eq!(&*methods.at("/v1/notes/touch"), "GET, HEAD, DELETE, POST");
        assert_eq!(&*methods.at("/v1/notes/a"), "GET, HEAD, DELETE");
        assert_eq!(&*PathMethods::parse("GET, HEAD").unwrap().at("/v1/notes/touch"), "GET, HEAD");
    }

    #[test]
    fn what_is_no_request_is_answered_under_its_id() {
        let long = format!(r#"{{"rawPath":"/{}","requestContext":{{"http":{{"method":"GET"}}}}}}"#, "a".repeat(65_534));
        for (event, status) in [("{}", 400), (&*long, 414)] {
            let refused = request_of(&RawValue::from_string(event.to_owned()).unwrap(), None).err().unwrap();
            let response = unread(&refused, "r1");
            let said = (response.status().as_u16(), &response.headers()["x-request-id"]);
            assert_eq!(said, (status, &"r1".parse().unwrap()));
            // In no style's form: the same function may answer several, and a gateway another one.
            assert!(response.body().is_empty() && !response.headers().contains_key("content-type"));
        }
    }

    #[tokio::test]
    async fn a_gateway_that_panics_says_that_something_went_wrong() {
        let handler: Handler = Arc::new(|_, _| Box::pin(async { panic!("on purpose") }));
        let response = guarded(&handler, "r1".to_owned(), Request::new(Bytes::new())).await;
        assert_eq!(response.status(), 500);
        let body = String::from_utf8(response.into_body().to_vec()).unwrap();
        assert!(body.contains("INTERNAL_SERVER_ERROR") && !body.contains("on purpose"), "{body}");
    }
}
