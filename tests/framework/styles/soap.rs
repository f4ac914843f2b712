//! SOAP with envelopes written by hand: what no client library would send. Clients are in `tests/python` and
//! `tests/typescript`.

use serde_json::{Value, json};
use testbed::Role;

use crate::support::{Answer, Browser, Request, TestServer};

const SOAP11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP12: &str = "http://www.w3.org/2003/05/soap-envelope";
const SECEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// A message of SOAP 1.2 as bytes of whatever kind.
fn post(message: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", "/soap").header("content-type", "application/soap+xml").body(message)
}

fn envelope(namespace: &str, header: &str, body: &str) -> String {
    format!(
        "<e:Envelope xmlns:e='{namespace}' xmlns='urn:onefold:testbed' \
         xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><e:Header>{header}</e:Header><e:Body>{body}</e:Body>\
         </e:Envelope>"
    )
}

fn call(body: &str) -> Request {
    post(envelope(SOAP12, "", body))
}

/// The text of the first element of a name.
fn the(answer: &Answer, name: &str) -> String {
    let text = answer.text();
    let found = text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    found.map_or_else(|| format!("no {name} in {text}"), |(content, _)| content.to_owned())
}

#[tokio::test]
async fn what_soap_says_is_what_trpc_says() {
    let server = TestServer::open().await;
    let token = server.admin.as_str();
    let send = |body: String| {
        let request = call(&body).bearer(token);
        let service = &server.service;
        async move { service.send(&request).await }
    };
    let created =
        send("<usersCreate><age>36</age><name>A&amp;a</name><email>ada@example.com</email></usersCreate>".into());
    let created = created.await;
    assert_eq!((created.status, created.header("content-type")), (200, Some("application/soap+xml; charset=utf-8")));
    assert_eq!(created.header("cache-control"), Some("no-store"));
    let id = the(&created, "id");
    let by_trpc = async || server.query("users.get", json!({"id": id})).await.data();
    assert_eq!((&by_trpc().await["name"], &by_trpc().await["age"]), (&json!("A&a"), &json!(36)));
    // Absent leaves the age as it is; null takes it away.
    send(format!("<usersUpdate><id>{id}</id><name>B</name></usersUpdate>")).await;
    assert_eq!(by_trpc().await["age"], 36);
    send(format!("<usersUpdate><id>{id}</id><age i:nil='true'/></usersUpdate>")).await;
    assert_eq!(by_trpc().await["age"], Value::Null);

    let refused = |body: &str, procedure: &'static str, input: Value| {
        let body = body.to_owned();
        let (send, server) = (&send, &server);
        async move {
            let (soap, trpc) = (send(body).await, server.query(procedure, input).await);
            let error = trpc.error();
            assert_eq!((soap.status, the(&soap, "code")), (400, error["data"]["code"].as_str().unwrap().to_owned()));
            assert_eq!(the(&soap, "requestId"), soap.header("x-request-id").unwrap());
            (soap, error)
        }
    };
    let (soap, error) =
        refused(&format!("<usersGet><id>{NOBODY}</id></usersGet>"), "users.get", json!({"id": NOBODY})).await;
    assert_eq!(error["data"]["failure"], json!({"type": "missing", "value": NOBODY}));
    assert!(the(&soap, "value") == NOBODY && soap.text().contains("<usersGetMissing "), "{}", soap.text());
    for (body, input, path) in [
        ("<usersGet><id>1</id></usersGet>", json!({"id": "1"}), "id"),
        ("<usersGet/>", json!({}), "id"),
        ("<usersGet><id i:nil='1'/></usersGet>", json!({"id": null}), "id"),
        ("<usersGet><id>1</id><other/></usersGet>", json!({"id": NOBODY, "other": ""}), "other"),
    ] {
        let (soap, error) = refused(body, "users.get", input).await;
        assert_eq!((the(&soap, "path").as_str(), error["data"]["fields"][0]["path"].as_str()), (path, Some(path)));
    }
    let anonymous = server.service.send(&call("<usersList/>")).await;
    assert_eq!((anonymous.status, the(&anonymous, "code")), (400, "UNAUTHORIZED".to_owned()));
}

