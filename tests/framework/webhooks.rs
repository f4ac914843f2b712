//! A webhook: another service calls in a form of its own, and reads a problem when its call does not succeed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use serde_json::json;

use crate::support::{Answer, Folder, Request, Service, cargo::conformance_program};

const PROBLEM: &str = "application/problem+json";
/// What the sender signs with, as in `examples/conformance.rs`.
const KEY: &[u8] = b"of the other service and this one";

fn signed(body: &str) -> String {
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), body.as_bytes()))
}

fn posted(body: &str, signature: &str) -> Request {
    Request::new("POST", "/webhooks/notes").header("x-signature", signature).body(body.to_owned())
}

fn said(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status, answer.header("content-type"))
}

#[tokio::test]
async fn a_webhook_has_its_body_as_it_came_and_answers_problems() {
    let data = Folder::new();
    let service = Service::start(&conformance_program(), &["--data", &data.path().to_string_lossy()]).await;
    // The signature is over these bytes: not over what they mean.
    let event = "{ \"title\" :  \"Lunch\" }\n";
    let is_kept = async || service.send(&Request::new("GET", "/v1/notes/Lunch")).await.status == 200;

    for signature in [signed(r#"{"title":"Lunch"}"#), signed(""), String::new(), "?".to_owned()] {
        let refused = service.send(&posted(event, &signature)).await;
        assert_eq!(said(&refused), (403, Some(PROBLEM)), "{signature}: {}", refused.text());
        let problem = refused.json();
        assert_eq!(problem["failure"], json!({"type": "wrongSignature"}));
        assert_eq!((&problem["code"], &problem["instance"]), (&json!("FORBIDDEN"), &json!("/webhooks/notes")));
        assert_eq!(problem["requestId"].as_str(), refused.header("x-request-id"));
        assert!(refused.header("www-authenticate").is_none(), "nobody is asked to sign in");
    }
    assert!(!is_kept().await);

    for _ in 0..2 {
        // A media type of the sender's is none of ours to refuse.
        let request = posted(event, &signed(event)).header("content-type", "application/vnd.notes+json");
        let taken = service.send(&request).await;
        assert_eq!((taken.status, taken.text().as_str()), (200, "{}"));
    }
    assert!(is_kept().await);

    let unread = service.send(&posted("[", &signed("["))).await;
    assert_eq!((said(&unread), &unread.json()["code"]), ((400, Some(PROBLEM)), &json!("BAD_REQUEST")));
    let large = "x".repeat(1024 * 1024 + 1);
    let large = service.send(&posted(&large, &signed(&large))).await;
    assert_eq!((said(&large), &large.json()["code"]), ((413, Some(PROBLEM)), &json!("PAYLOAD_TOO_LARGE")));
    let other = service.send(&Request::new("PUT", "/webhooks/notes")).await;
    assert_eq!((said(&other), other.header("allow")), ((405, Some(PROBLEM)), Some("POST")));

    let browser = posted(event, "").header("sec-fetch-mode", "navigate");
    let page = service.send(&browser).await;
    assert_eq!(said(&page), (403, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("The signature is not one of this body."), "{}", page.text());
}
