//! What a shared cache is told: the results of a procedure with `cache_s` may be kept, and nothing else.
//!
//! The second service, `examples/conformance.rs`, has such a procedure: a greeting.

use serde_json::{Value, json};

use crate::support::{Answer, Folder, Request, Service, cargo::conformance_program};

const KEPT: Option<&str> = Some("public, max-age=0, s-maxage=60");
const NOT_KEPT: Option<&str> = Some("no-store");

async fn conformance(data: &Folder) -> Service {
    let program = conformance_program();
    Service::start(&program, &["--data", &data.path().to_string_lossy()]).await
}

fn greeting() -> Request {
    Request::query("greet.hello", &json!({"name": "Ada"}))
}

#[tokio::test]
async fn only_results_of_a_query_that_says_so_may_be_kept() {
    let data = Folder::new();
    let service = conformance(&data).await;
    let cache_control = |answer: &Answer| answer.header("cache-control").map(str::to_owned);

    let result = service.send(&greeting()).await;
    assert_eq!(result.data(), json!({"message": "Hello Ada"}));
    assert_eq!(cache_control(&result).as_deref(), KEPT);

    for (what, request) in [
        ("a POST", Request::mutation("greet.hello", &json!({"name": "Ada"}))),
        ("HEAD", Request::new("HEAD", "/trpc/greet.hello")),
        ("no input", Request::query("greet.hello", &Value::Null)),
        ("a wrong method", Request::new("DELETE", "/trpc/greet.hello")),
        ("a batch", Request::new("GET", "/trpc/greet.hello?batch=1&input=%7B%7D")),
        ("a public query that says nothing", Request::query("health.ping", &Value::Null)),
        ("a mutation", Request::mutation("notes.touch", &Value::Null)),
        ("nothing of that name", Request::query("greet.nobody", &Value::Null)),
    ] {
        let answer = service.send(&request).await;
        assert_eq!(cache_control(&answer).as_deref(), NOT_KEPT, "{what}: {}", answer.text());
    }
}

/// Otherwise the first caller's answer would be everybody's.
#[tokio::test]
async fn a_result_that_may_be_kept_is_the_same_for_every_caller() {
    let data = Folder::new();
    let service = conformance(&data).await;
    let nobody = service.send(&greeting()).await;
    for authorization in ["Bearer good", "Bearer forged", "nonsense"] {
        let somebody = service.send(&greeting().header("authorization", authorization)).await;
        assert_eq!((somebody.status, &somebody.body), (200, &nobody.body), "{authorization}");
        assert_eq!(somebody.header("cache-control"), KEPT);
    }
}

/// Only with an origin does an answer say that a page may read it; a cache has to tell the two apart.
#[tokio::test]
async fn a_result_that_may_be_kept_varies_by_its_page() {
    let data = Folder::new();
    let service = conformance(&data).await;
    let plain = service.send(&greeting()).await;
    let page = service.send(&greeting().header("origin", "https://app.example.com")).await;
    assert_eq!(plain.header("access-control-allow-origin"), None);
    assert_eq!(page.header("access-control-allow-origin"), Some("*"));
    for answer in [plain, page] {
        assert_eq!(answer.header("vary"), Some("trpc-accept, accept, origin"));
    }
}
