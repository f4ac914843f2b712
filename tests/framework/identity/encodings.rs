//! What is no text in a form or in the query of an address: bytes that are no UTF-8, and broken escapes. It is refused
//! by name where it is read, and read as something else nowhere.

use serde_json::json;

use super::{
    application::Application,
    drive::{CALLBACK, parameter},
};
use crate::support::{Request, TestServer, http::basic};

/// A lone byte, half a letter, half a surrogate pair, an overlong form, no number, half an escape.
const NO_TEXTS: [&str; 6] = ["%ff", "a%c3", "%ed%a0%80", "%c0%af", "%zz", "%a"];

fn form(path: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", path).header("content-type", "application/x-www-form-urlencoded").body(body)
}

#[tokio::test]
async fn a_form_s_parameter_that_is_no_text_is_refused_by_name() {
    let server = TestServer::open().await;
    let application = Application::register(&server, &["posts:read"]).await;
    let token = ["grant_type", "code", "code_verifier", "redirect_uri", "refresh_token", "scope"];
    let whole = "grant_type=authorization_code&code=a&code_verifier=b&redirect_uri=c&refresh_token=d&scope=e";
    for (path, names, rest) in [
        ("/oauth/token", &token[..], whole),
        ("/oauth/revoke", &["token"], "token=a"),
        ("/oauth/introspect", &["token"], "token=a"),
    ] {
        for name in names.iter().chain(&["client_id", "client_secret"]) {
            for text in NO_TEXTS {
                let others = rest.split('&').filter(|part| !part.starts_with(&format!("{name}=")));
                let body = others.chain([&*format!("{name}={text}")]).collect::<Vec<_>>().join("&");
                let answer = server.service.send(&application.sends(path, body.as_str())).await;
                assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_request")), "{path} {body}");
                let why = answer.json()["error_description"].as_str().unwrap().to_owned();
                assert!(why.contains(&format!("not percent-encoded UTF-8: {name}.")), "{path} {body}: {why}");
            }
        }
        // As bytes, without an escape.
        let answer = server.service.send(&application.sends(path, [b"client_id=".as_slice(), b"\xff"].concat())).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_request")), "{path}");
    }
    let proof = form("/oauth/token", "grant_type=client_credentials").header("authorization", basic("%ff", "%zz"));
    let answer = server.service.send(&proof).await;
    assert!(matches!(answer.status, 400 | 401), "{}", answer.text());
}

#[tokio::test]
async fn an_address_s_parameter_that_is_no_text_is_refused() {
    let server = TestServer::open().await;
    let application = Application::register(&server, &["posts:read"]).await;
    for text in NO_TEXTS {
        // Whoever asks is told, and gets no other state back than the own one.
        let good = format!("client_id={}&response_type=code&code_challenge_method=S256", application.id);
        for name in ["state", "scope", "code_challenge"] {
            let answer =
                server.service.send(&Request::new("GET", format!("/oauth/authorize?{good}&{name}={text}"))).await;
            let location = answer.header("location").unwrap_or_else(|| panic!("{name}={text}: {}", answer.text()));
            assert!(location.starts_with(CALLBACK), "{location}");
            assert_eq!(parameter(location, "error"), "invalid_request");
            assert!(!location.contains("state="), "{location}");
        }
        for query in [format!("client_id={text}"), format!("{good}&redirect_uri={text}")] {
            let answer = server.service.send(&Request::new("GET", format!("/oauth/authorize?{query}"))).await;
            assert_eq!((answer.status, answer.header("location")), (400, None), "{query}");
        }
        for path in ["/oauth/start?provider=", "/oauth/start?provider=google&return_to="] {
            let answer = server.service.send(&Request::new("GET", format!("{path}{text}"))).await;
            assert_eq!(answer.status, 400, "{path}{text}: {}", answer.text());
        }
        for name in ["state", "code", "iss", "error"] {
            let answer =
                server.service.send(&Request::new("GET", format!("/oauth/callback/google?{name}={text}"))).await;
            assert_eq!(answer.status, 400, "{name}={text}: {}", answer.text());
        }
    }
}

/// Every address of its own, with what is no text in every place.
#[tokio::test]
async fn nothing_that_is_no_text_is_the_service_s_own_fault() {
    let server = TestServer::open().await;
    let mut tried = 0;
    for procedure in testbed::service().procedures {
        let Some((method, path)) = procedure.entry.http() else { continue };
        for text in NO_TEXTS {
            let path = path.replace("{provider}", text);
            for request in [
                Request::new(method, format!("{path}?state={text}&{text}=a&{text}")),
                form(&path, format!("state={text}&{text}=a&{text}")),
                form(&path, [b"token=".as_slice(), b"\xff\xfe&=&\xff=\x00"].concat()),
                Request::new("GET", format!("{path}/{text}")),
            ] {
                let answer = server.service.send(&request.header("cookie", format!("onefold={text}"))).await;
                assert!(answer.status < 500, "{method} {path} {text}: {} {}", answer.status, answer.text());
                tried += 1;
            }
        }
    }
    for path in ["/graphql", "/jsonrpc", "/soap", "/trpc/users.get", "/v1/users", "/docs", "/_local/mail", "/"] {
        for text in NO_TEXTS {
            let answer =
                server.service.send(&Request::new("GET", format!("{path}?query={text}&input={text}&to={text}"))).await;
            assert!(answer.status < 500, "{path} {text}: {} {}", answer.status, answer.text());
        }
    }
    assert!(tried > 200 && !server.service.written().contains("panicked"), "{tried}");
}
