//! What the service refuses: in whose form, in which order, how soon, and by which methods there is something at all.

use serde_json::{Value, json};

use crate::support::{Answer, Request, TestServer};

const PROBLEM: &str = "application/problem+json";
const ENVELOPE: &str = "application/json";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Addresses at which there is nothing, outside of `/trpc/`: beside every style, and at none.
const NOWHERE: [&str; 14] = [
    "/v1/users/",
    "/v1",
    "/v2/users",
    "/oauth/nope",
    "/oauth/",
    "/.well-known/nope",
    "/verify-email/",
    "/soap/",
    "/jsonrpc/",
    "/graphql/",
    "/openapi.json/",
    "/trpc",
    "//",
    "/nothing",
];

impl TestServer {
    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = Request::new(method, path).bearer(&self.admin);
        self.service.send(&headers.iter().fold(request, |request, (name, value)| request.header(name, value))).await
    }
}

#[tokio::test]
async fn what_is_nowhere_is_a_problem_and_a_page_for_a_browser() {
    let server = TestServer::open().await;
    for path in NOWHERE {
        for (method, accept) in [("GET", "*/*"), ("GET", PROBLEM), ("POST", BROWSER), ("PUT", "*/*"), ("DELETE", "*/*")]
        {
            let origin = ("origin", "https://app.example.com");
            let answer = server.ask(method, path, &[("accept", accept), origin]).await;
            let said = (answer.status, answer.header("content-type"), answer.header("vary"));
            assert_eq!(said, (404, Some(PROBLEM), Some("accept")), "{method} {path}: {}", answer.text());
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "a page may read it");
            let problem = answer.json();
            assert_eq!((&problem["instance"], &problem["code"]), (&json!(path), &json!("NOT_FOUND")));
            assert_eq!(problem["requestId"].as_str(), answer.header("x-request-id"));
        }
        let page = server.ask("GET", path, &[("accept", BROWSER)]).await;
        let said = (page.status, page.header("content-type"), page.header("vary"));
        assert_eq!(said, (404, Some("text/html; charset=utf-8"), Some("accept")), "{path}");
        assert!(page.text().contains("<h1>Not Found</h1>"), "{path}");
        assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
        let head = server.ask("HEAD", path, &[("accept", BROWSER)]).await;
        let said = (head.status, head.header("content-type"), head.body.len());
        assert_eq!(said, (404, page.header("content-type"), 0), "{path}");
        // The id in it has always the same length.
        assert_eq!(head.header("content-length"), page.header("content-length"), "{path}");
    }
    for path in ["/trpc/", "/trpc/nothing.here"] {
        for accept in ["*/*", PROBLEM, BROWSER] {
            let answer = server.ask("GET", path, &[("accept", accept)]).await;
            assert_eq!((answer.status, answer.header("content-type")), (404, Some(ENVELOPE)), "{path} {accept}");
            assert_eq!(answer.error()["data"]["code"], "NOT_FOUND", "{path}");
        }
    }
    let index = server.ask("PUT", "/", &[]).await;
    assert_eq!((index.status, index.header("content-type")), (405, Some(PROBLEM)));
    assert_eq!(index.header("allow"), Some("GET, HEAD"));
}

