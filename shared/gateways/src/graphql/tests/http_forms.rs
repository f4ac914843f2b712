//! Tests of requests and responses over HTTP.

use super::*;

fn ping() -> TestGateway {
    TestGateway::new(|procedure, _| match procedure {
        "pulse.ping" => Ok(json!("pong")),
        "desk.leave" => Ok(Value::Null),
        other => panic!("{other} was called"),
    })
}

fn posted(content_type: &str, accept: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    let request = Request::post("/graphql").header("content-type", content_type).header("accept", accept);
    request.body(body.into()).unwrap()
}

fn got(address: &str) -> Request<Bytes> {
    Request::get(address).header("accept", "application/graphql-response+json").body(Bytes::new()).unwrap()
}

/// Sends a request that gets data.
async fn answered(request: Request<Bytes>) -> Value {
    let response = ping().send(request).await;
    assert_eq!(response.status(), 200, "{response:?}");
    serde_json::from_slice(response.body()).unwrap()
}

/// Sends a request that is refused.
async fn refused(request: Request<Bytes>) -> (u16, String) {
    let gateway = ping();
    let response = gateway.send(request).await;
    assert!(gateway.calls().is_empty());
    let answer: Value = serde_json::from_slice(response.body()).unwrap();
    assert!(answer.get("data").is_none(), "{answer}");
    (response.status().as_u16(), answer["errors"][0]["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn queries_come_by_get_and_by_post() {
    let pong = json!({"data": {"pulsePing": "pong"}});
    assert_eq!(answered(got("/graphql?query=%7BpulsePing%7D")).await, pong);
    let several = "/graphql?query=query+A($x:Boolean!)%7BpulsePing@include(if:$x)%7Dquery+B%7B__typename%7D\
        &operationName=A&variables=%7B%22x%22:true%7D&extensions=&other=1";
    assert_eq!(answered(got(several)).await, pong);
    let body = r#"{"query": "{pulsePing}", "variables": null, "operationName": null, "extensions": {"a": {}}}"#;
    assert_eq!(answered(posted("application/json; charset=utf-8", "*/*", body)).await, pong);
}

#[tokio::test]
async fn mutations_come_by_post_only() {
    let response = ping().send(got("/graphql?query=mutation%7BdeskLeave%7Bok%7D%7D")).await;
    assert_eq!((response.status().as_u16(), response.headers()["allow"].as_bytes()), (405, &b"GET, HEAD, POST"[..]));
    let put = Request::put("/graphql").body(Bytes::new()).unwrap();
    let response = ping().send(put).await;
    assert_eq!((response.status().as_u16(), response.headers()["allow"].as_bytes()), (405, &b"GET, HEAD, POST"[..]));
    let sent = posted("application/json", "*/*", r#"{"query": "mutation {deskLeave {ok}}"}"#);
    assert_eq!(answered(sent).await, json!({"data": {"deskLeave": {"ok": true}}}));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    for address in ["/graphql?query=%7BpulsePing%7D", "/graphql?query=%7Bnothing%7D", "/schema.graphql"] {
        let get = ping().send(got(address)).await;
        let head = Request::head(address).header("accept", "application/graphql-response+json").body(Bytes::new());
        let head = ping().send(head.unwrap()).await;
        assert_eq!(head.status(), get.status(), "{address}");
        assert_eq!(head.headers()["content-type"], get.headers()["content-type"]);
        assert_eq!(head.headers()["content-length"], get.body().len().to_string());
        assert!(head.body().is_empty());
    }
    let gateway = ping();
    let head = Request::head("/graphql?query=mutation%7BdeskLeave%7Bok%7D%7D").body(Bytes::new()).unwrap();
    assert_eq!(gateway.send(head).await.status(), 405);
    assert!(gateway.calls().is_empty());
}

#[tokio::test]
async fn the_status_tells_as_much_as_the_form_allows() {
    let form = "application/graphql-response+json";
    for (body, plain, new) in [
        (r#"{"query": "{pulsePing}"}"#, 200, 200),
        (r#"{"query": "{"}"#, 200, 400),
        (r#"{"query": "{nothing}"}"#, 200, 400),
        (r#"{"query": "query($x: Int!) {pulsePing}"}"#, 200, 400),
        (r#"{"query": ""}"#, 400, 400),
        ("{}", 400, 400),
        ("", 400, 400),
    ] {
        let gateway = ping();
        for (accept, expected) in [("application/json", plain), (form, new)] {
            let response = gateway.send(posted("application/json", accept, body)).await;
            assert_eq!(response.status().as_u16(), expected, "{body} as {accept}");
            assert_eq!(response.headers()["content-type"], format!("{accept}; charset=utf-8"));
        }
    }
    let html = posted("application/json", "text/html", r#"{"query": "{pulsePing}"}"#);
    assert_eq!(refused(html).await.0, 406);
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let query = r#"{"query": "{pulsePing}"}"#;
    for other in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"] {
        assert_eq!(refused(posted(other, "*/*", query)).await.0, 415, "{other}");
    }
    let without = Request::post("/graphql").body(Bytes::from(query)).unwrap();
    assert_eq!(refused(without).await.0, 415);
    let deep = format!(r#"{{"query": "{{pulsePing}}", "variables": {}}}"#, "[".repeat(5_000));
    let huge = format!(r#"{{"query": "{{pulsePing}}", "variables": {{"a": "{}"}}}}"#, "a".repeat(600_000));
    let eleven = format!("[{}]", [query; 11].join(","));
    let many = format!("[{}]", [query; 10_000].join(","));
    for (body, message) in [
        (&b"{\"query\": \"\xff\"}"[..], "UTF-8"),
        (b"{", "not JSON"),
        (b"1", "wrong type"),
        (b"[]", "empty"),
        (b"[1]", "wrong type"),
        (deep.as_bytes(), "not JSON"),
        (huge.as_bytes(), "512 KiB"),
        (eleven.as_bytes(), "more than 10"),
        (many.as_bytes(), "more than 10"),
        (br#"{"query": "{pulsePing}", "query": "{a}"}"#, "`query` is given more than once."),
        (
            br#"{"query": "{pulsePing}", "variables": {"a": {"b": 1, "b": 2}}}"#,
            "`variables.a.b` is given more than once.",
        ),
        (br#"{"query": "{a}", "variables": {}, "variables": null}"#, "`variables` is given more than once."),
        (br#"{"query": "{a}", "extensions": {}, "extensions": {}}"#, "`extensions` is given more than once."),
        (
            br#"{"query": "{a}", "extensions": {"a": [{"b": 1, "b": 1}]}}"#,
            "`extensions.a[0].b` is given more than once.",
        ),
        (
            br#"{"query": "{a}", "operationName": "A", "operationName": "A"}"#,
            "`operationName` is given more than once.",
        ),
        (br#"[{"query": "{a}"}, {"query": "{a}", "id": 1, "id": 2}]"#, "`[1].id` is given more than once."),
        (br#"{"query": "{pulsePing}", "variables": [1]}"#, "wrong type"),
        (br#"{"query": 7}"#, "wrong type"),
        (br#"{"query": "{pulsePing}", "operationName": {}}"#, "wrong type"),
        (br#"{"query": "{pulsePing}", "extensions": "a"}"#, "wrong type"),
    ] {
        let (status, said) = refused(posted("application/json", "*/*", body.to_vec())).await;
        assert!(status == 400 && said.contains(message), "{message}: {status} {said}");
    }
    for address in
        ["/graphql", "/graphql?query=", "/graphql?query=%7Ba%7D&query=%7Bb%7D", "/graphql?query=%7Ba%7D&variables=1"]
    {
        assert_eq!(refused(got(address)).await.0, 400, "{address}");
    }
    for (parameters, path) in [
        ("query=%7Bb%7D", "query"),
        ("variables=%7B%22a%22:1,%22a%22:2%7D", "variables.a"),
        ("variables=%7B%7D&variables=%7B%7D", "variables"),
        ("extensions=%7B%22a%22:%5B%7B%22b%22:1,%22b%22:2%7D%5D%7D", "extensions.a[0].b"),
        ("operationName=A&operationName=A", "operationName"),
    ] {
        let said = refused(got(&format!("/graphql?query=%7Ba%7D&{parameters}"))).await.1;
        assert!(said.ends_with(&format!("`{path}` is given more than once.")), "{said}");
    }
}

#[tokio::test]
async fn operations_come_together_and_count_together() {
    let gateway = ping();
    let (status, answers) = gateway
        .post(&json!([{"query": "{pulsePing}"}, {"query": "{nothing}"}, {"query": "mutation { deskLeave { ok } }"}]))
        .await;
    assert_eq!(status, 200);
    assert_eq!(answers[0], json!({"data": {"pulsePing": "pong"}}));
    assert_eq!(answers[1]["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    assert_eq!(answers[2], json!({"data": {"deskLeave": {"ok": true}}}));
    let ten = json!({"query": "{a: pulsePing b: pulsePing c: pulsePing}"});
    let (_, answers) = gateway.post(&json!(vec![ten; 10])).await;
    let refused = answers.as_array().unwrap().iter().filter(|answer| answer.get("data").is_none()).count();
    assert_eq!(refused, 4, "20 fields of the root in all: {answers}");
}

#[tokio::test]
async fn a_query_is_known_by_its_hash() {
    let gateway = ping();
    let hash = "d4ad7e5cb0b6a7eb4a5ec2c4c0dfb0c2b3ec2b5a5a6b1f8d6c5ad4a7c9a7a2a0";
    let by_hash = |hash: &str| json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}});
    let (_, answer) = gateway.post(&by_hash(hash)).await;
    let expected = json!([{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND", "httpStatus": 400}}]);
    assert_eq!(answer["errors"], expected);
    // sha256 of "{pulsePing}" by another program.
    let hash = "fde233bf1a4774e2d39f6546cea63f08e9db8e64c383412c9c4d45ab1cee1d3a";
    let mut sent = by_hash(hash);
    sent["query"] = "{pulsePing}".into();
    assert_eq!(gateway.post(&sent).await.1, json!({"data": {"pulsePing": "pong"}}));
    assert_eq!(gateway.post(&by_hash(hash)).await.1, json!({"data": {"pulsePing": "pong"}}));
    sent["query"] = "{pulsePing }".into();
    assert_eq!(gateway.post(&sent).await.0, 400);
}

#[tokio::test]
async fn what_is_no_text_is_no_document() {
    let gateway = ping();
    for query in ["%ff", "a%c3", "%7B__typename%7D%ff", "%zz"] {
        let response = gateway.send(got(&format!("/graphql?query={query}"))).await;
        assert_eq!(response.status(), 400, "{query}");
    }
    // Characters of several bytes, wherever a token can stand.
    for document in [
        "\u{fffd}",
        "{\u{e4}}",
        "{__typename \u{1f370}}",
        "\u{ffff}{__typename}",
        "{__typename(\u{20ac}:1)}",
        "\u{fe00}",
    ] {
        let body = json!({"query": document}).to_string();
        let response = gateway.send(posted("application/json", "application/graphql-response+json", body)).await;
        assert_eq!(response.status(), 400, "{document}");
    }
}
