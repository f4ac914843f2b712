//! How a request travels: input, who is calling, may they, run, envelope, log line.
//!
//! The local service, the real functions and the gateways all come through [`answer`]. It cannot
//! fail: whatever goes wrong becomes a typed error with a request id.

mod fault;

use std::{borrow::Cow, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use protocol::{
    Auth, Clock, Code, Fault,
    trpc::{
        self,
        batch::{Answers, Form},
    },
};
use store::{Scope, Session, Store, StoreError};

use crate::{
    Authenticator, BoxFuture, Call, Device, Entry, Output, Principal,
    authenticate::{Arrival, authorize},
    call::Inner,
    challenge::Presented,
    cors::Cors,
    mail::Post,
    opaque,
    refusals::RefusalContext,
    registration::RegistrationPolicy,
    rest,
    secrets::Secrets,
    site::Site,
    telemetry,
    web::{Added, PeerAddress},
};

pub(crate) use fault::fault_response;
use fault::oauth_fault_response;
pub use fault::{expect_known, refuse};

/// What calls share in one process.
pub struct Context {
    /// Knows callers.
    pub authenticator: Arc<Authenticator>,
    /// The database, for services that have one.
    pub store: Option<Store>,
    /// The time.
    pub clock: Clock,
    /// Which pages may call.
    pub cors: Cors,
    /// Where the service is.
    pub site: Arc<Site>,
    /// Who may make an account by themselves.
    pub registration: Arc<RegistrationPolicy>,
    /// Its secrets.
    pub secrets: Arc<Secrets>,
    /// How its mails leave it.
    pub post: Arc<Post>,
}

/// The header that carries a call's id both ways into the logs.
pub const REQUEST_ID: &str = "x-request-id";

/// The methods under which procedures answer calls of tRPC.
const TRPC_METHODS: &str = "GET, HEAD, POST";

/// Answers one request to one procedure.
pub fn answer<'a>(
    entry: &'a Entry,
    context: &'a Context,
    request_id: &'a str,
    request: Request<Bytes>,
) -> BoxFuture<'a, Response<Bytes>> {
    Box::pin(async move {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let is_rest = request.extensions().get::<rest::Route>().is_some();
        let is_called = entry.spec.http.is_none() && !is_rest;
        let batch = Form::of(request.uri().query(), request.headers()).filter(|_| is_called);
        let lifetime_s = entry.spec.cache_s.filter(|_| matches!(*request.method(), Method::GET | Method::HEAD));
        // A shared cache does not tell an array from lines.
        let lifetime_s = lifetime_s.filter(|_| batch.is_none());
        let mut response = match *request.method() {
            Method::OPTIONS => {
                let methods = if is_rest { rest::METHODS } else { TRPC_METHODS };
                let (parts, _) = request.into_parts();
                Cors::options(&parts.headers, methods, Some(&allowed(entry, &parts)))
            }
            Method::HEAD if is_rest || entry.http().is_some() => {
                let mut response = run_logged(entry, context, request_id, request).await;
                rest::without_body(&mut response);
                response
            }
            Method::HEAD => empty(StatusCode::NO_CONTENT),
            _ => in_batch(batch, run_logged(entry, context, request_id, request).await),
        };
        // What was kept is confirmed with the headers that it was given with (RFC 9110 section 15.4.5).
        let good = [StatusCode::OK, StatusCode::NOT_MODIFIED];
        let kept = lifetime_s.filter(|_| good.contains(&response.status()));
        if let Some(lifetime_s) = kept {
            response.headers_mut().insert(header::CACHE_CONTROL, shared_for(lifetime_s));
        }
        context.cors.allow(&context.site, origin.as_ref(), kept.is_some(), response.headers_mut());
        response
    })
}

/// The answer to a batch of one: its only call's, in the form of the batch.
fn in_batch(form: Option<Form>, response: Response<Bytes>) -> Response<Bytes> {
    let Some(form) = form else { return response };
    let (mut parts, body) = response.into_parts();
    let mut answers = Answers::new(form);
    answers.add(0, parts.status.as_u16(), body.into());
    let (status, body) = answers.finish();
    parts.status = StatusCode::from_u16(status).unwrap_or(parts.status);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    Response::from_parts(parts, body.into())
}

/// The methods of the address at which a procedure was asked.
fn allowed(entry: &Entry, parts: &http::request::Parts) -> Cow<'static, str> {
    let by_rest = entry.rest().filter(|_| parts.extensions.get::<rest::Route>().is_some());
    match by_rest.or_else(|| entry.http()) {
        Some((own, _)) => rest::allowed(own, parts),
        None => trpc::allowed_methods(entry.spec.kind, entry.service.method_override).into(),
    }
}