/// A client that takes problems only is told all problems; and that there is nothing else that it takes, only when there
/// is no problem.
#[tokio::test]
async fn a_client_that_takes_problems_only_is_told_them() {
    let server = TestServer::open().await;
    let post = server.mutation("posts.create", json!({"title": "Lunch", "body": "At noon."})).await.data();
    let post = format!("/v1/posts/{}", post["id"].as_str().unwrap());
    let missing = "/v1/posts/0196aed2-53a4-7185-a70a-12a3535cc985";
    let (json, new) = (("content-type", "application/json"), r#"{"title":"Dinner","body":"At six."}"#);
    let large = format!("{{\"title\":\"{}\"}}", "a".repeat(1024 * 1024));
    let nobody = ("authorization", "Bearer x");
    let reader = server.key.token(testbed::Role::Viewer);
    let reader = ("authorization", format!("Bearer {reader}"));
    let reader = (reader.0, reader.1.as_str());
    let admin = ("authorization", format!("Bearer {}", server.admin));
    let admin = (admin.0, admin.1.as_str());
    for accept in [PROBLEM, "application/problem+json, application/json;q=0", "text/html"] {
        for (method, path, who, kind, body, status) in [
            ("PUT", "/v1/posts", admin, json, new, 405),
            ("FOO", "/v1/posts", admin, json, new, 501),
            ("GET", missing, admin, json, "", 404),
            ("GET", "/v1/posts?limit=0", admin, json, "", 400),
            ("GET", "/v1/posts", nobody, json, "", 401),
            ("GET", post.as_str(), admin, json, "", 406),
            ("HEAD", post.as_str(), admin, json, "", 406),
            ("POST", "/v1/posts", admin, ("content-type", "text/plain"), new, 415),
            ("POST", "/v1/posts", admin, json, &large, 413),
            ("POST", "/v1/posts", nobody, json, new, 401),
            ("POST", "/v1/posts", reader, json, new, 403),
            ("POST", "/v1/posts", admin, json, r#"{"title":""}"#, 400),
            ("POST", "/v1/posts", admin, json, "{nope", 400),
            ("POST", "/v1/posts", admin, json, new, 406),
            ("PATCH", post.as_str(), admin, json, r#"{"title":"Later","version":1}"#, 406),
        ] {
            let request = Request::new(method, path).header("accept", accept).header(who.0, who.1);
            let answer = server.service.send(&request.header(kind.0, kind.1).body(body)).await;
            let said = (answer.status, answer.header("content-type"));
            assert_eq!(said, (status, Some(PROBLEM)), "{method} {path:.40} {body:.40} {accept}: {}", answer.text());
        }
    }
    let posts = server.query("posts.list", json!({})).await.data();
    let told: Vec<(&Value, &Value)> =
        posts["items"].as_array().unwrap().iter().map(|post| (&post["title"], &post["version"])).collect();
    assert_eq!(told, [(&json!("Lunch"), &json!(1))], "nothing was done that was not told");
    // What was seen already has no body that could be unacceptable.
    let seen = server.ask("GET", &post, &[("accept", PROBLEM), ("if-none-match", "\"1\"")]).await;
    assert_eq!(seen.status, 304);
}

/// Java's `HttpURLConnection` writes a list that the grammar does not have.
#[tokio::test]
async fn what_a_client_takes_is_read_in_one_way_in_every_style() {
    let server = TestServer::open().await;
    let query = "/graphql?query=%7B__typename%7D";
    for (accept, status) in [
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", 200),
        ("application/json;q=0.5;x=\"a,b\", text/plain", 200),
        ("APPLICATION/JSON ; Q=0.001", 200),
        ("text/plain, application/*;q=0.1", 200),
        ("nonsense/, a b, , application/json", 200),
        ("text/plain", 406),
        ("*/*, application/*;q=0", 406),
        ("text/plain, */*;q=0.000", 406),
    ] {
        for path in ["/v1/health", query] {
            assert_eq!(server.ask("GET", path, &[("accept", accept)]).await.status, status, "{path} {accept}");
        }
    }
    let two = [("accept", "text/plain"), ("accept", "application/json;q=0.1")];
    for path in ["/v1/health", query] {
        assert_eq!(server.ask("GET", path, &two).await.status, 200, "{path}: two lines are one list");
    }
    for (accept, is_page) in [
        (BROWSER, true),
        ("text/html;q=0, */*", false),
        ("text/html; q=0.0, */*", false),
        ("application/json, text/html;q=0.9", false),
    ] {
        let answer = server.ask("GET", "/graphql", &[("accept", accept), ("accept-encoding", "gzip")]).await;
        let kind = answer.header("content-type").unwrap_or_default();
        assert_eq!(kind.starts_with("text/html"), is_page, "{accept}");
    }
}

#[tokio::test]
async fn options_says_which_methods_an_address_has() {
    let server = TestServer::open().await;
    let wrong = "TRACE";
    for (path, allow) in [
        ("/v1/users", "GET, HEAD, POST"),
        ("/v1/users/x", "GET, HEAD, DELETE, PATCH"),
        ("/v1/auth/login", "POST"),
        ("/v1/health", "GET, HEAD"),
        ("/trpc/users.get", "GET, HEAD, POST"),
        ("/trpc/users.create", "POST"),
        ("/trpc/users%2Ecreate", "POST"),
        ("/trpc/health.ping,users.list?batch=1", "GET, HEAD, POST"),
        ("/graphql", "GET, HEAD, POST"),
        ("/jsonrpc", "POST"),
        ("/soap", "GET, HEAD, POST"),
        ("/docs", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/schema.graphql", "GET, HEAD"),
        ("/favicon.ico", "GET, HEAD"),
        ("/oauth/token", "POST"),
        ("/oauth/authorize", "GET, HEAD, POST"),
        ("/.well-known/jwks.json", "GET, HEAD"),
        ("/", "GET, HEAD"),
        ("/_local/mail", "GET, HEAD"),
    ] {
        let refused = server.ask(wrong, path, &[]).await;
        assert_eq!((refused.status, refused.header("allow")), (405, Some(allow)), "{path}: {}", refused.text());
        let origin = ("origin", "https://app.example.com");
        for headers in [&[][..], &[origin], &[origin, ("access-control-request-method", "POST")]] {
            let answer = server.ask("OPTIONS", path, headers).await;
            assert_eq!((answer.status, answer.body.len()), (204, 0), "{path} {headers:?}");
            assert!(answer.header("access-control-allow-methods").is_some(), "{path} {headers:?}");
            // Of a preflight, gateways answer for all of their addresses.
            assert!(headers.len() > 1 || answer.header("allow") == Some(allow), "{path} {headers:?} {answer:?}");
        }
    }
    for path in NOWHERE.into_iter().chain(["/trpc/", "/trpc/nothing.here", "/docs/nothing"]) {
        let plain = server.ask("OPTIONS", path, &[]).await;
        assert_eq!((plain.status, plain.header("allow")), (404, None), "{path}");
        let page = [("origin", "https://app.example.com"), ("access-control-request-method", "POST")];
        let preflight = server.ask("OPTIONS", path, &page).await;
        assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("*")), "{path}");
    }
    let all = server.ask("OPTIONS", "*", &[]).await;
    assert_eq!((all.status, all.header("allow")), (204, Some("GET, HEAD, POST, PUT, PATCH, DELETE")));
    assert_eq!(server.ask("GET", "*", &[]).await.status, 400, "the star is for OPTIONS");
}

#[tokio::test]
async fn a_method_that_nobody_knows_is_not_implemented_anywhere() {
    let server = TestServer::open().await;
    for (path, kind) in [
        ("/v1/users", PROBLEM),
        ("/v2/users", PROBLEM),
        ("/", PROBLEM),
        ("/docs", PROBLEM),
        ("/trpc/users.get", ENVELOPE),
        ("/trpc/nothing.here", ENVELOPE),
        ("/trpc/health.ping,users.list?batch=1", ENVELOPE),
        ("/oauth/token", ENVELOPE),
        ("/jsonrpc", ENVELOPE),
        ("/graphql", "application/json; charset=utf-8"),
        ("/soap", "text/xml; charset=utf-8"),
    ] {
        for method in ["FOO", "get", "PROPFINDS", "CONNECT"]
            .into_iter()
            .filter(|method| *method != "CONNECT" || path == "/v1/users")
        {
            let answer = server.ask(method, path, &[]).await;
            let said = (answer.status, answer.header("content-type"), answer.header("allow"));
            assert_eq!(said, (501, Some(kind), None), "{method} {path}: {}", answer.text());
        }
    }
}

/// Beside what every page may read (Fetch, "CORS-safelisted response-header name"), and what says nothing to a caller.
const READ_BY_ALL: [&str; 3] = ["cache-control", "content-type", "content-length"];
const OF_NO_CONCERN: [&str; 5] = ["date", "vary", "connection", "x-content-type-options", "set-cookie"];

#[tokio::test]
async fn a_page_of_elsewhere_reads_all_that_an_answer_says() {
    let server = TestServer::open().await;
    let post = server.mutation("posts.create", json!({"title": "Lunch", "body": "At noon."})).await.data();
    let post = format!("/v1/posts/{}", post["id"].as_str().unwrap());
    let (json, text) = (("content-type", "application/json"), ("content-type", "text/plain"));
    let origin = ("origin", "https://app.example.com");
    let new = r#"{"title":"Dinner","body":"At six."}"#;
    let nobody = ("authorization", "Bearer x");
    let coded = ("content-encoding", "gzip");
    for (method, path, headers, body, says) in [
        ("GET", "/v1/users", &[nobody][..], "", "www-authenticate"),
        ("GET", "/trpc/users.list", &[nobody], "", "www-authenticate"),
        ("PUT", "/v1/users", &[], "", "allow"),
        ("PUT", "/graphql", &[], "", "allow"),
        ("POST", "/v1/posts", &[text], new, "accept-post"),
        ("PATCH", &post, &[text], new, "accept-patch"),
        ("POST", "/jsonrpc", &[text], new, "accept"),
        ("POST", "/v1/posts", &[json, coded], new, "accept-encoding"),
        ("GET", &post, &[], "", "etag"),
        ("GET", "/v1/posts?limit=1", &[], "", "link"),
        ("POST", "/v1/posts", &[json], new, "location"),
        ("GET", "/nothing", &[], "", "x-request-id"),
    ] {
        let request = Request::new(method, path).header(origin.0, origin.1);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value)).body(body);
        let is_nobody = headers.contains(&nobody);
        let answer = server.service.send(&if is_nobody { request } else { request.bearer(&server.admin) }).await;
        // A second post makes the first page one that goes on.
        assert!(says == "link" || answer.header(says).is_some(), "{method} {path} {says}: {answer:?}");
        let exposed: Vec<_> = answer.header("access-control-expose-headers").unwrap().split(", ").collect();
        assert!(exposed.contains(&says), "{says}");
        for name in answer.names() {
            let is_read = exposed.contains(&name) || READ_BY_ALL.contains(&name) || OF_NO_CONCERN.contains(&name);
            assert!(is_read || name.starts_with("access-control-"), "{method} {path}: {name}");
        }
    }
}

