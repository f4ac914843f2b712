//! JSON-RPC 2.0, over the wire.

use gateways::jsonrpc::openrpc;
use protocol::contract::Contract;
use serde_json::{Value, json};
use testbed::Role;

use crate::support::{Answer, Folder, Request, Service, TestServer, cargo::conformance_program, cargo::root};

fn posted(message: &Value) -> Request {
    Request::new("POST", "/jsonrpc").header("content-type", "application/json").body(message.to_string())
}

fn message(method: &str, params: &Value, id: u32) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params, "id": id})
}

async fn ask(server: &TestServer, token: &str, method: &str, params: Value) -> Value {
    let answer = server.service.send(&posted(&message(method, &params, 1)).bearer(token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The same call by tRPC.
async fn by_trpc(server: &TestServer, token: &str, method: &str, params: &Value) -> Answer {
    let is_query = server.service.send(&Request::query(method, params).bearer(token)).await;
    if is_query.status != 405 { is_query } else { server.service.mutation(token, method, params.clone()).await }
}

#[tokio::test]
async fn faults_are_those_of_trpc() {
    let server = TestServer::open().await;
    let ada = server.user("ada").await;
    let (admin, viewer) = (server.admin.clone(), server.key.token(Role::Viewer));
    let missing = json!({"id": "01890a5d-ac96-774b-bcce-b302099a8057"});
    for (token, method, params) in [
        (&admin, "users.get", missing.clone()),
        (&admin, "users.get", json!({"id": 1})),
        (&admin, "users.get", json!({})),
        (&admin, "users.get", json!({"id": ada["id"], "other": 1})),
        (&admin, "users.create", json!({"email": "ada@example.com", "name": "Ada"})),
        (&admin, "users.create", json!({"email": "ada", "name": "", "age": 151})),
        (&admin, "users.update", json!({"id": ada["id"], "version": 7, "age": null})),
        (&admin, "users.delete", missing),
        (&admin, "users.list", json!({"cursor": "forged"})),
        (&viewer, "users.create", json!({"email": "x@example.com", "name": "X"})),
        (&"nonsense".to_owned(), "users.list", json!({})),
    ] {
        let by_trpc = by_trpc(&server, token, method, &params).await.error();
        let error = ask(&server, token, method, params.clone()).await["error"].clone();
        let what = format!("{method} {params}: {error}");
        for member in ["code", "httpStatus", "failure", "fields"] {
            assert_eq!(error["data"][member], by_trpc["data"][member], "{member} of {what}");
        }
        assert_eq!(error["message"], by_trpc["message"], "{what}");
        let code = if by_trpc["data"]["code"] == "BAD_REQUEST" { json!(-32602) } else { by_trpc["code"].clone() };
        assert_eq!(error["code"], code, "{what}");
        assert!(error["data"]["requestId"].is_string());
    }
}

#[tokio::test]
async fn absent_and_null_reach_the_procedure_as_they_are() {
    let server = TestServer::open().await;
    let input = json!({"email": "ada@example.com", "name": "Ada", "age": 36});
    let ada = server.mutation("users.create", input).await.data();
    let admin = server.admin.clone();
    let named = ask(&server, &admin, "users.update", json!({"id": ada["id"], "name": "Countess"})).await;
    assert_eq!((&named["result"]["age"], &named["result"]["name"]), (&json!(36), &json!("Countess")));
    let ageless = ask(&server, &admin, "users.update", json!({"id": ada["id"], "age": null})).await;
    assert_eq!((&ageless["result"]["age"], &ageless["result"]["name"]), (&Value::Null, &json!("Countess")));
    // By position as well: version is null, and what follows the address is absent.
    let moved = ask(&server, &admin, "users.update", json!([ada["id"], null, "moved@example.com"])).await;
    assert_eq!(moved["result"]["email"], "moved@example.com");
}

#[tokio::test]
async fn a_batch_runs_as_one_request() {
    let server = TestServer::open().await;
    let create =
        |place: u32| message("users.create", &json!({"email": format!("u{place}@example.com"), "name": "U"}), place);
    let mut batch: Vec<Value> = (0..99).map(create).collect();
    batch.push(json!({"jsonrpc": "2.0", "method": "users.create", "params": ["quiet@example.com", "Quiet"]}));
    let answer = server.service.send(&posted(&json!(batch)).bearer(&server.admin)).await;
    let ids: Vec<_> = answer.json().as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..99).collect::<Vec<_>>(), "in the order of the calls, and none for the notification");
    let again = ask(&server, &server.admin, "users.create", json!(["quiet@example.com", "Loud"])).await;
    assert_eq!(again["error"]["data"]["failure"]["type"], "emailTaken");
    let nothing = json!([{"jsonrpc": "2.0", "method": "users.gone"}, {"jsonrpc": "2.0", "method": "health.ping"}]);
    let nothing = server.service.send(&posted(&nothing)).await;
    assert_eq!((nothing.status, nothing.body.len()), (204, 0));
}

#[tokio::test]
async fn pages_of_other_origins_may_call() {
    let server = TestServer::open().await;
    let origin = |request: Request| request.header("origin", "https://app.example.com");
    let preflight = server.service.send(&origin(Request::new("OPTIONS", "/jsonrpc"))).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-methods")), (204, Some("POST")));
    let good = server.service.send(&origin(posted(&message("health.ping", &json!([]), 1)))).await;
    assert_eq!(good.header("access-control-allow-origin"), Some("*"));
    assert_eq!(good.header("cache-control"), Some("no-store"));
    let get = server.service.send(&origin(Request::new("GET", "/jsonrpc"))).await;
    assert_eq!(
        (get.status, get.header("allow"), get.header("access-control-allow-origin")),
        (405, Some("POST"), Some("*"))
    );
    let plain = Request::new("POST", "/jsonrpc").header("content-type", "text/plain").body("{}");
    assert_eq!(server.service.send(&plain).await.status, 415, "no form of a page can post it");
}

#[tokio::test]
async fn a_method_is_called_in_camel_case_and_in_no_other() {
    let server = TestServer::open().await;
    let call = |method: &str| posted(&message(method, &json!({"email": "nobody@example.com"}), 1));
    let done = server.service.send(&call("auth.requestReset")).await.json();
    assert!(done["error"].is_null(), "{done}");
    let gone = server.service.send(&call("auth.request_reset")).await.json();
    assert_eq!((&gone["error"]["code"], &gone["error"]["data"]["code"]), (&json!(-32601), &json!("NOT_FOUND")));
}

#[tokio::test]
async fn the_second_service_speaks_it_as_well() {
    let program = conformance_program();
    let data = Folder::new();
    let service = Service::start(&program, &["--data", &data.path().to_string_lossy()]).await;
    let send = async |message: Value| service.send(&posted(&message).bearer("good")).await.json();
    assert_eq!(send(message("greet.hello", &json!(["Ada"]), 1)).await["result"]["message"], "Hello Ada");
    let failed = send(message("notes.get", &json!(["none"]), 1)).await;
    assert_eq!(failed["error"]["data"]["code"], "NOT_FOUND", "{failed}");
    assert!(send(message("rpc.discover", &json!([]), 1)).await["result"]["methods"].is_array());
    let batch = service.send(&Request::new("GET", "/trpc/health.ping,health.gone?batch=1")).await;
    assert_eq!(batch.status, 207);
}

#[test]
fn the_printed_document_is_that_of_the_contract() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let contract = Contract::parse(&read("tests/testbed/bindings/contract.json")).unwrap();
    let printed: Value = serde_json::from_str(&read("tests/testbed/bindings/openrpc.json")).unwrap();
    assert_eq!(printed, openrpc(&contract, "http://127.0.0.1:9000"));
}
