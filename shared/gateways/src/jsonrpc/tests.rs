use std::sync::Arc;

use http::Request;
use protocol::Kind::{Mutation, Query};
use serde_json::json;

use super::*;
use crate::stub::{Stub, ask, body, contract, fault};

/// What the examples of the specification call.
fn does(name: &str, input: Value) -> Result<Option<Value>, Fault> {
    let number = |field: &str| input[field].as_i64();
    match name {
        "subtract" => match (number("minuend"), number("subtrahend")) {
            (Some(minuend), Some(subtrahend)) => Ok(Some((minuend - subtrahend).into())),
            _ => {
                let fields = vec![FieldFault { path: "minuend".into(), message: "is required".into() }];
                Err(Fault::invalid(fields))
            }
        },
        "sum" => Ok(Some(["a", "b", "c"].iter().filter_map(|field| number(field)).sum::<i64>().into())),
        "get_data" => Ok(Some(json!(["hello", 5]))),
        "nothing" => Ok(None),
        "large" => Ok(Some("x".repeat(1024 * 1024).into())),
        "fail" => Err(Fault { failure: Some(json!({"type": "taken", "by": "Ada"})), ..fault(Code::Conflict) }),
        "hidden" => Err(fault(Code::Unauthorized)),
        "often" => Err(fault(Code::TooManyRequests)),
        "broken" => Err(Fault::internal("why")),
        "wrong" => Err(Fault { failure: Some(json!({"type": "stale"})), ..fault(Code::BadRequest) }),
        _ => Ok(Some(Value::Null)),
    }
}

fn service() -> Contract {
    let mut procedures: Vec<(&str, _, &[&str])> = vec![
        ("subtract", Query, &["minuend", "subtrahend"]),
        ("sum", Query, &["a", "b", "c"]),
        ("update", Mutation, &["a", "b", "c", "d", "e"]),
        ("notify_hello", Mutation, &["a"]),
        ("notify_sum", Mutation, &["a", "b", "c"]),
        ("get_data", Query, &[]),
    ];
    for name in ["nothing", "large", "fail", "hidden", "often", "broken", "wrong"] {
        procedures.push((name, Query, &[]));
    }
    contract(&procedures)
}

async fn send(stub: &Arc<Stub>, request: Request<Bytes>) -> Response<Bytes> {
    let contract = service();
    ask(Box::new(JsonRpc::new(&contract).unwrap()), contract, Arc::clone(stub), request).await
}

fn post(body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post("/jsonrpc").header("content-type", "application/json").body(body.into()).unwrap()
}

/// The answer to a message, under status 200.
async fn answer(message: &str) -> Value {
    let response = send(&Stub::new(does), post(message.to_owned())).await;
    assert_eq!(response.status(), 200, "{message:.100}");
    body(&response)
}

/// The same without what the specification leaves to the server.
fn bare(mut answer: Value) -> Value {
    match &mut answer {
        Value::Array(answers) => answers.iter_mut().for_each(|one| *one = bare(one.take())),
        one => {
            if let Some(error) = one.get_mut("error").and_then(Value::as_object_mut) {
                assert!(error.remove("data").is_some_and(|data| data["requestId"] == "r1"));
            }
        }
    }
    answer
}

/// Section 7 of the specification, whole: a line that is sent, and the line that comes back, if one does.
#[tokio::test]
async fn the_examples_of_the_specification() {
    let text = include_str!("specification.txt");
    let mut count = 0;
    for example in text.split("\n\n").filter(|example| example.starts_with("--> ")) {
        let (sent, expected) = example.split_once("\n<--").unwrap();
        let response = send(&Stub::new(does), post(sent.trim_start_matches("--> ").to_owned())).await;
        let expected = expected.trim();
        if expected.is_empty() {
            assert_eq!((response.status().as_u16(), response.body().len()), (204, 0), "{sent}");
        } else {
            let expected: Value = serde_json::from_str(expected).unwrap();
            assert_eq!((response.status().as_u16(), bare(body(&response))), (200, expected), "{sent}");
        }
        count += 1;
    }
    assert_eq!(count, 15);
}

