//! Forged tokens over the wire: each is nobody's, on procedures that ask the table about the session as well as on
//! those that do not.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use super::forgeries::{self, Genuine};
use crate::support::{Answer, Key, Request, TestServer, tokens::now_s};

/// A procedure that only checks the token, and one that asks the table about its session.
const PROCEDURES: [&str; 2] = ["users.list", "audit.list"];

/// Whether nobody is let in, in as few words as that takes.
fn is_nobodys(answer: &Answer) -> bool {
    let refused = matches!(
        (answer.status, answer.code().as_str(), answer.header("www-authenticate")),
        (401, "UNAUTHORIZED", Some("Bearer" | "Bearer error=\"invalid_token\""))
            | (400, "BAD_REQUEST", Some("Bearer error=\"invalid_request\""))
    );
    let message = answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    let told = ["The token is not valid.", "The token has expired.", "Sign in first."];
    let form = message.starts_with("The authorization header is not of the form");
    refused && (form || told.contains(&message.as_str()))
}

#[tokio::test]
async fn a_forged_token_is_nobodys() {
    let server = TestServer::inhabited().await;
    let genuine = Genuine::of(&server).await;
    let mut connection = server.service.connect().await;
    for procedure in PROCEDURES {
        let good = Request::query(procedure, &Value::Null).bearer(&genuine.token);
        assert_eq!(connection.send(&good).await.unwrap().status, 200, "{procedure}");
    }
    let (mut tried, mut let_in) = (0, Vec::new());
    for (what, token) in forgeries::all(&genuine) {
        assert_ne!(token, genuine.token, "{what}");
        for procedure in PROCEDURES {
            let request = Request::query(procedure, &Value::Null).bearer(&token);
            let answer = connection.send(&request).await.unwrap();
            if !is_nobodys(&answer) {
                let_in.push(format!("{procedure}: {what}: {} {}", answer.status, answer.text()));
            }
            tried += 1;
        }
    }
    assert!(let_in.is_empty(), "{}", let_in.join("\n"));
    assert!(tried > 500, "{tried}");
    for procedure in PROCEDURES {
        let good = Request::query(procedure, &Value::Null).bearer(&genuine.token);
        assert_eq!(connection.send(&good).await.unwrap().status, 200, "{procedure}, after all of them");
    }
}

/// RFC 9068 section 4: the type may be written with `application/`. What one of the service's own tokens may
/// bring besides changes nothing.
#[tokio::test]
async fn what_is_no_forgery_is_accepted() {
    let server = TestServer::inhabited().await;
    let genuine = Genuine::of(&server).await;
    for (what, token) in [
        ("the long form of the type", genuine.with_header("typ", json!("application/at+jwt"))),
        ("an unknown member of the header", genuine.with_header("zzz", json!({"a": [1]}))),
        ("an unknown claim", genuine.with_claim("zzz", json!({"a": [1]}))),
        ("spaces in the JSON", genuine.with_spaces()),
        ("within the leeway", genuine.with_claim("exp", json!(now_s() - 1))),
        ("somebody else's jwk, that nobody reads", {
            let x = BASE64.encode(Key::foreign().public());
            genuine.with_header("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": x}))
        }),
    ] {
        for procedure in PROCEDURES {
            let answer = server.service.query(&token, procedure, Value::Null).await;
            assert_eq!(answer.status, 200, "{procedure}: {what}: {}", answer.text());
        }
    }
}

/// A token counts in one header, and nowhere else (RFC 6750 sections 2.2 and 2.3, RFC 9700 section 4.3.2).
#[tokio::test]
async fn a_token_in_another_place_is_nobodys() {
    let server = TestServer::inhabited().await;
    let token = Genuine::of(&server).await.token;
    for procedure in PROCEDURES {
        let query = || Request::query(procedure, &Value::Null);
        let target = |name: &str| Request::new("GET", format!("/trpc/{procedure}?{name}={token}"));
        let form = Request::new("POST", format!("/trpc/{procedure}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("access_token={token}"));
        for (place, request) in [
            ("access_token in the address", target("access_token")),
            ("token in the address", target("token")),
            ("authorization in the address", target("authorization")),
            ("the session's cookie", query().header("cookie", format!("onefold-local={token}"))),
            ("the deployed session's cookie", query().header("cookie", format!("__Host-onefold={token}"))),
            ("another cookie", query().header("cookie", format!("access_token={token}; token={token}"))),
            ("another header", query().header("x-access-token", &token).header("proxy-authorization", &token)),
            ("two headers", query().bearer(&token).bearer(&token)),
            ("two headers, the first nonsense", query().bearer("x").bearer(&token)),
            ("two headers, the second nonsense", query().bearer(&token).bearer("x")),
            ("two headers, the second empty", query().bearer(&token).header("authorization", "")),
            ("two headers of two schemes", query().bearer(&token).header("authorization", "Basic YTpi")),
            ("the scheme DPoP", query().header("authorization", format!("DPoP {token}"))),
            ("no scheme", query().header("authorization", &token)),
        ] {
            let answer = server.service.send(&request).await;
            assert!(is_nobodys(&answer), "{procedure}: {place}: {} {}", answer.status, answer.text());
        }
        let answer = server.service.send(&form).await;
        assert_eq!(answer.code(), "UNSUPPORTED_MEDIA_TYPE", "{procedure}: a form");
    }
}
