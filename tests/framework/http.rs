//! HTTP itself, whatever is asked for: what it refuses, and what it says of what would be taken.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Answer, Connection, Folder, Request, Service, TestServer, cargo::conformance_program};

/// Sends bytes on a connection of their own, and reads the statuses of so many answers.
async fn statuses(service: &Service, bytes: &[u8], answers: usize) -> Vec<u16> {
    let mut connection = service.connect().await;
    // Whoever is answered before everything is sent may find the connection closed.
    let _ = connection.write(bytes).await;
    let mut statuses = Vec::new();
    for _ in 0..answers {
        let answer = connection.finish(false).await;
        let answer =
            answer.unwrap_or_else(|error| panic!("{error} after {statuses:?}: {:.80}", String::from_utf8_lossy(bytes)));
        statuses.push(answer.status);
    }
    statuses
}

const GOOD: &str = "GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test]
async fn what_http_refuses_gets_its_status() {
    let data = Folder::new();
    let service = Service::ephemeral(&data).await;
    let long =
        |bytes: usize| format!("GET /trpc/users.list?input={} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(bytes));
    let with = |lines: &str| format!("POST /trpc/health.ping HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n");
    let many: String = (0..200).map(|at| format!("x-{at}: 1\r\n")).collect();
    for (sent, expected) in [
        ("garbage\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost : localhost\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n".to_owned(), 400),
        ("GET health HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(), 400),
        ("GET * HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(), 400),
        ("FOO / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(), 501),
        ("GET /trpc/users.list?input={\"a\":1} HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(), 400),
        (with("content-length: 1, 2\r\n"), 400),
        (with("content-length: 1\r\ncontent-length: 2\r\n"), 400),
        (with("transfer-encoding: gzip\r\n"), 400),
        (with("transfer-encoding: gzip, chunked\r\n") + "0\r\n\r\n", 501),
        (with("transfer-encoding: chunked, chunked\r\n") + "0\r\n\r\n", 400),
        (with("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n") + "0\r\n\r\n", 400),
        (long(70_000), 414),
        (long(200_000), 414),
        (long(3_000_000), 414),
        // Past what is read ahead, and what the read after it brings.
        (with(&format!("x: {}\r\n", "a".repeat(600_000))), 431),
        (with(&many), 431),
        ("GET / HTTP/3.0\r\nhost: localhost\r\n\r\n".to_owned(), 505),
        ("GET / HTTP/1.2\r\nhost: localhost\r\n\r\n".to_owned(), 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 505),
    ] {
        assert_eq!(statuses(&service, sent.as_bytes(), 1).await, [expected], "{sent:.80}");
        // What was good before it has its answer.
        let mut connection = service.connect().await;
        connection.write([GOOD, GOOD].concat().as_bytes()).await.unwrap();
        for _ in 0..2 {
            assert_eq!(connection.finish(false).await.unwrap().status, 200, "before {sent:.80}");
        }
        let _ = connection.write(sent.as_bytes()).await;
        assert_eq!(connection.finish(false).await.unwrap().status, expected, "after {sent:.80}");
        // In one packet as well; of that hyper sees the version first.
        if expected != 505 {
            let after_good = [GOOD, GOOD, &sent].concat();
            assert_eq!(statuses(&service, after_good.as_bytes(), 3).await, [200, 200, expected], "{sent:.80}");
        }
    }
    assert_eq!(statuses(&service, GOOD.as_bytes(), 1).await, [200]);
    // The longest address that is read is read whole.
    let longest = 65_534 - "/trpc/users.list?input=".len();
    assert_eq!(statuses(&service, long(longest).as_bytes(), 1).await, [401]);
}

/// Each way to send a body, with what the answer's type is when it is refused.
fn bodies() -> Vec<(Request, &'static str)> {
    let json = |method: &str, path: &str, body: &str| {
        Request::new(method, path).header("content-type", "application/json").body(body)
    };
    let xml = |kind: &str, version: &str| {
        let body = format!(
            "<e:Envelope xmlns:e=\"{version}\"><e:Body><healthPing xmlns=\"urn:onefold:testbed\"/></e:Body></e:Envelope>"
        );
        Request::new("POST", "/soap").header("content-type", kind).body(body)
    };
    let form = |path: &str| {
        Request::new("POST", path).header("content-type", "application/x-www-form-urlencoded").body("token=x")
    };
    let problem = "application/problem+json";
    let post = r#"{"title":"Lunch","body":"At noon."}"#;
    vec![
        (json("POST", "/trpc/posts.create", post), "application/json"),
        (json("POST", "/trpc/posts%2Ecreate", post), "application/json"),
        (json("POST", "/trpc/posts.create,health.ping?batch=1", &format!("{{\"0\":{post}}}")), "application/json"),
        (json("POST", "/v1/posts", post), problem),
        (json("PATCH", "/v1/posts/0196aed2-53a4-7185-a70a-12a3535cc985", r#"{"version":1}"#), problem),
        (json("POST", "/graphql", r#"{"query":"{ healthPing }"}"#), "application/json; charset=utf-8"),
        (json("POST", "/jsonrpc", r#"{"jsonrpc":"2.0","id":1,"method":"health.ping"}"#), "application/json"),
        (xml("text/xml", "http://schemas.xmlsoap.org/soap/envelope/"), "text/xml; charset=utf-8"),
        (xml("application/soap+xml", "http://www.w3.org/2003/05/soap-envelope"), "application/soap+xml; charset=utf-8"),
        (form("/oauth/token"), "application/json"),
        (form("/oauth/revoke"), "application/json"),
        (form("/oauth/authorize"), "application/json"),
    ]
}

#[tokio::test]
async fn a_coded_body_is_refused_in_every_style_and_nothing_is_done() {
    let server = TestServer::open().await;
    for (request, kind) in bodies() {
        let request = request.bearer(&server.admin);
        for coding in ["gzip", "br", "x-unknown", "identity, gzip"] {
            let answer = server.service.send(&request.clone().header("content-encoding", coding)).await;
            let said = (answer.status, answer.header("content-type"), answer.header("accept-encoding"));
            assert_eq!(said, (415, Some(kind), Some("identity")), "{coding} {request:?}: {}", answer.text());
        }
        let two = request.clone().header("content-encoding", "identity").header("content-encoding", "gzip");
        assert_eq!(server.service.send(&two).await.status, 415, "in two lines: {request:?}");
    }
    assert_eq!(server.query("posts.list", json!({})).await.data()["items"], json!([]), "nothing was executed");
    for (request, _) in bodies() {
        let plain = request.clone().bearer(&server.admin).header("content-encoding", "identity");
        assert_ne!(server.service.send(&plain).await.status, 415, "identity is no coding: {request:?}");
    }
}

#[tokio::test]
async fn a_refused_type_is_answered_with_those_that_are_taken() {
    let server = TestServer::open().await;
    let taken = async |method: &str, path: &str| {
        let request = Request::new(method, path).bearer(&server.admin).header("content-type", "text/plain").body("x");
        let answer = server.service.send(&request).await;
        let header = |name| answer.header(name).map(str::to_owned);
        assert_eq!(answer.status, 415, "{method} {path}: {}", answer.text());
        (header("accept"), header("accept-patch"), header("accept-post"))
    };
    let json = || Some("application/json".to_owned());
    let merge = || Some("application/merge-patch+json, application/json".to_owned());
    let post = "/v1/posts/0196aed2-53a4-7185-a70a-12a3535cc985";
    assert_eq!(taken("PATCH", post).await, (merge(), merge(), None));
    assert_eq!(taken("POST", "/v1/posts").await, (json(), None, json()));
    for path in ["/trpc/posts.create", "/trpc/posts.create,health.ping?batch=1", "/graphql", "/jsonrpc"] {
        assert_eq!(taken("POST", path).await.0, json(), "{path}");
    }
    assert_eq!(taken("POST", "/soap").await.0.unwrap(), "text/xml, application/soap+xml");
}

/// The addresses that GET has and that are no call of tRPC's, which answers HEAD as the official server does.
#[tokio::test]
async fn head_says_what_get_says_at_every_address() {
    let server = TestServer::open().await;
    let contract: Value = serde_json::from_str(include_str!("../testbed/bindings/contract.json")).unwrap();
    let routes = contract["procedures"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|procedure| [&procedure["http"], &procedure["rest"]]);
    let own = routes.filter_map(|route| route.as_str()?.strip_prefix("GET ")).filter(|path| !path.contains('{'));
    let others = [
        "/",
        "/openapi.json",
        "/openrpc.json",
        "/schema.graphql",
        "/soap",
        "/soap?wsdl",
        "/docs",
        "/docs/docs.js",
        "/graphql?query=%7B__typename%7D",
        "/graphql",
        "/v1/nothing",
        "/nothing",
        "/_local/mail",
        "/docs/nothing",
        "/oauth/callback/acme",
        "/oauth/token",
        "/v1/users/0196aed2-53a4-7185-a70a-12a3535cc985",
    ];
    let mut seen = 0;
    for path in own.chain(others) {
        let ask = async |method| server.service.send(&Request::new(method, path).bearer(&server.admin)).await;
        let (get, head) = (ask("GET").await, ask("HEAD").await);
        let said = |answer: &Answer| {
            let varies = ["date", "x-request-id", "content-length", "set-cookie", "location"];
            let names: BTreeSet<String> = answer.names().into_iter().map(str::to_owned).collect();
            let lines = names.into_iter().filter(|name| !varies.contains(&name.as_str()));
            lines.map(|name| (answer.all(&name).join("\n"), name)).collect::<Vec<_>>()
        };
        assert_eq!((head.status, said(&head)), (get.status, said(&get)), "{path}");
        assert!(head.body.is_empty(), "{path}");
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
    let keys = server.service.send(&Request::new("HEAD", "/.well-known/jwks.json")).await;
    assert!(keys.status == 200 && keys.header("cache-control").is_some_and(|kept| kept.starts_with("public")));
}

#[tokio::test]
async fn what_has_no_body_is_not_refused_for_its_type() {
    let server = TestServer::open().await;
    for accept in ["application/problem+json", "text/html", "application/json;q=0"] {
        let post = server.mutation("posts.create", json!({"title": "Lunch", "body": "At noon."})).await.data();
        let path = format!("/v1/posts/{}", post["id"].as_str().unwrap());
        let ask = async |method| {
            server.service.send(&Request::new(method, &path).bearer(&server.admin).header("accept", accept)).await
        };
        assert_eq!(ask("GET").await.status, 406, "{accept}: that has a body");
        let deleted = ask("DELETE").await;
        assert_eq!((deleted.status, deleted.text()), (204, String::new()), "{accept}");
        // A problem is told in any case: there is nothing else to say it in.
        let again = ask("DELETE").await;
        assert_eq!((again.status, again.header("content-type")), (404, Some("application/problem+json")), "{accept}");
    }
}

/// Before the procedure is known, and before a body is read.
#[tokio::test]
async fn what_is_refused_early_is_refused_in_the_form_that_was_asked_for() {
    let server = TestServer::open().await;
    let (envelope, problem) = ("application/json", "application/problem+json");
    let (soap_11, soap_12) = ("text/xml; charset=utf-8", "application/soap+xml; charset=utf-8");
    let large = || vec![b' '; 1024 * 1024 + 1];
    let typed = |method: &str, path: &str, kind: &str| Request::new(method, path).header("content-type", kind);
    for (request, status, kind, says) in [
        (Request::new("GET", "/v1/nothing"), 404, problem, "\"code\":\"NOT_FOUND\""),
        (Request::new("GET", "/v1/users/"), 404, problem, "\"instance\":\"/v1/users/\""),
        (Request::new("DELETE", "/v1"), 404, problem, "\"requestId\""),
        (Request::new("GET", "/trpc/nothing.here"), 404, envelope, "\"code\":-32004"),
        (Request::new("GET", "/trpc/%zz"), 400, envelope, "\"code\":-32600"),
        (Request::new("PUT", "/v1/users"), 405, problem, "\"code\":\"METHOD_NOT_SUPPORTED\""),
        (typed("POST", "/v1/nothing", "application/json").body(large()), 413, problem, "\"status\":413"),
        (typed("POST", "/v1/users", "application/json").body(large()), 413, problem, "\"status\":413"),
        (typed("POST", "/trpc/users.create", "application/json").body(large()), 413, envelope, "\"httpStatus\":413"),
        (
            typed("POST", "/graphql", "application/json").body(large()),
            413,
            "application/json; charset=utf-8",
            "\"errors\":[",
        ),
        (typed("POST", "/jsonrpc", "application/json").body(large()), 413, envelope, "\"jsonrpc\":\"2.0\""),
        (
            typed("POST", "/oauth/token", "application/x-www-form-urlencoded").body(large()),
            413,
            envelope,
            "\"error\":\"invalid_request\"",
        ),
        (Request::new("PUT", "/oauth/token"), 405, envelope, "\"error\":\"invalid_request\""),
        (
            typed("POST", "/soap", "text/xml; charset=iso-8859-1").body("<a/>"),
            415,
            soap_11,
            "http://schemas.xmlsoap.org/soap/envelope/",
        ),
        (
            typed("POST", "/soap", "application/soap+xml; charset=iso-8859-1").body("<a/>"),
            415,
            soap_12,
            "http://www.w3.org/2003/05/soap-envelope",
        ),
        (
            typed("POST", "/soap", "Application/SOAP+XML").body(large()),
            413,
            soap_12,
            "http://www.w3.org/2003/05/soap-envelope",
        ),
        (
            typed("PUT", "/soap", "application/soap+xml").body("<a/>"),
            405,
            soap_12,
            "http://www.w3.org/2003/05/soap-envelope",
        ),
        (
            Request::new("PUT", "/soap").header("accept", "application/soap+xml"),
            405,
            soap_12,
            "http://www.w3.org/2003/05/soap-envelope",
        ),
        (
            typed(
                "POST",
                "/soap",
                "multipart/related; type=\"application/xop+xml\"; start-info=\"application/soap+xml\"",
            )
            .body("x"),
            415,
            soap_12,
            "http://www.w3.org/2003/05/soap-envelope",
        ),
    ] {
        let what = format!("{request:?}");
        let answer = server.service.send(&request).await;
        let said = (answer.status, answer.header("content-type"));
        assert_eq!(said, (status, Some(kind)), "{what:.120}: {}", answer.text());
        assert!(answer.text().contains(says), "{what:.120}: {}", answer.text());
        assert!(answer.header("x-request-id").is_some(), "{what:.120}");
    }
}

#[tokio::test]
async fn a_boolean_in_an_address_is_true_or_false() {
    let server = TestServer::open().await;
    let user = json!({"email": "ada@example.com", "name": "Ada", "isVerified": true});
    let ada = server.mutation("users.create", user).await.data();
    let ask = async |text: &str| {
        let request = Request::new("GET", format!("/v1/users?isVerified={text}")).bearer(&server.admin);
        server.service.send(&request).await
    };
    for text in ["true", "True", "TRUE"] {
        assert_eq!(ask(text).await.json()["items"], json!([ada]), "{text}");
    }
    assert_eq!(ask("False").await.json()["items"], json!([]));
    for text in ["1", "yes", ""] {
        let refused = ask(text).await;
        let errors = json!([{"path": "isVerified", "message": "expected `true` or `false`, found a string"}]);
        assert_eq!((refused.status, &refused.json()["errors"]), (400, &errors), "{text}");
    }
}

#[tokio::test]
async fn of_routes_that_overlap_the_method_decides_and_then_the_path() {
    let program = conformance_program();
    let data = Folder::new();
    let service = Service::start(&program, &["--data", &data.path().to_string_lossy()]).await;
    let ask = async |method: &str, path: &str| {
        let mut connection = Connection::open(service.address).await.unwrap();
        let request = Request::new(method, path).header("content-type", "application/json");
        connection.send(&if method == "POST" { request.body(r#"{"title":"touch"}"#) } else { request }).await.unwrap()
    };
    assert_eq!(ask("POST", "/v1/notes").await.status, 200);
    let found = ask("GET", "/v1/notes/touch").await;
    assert_eq!(found.status, 200, "{}", found.text());
    assert_eq!(ask("HEAD", "/v1/notes/touch").await.status, 200);
    let refused = ask("PUT", "/v1/notes/touch").await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD, POST")));
    assert_eq!(ask("PUT", "/v1/notes/other").await.header("allow"), Some("GET, HEAD"));
    // The fixed path is still its own for its method.
    assert_ne!(ask("POST", "/v1/notes/touch").await.status, 405);
}
