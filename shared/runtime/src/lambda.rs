//! A function's `main`: a procedure, or a gateway, behind the Lambda Runtime API.

use std::{convert::Infallible, panic::AssertUnwindSafe, process::ExitCode, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use lambda_http::{Body, RequestExt as _, request::RequestContext, service_fn};
use protocol::{Cause, Clock, Fault};
use store::Store;

use crate::{
    Authenticator, BoxFuture, Context, Entry, Environment, answer, answer::fault_response, cors::Cors, mail::Post,
    rest::Route, secrets::Secrets, site::Site, telemetry, web::PeerAddress,
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
    // One call at a time: one thread suffices, and starts sooner.
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut environment = tokio.block_on(Environment::from_process())?;
    let address_header: Option<Arc<str>> = environment.address_header.take().map(Arc::from);
    let methods: Option<Arc<str>> = environment.rest_methods.take().map(Arc::from);
    let context = Arc::new(context(&entry, environment)?);
    tokio.block_on(lambda_http::run(service_fn(move |event: lambda_http::Request| {
        let (context, address_header, methods) = (Arc::clone(&context), address_header.clone(), methods.clone());
        async move {
            let route = rest_route(&entry, &event, methods);
            Ok::<_, Infallible>(handle(&entry, &context, address_header.as_deref(), route, event).await)
        }
    })))
}

fn context(entry: &Entry, environment: Environment) -> Result<Context, Cause> {
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
        post: Arc::new(Post::new(environment.mail)),
    })
}

/// The REST route by which an event came. The gateway says so; paths are not parsed here.
fn rest_route(entry: &Entry, event: &lambda_http::Request, methods: Option<Arc<str>>) -> Option<Route> {
    let RequestContext::ApiGatewayV2(context) = event.request_context_ref()? else { return None };
    let (_, path) = context.route_key.as_deref()?.split_once(' ')?;
    entry.rest().filter(|(_, own)| *own == path)?;
    let parameters = event.path_parameters();
    let parameters = parameters.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Some(Route { parameters, methods })
}

/// From where the gateway was called. Behind a front that is the front, which says in a header who called it.
fn peer_address(event: &lambda_http::Request, header: Option<&str>) -> Option<String> {
    if let Some(header) = header {
        return event.headers().get(header)?.to_str().ok().map(str::to_owned);
    }
    let RequestContext::ApiGatewayV2(context) = event.request_context_ref()? else { return None };
    context.http.source_ip.clone()
}

async fn handle(
    entry: &Entry,
    context: &Context,
    address_header: Option<&str>,
    route: Option<Route>,
    event: lambda_http::Request,
) -> Response<Body> {
    let (request_id, mut request) = request_of(event, address_header);
    if let Some(route) = route {
        request.extensions_mut().insert(route);
    }
    answer(entry, context, &request_id, request).await.map(body_of)
}

/// The request that an event stands for, with its id.
fn request_of(event: lambda_http::Request, address_header: Option<&str>) -> (String, Request<Bytes>) {
    let request_id = event.lambda_context_ref().map(|lambda| lambda.request_id.clone()).unwrap_or_default();
    let address = peer_address(&event, address_header);
    let mut request: Request<Bytes> = event.map(|body| match body {
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    });
    if let Some(address) = address {
        request.extensions_mut().insert(PeerAddress(address));
    }
    (request_id, request)
}

fn body_of(body: Bytes) -> Body {
    match String::from_utf8(body.into()) {
        Ok(text) if text.is_empty() => Body::Empty,
        Ok(text) => Body::Text(text),
        Err(error) => Body::Binary(error.into_bytes()),
    }
}

/// What answers the requests to a gateway; the text is the request's id.
pub type Handler = Arc<dyn Fn(String, Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync>;

/// Runs a gateway as a Lambda function until the platform ends the process: what answers is made of the environment.
///
/// The events are those of [`lambda`], and addresses, bodies, logs and ids are treated as there.
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
    let address_header: Option<Arc<str>> = environment.address_header.take().map(Arc::from);
    let handler = make(environment)?;
    tokio.block_on(lambda_http::run(service_fn(move |event: lambda_http::Request| {
        let (handler, address_header) = (Arc::clone(&handler), address_header.clone());
        async move {
            let (request_id, request) = request_of(event, address_header.as_deref());
            Ok::<_, Infallible>(guarded(&handler, request_id, request).await.map(body_of))
        }
    })))
}

/// What a handler answers; that something went wrong, when it panics.
async fn guarded(handler: &Handler, request_id: String, request: Request<Bytes>) -> Response<Bytes> {
    let answered = AssertUnwindSafe(async { handler(request_id.clone(), request).await }).catch_unwind().await;
    answered.unwrap_or_else(|_| {
        let fault = Fault::internal("the gateway panicked");
        tracing::error!(request_id, code = fault.code.key(), "the gateway panicked");
        fault_response(&fault, None, &request_id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event as an HTTP API sends it, read as the Lambda runtime reads it.
    fn event(request: &Request<Bytes>) -> lambda_http::Request {
        lambda_http::request::from_str(&String::from_utf8(crate::gateway::event("ANY /x", "r1", request)).unwrap())
            .unwrap()
    }

    #[test]
    fn behind_a_front_the_address_is_what_the_front_says() {
        let mut request = Request::get("/x").header("x-viewer-address", "203.0.113.7").body(Bytes::new()).unwrap();
        request.extensions_mut().insert(PeerAddress("198.51.100.1".to_owned()));
        let address = |header| request_of(event(&request), header).1.extensions().get::<PeerAddress>().cloned();
        assert_eq!(address(None), Some(PeerAddress("198.51.100.1".to_owned())));
        assert_eq!(address(Some("x-viewer-address")), Some(PeerAddress("203.0.113.7".to_owned())));
        assert_eq!(address(Some("x-other")), None, "nobody is asked in its place");
    }

    #[test]
    fn a_body_comes_as_it_was_sent_and_goes_as_it_is() {
        for sent in [&b""[..], b"{}", &[0xff, 0x00]] {
            let request = Request::post("/x").body(Bytes::copy_from_slice(sent)).unwrap();
            assert_eq!(request_of(event(&request), None).1.body(), sent);
        }
        assert_eq!(body_of(Bytes::new()), Body::Empty);
        assert_eq!(body_of(Bytes::from_static(b"{}")), Body::Text("{}".to_owned()));
        assert_eq!(body_of(Bytes::from_static(&[0xff])), Body::Binary(vec![0xff]));
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
