use protocol::{Auth, Code, ErrorFormat, Fault, Kind, RestAnswer, Spec, Timestamp};

use super::*;
use crate::{Call, Caller, Callers, Capability as _, ConfigReaders, Definition, Principal};

const SERVICE: Definition = Definition {
    callers: Callers::Custom(|_| Ok(Some(Principal { subject: "ada".into(), ..Principal::default() }))),
    ..Definition::named("test")
};

/// A public query without an input that says who is calling.
pub(crate) const fn query(cache_s: Option<u32>) -> Entry {
    Entry {
        name: "who.calls",
        spec: Spec {
            kind: Kind::Query,
            auth: Auth::Public,
            rest: None,
            rest_answer: RestAnswer::NONE,
            timeout_ms: 1_000,
            memory_mb: 128,
            concurrency: None,
            cache_s,
            http: None,
            errors: ErrorFormat::Problem,
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
        configs: ConfigReaders::NONE,
        run: |call| {
            Box::pin(async move {
                let caller = Option::<Caller>::obtain(&call)?;
                call.no_input()?;
                crate::encode(&caller.map(|caller| caller.subject().to_owned()))
            })
        },
    }
}

/// The same with a form of its own, and errors in this format.
fn own(http: &'static str, errors: ErrorFormat) -> Entry {
    Entry { spec: Spec { http: Some(http), errors, ..query(None).spec }, ..query(None) }
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
        configs: Configs::default(),
        metrics: MetricOutput::Log,
        mail_transport: Arc::default(),
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
    let entry = own("GET /x", ErrorFormat::OAuth);
    let fault = Fault { failure, ..Fault::new(code, "No.") };
    let request = Request::get("/x").body(Bytes::new()).unwrap();
    refuse(&Cors::AnyOrigin, &Site::new("", "", ""), "r1", &request, Addressee::Procedure(&entry), &fault)
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
    for (request, status) in [(get("?input=1"), 400), (get("?batch=1"), 200), (post, 200), (head, 204), (put, 405)] {
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
    let challenge =
        "Bearer error=\"insufficient_user_authentication\", error_description=\"Authenticate again\", max_age=\"300\"";
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

/// A procedure by REST, in the place of [`query`].
fn by_rest(kind: Kind, run: fn(crate::Call) -> crate::Outcome) -> Entry {
    let query = query(None);
    let spec = Spec { kind, rest: Some(if kind == Kind::Query { "GET /v1/x" } else { "POST /v1/x" }), ..query.spec };
    Entry { spec, run, ..query }
}

async fn ask_by_rest(entry: &Entry, request: http::request::Builder) -> Response<Bytes> {
    let request = request.extension(rest::Route::default()).body(Bytes::new()).unwrap();
    answer(entry, &context(Cors::AnyOrigin), "r1", request).await
}

/// A client that takes problems only is told of what is wrong, and only then that there is nothing that it takes.
#[tokio::test]
async fn what_could_not_be_told_is_not_done() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static DONE: AtomicUsize = AtomicUsize::new(0);
    let run: fn(Call) -> crate::Outcome = |call| {
        Box::pin(async move {
            call.no_input()?;
            DONE.fetch_add(1, Ordering::Relaxed);
            crate::encode(&"done".to_owned())
        })
    };
    let entry = |kind| by_rest(kind, run);
    let request = |method: &str, query: &str| {
        let request = Request::builder().method(method).uri(format!("/v1/x{query}"));
        request.header("accept", "application/problem+json")
    };
    for (kind, method, query, status, done) in [
        (Kind::Mutation, "POST", "", 406, 0),
        (Kind::Mutation, "POST", "?a=1", 400, 0),
        (Kind::Mutation, "PUT", "", 405, 0),
        (Kind::Query, "GET", "", 406, 1),
        (Kind::Query, "HEAD", "", 406, 1),
        (Kind::Query, "GET", "?a=1", 400, 0),
        (Kind::Query, "POST", "", 405, 0),
    ] {
        let before = DONE.load(Ordering::Relaxed);
        let answer = ask_by_rest(&entry(kind), request(method, query)).await;
        let said = (answer.status().as_u16(), the(&answer, "content-type"), the(&answer, "vary"));
        assert_eq!(said, (status, Some("application/problem+json"), Some("accept")), "{method} {query}");
        assert_eq!(DONE.load(Ordering::Relaxed) - before, done, "{method} {query}");
    }
    let signed_in = |kind| Entry {
        spec: Spec { auth: Auth::Permission { name: "x", own: false }, ..entry(kind).spec },
        ..entry(kind)
    };
    assert_eq!(ask_by_rest(&signed_in(Kind::Mutation), request("POST", "")).await.status(), 403);
    assert_eq!(ask_by_rest(&signed_in(Kind::Query), request("GET", "")).await.status(), 403);
}

#[tokio::test]
async fn options_says_which_methods_there_are() {
    let plain = |path: &str| Request::options(path);
    let allow = |answer: &Response<Bytes>| (answer.status().as_u16(), the(answer, "allow").map(str::to_owned));
    let said = |methods: &str| (204, Some(methods.to_owned()));
    let called = ask(query(None), Cors::AnyOrigin, plain("/trpc/who.calls")).await;
    assert_eq!(allow(&called), said("GET, HEAD, POST"));
    let run = query(None).run;
    assert_eq!(allow(&ask_by_rest(&by_rest(Kind::Mutation, run), plain("/v1/x")).await), said("POST"));
    assert_eq!(allow(&ask_by_rest(&by_rest(Kind::Query, run), plain("/v1/x")).await), said("GET, HEAD"));
    let shared = plain("/v1/x").extension(rest::Allowed("GET, HEAD, POST".into()));
    assert_eq!(allow(&ask_by_rest(&by_rest(Kind::Query, run), shared).await), said("GET, HEAD, POST"));
    let own = || own("GET /x", ErrorFormat::OAuth);
    assert_eq!(allow(&ask(own(), Cors::AnyOrigin, plain("/x")).await), said("GET, HEAD"));
    let shared =
        |method: &str| Request::builder().method(method).uri("/x").extension(rest::Allowed("GET, HEAD, POST".into()));
    assert_eq!(allow(&ask(own(), Cors::AnyOrigin, shared("OPTIONS")).await), said("GET, HEAD, POST"));
    let (status, methods) = allow(&ask(own(), Cors::AnyOrigin, shared("PUT")).await);
    assert_eq!((status, methods.as_deref()), (405, Some("GET, HEAD, POST")));
}

/// Of what has a form of its own, and a program that calls it: the procedure's failures are told, and what the framework
/// refuses. To a person in a browser both are told in a page.
#[tokio::test]
async fn what_has_http_answers_a_failure_as_a_problem_unless_it_says_otherwise() {
    let fails: fn(Call) -> crate::Outcome = |_| {
        Box::pin(async {
            let failure = Some(serde_json::json!({"type": "wrongSignature"}));
            Err(Fault { failure, ..Fault::new(Code::Forbidden, "It is not signed.") })
        })
    };
    let entry = Entry { run: fails, ..own("POST /hook", ErrorFormat::Problem) };
    let (problem, page) = ("application/problem+json", "text/html; charset=utf-8");
    for (method, mode, status, kind) in [
        ("POST", "cors", 403, problem),
        ("GET", "cors", 405, problem),
        ("POST", "navigate", 403, page),
        ("GET", "navigate", 405, page),
    ] {
        let request = Request::builder().method(method).uri("/hook").header("sec-fetch-mode", mode);
        let answer = ask(entry, Cors::AnyOrigin, request).await;
        let said = (answer.status().as_u16(), the(&answer, "content-type"), the(&answer, "x-request-id"));
        assert_eq!(said, (status, Some(kind), Some("r1")), "{method} {mode}");
        assert_eq!(the(&answer, "allow"), (status == 405).then_some("POST"), "{method} {mode}");
        assert_eq!(the(&answer, "cache-control"), Some("no-store"), "{method} {mode}");
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        if mode == "navigate" {
            assert!(status == 405 || body.contains("It is not signed."), "{body}");
        } else if status == 403 {
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            let expected = serde_json::json!({
                "type": "/docs#who.calls:wrongSignature", "title": "Forbidden", "status": 403,
                "detail": "It is not signed.", "instance": "/hook", "code": "FORBIDDEN", "requestId": "r1",
                "failure": {"type": "wrongSignature"},
            });
            assert_eq!(body, expected);
        }
    }
    let preflight = Request::options("/hook").header("access-control-request-method", "POST");
    let preflight = ask(own("PUT /hook", ErrorFormat::Problem), Cors::AnyOrigin, preflight).await;
    assert_eq!(the(&preflight, "allow"), Some("PUT"));
    assert_eq!(the(&preflight, "access-control-allow-methods"), Some("GET, HEAD, POST, PUT, PATCH, DELETE"));
}

#[tokio::test]
async fn a_method_that_nobody_knows_is_no_wrong_one() {
    for method in ["FOO", "get", "PROPFINDS", "CONNECT"] {
        let request = |path: &str| Request::builder().method(method).uri(path);
        let answers = [
            ask(query(None), Cors::AnyOrigin, request("/trpc/who.calls")).await,
            ask_by_rest(&by_rest(Kind::Query, query(None).run), request("/v1/x")).await,
            ask(own("GET /x", ErrorFormat::OAuth), Cors::AnyOrigin, request("/x")).await,
            ask(own("GET /x", ErrorFormat::Problem), Cors::AnyOrigin, request("/x")).await,
        ];
        let (json, problem) = ("application/json", "application/problem+json");
        for (answer, kind) in answers.iter().zip([json, problem, json, problem]) {
            let said = (answer.status().as_u16(), the(answer, "content-type"), the(answer, "allow"));
            assert_eq!(said, (501, Some(kind), None), "{method}");
        }
    }
    for known in ["TRACE", "DELETE", "PROPFIND", "QUERY"] {
        let request = Request::builder().method(known).uri("/trpc/who.calls");
        assert_eq!(ask(query(None), Cors::AnyOrigin, request).await.status(), 405, "{known}");
    }
}

/// Where a request went decides the form, and nothing that it holds; but for a browser, in which a person reads.
#[test]
fn what_is_nowhere_is_refused_in_the_form_that_is_at_home_there() {
    let site = Site::new("", "", "");
    let fault = || Fault::new(Code::NotFound, "There is no <b>.");
    let (token, hook) = (own("POST /badges/token", ErrorFormat::OAuth), own("POST /hook", ErrorFormat::Problem));
    let (token, hook) = (Addressee::Procedure(&token), Addressee::Procedure(&hook));
    let (called, nobody) = (Addressee::Called, Addressee::Nobody);
    let refused = |request: http::request::Builder, addressee| {
        refuse(&Cors::AnyOrigin, &site, "r1", &request.body(Bytes::new()).unwrap(), addressee, &fault())
    };
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let (envelope, problem, page) = ("application/json", "application/problem+json", "text/html; charset=utf-8");
    for (method, address, accept, addressee, kind) in [
        ("GET", "/trpc/a.b", "*/*", called("a.b"), envelope),
        ("GET", "/trpc/", browser, called(""), envelope),
        ("GET", "/trpc/%zz", browser, nobody, envelope),
        ("GET", "/trpc", "*/*", nobody, problem),
        ("GET", "/", "*/*", nobody, problem),
        ("PUT", "/v2/orders", browser, nobody, problem),
        ("GET", "/badges/nope", "*/*", nobody, problem),
        ("GET", "/badges/token", browser, token, envelope),
        // What a program takes says less than where it went: Java's names HTML first.
        ("GET", "/hook", browser, hook, problem),
        ("GET", "/soap/", "application/json, text/html;q=0.9", nobody, problem),
        ("GET", "/soap/", browser, nobody, page),
        ("HEAD", "/soap/", browser, nobody, page),
    ] {
        let answer = refused(Request::builder().method(method).uri(address).header("accept", accept), addressee);
        let said = (answer.status().as_u16(), the(&answer, "content-type"), the(&answer, "x-request-id"));
        assert_eq!(said, (404, Some(kind), Some("r1")), "{method} {address} {accept}");
        assert!(the(&answer, "vary").unwrap().contains("accept"), "{method} {address}");
        assert_eq!(the(&answer, "cache-control"), Some("no-store"));
        if kind == page && method == "GET" {
            let body = String::from_utf8(answer.body().to_vec()).unwrap();
            assert!(body.contains("There is no &lt;b&gt;.") && body.contains("r1"), "{body}");
            assert!(the(&answer, "content-security-policy").unwrap().contains("default-src 'none'"));
        }
    }
    let head = refused(Request::head("/soap/").header("accept", browser), nobody);
    let get = refused(Request::get("/soap/").header("accept", browser), nobody);
    assert_eq!(the(&head, "content-length"), Some(get.body().len().to_string()).as_deref());
    // Nobody is there to say which methods there are; a page may read that.
    assert_eq!(refused(Request::options("/v2/orders"), nobody).status(), 404);
    let preflight = refused(Request::options("/v2/orders").header("access-control-request-method", "PATCH"), nobody);
    assert_eq!((preflight.status().as_u16(), the(&preflight, "allow")), (204, None));
    let index = Fault::method_not_supported("OPTIONS", "GET, HEAD");
    let index =
        refuse(&Cors::AnyOrigin, &site, "r1", &Request::options("/").body(Bytes::new()).unwrap(), nobody, &index);
    assert_eq!((index.status().as_u16(), the(&index, "allow")), (204, Some("GET, HEAD")));
}
