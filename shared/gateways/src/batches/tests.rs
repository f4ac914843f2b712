use std::sync::Arc;

use http::{Request, header};
use protocol::Kind::{Mutation, Query};
use serde_json::{Value, json};

use super::*;
use crate::stub::{Stub, ask, body, contract, fault};

fn does(name: &str, input: Value) -> Result<Option<Value>, Fault> {
    match name {
        "orders.missing" => Err(Fault { failure: Some(json!({"type": "missing"})), ..fault(Code::NotFound) }),
        "orders.hidden" => Err(fault(Code::Unauthorized)),
        "orders.large" => Ok(Some("x".repeat(1024 * 1024).into())),
        "orders.nothing" => Ok(None),
        _ => Ok(Some(json!({"of": name, "input": input}))),
    }
}

async fn send(stub: &Arc<Stub>, request: Request<Bytes>) -> Response<Bytes> {
    let mut procedures = vec![("orders.create", Mutation, &["name"][..])];
    for name in ["orders.get", "orders.missing", "orders.hidden", "orders.large", "orders.nothing"] {
        procedures.push((name, Query, &["id"]));
    }
    let contract = contract(&procedures);
    ask(Box::new(Batches::new(&contract).unwrap()), contract, Arc::clone(stub), request).await
}

fn get(address: &str) -> Request<Bytes> {
    Request::get(format!("/trpc/{address}")).body(Bytes::new()).unwrap()
}

fn post(address: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    let request = Request::post(format!("/trpc/{address}")).header("content-type", "application/json");
    request.body(body.into()).unwrap()
}

async fn answer_to(request: Request<Bytes>) -> (u16, Value) {
    let response = send(&Stub::new(does), request).await;
    (response.status().as_u16(), body(&response))
}

#[tokio::test]
async fn each_call_gets_its_input_and_its_answer() {
    let stub = Stub::new(does);
    let input = "%7B%221%22%3A%7B%22id%22%3A12345678901234567890.0%7D%7D";
    let response = send(&stub, get(&format!("orders.get%2Corders%2Eget,orders.nothing?batch=1&input={input}"))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["vary"], "trpc-accept, accept");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let cookies: Vec<_> = response.headers().get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(cookies.len(), 3, "what any of the calls says to the client");
    let of = |input: Value| json!({"result": {"data": {"of": "orders.get", "input": input}}});
    let expected = json!([of(Value::Null), of(json!({"id": 12_345_678_901_234_567_890.0})), {"result": {}}]);
    assert_eq!(body(&response), expected);
    let calls = stub.calls.lock().unwrap();
    assert_eq!(*calls, ["GET orders.get", "GET orders.get {\"id\":12345678901234567890.0}", "GET orders.nothing"]);
}

#[tokio::test]
async fn one_bad_entry_does_not_hurt_the_others() {
    let address = "orders.get,orders.missing,nobody,orders.create,?batch=1";
    let (status, body) = answer_to(get(address)).await;
    assert_eq!(status, 207);
    let codes: Vec<_> = (0..5).map(|place| body[place]["error"]["data"]["code"].clone()).collect();
    assert_eq!(
        codes,
        [Value::Null, json!("NOT_FOUND"), json!("NOT_FOUND"), json!("METHOD_NOT_SUPPORTED"), json!("NOT_FOUND")]
    );
    assert_eq!(body[1]["error"]["data"]["failure"]["type"], "missing", "it is as the procedure wrote it");
    assert_eq!(body[2]["error"]["data"]["path"], "nobody");
    assert_eq!(body[3]["error"]["message"], "GET is not answered here; use POST.");
}

#[tokio::test]
async fn a_batch_by_post_has_mutations_and_queries() {
    let stub = Stub::new(does);
    let request = post("orders.create,orders.get?batch=1", r#"{"0": {"name": "Ada"}, "1":null}"#);
    assert_eq!(send(&stub, request).await.status(), 200);
    assert_eq!(*stub.calls.lock().unwrap(), ["POST orders.create {\"name\": \"Ada\"}", "GET orders.get null"]);
    let empty = send(&stub, post("orders.create,orders.create?batch=1", "")).await;
    assert_eq!((empty.status().as_u16(), stub.count()), (200, 4));
}

#[tokio::test]
async fn what_all_calls_say_the_whole_says() {
    let response = send(&Stub::new(does), get("orders.hidden,orders.hidden?batch=1")).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    let mixed = send(&Stub::new(does), get("orders.hidden,orders.get?batch=1")).await;
    assert_eq!(mixed.status(), 207);
    assert!(mixed.headers().get("www-authenticate").is_none());
}

#[tokio::test]
async fn lines_come_in_the_order_in_which_calls_ended() {
    let mut request = get("orders.get,nobody,orders.get?batch=1&input=%7B%220%22%3A%22wait%22%7D");
    request.headers_mut().insert("trpc-accept", "application/jsonl".parse().unwrap());
    let response = send(&Stub::new(does), request).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/jsonl".parse().unwrap())
    );
    let text = std::str::from_utf8(response.body()).unwrap();
    assert!(text.ends_with("]]]\n"));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0], json!({"0": [[0], [null, 0, 0]], "1": [[0], [null, 0, 1]], "2": [[0], [null, 0, 2]]}));
    let places: Vec<_> = lines[1..].iter().map(|line| line[0].clone()).collect();
    assert_eq!(places.last(), Some(&json!(0)), "the first call was the last to end: {places:?}");
    assert_eq!(lines.len(), 4);
}

