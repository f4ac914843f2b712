//! Who is calling, and what they may: tokens over the wire, and every procedure's policy.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use testbed::Role;

use crate::support::{
    Key, Request, TestServer,
    http::basic,
    tokens::{claims, header, now_s},
};

/// What an answer says of a token that is not good (RFC 6750 section 3.1).
const INVALID_TOKEN: &str = "Bearer error=\"invalid_token\"";

/// A part of JSON, changed.
fn with(mut value: Value, field: &str, to: Value) -> Value {
    value[field] = to;
    value
}

/// A part of JSON, left out.
fn without(mut value: Value, field: &str) -> Value {
    value.as_object_mut().unwrap().remove(field);
    value
}

/// Everything that is no good token of this service, with a reason.
fn forged(key: &Key) -> Vec<(&'static str, String)> {
    let admin = || claims(Role::Administrator);
    let signed = |header: &Value, claims: &Value| key.sign(header, claims);
    let good = signed(&header(), &admin());
    let (message, _) = good.rsplit_once('.').unwrap();
    let unsigned = |alg: &str| {
        let head = BASE64.encode(with(header(), "alg", json!(alg)).to_string());
        format!("{head}.{}.", BASE64.encode(admin().to_string()))
    };
    vec![
        ("no signature", format!("{message}.")),
        ("two parts", message.to_owned()),
        ("no token", "x".to_owned()),
        ("dots", "..".to_owned()),
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("alg EdDSA without a signature", unsigned("EdDSA")),
        ("the public key as a secret", key.sign_hs256(&with(header(), "alg", json!("HS256")), &admin())),
        ("the same, under the right name", key.sign_hs256(&header(), &admin())),
        ("another algorithm's name", signed(&with(header(), "alg", json!("ES256")), &admin())),
        ("somebody else's key", Key::foreign().sign(&header(), &admin())),
        ("another type", signed(&with(header(), "typ", json!("JWT")), &admin())),
        ("no type", signed(&without(header(), "typ"), &admin())),
        ("an unknown key", signed(&with(header(), "kid", json!("other")), &admin())),
        ("no key's name", signed(&without(header(), "kid"), &admin())),
        ("another audience", signed(&header(), &with(admin(), "aud", json!("warehouse")))),
        ("no audience", signed(&header(), &without(admin(), "aud"))),
        ("another issuer", signed(&header(), &with(admin(), "iss", json!("urn:onefold:warehouse")))),
        ("no issuer", signed(&header(), &without(admin(), "iss"))),
        ("nobody", signed(&header(), &without(admin(), "sub"))),
        ("expired", signed(&header(), &with(admin(), "exp", json!(now_s() - 60)))),
        ("for ever", signed(&header(), &without(admin(), "exp"))),
        ("a text for a time", signed(&header(), &with(admin(), "exp", json!("never")))),
        ("not valid yet", signed(&header(), &with(admin(), "nbf", json!(now_s() + 3_600)))),
        ("from the future", signed(&header(), &with(admin(), "iat", json!(now_s() + 3_600)))),
        ("too long", signed(&header(), &with(admin(), "more", json!("x".repeat(5_000))))),
        ("roles that are no list", signed(&header(), &with(admin(), "roles", json!("administrator")))),
    ]
}

#[tokio::test]
async fn what_is_no_good_token_is_nobody() {
    let server = TestServer::open().await;
    let good = server.key.token(Role::Administrator);
    for (reason, token) in forged(&server.key) {
        let answer = server.service.query(&token, "users.list", Value::Null).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "UNAUTHORIZED"), "{reason}");
        assert_eq!(answer.error()["code"], -32001, "{reason}");
        assert_eq!(answer.header("www-authenticate"), Some(INVALID_TOKEN), "{reason}");
        assert_eq!(server.service.query(&good, "users.list", Value::Null).await.status, 200, "after {reason}");
    }

    // Not one bit of a token may change, in its header, its claims or its signature.
    let bytes = good.as_bytes();
    for place in (0..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
        let mut changed = bytes.to_vec();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        if changed != good {
            let answer = server.service.query(&changed, "users.list", Value::Null).await;
            assert_eq!(answer.code(), "UNAUTHORIZED", "changed at {place}: {changed}");
        }
    }
}

