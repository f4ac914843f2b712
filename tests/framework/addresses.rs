//! Where a request goes: to which host, and to which address, however it is written; and on which condition.

use serde_json::{Value, json};

use crate::support::{Answer, Connection, Folder, Request, Service, TestServer, cargo::build};

const PROBLEM: &str = "application/problem+json";

/// RFC 9112 section 3.2: a request with a `Host` that is none is answered with 400, whatever it ends with.
#[tokio::test]
async fn a_host_that_is_none_is_refused_at_every_address() {
    let server = TestServer::open().await;
    let ask = async |target: &str, host: &str| {
        let mut connection = server.service.connect().await;
        connection.write(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes()).await.unwrap();
        connection.finish(false).await.unwrap()
    };
    for host in [
        "localhost/evil",
        "localhost?x=evil.example",
        "localhost#x",
        "evil example.localhost",
        "evil.example,a.localhost",
        "localhost, localhost",
        "user@localhost",
        "evil.example@localhost:1",
        "localhost:99999999",
        "localhost:+1",
        "localhost:x",
        "[::1",
        "evil%2Eexample.localhost",
    ] {
        for path in
            ["/", "/v1/health", "/trpc/health.ping", "/graphql?query=%7BhealthPing%7D", "/_local/mail", "/nothing"]
        {
            let answer = ask(path, host).await;
            assert_eq!(answer.status, 400, "{host} {path}: {}", answer.text());
        }
        let answer = ask("/v1/health", host).await;
        assert_eq!(
            (answer.header("content-type"), &answer.json()["code"]),
            (Some(PROBLEM), &json!("BAD_REQUEST")),
            "{host}"
        );
    }
    for target in
        ["http://localhost:99999999/v1/health", "http://user@localhost/v1/health", "http://a,b.localhost/v1/health"]
    {
        assert_eq!(ask(target, "localhost").await.status, 400, "{target}");
    }
    for host in ["localhost", "LOCALHOST:1", "a.localhost:65535", "127.0.0.1", "[::1]:9000", "localhost:"] {
        assert_eq!(ask("/v1/health", host).await.status, 200, "{host}");
        assert_eq!(ask(&format!("http://{host}/v1/health"), host).await.status, 200, "{host}");
    }
}

async fn conformance(data: &Folder) -> Service {
    let programs = build(&["--example", "conformance"]);
    Service::start(&programs["conformance"], &["--data", &data.path().to_string_lossy()]).await
}

async fn get(service: &Service, path: &str) -> Answer {
    Connection::open(service.address).await.unwrap().send(&Request::new("GET", path)).await.unwrap()
}