/// Whatever answers: a style, a procedure, or the front itself.
#[tokio::test]
async fn what_has_a_body_is_kept_by_nobody_unasked_and_of_the_type_that_it_says() {
    let server = TestServer::open().await;
    for path in [
        "/",
        "/_local/mail",
        "/graphql",
        "/graphql?query=%7BhealthPing%7D",
        "/docs",
        "/v1/health",
        "/trpc/health.ping",
        "/nothing",
        "/openapi.json",
        "/soap",
        "/soap?wsdl",
        "/.well-known/jwks.json",
        "/favicon.ico",
        "/%zz",
    ] {
        for (method, accept) in [("GET", "*/*"), ("GET", BROWSER), ("HEAD", "*/*"), ("PUT", "*/*"), ("FOO", "*/*")] {
            let answer = server.ask(method, path, &[("accept", accept), ("accept-encoding", "gzip")]).await;
            let said = (answer.header("x-content-type-options"), answer.header("cache-control").is_some());
            // The official server answers HEAD without a body.
            let is_empty = answer.status == 204;
            assert!(is_empty || said == (Some("nosniff"), true), "{method} {path} {accept}: {answer:?}");
        }
    }
    for (host, status) in [("evil.example", 403), ("evil/x", 400)] {
        let mut connection = server.service.connect().await;
        connection.write(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes()).await.unwrap();
        let answer = connection.finish(false).await.unwrap();
        let said = (answer.status, answer.header("x-content-type-options"), answer.header("cache-control"));
        assert_eq!(said, (status, Some("nosniff"), Some("no-store")), "{host}");
    }
}