#[tokio::test]
async fn a_token_comes_in_one_header_of_one_form() {
    let server = TestServer::open().await;
    let token = &server.admin;
    let list = || Request::query("users.list", &Value::Null);
    // Without a token, nothing is said of one (RFC 6750 section 3.1).
    let none = (401, "UNAUTHORIZED", "Bearer");
    let malformed = (400, "BAD_REQUEST", "Bearer error=\"invalid_request\"");
    for (form, expected, request) in [
        ("none", none, list()),
        ("two headers", malformed, list().bearer(token).bearer(token)),
        ("two headers, one of them empty", malformed, list().bearer(token).header("authorization", "")),
        // API Gateway makes this of two headers: a function does not know which it was.
        ("two in one", malformed, list().header("authorization", format!("Bearer {token}, Bearer {token}"))),
        ("two schemes", malformed, list().bearer(token).header("authorization", basic("ada", token))),
        ("Basic", none, list().header("authorization", basic("ada", token))),
        ("no scheme", none, list().header("authorization", token)),
        ("another scheme", none, list().header("authorization", format!("Token {token}"))),
        ("no token", malformed, list().header("authorization", "Bearer ")),
        ("bytes", malformed, list().header("authorization", b"Bearer \xff\xfe")),
        ("a cookie", none, list().header("cookie", format!("authorization=Bearer {token}"))),
        ("the address", none, Request::new("GET", format!("/trpc/users.list?access_token={token}"))),
    ] {
        let answer = server.service.send(&request).await;
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert_eq!((answer.status, answer.code().as_str(), challenge), expected, "{form}");
    }
    // The scheme's case says nothing (RFC 9110 section 11.1).
    let answer = server.service.send(&list().header("authorization", format!("bEARER {token}"))).await;
    assert_eq!(answer.status, 200);
    // A public procedure asks nobody who they are, and so answers everybody.
    let ping = Request::query("health.ping", &Value::Null).bearer("nonsense");
    assert_eq!(server.service.send(&ping).await.data(), "pong");
}