/// RFC 3986 section 6.2.2.2.
#[tokio::test]
async fn an_unreserved_character_and_its_escape_are_the_same_in_every_style() {
    let data = Folder::new();
    let service = conformance(&data).await;
    let input = "%7B%22name%22%3A%22a%22%7D";
    for path in [
        "/v1/greetings/a",
        "/v1/greet%69ngs/a",
        "/%76%31/greetings/%61",
        &format!("/trpc/greet.hello?input={input}"),
        &format!("/%74rpc/greet%2ehello?%69nput={input}"),
        &format!("/trpc/greet.hello,greet.hello?batch=%31&%69nput=%7B%220%22:{input},%221%22:{input}%7D"),
        &format!("/trpc/greet.hello?%62atch=1&input=%7B%220%22:{input}%7D"),
        "/%67raphql?%71uery=%7BgreetHello(name:%22a%22)%7Bmessage%7D%7D",
    ] {
        let answer = get(&service, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(answer.text().contains("Hello a"), "{path}: {}", answer.text());
    }
    assert!(get(&service, "/soap?%77sdl").await.text().contains("definitions"));
    // What is decoded is decoded once.
    for (path, name) in [("%25zz", "%zz"), ("%2561", "%61"), ("a%2Fb", "a/b"), ("%C3%A9", "\u{e9}"), ("+", "+")] {
        let answer = get(&service, &format!("/v1/greetings/{path}")).await;
        assert_eq!(answer.json()["message"], json!(format!("Hello {name}")), "{path}");
    }
}

#[tokio::test]
async fn an_address_whose_escapes_are_malformed_is_refused() {
    let data = Folder::new();
    let service = conformance(&data).await;
    for escape in ["%zz", "%", "%4", "a%", "%FF", "%C3", "%+1", "%%341", "%u0041"] {
        for (path, kind) in [
            (format!("/v1/greetings/{escape}"), PROBLEM),
            (format!("/v1/greetings{escape}/a"), PROBLEM),
            (format!("/v1/greetings/a/{escape}"), PROBLEM),
            (format!("/docs/{escape}"), PROBLEM),
            (format!("/{escape}"), PROBLEM),
            (format!("/trpc/greet.hello{escape}"), "application/json"),
        ] {
            for method in ["GET", "POST", "HEAD"] {
                let request = Request::new(method, &path);
                let answer = Connection::open(service.address).await.unwrap().send(&request).await.unwrap();
                assert_eq!((answer.status, answer.header("content-type")), (400, Some(kind)), "{method} {path}");
            }
        }
    }
}

/// In JSON, and in no type of number that there is here: a fault like another, beside the others.
#[tokio::test]
async fn a_number_beyond_all_is_a_fault_in_its_place() {
    let server = TestServer::open().await;
    let errors = |answer: &Answer| answer.json()["errors"].as_array().cloned().unwrap_or_default();
    for number in ["1e400", "-1e400", &"9".repeat(400)] {
        let list = Request::new("GET", format!("/v1/users?limit={number}&cursor=1&other=1")).bearer(&server.admin);
        let answer = server.service.send(&list).await;
        let paths: Vec<Value> = errors(&answer).iter().map(|error| error["path"].clone()).collect();
        assert_eq!(answer.status, 400);
        assert!(["limit", "other"].iter().all(|path| paths.contains(&json!(path))), "{number}: {}", answer.text());
        let body = format!(r#"{{"email": "nobody", "name": "", "age": {number}}}"#);
        let json = ("content-type", "application/json");
        let create =
            |path: &str| Request::new("POST", path).bearer(&server.admin).header(json.0, json.1).body(body.clone());
        let answer = server.service.send(&create("/v1/users")).await;
        assert_eq!((answer.status, errors(&answer).len()), (400, 3), "{number}: {}", answer.text());
        let answer = server.service.send(&create("/trpc/users.create")).await;
        assert_eq!(answer.fields(), ["age", "email", "name"], "{number}");
        let call = format!(r#"{{"jsonrpc": "2.0", "id": 1, "method": "users.create", "params": {body}}}"#);
        let answer = server.service.send(&create("/jsonrpc").body(call)).await;
        assert_eq!(answer.json()["error"]["data"]["fields"].as_array().map(Vec::len), Some(3), "{}", answer.text());
    }
}

/// RFC 9110 section 13.1.
#[tokio::test]
async fn conditions_name_several_versions_or_any() {
    let server = TestServer::open().await;
    let post = server.mutation("posts.create", json!({"title": "Lunch", "body": "At noon."})).await.data();
    let post = format!("/v1/posts/{}", post["id"].as_str().unwrap());
    let ask = async |method: &str, path: &str, name: &str, lines: &[&str]| {
        let request = Request::new(method, path).bearer(&server.admin);
        let request = lines.iter().fold(request, |request, line| request.header(name, line));
        let is_patch = method == "PATCH";
        let request = if is_patch {
            request.header("content-type", "application/json").body(r#"{"title":"Tea"}"#)
        } else {
            request
        };
        let answer = server.service.send(&request).await;
        (answer.status, answer.header("etag").map(str::to_owned))
    };
    let tag = |version: u32| Some(format!("\"{version}\""));
    for method in ["GET", "HEAD"] {
        for tags in [&["\"1\""][..], &["\"7\", \"1\""], &["\"7\"", "\"1\""], &["*"]] {
            assert_eq!(ask(method, &post, "if-match", tags).await, (200, tag(1)), "{method} {tags:?}");
        }
        for tags in [&["\"2\""][..], &["W/\"1\""], &["1"], &["\"2\", \"3\""]] {
            assert_eq!(ask(method, &post, "if-match", tags).await.0, 412, "{method} {tags:?}");
        }
        assert_eq!(ask(method, &post, "if-none-match", &["*"]).await.0, 304);
        for path in ["/v1/posts", "/v1/users", "/v1/health"] {
            assert_eq!(ask(method, path, "if-none-match", &["*"]).await.0, 200, "{path} has no version");
        }
    }
    assert_eq!(ask("PATCH", &post, "if-none-match", &["*"]).await.0, 412);
    assert_eq!(ask("PATCH", &post, "if-match", &["\"2\", \"3\""]).await.0, 412);
    assert_eq!(ask("PATCH", &post, "if-match", &["\"3\", \"1\""]).await, (200, tag(2)));
    assert_eq!(ask("PATCH", &post, "if-match", &["\"1\"", "\"2\", W/\"9\""]).await, (200, tag(3)));
    assert_eq!(ask("GET", &post, "if-match", &["\"3\""]).await, (200, tag(3)), "each was done once");
}

/// An event of the cloud has one line of each header.
#[tokio::test]
async fn several_lines_of_a_header_are_one_as_in_the_cloud() {
    let server = TestServer::open().await;
    let json = ("content-type", "application/json");
    let twice =
        Request::mutation("posts.create", &json!({"title": "Lunch", "body": "At noon."})).header(json.0, json.1);
    assert_eq!(server.service.send(&twice.bearer(&server.admin)).await.status, 415, "it says no single type");
}