async fn run_logged(entry: &Entry, context: &Context, request_id: &str, request: Request<Bytes>) -> Response<Bytes> {
    let started = std::time::Instant::now();
    let mut session = None;
    let added = Arc::new(Added::default());
    // What the answer's form depends on, where it is not an envelope of tRPC.
    let by_route = request.extensions().get::<rest::Route>().is_some().then(|| asked_parts(&request));
    let mut asked = rest::Asked::default();
    let network = request.extensions().get::<PeerAddress>().and_then(PeerAddress::in_log);
    let presented = Presented::by(request.headers());
    let is_shown = fault::is_shown(request.headers());
    let mut attempts = rest::attempts(request).into_iter();
    let mut outcome = Err(Fault::internal("nothing was tried"));
    while let Some(request) = attempts.next() {
        outcome = run(entry, context, request, &mut session, &added, &mut asked).await;
        if attempts.len() == 0 || !rest::is_late(&asked, &outcome) {
            break;
        }
        charge_rest(session.as_ref(), request_id).await;
    }
    let (mut response, fault) = match outcome {
        outcome if let Some(parts) = &by_route => {
            match outcome.and_then(|output| rest::success(entry, parts, &asked, &output)) {
                Ok(response) => (named(response, request_id), None),
                Err(fault) => {
                    let fault = rest::judged(&asked, fault);
                    let mut response = fault_response(&fault, Some(entry.name), request_id);
                    let problem = rest::problem(&fault, &context.site, entry.name, parts.uri.path(), request_id);
                    rest::set_problem(&mut response, problem);
                    (response, Some(fault))
                }
            }
        }
        Ok(Output::Http(reply)) => (named(reply.into_response(), request_id), None),
        Ok(Output::Json(output)) => (json(StatusCode::OK, trpc::result_envelope(Some(&output)), request_id), None),
        Ok(Output::Nothing) => (json(StatusCode::OK, trpc::result_envelope(None), request_id), None),
        Err(fault) if entry.spec.http.is_some() => {
            let mut response = oauth_fault_response(&fault, entry.service.name, request_id);
            if is_shown {
                fault::show(&mut response, &fault, request_id);
            }
            (response, Some(fault))
        }
        Err(fault) => (fault_response(&fault, Some(entry.name), request_id), Some(fault)),
    };
    if let Some(challenge) = fault.as_ref().and_then(|fault| presented.challenge(&entry.spec, fault)) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    added.append_to(response.headers_mut());
    charge_rest(session.as_ref(), request_id).await;
    let meter = session.as_ref().map(Session::meter);
    telemetry::call(&telemetry::CallLine {
        procedure: entry.name,
        status: response.status().as_u16(),
        duration: started.elapsed(),
        read_units: meter.map_or(0.0, store::Meter::read_units),
        write_units: meter.map_or(0.0, store::Meter::write_units),
        request_id,
        network: network.as_deref(),
        fault: fault.as_ref(),
    });
    response
}

async fn run(
    entry: &Entry,
    context: &Context,
    request: Request<Bytes>,
    session: &mut Option<Session>,
    added: &Arc<Added>,
    asked: &mut rest::Asked,
) -> Result<Output, Fault> {
    let (parts, body) = request.into_parts();
    expect_known(&parts.method)?;
    let input = match parts.extensions.get::<rest::Route>() {
        Some(route) => {
            let input;
            (input, *asked) = rest::take_input(entry, route, &parts, body)?;
            input
        }
        None => take_input(entry, &parts, body)?,
    };
    let now = context.clock.now();
    *session = context.store.as_ref().map(|store| {
        let input = input.clone().unwrap_or_default();
        Session::new(store.clone(), Scope { procedure: entry.name, caller: None, input }, context.clock)
    });
    // Where nobody asks who is calling, nobody looks at credentials.
    let (principal, refused) = if entry.spec.looks_at_caller() {
        let (site, store, spec) = (&*context.site, session.as_ref(), &entry.spec);
        let body = entry.spec.http.and(input.as_deref());
        let arrival = Arrival { parts: &parts, site, store, now, spec, body, added };
        // What has a form of its own may tell a person in words why nobody is let in: see `Result<Caller, Fault>`. Who
        // has a token is a program.
        let is_program = parts.headers.contains_key(header::AUTHORIZATION);
        let may_tell = spec.http.is_some() && spec.auth == Auth::Public && !is_program;
        match context.authenticator.authenticate(&arrival).await {
            Err(Fault { code: code @ (Code::Unauthorized | Code::Forbidden), message, .. }) if may_tell => {
                (None, Some((code, message)))
            }
            known => (known?, None),
        }
    } else {
        (None, None)
    };
    let refusal_context = match entry.spec.auth {
        Auth::Public => None,
        _ => RefusalContext::of(entry, principal.as_ref(), session.as_ref(), &parts),
    };
    let reach = match authorize(&entry.spec, entry.service, principal.as_deref(), now) {
        Ok(reach) => reach,
        Err(fault) => return Err(noted(refusal_context.as_ref(), fault).await),
    };
    if let (Some(session), Some(principal)) = (session.as_mut(), &principal) {
        *session = session.called_by(Some(principal.subject.clone()));
    }
    if let Some(session) = session.as_mut().filter(|_| entry.spec.is_charged()) {
        *session = session.charged_to(&payer(principal.as_deref(), &parts));
        if entry.spec.has_quota() {
            session.charge().await?;
            *session = session.bounded();
        }
    }
    let call = Call(Arc::new(Inner {
        input,
        is_held_back: asked.holds_back(&entry.spec),
        parts,
        principal,
        refused,
        reach,
        session: session.clone(),
        clock: context.clock,
        service: entry.service,
        site: Arc::clone(&context.site),
        registration: Arc::clone(&context.registration),
        secrets: Arc::clone(&context.secrets),
        post: Arc::clone(&context.post),
        authenticator: Arc::clone(&context.authenticator),
        added: Arc::clone(added),
    }));
    let limit = Duration::from_millis(entry.spec.timeout_ms.into());
    let running = AssertUnwindSafe(async { (entry.run)(call).await }).catch_unwind();
    match tokio::time::timeout(limit, running).await {
        Ok(Ok(Err(fault))) => Err(noted(refusal_context.as_ref(), fault).await),
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(Fault::internal(panic_message(&*panic))),
        Err(_) => {
            let message = format!("The procedure did not answer in {} ms.", entry.spec.timeout_ms);
            Err(Fault::new(Code::GatewayTimeout, message))
        }
    }
}