#[tokio::test]
async fn an_id_comes_back_as_it_was_written() {
    for id in ["1", "-0", "1.50", "1e3", "123456789012345678901234567890", "\"a\\u0041\"", "\"\"", "null"] {
        let response =
            send(&Stub::new(does), post(format!(r#"{{"jsonrpc":"2.0","method":"nothing","id": {id} }}"#))).await;
        let expected = format!(r#"{{"jsonrpc":"2.0","result":null,"id":{id}}}"#);
        assert_eq!(std::str::from_utf8(response.body()).unwrap(), expected);
    }
}

#[tokio::test]
async fn parameters_reach_the_procedure_as_they_were_written() {
    let stub = Stub::new(does);
    for params in [r#"[1.0, null]"#, r#"{"minuend" :1, "other": [ ]}"#, "[]", "{}", "[[[1]],{}]"] {
        let message = format!(r#"{{"jsonrpc":"2.0","method":"subtract","params":{params},"id":1}}"#);
        send(&stub, post(message)).await;
    }
    send(&stub, post(r#"{"jsonrpc":"2.0","method":"subtract","id":1}"#)).await;
    assert_eq!(
        *stub.calls.lock().unwrap(),
        [
            r#"GET subtract {"minuend":1.0,"subtrahend":null}"#,
            r#"GET subtract {"minuend" :1, "other": [ ]}"#,
            "GET subtract",
            "GET subtract {}",
            r#"GET subtract {"minuend":[[1]],"subtrahend":{}}"#,
            "GET subtract",
        ]
    );
    // A mutation goes as one.
    send(&stub, post(r#"{"jsonrpc":"2.0","method":"notify_hello","params":[7]}"#)).await;
    assert_eq!(stub.calls.lock().unwrap().last().unwrap(), r#"POST notify_hello {"a":7}"#);
}

#[tokio::test]
async fn too_many_parameters_are_refused() {
    for (method, params) in [("subtract", "[1,2,3]"), ("get_data", "[null]")] {
        let stub = Stub::new(does);
        let message = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":1}}"#);
        let answer = body(&send(&stub, post(message)).await);
        assert_eq!((&answer["error"]["code"], stub.count()), (&json!(-32602), 0));
        assert!(answer["error"]["message"].as_str().unwrap().contains("at most"), "{answer}");
    }
}

#[tokio::test]
async fn faults_keep_their_codes() {
    for (method, code, key, status) in [
        ("fail", -32009, "CONFLICT", 409),
        ("hidden", -32001, "UNAUTHORIZED", 401),
        ("often", -32029, "TOO_MANY_REQUESTS", 429),
        ("broken", -32603, "INTERNAL_SERVER_ERROR", 500),
        ("wrong", -32602, "BAD_REQUEST", 400),
        ("nobody", -32601, "NOT_FOUND", 404),
        ("rpc.other", -32601, "NOT_FOUND", 404),
        ("", -32601, "NOT_FOUND", 404),
    ] {
        let answer = answer(&format!(r#"{{"jsonrpc":"2.0","method":"{method}","id":1}}"#)).await;
        let error = &answer["error"];
        let data = &error["data"];
        assert_eq!((&error["code"], &data["code"], &data["httpStatus"]), (&json!(code), &json!(key), &json!(status)));
        assert_eq!(data["requestId"], "r1");
        assert!(!error.to_string().contains("why"), "causes are for the log");
    }
    let failed = answer(r#"{"jsonrpc":"2.0","method":"fail","id":1}"#).await;
    assert_eq!(failed["error"]["data"]["failure"], json!({"type": "taken", "by": "Ada"}));
    let invalid = answer(r#"{"jsonrpc":"2.0","method":"subtract","id":1}"#).await;
    assert_eq!(invalid["error"]["code"], -32602);
    assert_eq!(invalid["error"]["data"]["fields"], json!([{"path": "minuend", "message": "is required"}]));
}

#[tokio::test]
async fn what_is_no_request_is_said_to_be_none() {
    for (message, code, id) in [
        (r#"{"jsonrpc":"1.0","method":"nothing","id":5}"#, -32600, json!(5)),
        (r#"{"method":"nothing","id":5}"#, -32600, json!(5)),
        (r#"{"jsonrpc":"2.0","id":5}"#, -32600, json!(5)),
        (r#"{"jsonrpc":"2.0","method":"nothing","params":null,"id":"a"}"#, -32600, json!("a")),
        (r#"{"jsonrpc":"2.0","method":"nothing","params":"x"}"#, -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","method":"nothing","id":true}"#, -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","method":"nothing","id":[1]}"#, -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","method":"nothing","id":1,"id":1}"#, -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","method":"nothing","m\u0065thod":"fail","id":1}"#, -32600, Value::Null),
        ("1", -32600, Value::Null),
        ("\"x\"", -32600, Value::Null),
        ("", -32700, Value::Null),
        ("{} {}", -32700, Value::Null),
        ("{'a':1}", -32700, Value::Null),
        ("[1,]", -32700, Value::Null),
    ] {
        let answer = answer(message).await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{message}");
        assert!(answer["error"]["data"]["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{message}");
    }
    let escaped = answer(r#"{"jsonrpc":"2.0","m\u0065thod":"get_d\u0061ta","id":1,"other":{}}"#).await;
    assert_eq!(escaped["result"], json!(["hello", 5]));
}

#[tokio::test]
async fn hostile_messages_are_refused() {
    let response = send(&Stub::new(does), post(&b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}"[..])).await;
    assert_eq!(body(&response)["error"]["code"], -32700);

    let open = answer(&"[".repeat(500_000)).await;
    assert_eq!(open["error"]["code"], -32700);
    let deep = answer(&format!("{}{}", "[".repeat(500_000), "]".repeat(500_000))).await;
    assert_eq!(deep[0]["error"]["code"], -32600, "a batch with one entry, which is no request");
    let deep_id = format!(r#"{{"jsonrpc":"2.0","method":"nothing","id":{}{}}}"#, "[".repeat(9_999), "]".repeat(9_999));
    assert_eq!(answer(&deep_id).await["error"]["code"], -32600);

    let huge_id = format!(r#"{{"jsonrpc":"2.0","method":"nothing","id":"{}"}}"#, "x".repeat(100_000));
    let huge_id = answer(&huge_id).await;
    assert_eq!((&huge_id["error"]["code"], &huge_id["id"]), (&json!(-32600), &Value::Null));

    let stub = Stub::new(does);
    let many = |count| format!("[{}]", vec![r#"{"jsonrpc":"2.0","method":"nothing","id":1}"#; count].join(","));
    let refused = body(&send(&stub, post(many(10_000))).await);
    assert_eq!((&refused["error"]["code"], stub.count()), (&json!(-32600), 0));
    assert_eq!(refused["error"]["data"]["code"], "PAYLOAD_TOO_LARGE");
    assert!(refused["error"]["data"]["detail"].as_str().unwrap().contains("10000"), "{refused}");
    assert_eq!(answer(&many(MAX_CALLS)).await.as_array().map(Vec::len), Some(MAX_CALLS));
}

#[tokio::test]
async fn a_member_that_is_there_twice_is_named() {
    let call = r#"{"jsonrpc":"2.0","method":"nothing","id":1}"#;
    for (twice, name) in [
        (r#""id":2"#, "id"),
        (r#""\u0069d":1"#, "id"),
        (r#""method":"nothing""#, "method"),
        (r#""jsonrpc":"2.0""#, "jsonrpc"),
        (r#""params":[],"params":{}"#, "params"),
        (r#""other":1,"other":1"#, "other"),
    ] {
        let request = format!("{},{twice}}}", &call[..call.len() - 1]);
        for answer in [answer(&request).await, answer(&format!("[{call},{request}]")).await[1].clone()] {
            let detail = format!("The member \"{name}\" of the request is given more than once.");
            assert_eq!(
                (&answer["error"]["code"], &answer["error"]["data"]["detail"]),
                (&json!(-32600), &json!(detail))
            );
        }
    }
}

#[tokio::test]
async fn answers_end_at_a_size() {
    let call = r#"{"jsonrpc":"2.0","method":"large","id":7}"#;
    let answers = answer(&format!("[{}]", [call; 6].join(","))).await;
    let refused: Vec<_> = (0..6).filter(|&place| answers[place]["error"]["code"] == -32013).collect();
    assert_eq!(refused.len(), 1, "5 MiB have room");
    assert!((0..6).all(|place| answers[place]["id"] == 7));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_end_costs_the_others_nothing() {
    let hang = r#"{"jsonrpc":"2.0","method":"sum","params":["hang"],"id":1}"#;
    let answers = answer(&format!(r#"[{hang},{{"jsonrpc":"2.0","method":"sum","params":[1],"id":2}}]"#)).await;
    assert_eq!((&answers[0]["id"], &answers[0]["error"]["data"]["code"]), (&json!(1), &json!("GATEWAY_TIMEOUT")));
    assert_eq!(answers[1]["result"], 1);
}

#[tokio::test]
async fn http_says_what_json_rpc_cannot() {
    let call = r#"{"jsonrpc":"2.0","method":"nothing","id":1}"#;
    let typed =
        |media_type: &str| Request::post("/jsonrpc").header("content-type", media_type).body(call.into()).unwrap();
    for good in ["application/json", "Application/JSON; charset=utf-8", "application/json-rpc"] {
        assert_eq!(send(&Stub::new(does), typed(good)).await.status(), 200, "{good}");
    }
    let get = Request::get("/jsonrpc").body(Bytes::new()).unwrap();
    let untyped = Request::post("/jsonrpc").body(call.into()).unwrap();
    for (request, status) in [(typed("text/plain"), 415), (untyped, 415), (get, 405)] {
        let response = send(&Stub::new(does), request).await;
        let body = body(&response);
        assert_eq!((response.status().as_u16(), &body["error"]["data"]["httpStatus"]), (status, &json!(status)));
        assert_eq!((&body["jsonrpc"], &body["id"]), (&json!("2.0"), &Value::Null));
        assert_eq!(response.headers().get("allow").is_some_and(|allow| allow == "POST"), status == 405);
    }
}

#[tokio::test]
async fn the_document_is_a_method() {
    let document = answer(r#"{"jsonrpc":"2.0","method":"rpc.discover","id":1}"#).await;
    assert_eq!(document["result"], openrpc(&service(), "https://api.example.com"));
    assert_eq!(document["result"]["servers"][0]["url"], "https://api.example.com/jsonrpc");
}

#[tokio::test]
async fn a_batch_is_told_once_what_there_is() {
    let call = |id| format!(r#"{{"jsonrpc":"2.0","method":"rpc.discover"{id}}}"#);
    let calls: Vec<_> = (0..MAX_CALLS - 1).map(|id| call(format!(r#","id":{id}"#))).collect();
    let answers = answer(&format!("[{},{}]", call(String::new()), calls.join(","))).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), MAX_CALLS - 1, "a notification asks for nothing");
    assert!(answers[0]["result"]["openrpc"].is_string(), "{}", answers[0]);
    for (id, later) in answers.iter().enumerate().skip(1) {
        assert_eq!((&later["id"], &later["error"]["code"]), (&json!(id), &json!(-32600)));
        assert!(later["error"]["data"]["detail"].as_str().unwrap().contains("once"));
    }
}
