//! How a request travels: input, who is calling, may they, run, envelope, log line.
//!
//! The local service, the real functions and the gateways all come through [`answer`]. It cannot
//! fail: whatever goes wrong becomes a typed error with a request id.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
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
            Method::OPTIONS => Cors::preflight(request.headers(), if is_rest { rest::METHODS } else { TRPC_METHODS }),
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

/// Answers a request that reaches no procedure, in the form that was asked for: where REST is, which a [`rest::Route`]
/// says, as a problem; at the address of a procedure, `path`, whose form a standard dictates, as that does; anywhere else
/// as tRPC.
pub fn refuse(
    cors: &Cors,
    site: &Site,
    request_id: &str,
    request: &Request<Bytes>,
    path: Option<&str>,
    fault: &Fault,
) -> Response<Bytes> {
    let is_rest = request.extensions().get::<rest::Route>().is_some();
    let is_called = request.uri().path().starts_with(trpc::BASE_PATH);
    let mut response = match (request.method(), path) {
        (&Method::OPTIONS, _) => Cors::preflight(request.headers(), if is_rest { rest::METHODS } else { TRPC_METHODS }),
        (_, path) if is_rest => {
            let mut response = fault_response(fault, path, request_id);
            let problem = rest::problem(fault, site, path.unwrap_or_default(), request.uri().path(), request_id);
            rest::set_problem(&mut response, problem);
            response
        }
        (_, Some(_)) if !is_called => oauth_fault_response(fault, "", request_id),
        (_, path) => fault_response(fault, path, request_id),
    };
    if *request.method() == Method::HEAD {
        rest::without_body(&mut response);
    }
    cors.allow(site, request.headers().get(header::ORIGIN), false, response.headers_mut());
    response
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
    let outcome = run(entry, context, request, &mut session, &added, &mut asked).await;
    let (mut response, fault) = match outcome {
        Ok(output) if let Some(parts) = &by_route => {
            (named(rest::success(entry, parts, &asked, &output), request_id), None)
        }
        Err(fault) if let Some(parts) = &by_route => {
            let fault = rest::judged(&asked, fault);
            let mut response = fault_response(&fault, Some(entry.name), request_id);
            let problem = rest::problem(&fault, &context.site, entry.name, parts.uri.path(), request_id);
            rest::set_problem(&mut response, problem);
            (response, Some(fault))
        }
        Ok(Output::Http(reply)) => (named(reply.into_response(), request_id), None),
        Ok(Output::Json(output)) => (json(StatusCode::OK, trpc::result_envelope(Some(&output)), request_id), None),
        Ok(Output::Nothing) => (json(StatusCode::OK, trpc::result_envelope(None), request_id), None),
        Err(fault) if entry.spec.http.is_some() => {
            (oauth_fault_response(&fault, entry.service.name, request_id), Some(fault))
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
    let principal = if entry.spec.looks_at_caller() {
        let (site, store, spec) = (&*context.site, session.as_ref(), &entry.spec);
        let body = entry.spec.http.and(input.as_deref());
        let arrival = Arrival { parts: &parts, site, store, now, spec, body, added };
        context.authenticator.authenticate(&arrival).await?
    } else {
        None
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
        parts,
        principal,
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
        Some(("GET", _)) => Err(Fault::method_not_supported(parts.method.as_str(), "GET, HEAD")),
        Some((method, _)) => Err(Fault::method_not_supported(parts.method.as_str(), method)),
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

pub(crate) fn fault_response(fault: &Fault, path: Option<&str>, request_id: &str) -> Response<Bytes> {
    let status = StatusCode::from_u16(fault.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, trpc::error_envelope(fault, path, request_id), request_id);
    let headers = response.headers_mut();
    if let Some(allow) = fault.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
        headers.insert(header::ALLOW, allow);
    }
    for (name, value) in fault.taken.headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    match fault.code {
        // RFC 6750 section 3.
        Code::Unauthorized => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Code::ServiceUnavailable | Code::TooManyRequests => {
            headers.insert(header::RETRY_AFTER, fault.retry_after_s.map_or(1, u32::from).into())
        }
        _ => None,
    };
    response
}

/// A fault in the form of RFC 6749 section 5.2, for procedures with a form of their own. A failure of the
/// procedure's is called as there: `InvalidGrant` is `invalid_grant`.
fn oauth_fault_response(fault: &Fault, realm: &str, request_id: &str) -> Response<Bytes> {
    let failure = fault.failure.as_ref().and_then(|failure| failure["type"].as_str()).map(snake_case);
    let error = match fault.code {
        _ if failure.is_some() => failure.as_deref().unwrap_or_default(),
        Code::Unauthorized => "invalid_token",
        Code::Forbidden => "access_denied",
        Code::ServiceUnavailable | Code::GatewayTimeout | Code::TooManyRequests => "temporarily_unavailable",
        code if code.http_status() < 500 => "invalid_request",
        _ => "server_error",
    };
    let mut response = fault_response(fault, None, request_id);
    let body = serde_json::json!({ "error": error, "error_description": fault.message, "request_id": request_id });
    *response.body_mut() = body.to_string().into();
    if error == "invalid_client"
        && let Ok(challenge) = HeaderValue::try_from(format!("Basic realm=\"{realm}\""))
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// `invalidGrant` to `invalid_grant`.
fn snake_case(camel: &str) -> String {
    camel.chars().fold(String::new(), |mut text, c| {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
        text
    })
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
pub(crate) mod tests {
    use protocol::{Auth, Client, Kind, Spec, Timestamp};

    use super::*;
    use crate::{Caller, Callers, Capability as _, Definition, Principal};

    const SERVICE: Definition = Definition {
        name: "test",
        roles: &[],
        permits: |_, _| false,
        withheld: &[],
        callers: Callers::Custom(|_| Ok(Some(Principal { subject: "ada".into(), ..Principal::default() }))),
        method_override: true,
        password_sign_in: None,
        refusals: None,
    };

    /// A public query without an input that says who is calling.
    pub(crate) const fn query(cache_s: Option<u32>) -> Entry {
        Entry {
            name: "who.calls",
            spec: Spec {
                kind: Kind::Query,
                auth: Auth::Public,
                rest: None,
                timeout_ms: 1_000,
                memory_mb: 128,
                concurrency: None,
                cache_s,
                http: None,
                sensitive: false,
                session: None,
                fresh_s: None,
                fresh_if: false,
                metered: false,
                has_output: true,
                asks_caller: true,
                fields: &[],
            },
            service: &SERVICE,
            run: |call| {
                Box::pin(async move {
                    let caller = Option::<Caller>::obtain(&call)?;
                    call.no_input()?;
                    crate::encode(&caller.map(|caller| caller.subject().to_owned()))
                })
            },
        }
    }

    pub(crate) fn context(cors: Cors) -> Context {
        let authenticator = Arc::new(Authenticator::new(&SERVICE, None, "").unwrap());
        let site = Arc::new(Site::new("", "", ""));
        Context {
            authenticator,
            store: None,
            clock: Clock::System,
            cors,
            site,
            registration: Arc::new(RegistrationPolicy::Closed),
            secrets: Arc::default(),
            post: Arc::default(),
        }
    }

    fn get(query: &str) -> http::request::Builder {
        Request::get(format!("/trpc/who.calls{query}"))
    }

    async fn ask(entry: Entry, cors: Cors, request: http::request::Builder) -> Response<Bytes> {
        answer(&entry, &context(cors), "r1", request.body(Bytes::new()).unwrap()).await
    }

    /// All that an answer says under a name. The events of an HTTP API have room for one line of it.
    fn the<'a>(response: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
        assert!(response.headers().get_all(name).iter().count() <= 1, "{name} is one line");
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    /// A failure as `#[derive(Failure)]` writes it, of a procedure whose form a standard dictates.
    async fn oauth_refusal(code: Code, failure: Option<serde_json::Value>) -> Response<Bytes> {
        let fault = Fault { failure, ..Fault::new(code, "No.") };
        oauth_fault_response(&fault, "test", "r1")
    }

    #[tokio::test]
    async fn a_failure_is_called_as_the_standard_calls_it() {
        let failure = |name: &str| Some(serde_json::json!({ "type": name }));
        for (code, failure, status, error, challenge) in [
            (Code::BadRequest, failure("invalidGrant"), 400, "invalid_grant", None),
            (Code::Unauthorized, failure("invalidClient"), 401, "invalid_client", Some("Basic realm=\"test\"")),
            (Code::BadRequest, None, 400, "invalid_request", None),
            (Code::Unauthorized, None, 401, "invalid_token", Some("Bearer")),
            (Code::InternalServerError, None, 500, "server_error", None),
        ] {
            let answer = oauth_refusal(code, failure).await;
            let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            assert_eq!((answer.status().as_u16(), body["error"].as_str()), (status, Some(error)));
            assert_eq!(the(&answer, "www-authenticate"), challenge, "{error}");
            assert_eq!(the(&answer, "cache-control"), Some("no-store"));
        }
    }

    #[tokio::test]
    async fn a_shared_cache_may_keep_what_the_procedure_says() {
        let kept = ask(query(Some(60)), Cors::AnyOrigin, get("")).await;
        assert_eq!(kept.status(), 200);
        assert_eq!(the(&kept, "cache-control"), Some("public, max-age=0, s-maxage=60"));
        let unstated = ask(query(None), Cors::AnyOrigin, get("")).await;
        assert_eq!(the(&unstated, "cache-control"), Some("no-store"));
    }

    #[tokio::test]
    async fn failures_and_other_methods_are_kept_by_nobody() {
        let post = Request::post("/trpc/who.calls").header("content-type", "application/json");
        let head = Request::head("/trpc/who.calls");
        let put = Request::put("/trpc/who.calls");
        for (request, status) in [(get("?input=1"), 400), (get("?batch=1"), 200), (post, 200), (head, 204), (put, 405)]
        {
            let what = format!("{request:?}");
            let answer = ask(query(Some(60)), Cors::AnyOrigin, request).await;
            assert_eq!((answer.status().as_u16(), the(&answer, "cache-control")), (status, Some("no-store")), "{what}");
        }
    }

    #[tokio::test]
    async fn a_batch_of_one_is_answered_as_a_batch() {
        let ask = async |request| {
            let answer = ask(query(None), Cors::AnyOrigin, request).await;
            let body = String::from_utf8(answer.body().to_vec()).unwrap();
            (answer.status().as_u16(), the(&answer, "content-type").unwrap().to_owned(), body)
        };
        let (status, media_type, body) = ask(get("?batch=1&input=%7B%7D")).await;
        assert_eq!(
            (status, media_type.as_str(), body.as_str()),
            (200, "application/json", r#"[{"result":{"data":"ada"}}]"#)
        );
        let (status, media_type, body) = ask(get("?batch=1").header("trpc-accept", "application/jsonl")).await;
        let lines = "{\"0\":[[0],[null,0,0]]}\n[0,0,[[{\"result\":{\"data\":\"ada\"}}]]]\n";
        assert_eq!((status, media_type.as_str(), body.as_str()), (200, "application/jsonl", lines));

        let bad = || get("?batch=1&input=%7B%220%22%3A1%7D");
        let (status, _, body) = ask(bad()).await;
        assert!(status == 400 && body.starts_with(r#"[{"error":"#), "{status} {body}");
        let (status, _, body) = ask(bad().header("accept", "application/jsonl")).await;
        assert!(status == 200 && body.contains("\n[0,0,[[{\"error\":"), "{status} {body}");
    }

    #[tokio::test]
    async fn where_answers_are_kept_nobody_learns_who_is_calling() {
        assert_eq!(ask(query(None), Cors::AnyOrigin, get("")).await.body(), r#"{"result":{"data":"ada"}}"#);
        assert_eq!(ask(query(Some(60)), Cors::AnyOrigin, get("")).await.body(), r#"{"result":{"data":null}}"#);
    }

    /// An application that reads much keeps the person in whose name it does from nothing.
    #[test]
    fn an_application_pays_apart_from_its_person() {
        let parts = get("").body(()).unwrap().into_parts().0;
        let client = |id: &str| Some(Client { id: id.into(), scopes: Vec::new(), for_itself: false });
        let paying = |client| payer(Some(&Principal { subject: "ada".into(), client, ..Principal::default() }), &parts);
        let payers = [payer(None, &parts), paying(None), paying(client("reader")), paying(client("writer"))];
        for (place, payer) in payers.iter().enumerate() {
            assert!(!payers[..place].contains(payer), "each has reads of their own");
        }
        assert_eq!(paying(client("reader")), payers[2]);
    }

    /// What a bearer of a token is asked for says nothing to who came with a cookie.
    #[tokio::test]
    async fn who_came_with_a_token_is_told_that_it_is_too_old() {
        const LONG_AGO: Definition = Definition {
            callers: Callers::Custom(|_| {
                let authenticated_at = Some(Timestamp::from_unix_ms(0));
                Ok(Some(Principal { subject: "ada".into(), authenticated_at, ..Principal::default() }))
            }),
            ..SERVICE
        };
        let spec = Spec { auth: Auth::SignedIn, fresh_s: Some(300), ..query(None).spec };
        let entry = || Entry { spec, service: &LONG_AGO, ..query(None) };
        let challenge = "Bearer error=\"insufficient_user_authentication\", error_description=\"Authenticate again\", max_age=\"300\"";
        for (request, expected) in [
            (get("").header("authorization", "Bearer abc"), Some(challenge)),
            (get("").header("cookie", "onefold=abc"), None),
            (get(""), None),
        ] {
            let answer = ask(entry(), Cors::AnyOrigin, request).await;
            assert_eq!((answer.status().as_u16(), the(&answer, "www-authenticate")), (403, expected));
        }
    }

    /// A kept answer must reach no page that could not read it, and no page that may not.
    #[tokio::test]
    async fn an_answer_says_when_it_depends_on_the_page() {
        let page = || get("").header("origin", "https://a.example.com");
        let some = || Cors::from_list("https://a.example.com");
        for (cache_s, cors, request, vary) in [
            (Some(60), Cors::AnyOrigin, get(""), "trpc-accept, accept, origin"),
            (Some(60), Cors::AnyOrigin, page(), "trpc-accept, accept, origin"),
            (Some(60), some(), get(""), "trpc-accept, accept, origin"),
            (Some(60), some(), page(), "trpc-accept, accept, origin"),
            (None, some(), get(""), "trpc-accept, accept, origin"),
            (None, some(), page(), "trpc-accept, accept, origin"),
            (None, Cors::AnyOrigin, page(), "trpc-accept, accept"),
        ] {
            assert_eq!(the(&ask(query(cache_s), cors, request).await, "vary"), Some(vary));
        }
        let preflight = Request::options("/trpc/who.calls").header("origin", "https://a.example.com");
        let preflight = ask(query(None), some(), preflight).await;
        assert_eq!(the(&preflight, "vary"), Some("access-control-request-headers, origin"));
    }
}
