//! Calls that another site makes with somebody's cookie, and cookies that are none (OWASP, "Cross-Site Request
//! Forgery Prevention"; RFC 6265bis).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use testbed::Role;

use crate::support::{
    Answer, Browser, Request, TestServer, Tokens,
    browser::{CSRF, DEVICE, SESSION},
    people::password,
};

/// Calls that a cookie makes somebody's, of every kind, with inputs with which they would succeed: mutations for
/// who has a permission and for who is signed in, public ones that look at the cookie, and queries by POST.
fn unsafe_calls() -> Vec<(&'static str, Value)> {
    vec![
        ("users.create", json!({"email": "planted@example.com", "name": "Planted"})),
        ("account.export", json!({})),
        ("sessions.revokeOthers", Value::Null),
        ("auth.refresh", json!({})),
        ("auth.logout", json!({})),
        ("users.list", json!({})),
        ("auth.me", Value::Null),
        ("audit.list", json!({})),
    ]
}

/// Sends what another site's page could have a browser send, with no cookie kept of the answer.
async fn sent(browser: &Browser, (procedure, input): &(&str, Value), headers: &[(&str, &str)]) -> Answer {
    let request = Request::mutation(procedure, input);
    browser.clone().send(headers.iter().fold(request, |request, (name, value)| request.header(name, value))).await
}

/// Refused for where it came from; what a page of the service's own needs is in the answer.
fn expect_refused(answer: &Answer, csrf: &str, what: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (403, "FORBIDDEN"), "{what}: {}", answer.text());
    let message = answer.error()["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("This call needs"), "{what}: {message}");
    assert_eq!(answer.all(CSRF), [csrf], "{what}");
    assert_eq!(answer.all("set-cookie"), [""; 0], "{what}");
}

