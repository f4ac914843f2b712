//! A function's `main`: a procedure behind the Lambda Runtime API.

use std::{convert::Infallible, process::ExitCode, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use lambda_http::{Body, RequestExt as _, request::RequestContext, service_fn};
use protocol::{Cause, Clock};
use store::Store;

use crate::{
    Authenticator, Context, Entry, Environment, answer, cors::Cors, mail::Post, rest::Route, secrets::Secrets,
    site::Site, telemetry, web::PeerAddress,
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
    Ok(Context {
        authenticator: Arc::new(Authenticator::new(entry.service, environment.tokens.as_ref(), url)?),
        store: environment.store.map(Store::new).transpose()?,
        clock: Clock::System,
        cors: Cors::from_list(&environment.allowed_origins),
        site,
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
    if let Some(route) = route {
        request.extensions_mut().insert(route);
    }
    answer(entry, context, &request_id, request).await.map(|body| match String::from_utf8(body.into()) {
        Ok(text) if text.is_empty() => Body::Empty,
        Ok(text) => Body::Text(text),
        Err(error) => Body::Binary(error.into_bytes()),
    })
}
