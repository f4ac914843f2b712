//! tRPC's batches, over the wire.

use serde_json::{Value, json};

use crate::support::{Request, TestServer, http::percent_encode};

fn batch(names: &str, inputs: &Value) -> Request {
    Request::new("GET", format!("/trpc/{names}?batch=1&input={}", percent_encode(inputs.to_string().as_bytes())))
}

fn posted(names: &str, inputs: &Value) -> Request {
    Request::new("POST", format!("/trpc/{names}?batch=1"))
        .header("content-type", "application/json")
        .body(inputs.to_string())
}

/// The key of each call's code; of one that succeeded, `OK`.
fn codes(answers: &Value) -> Vec<&str> {
    answers.as_array().unwrap().iter().map(|one| one["error"]["data"]["code"].as_str().unwrap_or("OK")).collect()
}

#[tokio::test]
async fn calls_of_one_request_have_its_credentials_and_their_own_fate() {
    let server = TestServer::open().await;
    let ada = server.user("ada").await;
    let inputs =
        json!({"0": {"id": ada["id"]}, "1": {"id": "01890a5d-ac96-774b-bcce-b302099a8057"}, "3": {"limit": 0}});
    let names = "users.get,users.get,health.ping,users.list,users.create,users.gone";
    let answer = server.service.send(&batch(names, &inputs).bearer(&server.admin)).await;
    assert_eq!(answer.status, 207);
    assert_eq!(codes(&answer.json()), ["OK", "NOT_FOUND", "OK", "BAD_REQUEST", "METHOD_NOT_SUPPORTED", "NOT_FOUND"]);
    assert_eq!(answer.json()[0]["result"]["data"], ada);
    assert_eq!(answer.json()[1]["error"]["data"]["failure"]["type"], "missing");
    assert_eq!(answer.json()[3]["error"]["data"]["fields"][0]["path"], "limit");
    let ids = answer.json();
    let ids: Vec<_> = [1, 3, 4].iter().map(|&place: &usize| ids[place]["error"]["data"]["requestId"].clone()).collect();
    assert_eq!(ids, vec![json!(answer.header("x-request-id")); 3], "one request, one id");

    let nobody = server.service.send(&batch("users.list,users.list", &json!({}))).await;
    assert_eq!((nobody.status, nobody.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(codes(&nobody.json()), ["UNAUTHORIZED", "UNAUTHORIZED"]);
}

/// The words of a file's name are those of Rust, and nothing on the wire.
#[tokio::test]
async fn a_procedure_is_called_in_camel_case_and_in_no_other() {
    let server = TestServer::open().await;
    let input = json!({"email": "nobody@example.com"});
    assert_eq!(server.service.send(&Request::mutation("auth.requestReset", &input)).await.code(), "OK");
    for name in ["auth.request_reset", "auth.requestreset", "auth-request-reset"] {
        let answer = server.service.send(&Request::mutation(name, &input)).await;
        assert_eq!(answer.status, 404, "{name}");
        let request_id = answer.header("x-request-id").unwrap();
        let data = json!({"code": "NOT_FOUND", "httpStatus": 404, "path": name, "requestId": request_id});
        let message = format!("There is no procedure {name:?}.");
        assert_eq!(answer.json(), json!({"error": {"message": message, "code": -32004, "data": data}}), "{name}");
    }
    let batch = server.service.send(&posted("auth.requestReset,auth.request_reset", &json!({"0": input}))).await;
    assert_eq!(codes(&batch.json()), ["OK", "NOT_FOUND"]);
}

#[tokio::test]
async fn many_mutations_are_one_request() {
    let server = TestServer::open().await;
    let inputs: Value = (0..50)
        .map(|place| (place.to_string(), json!({"email": format!("u{}@example.com", place / 2), "name": "U"})))
        .collect();
    let names = vec!["users.create"; 50].join("%2C");
    let answer = server.service.send(&posted(&names, &inputs).bearer(&server.admin)).await;
    assert_eq!(answer.status, 207);
    let answers = answer.json();
    let made = codes(&answers).iter().filter(|code| **code == "OK").count();
    let taken = codes(&answers).iter().filter(|code| **code == "CONFLICT").count();
    assert_eq!((made, taken), (25, 25), "each address is given once, although they run at the same time");
    let log = server.service.logged(|line| line["gateway"] == "trpc").await;
    assert_eq!(log["status"], 207);
}

#[tokio::test]
async fn batches_that_cannot_be_are_refused_in_a_form_that_the_client_can_read() {
    let server = TestServer::open().await;
    let many = vec!["health.ping"; 10_000 / 12].join(",");
    for (request, status, code) in [
        (Request::new("GET", "/trpc/health.ping,health.ping"), 404, "NOT_FOUND"),
        (Request::new("GET", "/trpc/health.ping?batch=1&input=1"), 400, "BAD_REQUEST"),
        (Request::new("GET", "/trpc/health.ping,health.ping?batch=1&input=1"), 400, "BAD_REQUEST"),
        (Request::new("GET", format!("/trpc/{many}?batch=1")), 413, "PAYLOAD_TOO_LARGE"),
        (Request::new("PUT", "/trpc/health.ping,health.ping?batch=1"), 405, "METHOD_NOT_SUPPORTED"),
        (Request::new("POST", "/trpc/users.create,users.create?batch=1").body("{}"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (posted("users.create,users.create", &json!("x".repeat(1_100_000))), 413, "PAYLOAD_TOO_LARGE"),
        (posted("users.create,users.create", &json!([])), 400, "BAD_REQUEST"),
    ] {
        let answer = server.service.send(&request.header("origin", "https://app.example.com")).await;
        // A batch of one is answered by the procedure, as a batch.
        let error = match answer.json() {
            Value::Array(answers) => answers[0]["error"].clone(),
            one => one["error"].clone(),
        };
        assert_eq!((answer.status, &error["data"]["code"]), (status, &json!(code)), "{}", answer.text());
        assert_eq!(error["data"]["requestId"].as_str(), answer.header("x-request-id"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "a page may read why");
        assert_eq!(answer.header("vary"), Some("trpc-accept, accept"));
    }
    let preflight =
        Request::new("OPTIONS", "/trpc/health.ping,health.ping").header("origin", "https://app.example.com");
    let preflight = preflight.header("access-control-request-method", "GET");
    let preflight = server.service.send(&preflight).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-methods")), (204, Some("GET, HEAD, POST")));
    assert_eq!(server.query("health.ping", Value::Null).await.data(), "pong");
}

#[tokio::test]
async fn a_batch_signs_in_and_is_given_the_cookie() {
    let server = TestServer::open().await;
    let input = json!({"email": "ada@example.com", "name": "Ada", "password": "seven grey herons wade"});
    server.service.send(&Request::mutation("auth.register", &input)).await.data();
    let token = server.mail("ada@example.com", 1).await.token();
    let proof = json!({"token": token, "password": "seven grey herons wade"});
    server.service.send(&Request::mutation("auth.verifyEmail", &proof)).await.data();
    let inputs = json!({"0": {"email": "ada@example.com", "password": "seven grey herons wade", "keep": "cookie"}});
    let answer = server.service.send(&posted("auth.login,auth.verifyEmail", &inputs)).await;
    assert_eq!(answer.status, 207, "{}", answer.text());
    assert_eq!(codes(&answer.json()), ["OK", "BAD_REQUEST"]);
    let cookie = answer.cookie("onefold-local").expect("the session's cookie");
    // The cookie counts for every call of a batch, and where something is changed, so does the CSRF token.
    let me = batch("auth.me,auth.me", &json!({})).header("cookie", &cookie);
    assert_eq!(codes(&server.service.send(&me).await.json()), ["OK", "OK"]);
    let revoke = || {
        let revoke = posted("sessions.revokeOthers,sessions.revokeOthers", &json!({})).header("cookie", &cookie);
        revoke.header("origin", "http://localhost:5173")
    };
    let without = server.service.send(&revoke()).await;
    assert_eq!((without.status, codes(&without.json())), (403, vec!["FORBIDDEN", "FORBIDDEN"]), "{}", without.text());
    let csrf = answer.header("x-csrf-token").unwrap_or_default().to_owned();
    let with = server.service.send(&revoke().header("x-csrf-token", &csrf)).await;
    assert_eq!(with.status, 200, "{}", with.text());
}

/// What is there twice says two things; what is no JSON says where.
#[tokio::test]
async fn what_is_wrong_with_a_whole_batch_is_told_as_it_is_of_a_call() {
    let server = TestServer::open().await;
    let pair = "/trpc/users.list,health.ping";
    let post = |target: String, body: &str| {
        Request::new("POST", target).header("content-type", "application/json").body(body.to_owned())
    };
    let twice = |name: &str| format!("The address has the parameter `{name}` more than once.");
    let no_json = "The input is not JSON that can be read: key must be a string at line 1 column 2.".to_owned();
    for (request, message) in [
        (post(format!("{pair}?batch=1"), "{nope"), no_json.clone()),
        (post("/trpc/users.create?batch=1".to_owned(), "{nope"), no_json.clone()),
        (post("/trpc/users.create".to_owned(), "{nope"), no_json.clone()),
        (Request::new("GET", format!("{pair}?batch=1&input=%7Bnope")), no_json),
        (Request::new("GET", format!("{pair}?batch=1&batch=1")), twice("batch")),
        (Request::new("GET", format!("{pair}?batch=1&input=%7B%7D&input=%7B%7D")), twice("input")),
        (Request::new("GET", "/trpc/users.list?input=%7B%7D&inp%75t=%7B%7D"), twice("input")),
        (Request::new("GET", "/trpc/users.list?batch=0&batch=1"), twice("batch")),
        (post("/trpc/users.create?batch=1&batch=1".to_owned(), "{}"), twice("batch")),
        (
            post(format!("{pair}?batch=1"), r#"{"1":{},"1":{}}"#),
            "The input of a batch has more than one for the call 1 at line 1 column 15.".to_owned(),
        ),
    ] {
        let answer = server.service.send(&request.bearer(&server.admin)).await;
        let told = answer.json();
        let error = if told.is_array() { &told[0]["error"] } else { &told["error"] };
        assert_eq!((answer.status, error["message"].as_str()), (400, Some(&*message)), "{told}");
    }
}