/// Nobody is told to go on sending, and nobody is waited for.
#[tokio::test]
async fn a_body_over_the_limit_is_refused_at_once() {
    let server = TestServer::open().await;
    let over = 1024 * 1024 + 1;
    for (method, path, kind, form) in [
        ("POST", "/v1/users", ENVELOPE, PROBLEM),
        ("GET", "/v1/users", ENVELOPE, PROBLEM),
        ("POST", "/nothing", ENVELOPE, PROBLEM),
        ("POST", "/trpc/users.create", ENVELOPE, ENVELOPE),
        ("POST", "/trpc/users.create,users.create?batch=1", ENVELOPE, ENVELOPE),
        ("POST", "/graphql", ENVELOPE, "application/json; charset=utf-8"),
        ("POST", "/jsonrpc", ENVELOPE, ENVELOPE),
        ("POST", "/soap", "text/xml", "text/xml; charset=utf-8"),
        ("POST", "/oauth/token", "application/x-www-form-urlencoded", ENVELOPE),
    ] {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n");
        let announced = format!("content-length: {over}\r\n");
        let chunk = format!("transfer-encoding: chunked\r\n\r\n{over:x}\r\n{}", " ".repeat(over));
        // The rest never comes.
        for rest in [
            format!("{announced}\r\n"),
            format!("{announced}\r\n{{"),
            format!("{announced}expect: 100-continue\r\n\r\n"),
            "content-length: 9000000000000000000\r\n\r\n".to_owned(),
            chunk.clone(),
        ] {
            let mut connection = server.service.connect().await;
            connection.write([head.as_str(), &rest].concat().as_bytes()).await.unwrap();
            let answer = connection.finish(false).await.unwrap();
            let said = (answer.status, answer.header("content-type"), answer.header("connection"));
            assert_eq!(said, (413, Some(form), Some("close")), "{method} {path} {rest:.60}: {}", answer.text());
        }
    }
    // What is not over the limit is told to come, and is read.
    let mut connection = server.service.connect().await;
    let head = "POST /jsonrpc HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let waiting = format!("{head}content-length: 2\r\nexpect: 100-continue\r\n\r\n");
    connection.write(waiting.as_bytes()).await.unwrap();
    connection.until(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    connection.write(b"[]").await.unwrap();
    assert_eq!(connection.finish(false).await.unwrap().status, 200);
}

/// It has no `Host`, which no browser leaves out.
#[tokio::test]
async fn a_program_that_speaks_http_1_0_is_answered() {
    let server = TestServer::open().await;
    for path in ["/v1/health", "/trpc/health.ping", "/", "/_local/mail", "/graphql?query=%7BhealthPing%7D"] {
        for (host, status) in [("", 200), ("host: localhost\r\n", 200), ("host: evil.example\r\n", 403)] {
            let mut connection = server.service.connect().await;
            connection.write(format!("GET {path} HTTP/1.0\r\n{host}\r\n").as_bytes()).await.unwrap();
            assert_eq!(connection.finish(false).await.unwrap().status, status, "{path} {host}");
        }
        let mut connection = server.service.connect().await;
        connection.write(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
        assert_eq!(connection.finish(false).await.unwrap().status, 400, "HTTP/1.1 says it");
    }
}
