//! The tRPC wire for single calls, spoken by hand. The official client's view is in `tests/typescript`.

use serde_json::{Value, json};
use testbed::Role;

use crate::support::{Answer, Request, Service, TestServer, http::percent_encode};

/// How large an input may be, in bytes.
const LIMIT_BYTES: usize = 1024 * 1024;

/// The service still answers, to this and to others.
async fn still_answers(service: &Service, after: &str) {
    let answer = service.send(&Request::query("health.ping", &Value::Null)).await;
    assert_eq!(answer.data(), "pong", "after {after}");
}

#[tokio::test]
async fn queries_come_by_get_and_by_post_and_mutations_by_post() {
    let server = TestServer::open().await;
    let ada = server.mutation("users.create", json!({"email": "ada@example.com", "name": "Ada"})).await;
    let ada = ada.data();
    let input = json!({"id": ada["id"]});

    let by_get = server.query("users.get", input.clone()).await;
    assert_eq!(by_get.data(), ada);
    let by_post = server.mutation("users.get", input).await;
    assert_eq!(by_post.json(), by_get.json());

    assert_eq!(by_get.header("content-type"), Some("application/json"));
    assert_eq!(by_get.header("vary"), Some("trpc-accept, accept"));
    assert_eq!(by_get.header("cache-control"), Some("no-store"));
    assert!(by_get.header("x-request-id").is_some_and(|id| id.len() == 36));
    assert_ne!(by_get.header("x-request-id"), by_post.header("x-request-id"));
}