/// Clients read from it whether to renew the token, or to ask for more: in every style that has HTTP's statuses.
#[tokio::test]
async fn a_refusal_says_what_is_wrong_with_the_token() {
    let server = TestServer::open().await;
    let expired = server.key.sign(&header(), &with(claims(Role::Viewer), "exp", json!(now_s() - 60)));
    let viewer = server.key.token(Role::Viewer);
    let cut = &viewer[..viewer.len() - 1];
    let rest = |method, path: &str| Request::new(method, path).header("content-type", "application/json");
    let write = "Bearer error=\"insufficient_scope\", scope=\"users:write\"";
    let signed_in = "Bearer error=\"insufficient_scope\"";
    let batch = || Request::new("GET", "/trpc/users.list,users.list?batch=1&input=%7B%7D");
    let new = || Request::mutation("users.create", &json!({"email": "a@example.com", "name": "A"}));
    let missing = || Request::query("users.get", &json!({"id": "01890000-0000-7000-8000-000000000000"}));
    let application = server.key.sign(&header(), &{
        let claims = with(claims(Role::Viewer), "client_id", json!("01890000-0000-7000-8000-000000000000"));
        with(claims, "scope", json!("posts:read"))
    });
    for (what, request, status, challenge) in [
        ("tRPC, nobody", Request::query("users.list", &Value::Null), 401, Some("Bearer")),
        ("tRPC, expired", Request::query("users.list", &Value::Null).bearer(&expired), 401, Some(INVALID_TOKEN)),
        ("tRPC, cut", new().bearer(cut), 401, Some(INVALID_TOKEN)),
        ("tRPC, too little", new().bearer(&viewer), 403, Some(write)),
        ("REST, nobody", rest("GET", "/v1/users"), 401, Some("Bearer")),
        ("REST, expired", rest("GET", "/v1/users").bearer(&expired), 401, Some(INVALID_TOKEN)),
        ("REST, cut", rest("POST", "/v1/users").bearer(cut).body("{}"), 401, Some(INVALID_TOKEN)),
        ("REST, too little", rest("DELETE", "/v1/sessions").bearer(&application), 403, Some(signed_in)),
        ("a batch, nobody", batch(), 401, Some("Bearer")),
        ("a batch, expired", batch().bearer(&expired), 401, Some(INVALID_TOKEN)),
        (
            "a batch, two headers",
            batch().bearer(&viewer).bearer(&viewer),
            400,
            Some("Bearer error=\"invalid_request\""),
        ),
        ("a failure of the procedure's own", missing().bearer(&viewer), 404, None),
        ("a procedure that asks nobody", Request::query("health.ping", &Value::Null).bearer(&expired), 200, None),
    ] {
        let answer = server.service.send(&request).await;
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (status, challenge),
            "{what}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn the_command_signs_what_the_service_accepts() {
    let server = TestServer::open().await;
    let data = server.data.path().to_string_lossy();
    let sign = |arguments: &[&str]| {
        let output = crate::support::service::command(crate::support::service::testbed_program())
            .args(["token", "--data", &data])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let viewer = sign(&["--role", "viewer"]);
    assert_eq!(server.service.query(&viewer, "users.list", Value::Null).await.status, 200);
    assert_eq!(server.service.mutation(&viewer, "users.create", json!({})).await.code(), "FORBIDDEN");
    let administrator = sign(&["--role", "administrator"]);
    assert_eq!(server.service.mutation(&administrator, "users.create", json!({})).await.code(), "BAD_REQUEST");
}

/// The log names calls and causes; never what was sent.
#[tokio::test]
async fn no_token_and_no_payload_reaches_the_log() {
    const PLANTED: &str = "planted-7d1f";
    let server = TestServer::open().await;
    let mut tokens = vec![server.admin.clone()];
    let input = json!({"email": format!("{PLANTED}@example.com"), "name": PLANTED});
    for _ in 0..2 {
        server.mutation("users.create", input.clone()).await;
    }
    for (_, token) in forged(&server.key) {
        server.service.query(&token, "users.list", Value::Null).await;
        tokens.push(token);
    }
    for request in [
        Request::mutation("users.create", &json!({"email": PLANTED, "name": PLANTED})),
        Request::mutation("users.create", &json!({"email": "a@example.com", "name": "A", "role": PLANTED})),
        Request::mutation("users.create", &json!({"email": "a@example.com", "name": "A", PLANTED: 1})),
        Request::mutation("users.create", &Value::Null).body(format!("{{\"email\": {PLANTED}")),
        Request::query("users.get", &json!({"id": PLANTED})),
        Request::query("users.list", &json!({"cursor": PLANTED})),
        Request::new("GET", format!("/trpc/{PLANTED}?{PLANTED}")),
        Request::new("GET", format!("/{PLANTED}")),
        Request::new("POST", "/trpc/users.create").header("content-type", PLANTED),
        Request::new("GET", "/trpc/users.list").header("cookie", PLANTED).header(PLANTED, PLANTED),
    ] {
        server.service.send(&request.bearer(&server.admin)).await;
    }
    let basic = basic(PLANTED, PLANTED);
    server.service.send(&Request::query("users.list", &Value::Null).header("authorization", &basic)).await;
    tokens.push(basic);

    // The last call's line is there: so are those of the calls before it.
    let last = server.query("users.list", Value::Null).await;
    server.service.logged(|line| line["request_id"].as_str() == last.header("x-request-id")).await;
    let written = server.service.written();
    assert!(!written.contains(PLANTED), "{written}");
    for token in tokens {
        for part in token.split(['.', ' ']).filter(|part| part.len() > 10) {
            assert!(!written.contains(part), "{part}");
        }
    }
}