#[tokio::test]
async fn only_own_pages_make_unsafe_calls_with_a_cookie() {
    let server = TestServer::inhabited().await;
    let (ada, bob) = (server.person("ada", Role::Administrator).await, server.person("bob", Role::Administrator).await);
    let (mut browser, mut other, mut bobs) =
        (server.browser(&ada).await, server.browser(&ada).await, server.browser(&bob).await);
    let (csrf, others, foreign) = (browser.csrf().await, other.csrf().await, bobs.csrf().await);
    let own = browser.origin();
    let port = server.service.address.port();
    let origins = [
        "null".to_owned(),
        String::new(),
        "*".to_owned(),
        "file://".to_owned(),
        "https://evil.example".to_owned(),
        format!("http://evil.example:{port}"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("http://127.0.0.1:{port}.evil.example"),
        format!("http://127.0.0.1:{port}@evil.example"),
        format!("http://evil.example/127.0.0.1:{port}"),
        format!("http://evil.example#http://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}, https://evil.example"),
        format!("https://evil.example, http://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port} https://evil.example"),
        format!("127.0.0.1:{port}"),
        format!("http://2130706433:{port}"),
        format!("http://0x7f.0.0.1:{port}"),
        format!("http://127.1:{port}"),
        "http://localhost.evil.example".to_owned(),
        "http://localhostevil.example".to_owned(),
        "http://evillocalhost".to_owned(),
        "http://evil.example:localhost".to_owned(),
        "http://[::1].evil.example".to_owned(),
        "http://[::ffff:127.0.0.1]".to_owned(),
    ];
    let flipped = format!("{}{}", if csrf.starts_with('A') { 'B' } else { 'A' }, &csrf[1..]);
    let digest_of = |text: &str| BASE64.encode(digest(&SHA256, &BASE64.decode(text).unwrap()));
    let tokens = [
        String::new(),
        "1".to_owned(),
        flipped,
        csrf.to_lowercase(),
        format!("{csrf}="),
        format!("{csrf}{csrf}"),
        csrf[..42].to_owned(),
        digest_of(&csrf),
        browser.session().to_owned(),
        digest_of(browser.session()),
        others.clone(),
        foreign.clone(),
        BASE64.encode([0; 32]),
    ];
    for call in unsafe_calls() {
        let name = call.0;
        expect_refused(&sent(&browser, &call, &[]).await, &csrf, name);
        expect_refused(&sent(&browser, &call, &[(CSRF, &csrf)]).await, &csrf, &format!("{name}: no origin"));
        expect_refused(&sent(&browser, &call, &[("origin", &own)]).await, &csrf, &format!("{name}: no token"));
        for origin in &origins {
            let answer = sent(&browser, &call, &[("origin", origin), (CSRF, &csrf)]).await;
            expect_refused(&answer, &csrf, &format!("{name} of {origin:?}"));
            // Its page could not even read the refusal, and so not the token in it.
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{name} of {origin:?}");
        }
        for token in &tokens {
            let answer = sent(&browser, &call, &[("origin", &own), (CSRF, token)]).await;
            expect_refused(&answer, &csrf, &format!("{name} with {token:?}"));
        }
        let wrong_first = [("origin", own.as_str()), (CSRF, &foreign), (CSRF, &csrf)];
        expect_refused(&sent(&browser, &call, &wrong_first).await, &csrf, &format!("{name} with two tokens"));
        let referred = [("referer", own.as_str()), (CSRF, &csrf), ("sec-fetch-site", "same-origin")];
        expect_refused(&sent(&browser, &call, &referred).await, &csrf, &format!("{name} with a referer"));
    }
    // All of that did nothing: nobody was signed out, nobody was made.
    assert!(browser.is_signed_in().await && other.is_signed_in().await && bobs.is_signed_in().await);
    assert!(!server.query("users.list", json!({"limit": 100})).await.text().contains("planted"));

    // What a page of the service's own sends is answered: also, in development, one of this machine's other ports.
    for origin in [own.as_str(), "http://localhost:5173", "http://127.0.0.1:1", "http://[::1]:3000"] {
        for call in unsafe_calls().into_iter().filter(|call| !["auth.logout", "users.create"].contains(&call.0)) {
            let answer = sent(&other, &call, &[("origin", origin), (CSRF, &others)]).await;
            assert_eq!(answer.code(), "OK", "{} of {origin}: {}", call.0, answer.text());
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        }
    }
}

/// Safe methods change nothing, so that a link may lead to them; and nothing is changed by them.
#[tokio::test]
async fn a_get_with_a_cookie_is_a_query_and_nothing_else() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Administrator).await;
    let browser = server.browser(&ada).await;
    for origin in [None, Some("https://evil.example"), Some("null")] {
        for procedure in ["auth.me", "users.list", "sessions.list", "audit.list"] {
            let request = Request::query(procedure, &Value::Null);
            let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
            let answer = browser.clone().send(request).await;
            assert_eq!(answer.code(), "OK", "{procedure} of {origin:?}");
            // A page from elsewhere does not get to read it.
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{procedure} of {origin:?}");
            assert!(origin.is_none() || answer.header("access-control-allow-origin") == Some("*"));
        }
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"] {
            for (procedure, _) in unsafe_calls() {
                let answer = browser.clone().send(Request::new(method, format!("/trpc/{procedure}"))).await;
                let changes = !["auth.me", "users.list", "audit.list"].contains(&procedure);
                let expected: &[u16] = match (method, changes) {
                    ("HEAD", _) => &[204],
                    ("GET", false) => &[200],
                    _ => &[403, 405],
                };
                assert!(expected.contains(&answer.status), "{method} {procedure}: {}", answer.status);
            }
        }
    }
    assert!(browser.clone().is_signed_in().await);
}

/// What a form or a script without permission can send is no JSON: nobody is signed in as somebody else by a page
/// from elsewhere (login CSRF).
#[tokio::test]
async fn a_form_signs_nobody_in() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let body = json!({"email": ada.email, "password": ada.password}).to_string();
    let login =
        || Request::new("POST", "/trpc/auth.login").body(body.as_str()).header("origin", "https://evil.example");
    for media_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("text/plain; application/json"),
        Some("text/json"),
        Some(""),
    ] {
        let request = media_type.into_iter().fold(login(), |request, it| request.header("content-type", it));
        let answer = server.service.send(&request).await;
        assert_eq!(answer.code(), "UNSUPPORTED_MEDIA_TYPE", "{media_type:?}: {}", answer.text());
        assert_eq!(answer.all("set-cookie"), [""; 0], "{media_type:?}");
    }
    // A script that asks for more is asked about first, and its page is not one that may send or get cookies.
    let preflight = Request::new("OPTIONS", "/trpc/auth.login")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let answer = server.service.send(&preflight).await;
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_ne!(answer.header("access-control-allow-origin"), Some("https://evil.example"));
}