#[tokio::test]
async fn nothing_goes_in_and_nothing_comes_out() {
    let server = TestServer::open().await;
    let ada = server.user("ada").await;

    // A mutation without output answers an envelope without data.
    let deleted = server.mutation("users.delete", json!({"id": ada["id"]})).await;
    assert_eq!((deleted.status, deleted.json()), (200, json!({"result": {}})));

    // No input is no parameter, an empty body, null, or an object without fields.
    for nothing in [
        Request::new("GET", "/trpc/health.ping"),
        Request::new("GET", "/trpc/health.ping?"),
        Request::query("health.ping", &json!({})),
        Request::new("GET", "/trpc/health.ping?input=null"),
        Request::mutation("health.ping", &Value::Null),
        Request::mutation("health.ping", &json!({})),
    ] {
        assert_eq!(server.service.send(&nothing).await.data(), "pong", "{nothing:?}");
    }
    for something in [json!(5), json!("x"), json!([]), json!({"a": 1})] {
        let answer = server.service.send(&Request::query("health.ping", &something)).await;
        assert_eq!(answer.code(), "BAD_REQUEST", "{something}");
    }
    // An input whose fields are all optional may be left out.
    assert_eq!(server.query("users.list", Value::Null).await.data()["items"], json!([]));
    assert_eq!(server.query("users.get", Value::Null).await.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn a_method_that_is_not_answered_names_those_that_are() {
    let server = TestServer::open().await;
    for (method, procedure, allow) in [
        ("GET", "users.create", "POST"),
        ("PUT", "users.create", "POST"),
        ("DELETE", "users.delete", "POST"),
        ("PUT", "users.get", "GET, HEAD, POST"),
        ("DELETE", "health.ping", "GET, HEAD, POST"),
        ("PATCH", "health.ping", "GET, HEAD, POST"),
        ("PROPFIND", "health.ping", "GET, HEAD, POST"),
        ("TRACE", "health.ping", "GET, HEAD, POST"),
    ] {
        let request = Request::new(method, format!("/trpc/{procedure}")).bearer(&server.admin);
        let answer = server.service.send(&request).await;
        assert_eq!((answer.status, answer.code().as_str()), (405, "METHOD_NOT_SUPPORTED"), "{method} {procedure}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {procedure}");
        assert_eq!(answer.error()["code"], -32005);
        assert_eq!(answer.error()["data"]["path"], procedure);
    }
    let head = server.service.send(&Request::new("HEAD", "/trpc/users.get")).await;
    assert_eq!((head.status, head.body.len()), (204, 0));
}

#[tokio::test]
async fn a_body_is_json_and_says_so() {
    let server = TestServer::open().await;
    let text = r#"{"email": "ada@example.com", "name": "Ada"}"#;
    let post = || Request::new("POST", "/trpc/users.create").bearer(&server.admin).body(text);

    let untyped = server.service.send(&post()).await;
    assert_eq!((untyped.status, untyped.code().as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"));
    assert_eq!(untyped.error()["code"], -32015);
    for other in ["text/plain", "application/jsonl", "multipart/form-data; boundary=x", "", "application/octet-stream"]
    {
        let answer = server.service.send(&post().header("content-type", other)).await;
        assert_eq!(answer.status, 415, "{other}");
    }
    let typed = server.service.send(&post().header("content-type", "Application/JSON ; charset=utf-8")).await;
    assert_eq!(typed.data()["name"], "Ada");
}

#[tokio::test]
async fn an_input_over_the_limit_is_refused_with_an_answer() {
    let server = TestServer::open().await;
    // JSON may be padded: this is the same call at any size.
    let padded = |bytes: usize| {
        let mut text = format!(r#"{{"email": "user{bytes}@example.com", "name": "Ada"}}"#).into_bytes();
        text.resize(bytes, b' ');
        Request::mutation("users.create", &Value::Null).bearer(&server.admin).body(text)
    };
    assert_eq!(server.service.send(&padded(LIMIT_BYTES)).await.status, 200);
    assert_eq!(server.service.send(&padded(LIMIT_BYTES - 1).chunked()).await.status, 200);
    for refused in [padded(LIMIT_BYTES + 1), padded(LIMIT_BYTES + 2).chunked(), padded(100_000_000)] {
        let answer = server.service.send(&refused.header("origin", "https://app.example.com")).await;
        assert_eq!((answer.status, answer.code().as_str()), (413, "PAYLOAD_TOO_LARGE"));
        assert_eq!(answer.error()["code"], -32013);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        still_answers(&server.service, "a large body").await;
    }
    // None of the refused ones left a user.
    assert_eq!(server.query("users.list", Value::Null).await.data()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_read_is_a_bad_request() {
    let server = TestServer::open().await;
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let deep_object = format!("{}1{}", r#"{"name":"#.repeat(5_000), "}".repeat(5_000));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("no JSON", b"{".to_vec()),
        ("two values", br#"{"email":"a@example.com","name":"A"} {}"#.to_vec()),
        ("an array", b"[]".to_vec()),
        ("a text", br#""x""#.to_vec()),
        ("a number without end", b"1e999".to_vec()),
        ("no number", br#"{"email":"a@example.com","name":"A","age":NaN}"#.to_vec()),
        ("a fraction", br#"{"email":"a@example.com","name":"A","age":1.5}"#.to_vec()),
        ("a large number", br#"{"email":"a@example.com","name":"A","age":4294967296}"#.to_vec()),
        ("a negative number", br#"{"email":"a@example.com","name":"A","age":-1}"#.to_vec()),
        ("another type", br#"{"email":"a@example.com","name":7}"#.to_vec()),
        ("no UTF-8", b"{\"email\":\"a@example.com\",\"name\":\"\xff\xfe\"}".to_vec()),
        ("an overlong NUL", b"{\"email\":\"a@example.com\",\"name\":\"\xc0\x80\"}".to_vec()),
        ("half a surrogate pair", br#"{"email":"a@example.com","name":"\ud800"}"#.to_vec()),
        ("a bare NUL", b"{\"email\":\"a@example.com\",\"name\":\"a\0b\"}".to_vec()),
        ("a key twice", br#"{"email":"a@example.com","name":"A","name":"B"}"#.to_vec()),
        ("an unknown key", br#"{"email":"a@example.com","name":"A","isAdmin":true}"#.to_vec()),
        ("a key in the wrong case", br#"{"email":"a@example.com","Name":"A"}"#.to_vec()),
        ("Rust's own spelling", br#"{"email":"a@example.com","name":"A","is_verified":true}"#.to_vec()),
        ("deep arrays", deep(100_000).into_bytes()),
        ("deep objects", deep_object.into_bytes()),
        ("a missing key", br#"{"email":"a@example.com"}"#.to_vec()),
        ("null for what must be there", br#"{"email":"a@example.com","name":null}"#.to_vec()),
        ("a mark in front", b"\xef\xbb\xbf{}".to_vec()),
    ];
    for (what, body) in bodies {
        let request = Request::mutation("users.create", &Value::Null).bearer(&server.admin).body(body);
        let answer = server.service.send(&request).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{what}: {}", answer.text());
        assert_eq!(answer.error()["code"], -32600, "{what}: malformed input is no PARSE_ERROR");
        assert_eq!(answer.error()["data"]["path"], "users.create", "{what}");
        still_answers(&server.service, what).await;
    }
    assert_eq!(server.query("users.list", Value::Null).await.data()["items"], json!([]), "none was created");
}

#[tokio::test]
async fn what_cannot_be_read_in_an_address_is_refused() {
    let server = TestServer::open().await;
    let nested = percent_encode("[".repeat(20_000).as_bytes());
    for target in [
        "/trpc/users.get?input=%FF".to_owned(),
        "/trpc/users.get?input=%2".to_owned(),
        "/trpc/users.get?input=%zz".to_owned(),
        "/trpc/users.get?input=%7B%22id%22%3A%22%00%22%7D".to_owned(),
        "/trpc/users.get?input=".to_owned(),
        "/trpc/users.get?input={".to_owned(),
        "/trpc/users.get?input=%7B%22id%22%3A%22x%22%7D".to_owned(),
        format!("/trpc/users.get?input={nested}"),
        "/trpc/%FF".to_owned(),
        "/trpc/users%2".to_owned(),
    ] {
        let answer = server.service.send(&Request::new("GET", &target).bearer(&server.admin)).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{target}: {}", answer.text());
        still_answers(&server.service, &target).await;
    }
    // More than an HTTP server reads of an address: the connection's own answer, and no harm.
    let endless = format!("/trpc/users.get?input={}", "a".repeat(3_000_000));
    let mut connection = server.service.connect().await;
    let _ = connection.send(&Request::new("GET", endless)).await;
    for noise in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n"] {
        let _ = server.service.connect().await.write(noise).await;
        still_answers(&server.service, "noise").await;
    }
}

/// A text may hold anything that JSON can say; it comes back as it was, and nothing breaks on the way.
#[tokio::test]
async fn strange_texts_come_back_as_they_were() {
    let server = TestServer::open().await;
    for (place, name) in
        ["\0", "a\u{1}b", "ß\u{feff}ﬀ", "👩‍👩‍👧‍👦", "{{constructor}}", "'; DROP TABLE users;--", "../../etc/passwd", "user#1"]
            .iter()
            .enumerate()
    {
        let input = json!({"email": format!("strange{place}@example.com"), "name": name});
        let created = server.mutation("users.create", input).await.data();
        assert_eq!(created["name"], *name);
        assert_eq!(server.query("users.get", json!({"id": created["id"]})).await.data(), created);
    }
    let listed = server.query("users.list", json!({"sort": "name"})).await.data();
    assert_eq!(listed["items"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn an_address_may_be_percent_encoded() {
    let server = TestServer::open().await;
    for path in ["health%2Eping", "health%2eping", "%68%65%61%6C%74%68.ping"] {
        let answer = server.service.send(&Request::new("GET", format!("/trpc/{path}"))).await;
        assert_eq!(answer.data(), "pong", "{path}");
    }
    // It is decoded once, and names are exact.
    for path in ["health%252Eping", "Health.ping", "health.ping/", "health.ping%00", "health", "", "health/ping"] {
        let answer = server.service.send(&Request::new("GET", format!("/trpc/{path}"))).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_answers_with_the_same_envelope() {
    let server = TestServer::open().await;
    for (method, target) in [
        ("GET", "/trpc/users.rename"),
        ("POST", "/trpc/users.rename"),
        ("PUT", "/trpc/users.rename"),
        ("GET", "/trpc/"),
        ("GET", "/trpc/../../etc/passwd"),
    ] {
        let request = Request::new(method, target).header("origin", "https://app.example.com");
        let answer = server.service.send(&request).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "NOT_FOUND"), "{method} {target}");
        assert_eq!(answer.error()["code"], -32004);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("vary"), Some("trpc-accept, accept"));
    }
    let index = server.service.send(&Request::new("GET", "/")).await.json();
    assert_eq!(index["procedures"], testbed::service().procedures.len());
    assert_eq!(index["signIn"], "auth.register, then auth.login");
    for document in ["docs", "openapi"] {
        let url = index[document].as_str().unwrap();
        let path = &url[url.match_indices('/').nth(2).unwrap().0..];
        assert_eq!(server.service.send(&Request::new("GET", path)).await.status, 200, "{url}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_call() {
    let server = TestServer::open().await;
    let origin = "https://app.example.com";
    let preflight = Request::new("OPTIONS", "/trpc/users.create")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,trpc-accept");
    let answer = server.service.send(&preflight).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let allowed = answer.header("access-control-allow-methods").unwrap();
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    let allowed = answer.header("access-control-allow-headers").unwrap();
    for header in ["authorization", "content-type", "trpc-accept"] {
        assert!(allowed.contains(header), "{allowed}");
    }
    assert!(answer.header("access-control-allow-credentials").is_none());

    // The page may read results, faults and the call's id.
    let good = server.service.send(&Request::query("health.ping", &Value::Null).header("origin", origin)).await;
    let bad = server.service.send(&Request::query("users.get", &Value::Null).header("origin", origin)).await;
    assert_eq!((good.status, bad.status), (200, 401));
    for answer in [good, bad] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let exposed = "x-request-id, x-csrf-token, onefold-renew, retry-after, www-authenticate, allow, accept, \
                       accept-encoding, accept-patch, accept-post, etag, link, location";
        assert_eq!(answer.header("access-control-expose-headers"), Some(exposed));
    }
    let plain = server.service.send(&Request::query("health.ping", &Value::Null)).await;
    assert_eq!(plain.header("access-control-allow-origin"), None, "nobody asked");
}

#[tokio::test]
async fn every_fault_of_every_field_is_named_at_once() {
    let server = TestServer::open().await;
    let create = async |input: Value| -> Answer { server.mutation("users.create", input).await };
    let answer = create(json!({"email": "nobody", "name": "", "age": 151})).await;
    assert_eq!((answer.code().as_str(), answer.failure().as_str()), ("BAD_REQUEST", ""));
    assert_eq!(answer.fields(), ["age", "email", "name"]);
    let messages = answer.error()["data"]["fields"].clone();
    assert!(messages.as_array().unwrap().iter().all(|field| !field["message"].as_str().unwrap().is_empty()));

    assert_eq!(create(json!({"email": "a@example.com", "name": "a".repeat(101)})).await.fields(), ["name"]);
    assert_eq!(create(json!({"email": "a@example.com", "name": "ä".repeat(100)})).await.status, 200, "characters");
    assert_eq!(create(json!({"email": "b@example.com", "name": "B", "age": "old"})).await.fields(), ["age"]);
    assert_eq!(create(json!({"email": "b@example.com", "name": "B", "role": "boss"})).await.fields(), ["role"]);
    let update = server.mutation("users.update", json!({"id": "nobody"})).await;
    assert_eq!(update.fields(), ["id"]);
    let id = server.user("carl").await["id"].clone();
    let update = server.mutation("users.update", json!({"id": id, "email": "nobody", "name": "", "age": 200})).await;
    assert_eq!(update.fields(), ["age", "email", "name"], "a PATCH is validated as well");
    let list = server.query("users.list", json!({"ageMin": 151, "limit": 0})).await;
    assert_eq!(list.fields(), ["ageMin", "limit"], "paths are those of the caller");
}

/// A procedure's own failures are typed, and their codes those that it states.
#[tokio::test]
async fn failures_are_typed() {
    let server = TestServer::open().await;
    let nobody = uuid::Uuid::now_v7().to_string();
    let missing = server.query("users.get", json!({"id": nobody})).await;
    assert_eq!(
        missing.error(),
        json!({
            "message": "No user has this id.",
            "code": -32004,
            "data": {
                "code": "NOT_FOUND",
                "httpStatus": 404,
                "path": "users.get",
                "requestId": missing.header("x-request-id"),
                "failure": {"type": "missing", "value": nobody},
            },
        })
    );
    let viewer = server.key.token_of(Role::Employee, "a robot");
    let post = server.service.mutation(&viewer, "posts.create", json!({"title": "Hello", "body": "All"})).await;
    assert_eq!((post.code().as_str(), post.failure().as_str()), ("FORBIDDEN", "notAUser"));
}