/// A fault, once it is written down if it is a refusal.
async fn noted(context: Option<&RefusalContext>, fault: Fault) -> Fault {
    if let Some(context) = context {
        context.note(&fault).await;
    }
    fault
}

/// Who is charged for what a call reads: whoever calls, and an application apart from the person in whose name it does;
/// nobody in particular is counted by network.
fn payer(principal: Option<&Principal>, parts: &http::request::Parts) -> String {
    let who = match principal {
        Some(Principal { subject, client: Some(client), .. }) => format!("application {}\n{subject}", client.id),
        Some(Principal { subject, .. }) => format!("caller {subject}"),
        None => format!("network {}", Device::of(parts).network()),
    };
    opaque::hash(who.as_bytes()).to_string()
}

/// Puts what is left of a call's reads on the caller's tab. The call is done: what is over then, the next one hears.
async fn charge_rest(session: Option<&Session>, request_id: &str) {
    let Some(session) = session else { return };
    match session.charge().await {
        Ok(()) | Err(StoreError::QuotaExceeded { .. }) => {}
        Err(error) => tracing::warn!(request_id, cause = telemetry::chain(&error), "reads were not counted"),
    }
}

/// Method and address of a request by a REST route: what its answer refers to.
fn asked_parts(request: &Request<Bytes>) -> http::request::Parts {
    let mut parts = Request::new(()).into_parts().0;
    (parts.method, parts.uri) = (request.method().clone(), request.uri().clone());
    parts
}

/// The input of a call; of a procedure with a form of its own, the body as it is.
fn take_input(entry: &Entry, parts: &http::request::Parts, body: Bytes) -> Result<Option<Bytes>, Fault> {
    match entry.http() {
        Some((method, _)) if parts.method == method || (method == "GET" && parts.method == Method::HEAD) => {
            if method != "GET" {
                trpc::expect_uncoded(&parts.headers)?;
            }
            if body.len() > trpc::MAX_INPUT_BYTES {
                return Err(trpc::too_large());
            }
            Ok(Some(body))
        }
        Some((own, _)) => Err(Fault::method_not_supported(parts.method.as_str(), rest::allowed(own, parts))),
        None => {
            let (kind, over) = (entry.spec.kind, entry.service.method_override);
            let input = trpc::take_input(kind, over, &parts.method, parts.uri.query(), &parts.headers, body)?;
            let is_infinite = trpc::is_infinite(entry.spec.fields.iter().map(|field| field.name));
            Ok(if is_infinite { input.map(trpc::without_direction) } else { input })
        }
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the procedure panicked: {}", text.unwrap_or("without a message"))
}

/// Puts the request's id on an answer.
fn named(mut response: Response<Bytes>, request_id: &str) -> Response<Bytes> {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn json(status: StatusCode, body: Vec<u8>, request_id: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::VARY, HeaderValue::from_static("trpc-accept, accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    named(response, request_id)
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A shared cache may keep the answer for so long (RFC 9111 section 5.2.2.10); a browser asks again each time,
/// so that the longest that anybody sees something old is what the procedure states.
fn shared_for(lifetime_s: u32) -> HeaderValue {
    let value = format!("public, max-age=0, s-maxage={lifetime_s}");
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("no-store"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests;