#[tokio::test]
async fn hostile_messages_are_refused_and_the_next_call_works() {
    let server = TestServer::open().await;
    let laughs: String = (1..10).map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10))).collect();
    let entities = |types: &str| format!("<!DOCTYPE a [{types}]>{}", envelope(SOAP12, "", "<a>&l9;&x;</a>"));
    let secret = server.data.path().join("secret");
    std::fs::write(&secret, "hunter2").unwrap();
    let ping = envelope(SOAP12, "", "<healthPing/>");
    let hostile: Vec<(Vec<u8>, u16, &str)> = vec![
        (entities(&format!("<!ENTITY l0 'lol'>{laughs}")).into(), 400, "PARSE_ERROR"),
        (entities(&format!("<!ENTITY x SYSTEM 'file://{}'>", secret.display())).into(), 400, "PARSE_ERROR"),
        (envelope(SOAP12, "", &"<a>".repeat(100_000)).into(), 400, "PARSE_ERROR"),
        (envelope(SOAP12, "", &format!("<a>{}</a>", "<b/>".repeat(200_000))).into(), 400, "PARSE_ERROR"),
        (envelope(SOAP12, "", &format!("<a{}/>", " b=''".repeat(150_000))).into(), 400, "PARSE_ERROR"),
        (ping.replace("healthPing", "health\u{e4}Ping").replace('\u{e4}', "\0").into(), 400, "PARSE_ERROR"),
        ([ping.as_bytes(), b"\xFF\xC0"].concat(), 400, "PARSE_ERROR"),
        (vec![b' '; 2 * 1024 * 1024], 413, "PAYLOAD_TOO_LARGE"),
        (envelope(SOAP11, "", "<healthPing/>").into(), 500, "BAD_REQUEST"),
    ];
    for (message, status, code) in hostile {
        let told = String::from_utf8_lossy(&message[..message.len().min(200)]).into_owned();
        let answer = server.service.send(&post(message)).await;
        assert_eq!((answer.status, the(&answer, "code").as_str()), (status, code), "{told}: {}", answer.text());
        assert!(!answer.text().contains("hunter2"));
        let next = server.service.send(&call("<healthPing/>")).await;
        assert_eq!((next.status, the(&next, "result")), (200, "pong".to_owned()));
    }
    let multipart = Request::new("POST", "/soap").header("content-type", "multipart/related").body(ping);
    let answer = server.service.send(&multipart).await;
    assert_eq!((answer.status, the(&answer, "code")), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
}

#[tokio::test]
async fn the_description_is_served_with_the_services_own_address() {
    let server = TestServer::open().await;
    let wsdl = server.service.send(&Request::new("GET", "/soap?wsdl")).await;
    let address = format!("location=\"http://{}/soap\"", server.service.address);
    assert_eq!((wsdl.status, wsdl.text().matches(&address).count()), (200, 2));
    let printed =
        std::fs::read_to_string(crate::support::cargo::root().join("tests/testbed/bindings/service.wsdl")).unwrap();
    assert_eq!(wsdl.text().replace(&address, "location=\"http://127.0.0.1:9000/soap\""), printed);
}

fn username_token(name: &str, password: &str) -> String {
    format!(
        "<s:Security xmlns:s='{SECEXT}' e:mustUnderstand='true'><s:UsernameToken><s:Username>{name}</s:Username>\
         <s:Password>{password}</s:Password></s:UsernameToken></s:Security>"
    )
}

#[tokio::test]
async fn a_username_token_signs_in_for_one_call_under_the_same_limits() {
    crate::identity::limits::a_whole_span().await;
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Employee).await;
    let send = |password: &str, body: &str| {
        let message = envelope(SOAP12, &username_token(&ada.email, password), body);
        let service = &server.service;
        async move { service.send(&post(message)).await }
    };
    let me = send(&ada.password, "<authMe/>").await;
    assert_eq!((me.status, the(&me, "email")), (200, ada.email.clone()), "{}", me.text());
    let may_not = send(&ada.password, "<usersCreate><email>a@example.com</email><name>A</name></usersCreate>").await;
    assert_eq!(the(&may_not, "code"), "FORBIDDEN");
    let mut browser: Browser = server.browser(&ada).await;
    let left = browser.query("sessions.list", Value::Null).await.data();
    assert_eq!(left["items"].as_array().map(Vec::len), Some(1), "nothing but the browser itself: {left}");

    let mut codes = Vec::new();
    while codes.last().is_none_or(|code| code != "TOO_MANY_REQUESTS") && codes.len() < 100 {
        let answer = send("another password", "<authMe/>").await;
        assert_eq!(answer.status, 400);
        let code = the(&answer, "code");
        let (is_limit, named) = (code == "TOO_MANY_REQUESTS", answer.text().contains("wsse:FailedAuthentication"));
        assert!(named != is_limit, "{}", answer.text());
        assert_eq!(answer.header("retry-after").map(str::to_owned), is_limit.then(|| the(&answer, "retryAfterS")));
        codes.push(code);
    }
    assert!(codes.len() > 2 && codes.len() < 100, "guesses are limited as they are elsewhere: {codes:?}");
    for secret in [ada.password.as_str(), "another password"] {
        assert!(!server.service.written().contains(secret), "a password is in the log");
    }
}