#[tokio::test]
async fn a_cookie_that_is_not_one_secret_is_nobodys() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let (browser, second) = (server.browser(&ada).await, server.browser(&ada).await);
    let (own, other) = (browser.session(), second.session());
    let ask = async |lines: &[String]| {
        let request =
            lines.iter().fold(Request::query("auth.me", &Value::Null), |request, line| request.header("cookie", line));
        server.service.send(&request).await.code()
    };
    assert_eq!(ask(&[format!("a=b; {SESSION}={own}; c")]).await, "OK");
    for lines in [
        vec![format!("{SESSION}={own}; {SESSION}={own}")],
        vec![format!("{SESSION}={own}; {SESSION}={other}")],
        vec![format!("{SESSION}={own}; {SESSION}=")],
        vec![format!("{SESSION}=; {SESSION}={own}")],
        vec![format!("{SESSION}={own}"), format!("{SESSION}={other}")],
        vec![format!("{SESSION}=\"{own}\"")],
        vec![format!("{SESSION}={own}=")],
        vec![format!("{SESSION}={own}{other}")],
        vec![format!("{SESSION}={}", own.to_uppercase())],
        vec![format!("{SESSION}={}", &own[1..])],
        vec![format!("{SESSION} ={own}x")],
        vec![format!("__Host-onefold={own}")],
        vec![format!("onefold={own}")],
        vec![format!("{}={own}", SESSION.to_uppercase())],
        vec![SESSION.to_owned()],
    ] {
        assert_eq!(ask(&lines).await, "UNAUTHORIZED", "{lines:?}");
    }
}

/// Each secret is good for one thing. And what a dump of the table holds is good for nothing.
#[tokio::test]
async fn other_secrets_are_no_cookies_and_a_cookie_is_no_other_secret() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let mut browser = server.browser(&ada).await;
    let Tokens { access, refresh } = server.tokens(&ada).await;
    let halves = BASE64.decode(&refresh).unwrap();
    let sha = |text: &str| BASE64.encode(digest(&SHA256, &BASE64.decode(text).unwrap()));
    let own = browser.session().to_owned();
    browser.mutation("auth.requestReset", json!({"email": ada.email})).await;
    let mailed = server.mail(&ada.email, 2).await.token();
    for (what, value) in [
        ("the hash of the cookie", sha(&own)),
        ("the refresh token", refresh.clone()),
        ("the session's half of it", BASE64.encode(&halves[..32])),
        ("the turn's half of it", BASE64.encode(&halves[32..])),
        ("the hash of the session's half", BASE64.encode(digest(&SHA256, &halves[..32]))),
        ("the access token", access.clone()),
        ("the device's cookie", browser.cookie(DEVICE).to_owned()),
        ("the token against cross-site requests", browser.csrf().await),
        ("a mailed token", mailed.clone()),
        ("the password", ada.password.clone()),
        ("nothing but zeros", BASE64.encode([0; 32])),
    ] {
        let mut thief = Browser::new(&server.service);
        thief.plant(SESSION, &value);
        assert!(!thief.is_signed_in().await, "{what} as a cookie");
        let bearer = server.service.query(&value, "auth.me", Value::Null).await;
        assert_eq!(bearer.code() == "OK", what == "the access token", "{what} as a token");
        let verified = thief.mutation("auth.verifyEmail", json!({"token": value})).await;
        assert_ne!(verified.code(), "OK", "{what} to prove an address");
        if what != "the refresh token" {
            let answer = thief.mutation("auth.refresh", json!({"refreshToken": value})).await;
            assert_eq!((answer.code().as_str(), answer.failure().as_str()), ("UNAUTHORIZED", "ended"), "{what}");
        }
        if what != "a mailed token" {
            let reset = thief.mutation("auth.resetPassword", json!({"token": value, "password": password()})).await;
            assert_ne!(reset.code(), "OK", "{what} to choose a password");
        }
    }
    let joined = BASE64.encode([&BASE64.decode(&own).unwrap()[..], &[0; 32]].concat());
    let answer = server.service.send(&Request::mutation("auth.refresh", &json!({"refreshToken": joined}))).await;
    assert_eq!(answer.failure(), "ended", "a cookie as half of a refresh token");
    for value in [own.clone(), format!("Bearer {own}")] {
        assert_eq!(server.service.query(&value, "auth.me", Value::Null).await.code(), "UNAUTHORIZED");
    }
    // Nobody was signed out by any of it.
    assert!(browser.is_signed_in().await);
    let answer = server.service.send(&Request::mutation("auth.refresh", &json!({"refreshToken": refresh}))).await;
    assert_eq!(answer.code(), "OK", "{}", answer.text());
}
