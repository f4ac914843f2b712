//! `call`: a procedure of a running service, from the shell.

use std::{
    io::Write as _,
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{
    Folder, TestServer,
    service::{command, testbed_program},
};

/// Runs `call` with the server's key and address.
fn call(server: &TestServer, parameters: &[&str]) -> Output {
    let url = format!("http://{}", server.service.address);
    let data = server.data.path().to_string_lossy();
    let own = ["call", "--data", &data, "--url", &url];
    command(testbed_program()).args(own).args(parameters).output().unwrap()
}

fn stdout(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn stderr(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(output.stdout, b"", "what failed has no result");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn a_query_and_a_mutation_print_their_results() {
    let server = TestServer::open().await;
    let input = json!({"email": "ada@example.com", "name": "Ada"}).to_string();
    let user = stdout(&call(&server, &["users.create", &input]));
    let id = json!({"id": user["id"]}).to_string();
    let shown = call(&server, &["users.get", &id]);
    assert_eq!(stdout(&shown), user);
    assert!(String::from_utf8_lossy(&shown.stdout).starts_with("{\n  \""), "it is indented");
    // Without an input, and as whoever it is.
    assert_eq!(stdout(&call(&server, &["users.list"]))["items"][0]["id"], user["id"]);
    let me = call(&server, &["auth.me", "--role", "viewer", "--subject", user["id"].as_str().unwrap()]);
    assert_eq!(stdout(&me)["user"]["id"].as_str().or(stdout(&me)["id"].as_str()), user["id"].as_str());
    assert_eq!(stdout(&call(&server, &["users.get", &id, "--token", &server.admin])), user);
}

#[tokio::test]
async fn an_input_comes_from_a_file_and_from_standard_input() {
    let server = TestServer::open().await;
    let folder = Folder::new();
    let file = folder.path().join("input.json");
    let body = "x".repeat(20_000);
    std::fs::write(&file, json!({"title": "Long", "body": body}).to_string()).unwrap();
    let post = stdout(&call(&server, &["posts.create", &format!("@{}", file.display())]));
    assert_eq!(post["body"].as_str().map(str::len), Some(20_000));

    let url = format!("http://{}", server.service.address);
    let mut child = command(testbed_program())
        .args(["call", "posts.get", "-", "--url", &url, "--token", &server.admin])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Longer than an address may be: such a query goes as a POST.
    let input = format!("{{\"id\": {}{}}}", " ".repeat(100_000), post["id"]);
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert_eq!(stdout(&child.wait_with_output().unwrap())["id"], post["id"]);
}

#[tokio::test]
async fn a_failure_says_why_and_ends_with_1() {
    let server = TestServer::open().await;
    let id = "01999b5c-7a10-7c3e-8f21-0a6818a7787f";
    let missing = stderr(&call(&server, &["users.get", &json!({"id": id}).to_string()]), 1);
    assert!(missing.starts_with("NOT_FOUND: "), "{missing}");
    assert!(missing.contains("failure: {\"type\":\"missing\"") && missing.contains(id), "{missing}");
    assert!(missing.contains("\nrequest: "), "{missing}");
    let invalid = stderr(&call(&server, &["users.create", r#"{"email": "no", "name": ""}"#]), 1);
    assert!(invalid.starts_with("BAD_REQUEST: ") && invalid.contains("field email: "), "{invalid}");
    let one = stderr(&call(&server, &["users.create", r#"{"email": "ada@example.com", "name": ""}"#]), 1);
    assert_eq!(one.matches("length is lower than 1").count(), 1, "{one}");
    assert!(one.starts_with("BAD_REQUEST: name: length is lower than 1\nrequest: "), "{one}");
    let unknown = stderr(&call(&server, &["users.list", "--public"]), 1);
    assert!(unknown.starts_with("UNAUTHORIZED: "), "{unknown}");
    let viewer = stderr(&call(&server, &["users.create", "{}", "--role", "viewer"]), 1);
    assert!(viewer.starts_with("FORBIDDEN: "), "{viewer}");
}

#[tokio::test]
async fn wrong_use_calls_nothing_and_ends_with_2() {
    let server = TestServer::open().await;
    let large = format!("\"{}\"", "x".repeat(100_000));
    let folder = Folder::new();
    let file = folder.path().join("large.json");
    std::fs::write(&file, large.repeat(11)).unwrap();
    let file = format!("@{}", file.display());
    for (parameters, said) in [
        (&["users.gone"][..], "there is no procedure \"users.gone\"; there are: "),
        (&["grants.token"], "has a form of its own: POST /oauth/token"),
        (&["users.get", "{"], "the input is not JSON"),
        (&["users.get", "@/nowhere"], "/nowhere cannot be read"),
        (&["users.get", &file], "larger than 1048576 bytes"),
        (&["users.get", "--token", "a\nb"], "that is no token"),
        (&["users.get", "--token", "a", "--public"], "cannot be used with"),
        (&[], "required arguments were not provided"),
    ] {
        let told = stderr(&call(&server, parameters), 2);
        assert!(told.contains(said), "{parameters:?}: {told}");
    }
    let calls = server.service.log().iter().filter(|line| line["procedure"].is_string()).count();
    assert_eq!(calls, 0);
}

#[test]
fn elsewhere_the_local_key_signs_nothing() {
    let data = Folder::new();
    let data = data.path().to_string_lossy();
    let call = |rest: &[&str]| {
        command(testbed_program()).args(["call", "health.ping", "--data", &data]).args(rest).output().unwrap()
    };
    let told = stderr(&call(&["--url", "https://api.example.com"]), 2);
    assert!(told.contains("--stage, --token or --public"), "{told}");
    for (url, said) in [("nonsense", "is no address"), ("ftp://127.0.0.1", "is no address")] {
        let told = stderr(&call(&["--url", url]), 2);
        assert!(told.contains(said), "{told}");
    }
    let stage = stderr(&call(&["--stage", "dev"]), 2);
    assert!(stage.contains("--url"), "{stage}");
    let keyless = stderr(&call(&["--stage", "dev", "--url", "https://api.example.com"]), 1);
    assert!(keyless.contains("there is no key for dev here"), "{keyless}");
}

#[test]
fn where_nothing_answers_it_says_so() {
    let data = Folder::new();
    let data = data.path().to_string_lossy();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let told =
        command(testbed_program()).args(["call", "health.ping", "--data", &data, "--url", &url]).output().unwrap();
    let told = stderr(&told, 1);
    assert!(told.contains(&format!("no service answers at {url}")) && told.contains("refused"), "{told}");
}