/// One envelope, which the official client's links give to every call.
#[tokio::test]
async fn what_cannot_be_read_is_refused_as_a_whole() {
    let many = |count: usize| vec!["orders.get"; count].join(",");
    let deep = format!("{{\"0\":{}", "[".repeat(500_000));
    let plain = Request::post("/trpc/orders.create,orders.create?batch=1").body(Bytes::new()).unwrap();
    let put = Request::put("/trpc/orders.get,orders.get?batch=1").body(Bytes::new()).unwrap();
    let pair = "orders.create,orders.create?batch=1";
    for (request, status) in [
        (get(&format!("{}?batch=1", many(MAX_CALLS + 1))), 413),
        (get(&format!("{}?batch=1", ",".repeat(9_999))), 413),
        (get(&format!("{}?batch=1&input=1", many(2))), 400),
        (get(&format!("{}?batch=1&input=%7B%220%22%3A1%2C%220%22%3A1%7D", many(2))), 400),
        (get(&format!("{}?batch=1&input=%FF", many(2))), 400),
        (get("a,%FF?batch=1"), 400),
        (post(pair, "["), 400),
        (post(pair, deep), 400),
        (post(pair, &b"{\"0\":\"\xff\"}"[..]), 400),
        (plain, 415),
        (put, 405),
    ] {
        let what = format!("{:.90} {:.20}", request.uri(), String::from_utf8_lossy(request.body()));
        let stub = Stub::new(does);
        let response = send(&stub, request).await;
        assert_eq!((response.status().as_u16(), stub.count()), (status, 0), "{what}");
        let body = body(&response);
        let error = &body["error"];
        assert_eq!(error["data"]["httpStatus"], status, "{what}");
        assert_eq!(error["data"]["requestId"], "r1");
        assert_eq!(response.headers().contains_key("allow"), status == 405);
    }
    assert_eq!(answer_to(get(&format!("{}?batch=1", many(MAX_CALLS)))).await.0, 200);
}

#[tokio::test]
async fn answers_end_at_a_size() {
    let (status, body) = answer_to(get(&format!("{}?batch=1", ["orders.large"; 6].join(",")))).await;
    assert_eq!(status, 207);
    let codes: Vec<_> = (0..6).filter(|&place| body[place]["error"]["data"]["code"] == "PAYLOAD_TOO_LARGE").collect();
    assert_eq!(codes.len(), 1, "5 MiB have room");
    assert_eq!(body[0]["result"]["data"].as_str().map(str::len), Some(1024 * 1024));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_end_costs_the_others_nothing() {
    let (status, body) = answer_to(get("orders.get,orders.get?batch=1&input=%7B%220%22%3A%22hang%22%7D")).await;
    assert_eq!((status, &body[0]["error"]["data"]["code"]), (207, &json!("GATEWAY_TIMEOUT")));
    assert_eq!(body[1]["result"]["data"]["of"], "orders.get");
}

#[tokio::test]
async fn no_batch_is_one_procedure_or_none() {
    let (status, body) = answer_to(get("orders%2Eget?input=1")).await;
    assert_eq!((status, &body["result"]["data"]["input"]), (200, &json!(1)));
    for path in ["unknown", "orders.get,orders.get", "orders.get,orders.get?batch=0"] {
        let (status, body) = answer_to(get(path)).await;
        assert_eq!((status, &body["error"]["data"]["code"]), (404, &json!("NOT_FOUND")), "{path}");
        assert_eq!(body["error"]["data"]["path"], path.split('?').next().unwrap());
    }
    assert_eq!(answer_to(get("orders.create")).await.0, 405);
    let head = Request::head("/trpc/a,b?batch=1").body(Bytes::new()).unwrap();
    let head = send(&Stub::new(does), head).await;
    assert_eq!((head.status().as_u16(), head.body().len()), (204, 0));
}
