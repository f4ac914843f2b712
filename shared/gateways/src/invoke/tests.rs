//! Tests of a gateway from the request to Lambda and back. A small HTTP server stands for Lambda.

use std::sync::{Mutex, PoisonError};

use http::{Method, header};
use runtime::{Environment, environment, web::PeerAddress};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{Calls, GatewaySpec, Refusal, Style, stub::contract_of};

/// A response of Lambda: a status, a line of headers, and a body.
type Canned = (u16, &'static str, String);

/// An invocation that Lambda got.
#[derive(Debug)]
struct Invocation {
    path: String,
    event: Value,
}

#[derive(Default)]
struct Lambda {
    invocations: Mutex<Vec<Invocation>>,
}

impl Lambda {
    /// Returns the responses in turn; the last one repeats. Without any it never answers.
    async fn start(answers: Vec<Canned>) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let lambda = Arc::new(Self::default());
        let own = Arc::clone(&lambda);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (own, answers) = (Arc::clone(&own), answers.clone());
                tokio::spawn(async move { own.serve(stream, &answers).await });
            }
        });
        (lambda, endpoint)
    }

    async fn serve(&self, mut stream: TcpStream, answers: &[Canned]) {
        let mut taken = Vec::new();
        let (head, length) = loop {
            let mut part = [0; 4096];
            let count = stream.read(&mut part).await.unwrap();
            assert_ne!(count, 0, "the request is whole");
            taken.extend_from_slice(&part[..count]);
            let Some(end) = taken.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8(taken[..end].to_vec()).unwrap();
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            break (head, end + 4 + length.unwrap_or(0_usize));
        };
        while taken.len() < length {
            stream.read_buf(&mut taken).await.unwrap();
        }
        let body = &taken[head.len() + 4..];
        let number = {
            let mut invocations = self.invocations.lock().unwrap_or_else(PoisonError::into_inner);
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            invocations.push(Invocation { path, event: serde_json::from_slice(body).unwrap() });
            invocations.len()
        };
        let Some((status, headers, body)) = answers.get(number - 1).or(answers.last()) else {
            return std::future::pending().await;
        };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    fn invocations(&self) -> Vec<Invocation> {
        std::mem::take(&mut *self.invocations.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The response of a procedure's function.
fn answered(status: u16, body: &str) -> Canned {
    let answer = json!({ "statusCode": status, "headers": { "content-type": "application/json" }, "body": body });
    (200, "", answer.to_string())
}

fn refused(status: u16, kind: &str) -> Canned {
    let headers = if kind == "TooManyRequestsException" {
        "x-amzn-errortype: TooManyRequestsException\r\n"
    } else {
        "x-amzn-errortype: ResourceNotFoundException\r\n"
    };
    (status, headers, r#"{"Message":"no","Type":"Service"}"#.to_owned())
}

fn failed(kind: &str) -> Canned {
    let about = json!({ "errorType": kind, "errorMessage": "hunter2" });
    (200, "x-amz-function-error: Unhandled\r\n", about.to_string())
}

/// A style with one call: `/one?a.get` calls `a.get` and returns its code and its result.
struct One;

const SPEC: GatewaySpec = GatewaySpec {
    name: "one",
    paths: &["/one"],
    methods: "GET, POST",
    takes: "",
    calls: true,
    memory_mb: 256,
    timeout_ms: 20_000,
};

impl Style for One {
    fn spec(&self) -> &'static GatewaySpec {
        &SPEC
    }

    fn answer<'a>(&'a self, contract: &'a Contract, body: Bytes, calls: Calls<'a>) -> BoxFuture<'a, Response<Bytes>> {
        Box::pin(async move {
            let name = calls.parts().uri.query().unwrap_or_default().to_owned();
            let input = (!body.is_empty()).then_some(&body[..]);
            let text = match calls.run(contract.find_in_styles(&name).unwrap(), input).await {
                Ok(data) => data.map_or_else(String::new, |data| data.get().to_owned()),
                Err(refusal) => format!("{} {:?}", refusal.code.key(), refusal.retry_after_s),
            };
            Response::new(text.into())
        })
    }

    fn refuse(&self, _calls: &Calls<'_>, refusal: Refusal) -> Response<Bytes> {
        Response::new(refusal.code.key().into())
    }
}

fn contract(timeout_ms: u32) -> Contract {
    let procedure = |name: &str, kind: &str| {
        json!({
            "name": name, "function": protocol::case::function_name(name), "kind": kind, "input": true, "inputOptional": true, "output": true, "timeoutMs": timeout_ms,
        })
    };
    let procedures = [procedure("a.get", "query"), procedure("a.putIt", "mutation")];
    contract_of(json!({ "procedures": procedures }))
}

/// The function's environment in the cloud.
fn environment(endpoint: &str) -> Environment {
    Environment::from_lookup(|name| match name {
        environment::FUNCTIONS => Some("s-dev-{}".to_owned()),
        environment::FUNCTIONS_ENDPOINT => Some(endpoint.to_owned()),
        environment::URL => Some("https://s.example".to_owned()),
        "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
        _ => None,
    })
    .unwrap()
}

/// The gateway's response when Lambda returns these responses, and the invocations that Lambda got.
async fn call(answers: Vec<Canned>, request: Request<Bytes>) -> (String, Vec<Invocation>) {
    let (lambda, endpoint) = Lambda::start(answers).await;
    let handler = crate::lambda::handler(Box::new(One), contract(10_000), environment(&endpoint)).unwrap();
    let response = handler("r1".to_owned(), request).await;
    assert_eq!(response.headers()["x-request-id"], "r1");
    (String::from_utf8(response.into_body().to_vec()).unwrap(), lambda.invocations())
}

fn get() -> Request<Bytes> {
    Request::get("/one?a.get").body(Bytes::new()).unwrap()
}

fn put() -> Request<Bytes> {
    Request::post("/one?a.putIt").body(Bytes::from_static(b"{\"x\":1}")).unwrap()
}

#[tokio::test]
async fn a_procedures_function_gets_the_event_that_the_front_would_have_sent() {
    let mut request = put();
    let headers = request.headers_mut();
    for (name, value) in [
        ("authorization", "Bearer t"),
        ("cookie", "one=1; two=2"),
        ("x-viewer-address", "203.0.113.7"),
        ("content-type", "application/soap+xml"),
        ("accept", "text/xml"),
        ("user-agent", "tests"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    request.extensions_mut().insert(PeerAddress("198.51.100.1".to_owned()));
    let (text, invocations) = call(vec![answered(200, r#"{"result":{"data":{"y":2}}}"#)], request).await;
    assert_eq!(text, r#"{"y":2}"#);
    let [Invocation { path, event }] = &invocations[..] else { panic!("{invocations:?}") };
    assert_eq!(path, "/2015-03-31/functions/s-dev-a-put-it/invocations");
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "ANY /trpc/a.putIt");
    assert_eq!(event["rawPath"], "/trpc/a.putIt");
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "198.51.100.1");
    assert_eq!(event["cookies"], json!(["one=1", "two=2"]));
    assert_eq!(event["body"], r#"{"x":1}"#);
    // What the caller said, what the front said of the caller, and what kind of body it is: nothing of the gateway's.
    let expected = json!({
        "authorization": "Bearer t",
        "content-type": "application/json",
        "user-agent": "tests",
        "x-viewer-address": "203.0.113.7",
    });
    assert_eq!(event["headers"], expected);
}

#[tokio::test]
async fn a_procedures_own_refusal_comes_through() {
    let envelope = r#"{"error":{"message":"No.","code":-32003,"data":{"code":"FORBIDDEN","httpStatus":403}}}"#;
    assert_eq!(call(vec![answered(403, envelope)], get()).await.0, "FORBIDDEN None");
}

#[tokio::test]
async fn a_throttled_query_is_asked_once_more_and_a_mutation_is_not() {
    let throttled = || refused(429, "TooManyRequestsException");
    let good = answered(200, r#"{"result":{"data":1}}"#);
    let (text, invocations) = call(vec![throttled(), good], get()).await;
    assert_eq!((text.as_str(), invocations.len()), ("1", 2));
    let (text, invocations) = call(vec![throttled()], get()).await;
    assert_eq!((text.as_str(), invocations.len()), ("SERVICE_UNAVAILABLE Some(1)", 2));
    let (text, invocations) = call(vec![throttled()], put()).await;
    assert_eq!((text.as_str(), invocations.len()), ("SERVICE_UNAVAILABLE Some(1)", 1));
}

#[tokio::test]
async fn what_goes_wrong_at_lambda_has_a_code_of_its_own() {
    for (answer, expected) in [
        (failed("Runtime.ExitError"), "BAD_GATEWAY None"),
        (failed("Sandbox.Timedout"), "GATEWAY_TIMEOUT None"),
        (refused(404, "ResourceNotFoundException"), "BAD_GATEWAY None"),
        ((200, "", "null".to_owned()), "BAD_GATEWAY None"),
        ((200, "", String::new()), "BAD_GATEWAY None"),
        (answered(200, "hunter2"), "BAD_GATEWAY None"),
    ] {
        let (text, invocations) = call(vec![answer.clone()], get()).await;
        assert_eq!((text.as_str(), invocations.len()), (expected, 1), "{answer:?}");
    }
}

/// As the official client does with `methodOverride`.
#[tokio::test]
async fn an_input_that_is_longer_than_an_address_goes_in_a_body_where_the_service_takes_it() {
    let long = || Request::post("/one?a.get").body(Bytes::from(format!("{:?}", "x".repeat(70_000)))).unwrap();
    let (text, invocations) = call(vec![answered(200, r#"{"result":{"data":{"y":2}}}"#)], long()).await;
    let event = &invocations[0].event;
    assert_eq!((text.as_str(), &event["requestContext"]["http"]["method"]), (r#"{"y":2}"#, &json!("POST")));
    assert_eq!((event["rawQueryString"].as_str(), event["body"].as_str().unwrap().len()), (Some(""), 70_002));
    assert_eq!(event["headers"]["content-type"], "application/json");
    let short = Request::post("/one?a.get").body(Bytes::from_static(b"1")).unwrap();
    let (_, invocations) = call(vec![answered(200, r#"{"result":{"data":{"y":2}}}"#)], short).await;
    assert_eq!(invocations[0].event["requestContext"]["http"]["method"], "GET");
    // Where it takes queries by GET only, the function says so.
    let refused = r#"{"error":{"message":"POST is not answered here.","data":{"code":"METHOD_NOT_SUPPORTED"}}}"#;
    let (text, _) = call(vec![answered(405, refused)], long()).await;
    assert_eq!(text, "PAYLOAD_TOO_LARGE None");
}

#[tokio::test]
async fn an_event_that_lambda_would_refuse_is_not_sent() {
    // Each byte of it is six in JSON.
    let mut request = put();
    *request.body_mut() = vec![1; 1 << 20].into();
    let (text, invocations) = call(vec![answered(200, "{}")], request).await;
    assert_eq!((text.as_str(), invocations.len()), ("PAYLOAD_TOO_LARGE None", 0));
}

#[tokio::test]
async fn a_body_that_the_http_api_takes_and_the_service_does_not_is_refused_by_the_style() {
    let mut request = put();
    *request.body_mut() = vec![b' '; (1 << 20) + 1].into();
    let (text, invocations) = call(vec![answered(200, "{}")], request).await;
    assert_eq!((text.as_str(), invocations.len()), ("PAYLOAD_TOO_LARGE", 0));
}

#[tokio::test]
async fn where_lambda_cannot_be_reached_the_service_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let handler = crate::lambda::handler(Box::new(One), contract(10_000), environment(&endpoint)).unwrap();
    assert_eq!(handler("r1".to_owned(), get()).await.body(), "SERVICE_UNAVAILABLE Some(1)");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_procedure_may_take_nor_than_the_whole_request() {
    let (_lambda, endpoint) = Lambda::start(vec![]).await;
    for (own_ms, whole_ms, expected_ms) in [(10_000, 20_000, 11_000_u32), (10_000, 5_000, 5_000)] {
        let (cors, site) = (Cors::AnyOrigin, Arc::new(Site::new("", "", "")));
        let settings = environment(&endpoint).functions.unwrap();
        let transport = Invoke::new(settings, &contract(own_ms), cors, site).unwrap();
        let started = Instant::now();
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = Method::GET;
        request.extensions_mut().insert(RequestDeadline(started + Duration::from_millis(whole_ms)));
        let response = transport.call("a.get", "r1", request).await;
        assert_eq!((response.status().as_u16(), started.elapsed().as_millis()), (504, u128::from(expected_ms)));
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    }
}

#[tokio::test]
async fn a_gateway_that_is_told_no_functions_does_not_start() {
    let nothing = Environment::from_lookup(|_| None).unwrap();
    let error = crate::lambda::handler(Box::new(One), contract(1), nothing).err().unwrap();
    assert_eq!(error.to_string(), "ONEFOLD_FUNCTIONS is not set");
}
