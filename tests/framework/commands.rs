//! Commands beside services that run: which one they reach, when there are several with one data folder, when some have
//! ended, and when none is left.

use std::{fs, net::TcpListener, process::Output, time::Duration};

use rustix::process::Signal;
use serde_json::{Value, json};
use testbed::Role;
use tokio::time::sleep;

use crate::support::{
    Folder, Key, Request, Service,
    cargo::conformance_program,
    service::{command, testbed_program},
};

/// Creates a user with the command line, which is told the data folder and nothing else.
fn create(data: &Folder, name: &str) -> Output {
    let input = json!({"email": format!("{name}@example.com"), "name": name}).to_string();
    let path = data.path().to_string_lossy();
    command(testbed_program()).args(["call", "users.create", &input, "--data", &path]).output().unwrap()
}

/// Who is there, by name, oldest first.
async fn names(service: &Service, data: &Folder) -> Vec<String> {
    let admin = Key::of(data.path()).token(Role::Administrator);
    let page = service.query(&admin, "users.list", json!({"sort": "createdAt"})).await.data();
    page["items"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}

fn reached(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

/// Why nobody was reached.
fn why_not(output: &Output, data: &Folder) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no service runs with the data folder"), "{said}");
    assert!(said.contains(&*data.path().to_string_lossy()) && said.contains("`cargo run` starts one"), "{said}");
}

#[tokio::test]
async fn of_several_the_first_is_reached_and_the_next_one_when_that_has_ended() {
    let data = Folder::new();
    let mut first = Service::ephemeral(&data).await;
    let second = Service::ephemeral(&data).await;
    reached(&create(&data, "ada"));
    assert_eq!((names(&first, &data).await, names(&second, &data).await), (vec!["ada".to_owned()], vec![]));

    first.signal(Signal::TERM);
    assert!(first.ended().await.success());
    reached(&create(&data, "bob"));
    assert_eq!(names(&second, &data).await, ["bob"]);

    // Killed, it takes nothing back of what it said.
    let third = Service::ephemeral(&data).await;
    let address = second.address;
    second.kill();
    // Something else listens there by now, and would never answer.
    let _taken = TcpListener::bind(address).unwrap();
    reached(&create(&data, "carl"));
    assert_eq!(names(&third, &data).await, ["carl"]);

    // Whoever ends in the middle is not missed.
    let last = Service::ephemeral(&data).await;
    drop(last);
    reached(&create(&data, "dora"));
    assert_eq!(names(&third, &data).await, ["carl", "dora"]);
    drop(third);
    why_not(&create(&data, "eve"), &data);
}

#[tokio::test]
async fn the_one_whose_table_is_kept_comes_before_those_in_memory() {
    let data = Folder::new();
    let _memory = Service::ephemeral(&data).await;
    let kept = Service::kept(&data).await;
    let _later = Service::ephemeral(&data).await;
    reached(&create(&data, "ada"));
    assert_eq!(names(&kept, &data).await, ["ada"]);

    // Who wants the folder as well is told who has it.
    let refused =
        command(testbed_program()).args(["--port", "0", "--data", &data.path().to_string_lossy()]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains(&format!("process {} at http://{}", kept.pid(), kept.address)), "{said}");
}

#[tokio::test]
async fn another_service_with_the_same_data_folder_is_not_meant() {
    let data = Folder::new();
    let program = conformance_program();
    let path = data.path().to_string_lossy();
    let other = Service::start(&program, &["--data", &path]).await;
    why_not(&create(&data, "ada"), &data);
    let ping = command(&program).args(["call", "health.ping", "--data", &path]).output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&ping.stdout).unwrap(), "pong", "{ping:?}");
    drop(other);
}

/// Running calls get their answers, and new ones go where they get one.
#[tokio::test]
async fn one_that_is_about_to_end_is_reached_no_more() {
    let data = Folder::new();
    let program = conformance_program();
    let path = data.path().to_string_lossy();
    let mut ending = Service::start(&program, &["--data", &path]).await;
    let next = Service::start(&program, &["--data", &path]).await;
    let mut running = ending.connect().await;
    running.begin(&Request::query("slow.wait", &json!({"ms": 4_000}))).await.unwrap();
    // A call on another connection is answered after the slow one was begun.
    sleep(Duration::from_millis(200)).await;
    assert_eq!(ending.send(&Request::query("health.ping", &Value::Null)).await.data(), "pong");
    ending.signal(Signal::INT);
    while fs::read_dir(data.path().join("running")).unwrap().count() > 1 {
        sleep(Duration::from_millis(20)).await;
    }
    let ping = command(&program).args(["call", "health.ping", "--data", &path]).output().unwrap();
    reached(&ping);
    next.logged(|line| line["procedure"] == "health.ping").await;
    assert_eq!(running.finish(false).await.unwrap().data(), json!({"ms": 4_000}));
    assert!(ending.ended().await.success());
}

#[tokio::test]
async fn a_token_is_good_for_each_that_runs_with_the_folder() {
    let data = Folder::new();
    let services = [Service::ephemeral(&data).await, Service::kept(&data).await];
    let path = data.path().to_string_lossy();
    let signed =
        command(testbed_program()).args(["token", "--role", "administrator", "--data", &path]).output().unwrap();
    let token = String::from_utf8(signed.stdout).unwrap();
    for service in &services {
        assert_eq!(service.query(token.trim(), "users.list", Value::Null).await.status, 200);
    }
}
