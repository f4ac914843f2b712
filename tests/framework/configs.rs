//! Configurations and metrics of a service's own, as the program and a function's program have them.

use std::fs;

use serde_json::{Value, json};
use testbed::Role;

use crate::support::{
    Folder, Key, Request, Service, cargo,
    service::{command, testbed_program},
};

/// The number of posts in a page whose size the caller does not state, where three were written.
async fn listed(data: &Folder) -> (usize, Service) {
    let service = Service::ephemeral(data).await;
    let token = Key::of(data.path()).token(Role::Administrator);
    for title in ["One", "Two", "Three"] {
        let input = json!({"title": title, "body": "Words."});
        assert_eq!(service.send(&Request::mutation("posts.create", &input).bearer(&token)).await.status, 200);
    }
    let page = service.send(&Request::query("posts.list", &json!({})).bearer(&token)).await;
    (page.data()["items"].as_array().unwrap().len(), service)
}

fn configured(text: &str) -> Folder {
    let data = Folder::new();
    fs::create_dir(data.path().join("config")).unwrap();
    fs::write(data.path().join("config/posts.json"), text).unwrap();
    data
}

#[tokio::test]
async fn a_local_service_needs_no_configuration_and_takes_it_from_a_file() {
    assert_eq!(listed(&Folder::new()).await.0, 3);
    let (count, service) = listed(&configured(r#"{"pageSize": 2}"#)).await;
    assert_eq!(count, 2);
    // What the procedure counted is in the log, for people.
    let metric = service.logged(|line| line["message"] == "metric").await;
    let said = ["metric", "values", "unit", "procedure"].map(|member| metric[member].as_str().unwrap());
    assert_eq!(said, ["posts_listed", "2", "Count", "posts.list"]);
}

#[test]
fn a_service_with_a_wrong_configuration_does_not_start_and_says_why() {
    for (text, why) in [
        (r#"{"pageSize": 0}"#, "config/posts.json: pageSize: "),
        (r#"{"pagesize": 1}"#, "config/posts.json: pagesize: "),
        ("[]", "config/posts.json is no JSON object: "),
    ] {
        let data = configured(text);
        let output = command(testbed_program())
            .args(["--port", "0", "--ephemeral", "--data", &data.path().to_string_lossy()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.starts_with("onefold: ") && said.contains(why), "{said}");
    }
    let mut with_variable = command(testbed_program());
    let data = Folder::new();
    with_variable.args(["--port", "0", "--ephemeral", "--data", &data.path().to_string_lossy()]);
    let output = with_variable.env("ONEFOLD_CONFIG_POSTS", r#"{"pageSize": "two"}"#).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("ONEFOLD_CONFIG_POSTS: pageSize: "), "{said}");
}

#[test]
fn a_function_with_a_wrong_configuration_does_not_start_and_says_why() {
    let program = cargo::build(&["--workspace", "--bin", "testbed-posts-list"]).remove("testbed-posts-list").unwrap();
    let told = |text: Option<&str>| {
        let mut function = command(&program);
        function.envs(text.map(|text| ("ONEFOLD_CONFIG_POSTS", text)));
        let output = function.output().unwrap();
        assert!(!output.status.success());
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&line["message"], &line["procedure"]), (&json!("the function cannot start"), &json!("posts.list")));
        line["cause"].as_str().unwrap().to_owned()
    };
    assert_eq!(told(None), "ONEFOLD_CONFIG_POSTS is not set: the procedure takes the configuration `posts`");
    let wrong = told(Some(r#"{"pageSize": 101, "page": 1}"#));
    assert!(
        wrong.starts_with("ONEFOLD_CONFIG_POSTS: ") && wrong.contains("pageSize: ") && wrong.contains("page: "),
        "{wrong}"
    );
}
