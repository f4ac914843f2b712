//! The program: how it starts, what it writes, how it ends, and what is left when it is killed.

use std::{
    fs::{self, Permissions},
    io::ErrorKind,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::{Value, json};
use testbed::Role;
use tokio::{net::TcpStream, task::JoinSet, time::sleep};

use crate::{
    mails,
    support::{
        Connection, Folder, Key, Request, Service, TestServer,
        cargo::conformance_program,
        service::{command, testbed_program},
    },
};

/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs the program to its end.
fn onefold(arguments: &[&str]) -> Output {
    command(testbed_program()).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Calls one procedure after the other until the service is gone; answers what was acknowledged.
async fn create_until_killed(address: std::net::SocketAddr, token: String, writer: usize) -> Vec<Value> {
    let mut acknowledged = Vec::new();
    let Ok(mut connection) = Connection::open(address).await else { return acknowledged };
    for place in 0..10_000 {
        let input = json!({"email": format!("w{writer}-{place}@example.com"), "name": format!("Writer {writer}")});
        match connection.send(&Request::mutation("users.create", &input).bearer(&token)).await {
            Ok(answer) if answer.status == 200 => acknowledged.push(answer.data()),
            _ => break,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill() {
    let data = Folder::new();
    let mut acknowledged: Vec<Value> = Vec::new();
    for round in 0..3 {
        let service = Service::kept(&data).await;
        let token = Key::of(data.path()).token(Role::Administrator);
        let writers: JoinSet<_> =
            (0..8).map(|writer| create_until_killed(service.address, token.clone(), round * 8 + writer)).collect();
        // Let some be written, then end it in the middle of the others.
        let mut calls = 0;
        for _ in 0..1_500 {
            calls = service.log().iter().filter(|line| line["procedure"] == "users.create").count();
            if calls >= 40 {
                break;
            }
            sleep(PAUSE).await;
        }
        assert!(calls >= 40, "the writers do not get on");
        service.kill();
        acknowledged.extend(writers.join_all().await.into_iter().flatten());
    }
    assert!(acknowledged.len() >= 60, "only {} were acknowledged", acknowledged.len());

    let service = Service::kept(&data).await;
    let token = Key::of(data.path()).token(Role::Administrator);
    let mut connection = service.connect().await;
    for user in &acknowledged {
        let get = Request::query("users.get", &json!({"id": user["id"]})).bearer(&token);
        assert_eq!(connection.send(&get).await.unwrap().data(), *user);
        // Its address is held as well: the two were one transaction.
        let again = json!({"email": user["email"], "name": "Somebody else"});
        let answer = connection.send(&Request::mutation("users.create", &again).bearer(&token)).await.unwrap();
        assert_eq!(answer.failure(), "emailTaken");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_so() {
    let data = Folder::new();
    let service = Service::ephemeral(&data).await;
    let port = service.address.port().to_string();
    let other = Folder::new();
    let output = onefold(&["--ephemeral", "--port", &port, "--data", &other.path().to_string_lossy()]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("port {port} is taken")) && stderr.contains("--port"), "{stderr}");
}

#[test]
fn addresses_that_no_page_can_have_are_refused_at_the_start() {
    for (argument, wrong) in [
        ("--app-url", "localhost:5173"),
        ("--app-url", "ftp://localhost"),
        ("--app-url", "http://localhost:5173/?a=b"),
        ("--app-url", "http://loc alhost:5173"),
        ("--app-url", "http://localhost:99999"),
        ("--app-url", "http://user:pw@localhost:5173"),
        ("--allowed-origins", "https://app.example.com:99999"),
        ("--allowed-origins", "app.example.com"),
        ("--allowed-origins", "https://app.example.com,https://www.example.com/"),
        ("--allowed-origins", "https://app.example.com/page"),
    ] {
        let data = Folder::new();
        let output =
            onefold(&["--ephemeral", "--port", "0", "--data", &data.path().to_string_lossy(), argument, wrong]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{argument} {wrong}: {stderr}");
        assert!(stderr.contains(argument) && stderr.contains("such as http"), "{stderr}");
    }
}

#[tokio::test]
async fn a_data_folder_in_use_is_said_so() {
    let data = Folder::new();
    let mut service = Service::kept(&data).await;
    let path = data.path().to_string_lossy();
    let output = onefold(&["--port", "0", "--data", &path]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("another service uses this data folder") && stderr.contains("--data"), "{stderr}");

    // The one that has it goes on, and ends properly; then the folder is free.
    assert_eq!(service.send(&Request::query("health.ping", &Value::Null)).await.data(), "pong");
    service.signal(Signal::TERM);
    assert!(service.ended().await.success());
    drop(Service::kept(&data).await);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_said_so() {
    let folder = Folder::new();
    let file = folder.path().join("a-file");
    fs::write(&file, "").unwrap();
    let output = onefold(&["--port", "0", "--data", &file.join("data").to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot be made"));
}

/// Keys are for their owner's eyes.
#[tokio::test]
async fn keys_are_private() {
    let data = Folder::new();
    let _service = Service::kept(&data).await;
    let mut keys = 0;
    let entries = |folder: &str| fs::read_dir(data.path().join(folder)).unwrap().map(Result::unwrap);
    for entry in entries("").chain(entries("running")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".key") || name.ends_with(".json") || name.ends_with(".env") {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{name}");
            keys += 1;
        }
    }
    assert_eq!(keys, 4);
}

/// The rights of everything in a folder, the folder included.
fn rights(path: &Path, found: &mut Vec<(PathBuf, u32)>) {
    found.push((path.to_owned(), fs::metadata(path).unwrap().permissions().mode() & 0o777));
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| rights(&entry.unwrap().path(), found));
    }
}

/// Made by hand, as it is when a secret is put there before the first start.
#[tokio::test]
async fn nobody_else_reads_a_data_folder_that_was_made_by_hand() {
    let folder = Folder::new();
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("secrets")).unwrap();
    fs::write(data.join("secrets/identity-providers.json"), "[]").unwrap();
    for (path, mode) in [("", 0o755), ("secrets", 0o755), ("secrets/identity-providers.json", 0o644)] {
        fs::set_permissions(data.join(path), Permissions::from_mode(mode)).unwrap();
    }
    let service = Service::start(testbed_program(), &["--data", &data.to_string_lossy()]).await;
    mails::register(&service, "ada@example.com").await;
    let mut found = Vec::new();
    rights(&data, &mut found);
    let names: Vec<_> = found.iter().map(|(path, _)| path.to_string_lossy()).collect();
    for made in
        ["data/database.sqlite", "database.sqlite-wal", "database.sqlite-shm", "identity-providers.json", ".eml"]
    {
        assert!(names.iter().any(|name| name.ends_with(made)), "{made} in {names:?}");
    }
    for (path, mode) in &found {
        assert_eq!(mode & 0o077, 0, "others have rights to {}: {mode:o}", path.display());
    }
    let said = service.written();
    assert!(said.contains("other users could read") && said.contains("now only its owner can"), "{said}");
}

#[tokio::test]
async fn a_data_folder_that_others_read_and_that_holds_other_things_is_refused() {
    let data = Folder::new();
    fs::write(data.path().join("thesis.txt"), "not the service's").unwrap();
    fs::set_permissions(data.path(), Permissions::from_mode(0o755)).unwrap();
    let output = onefold(&["--port", "0", "--data", &data.path().to_string_lossy()]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("thesis.txt") && stderr.contains("chmod 700") && stderr.contains("--data"), "{stderr}");
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "nothing was put into it");
}

/// Ctrl-C: no new connections, and what runs gets its answer.
#[tokio::test]
async fn ctrl_c_lets_running_calls_end() {
    let program = conformance_program();
    let data = Folder::new();
    let data_path = data.path().to_string_lossy();
    let mut service = Service::start(&program, &["--data", &data_path]).await;
    let mut idle = service.connect().await;
    assert_eq!(idle.send(&Request::query("health.ping", &Value::Null)).await.unwrap().data(), "pong");
    let mut running = service.connect().await;
    running.begin(&Request::query("slow.wait", &json!({"ms": 4_000}))).await.unwrap();
    // A call on another connection is answered after the slow one was begun.
    sleep(Duration::from_millis(200)).await;
    assert_eq!(idle.send(&Request::query("health.ping", &Value::Null)).await.unwrap().data(), "pong");

    service.signal(Signal::INT);
    let mut refused = false;
    for _ in 0..150 {
        refused =
            TcpStream::connect(service.address).await.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused);
        if refused {
            break;
        }
        sleep(PAUSE).await;
    }
    assert!(refused, "new connections are still taken");
    let answer = running.finish(false).await.unwrap();
    assert_eq!(answer.data(), json!({"ms": 4_000}));
    assert!(service.ended().await.success());
}

#[tokio::test]
async fn each_call_leaves_one_line() {
    let server = TestServer::open().await;
    let calls = [
        (server.mutation("users.create", json!({"email": "ada@example.com", "name": "Ada"})).await, "users.create"),
        (server.query("users.list", Value::Null).await, "users.list"),
        (server.query("users.get", json!({"id": "nobody"})).await, "users.get"),
        (server.service.query("nonsense", "users.get", Value::Null).await, "users.get"),
    ];
    for (answer, procedure) in &calls {
        let id = answer.header("x-request-id").unwrap();
        let line = server.service.logged(|line| line["request_id"] == id).await;
        assert_eq!((&line["procedure"], &line["status"]), (&json!(procedure), &json!(answer.status)), "{line}");
        assert!(line["duration_us"].is_u64() && line["timestamp"].is_string(), "{line}");
        let (read, written) = (line["read_units"].as_f64().unwrap(), line["write_units"].as_f64().unwrap());
        assert_eq!(written > 0.0, *procedure == "users.create", "{line}");
        assert_eq!(read > 0.0, *procedure == "users.list", "{line}");
        let code = if answer.status == 200 { Value::Null } else { answer.error()["data"]["code"].clone() };
        assert_eq!(line["code"], code, "{line}");
    }
    // One line for each call, and nothing else of calls.
    let lines = server.service.log();
    for (answer, _) in &calls {
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(lines.iter().filter(|line| line["request_id"] == id).count(), 1);
    }
}

/// How many there are of something.
async fn count(service: &Service, token: &str, procedure: &str) -> usize {
    let mut connection = service.connect().await;
    let (mut count, mut cursor) = (0, Value::Null);
    loop {
        let request = Request::query(procedure, &json!({"limit": 100, "cursor": cursor})).bearer(token);
        let page = connection.send(&request).await.unwrap().data();
        count += page["items"].as_array().unwrap().len();
        cursor = page["next"].clone();
        if cursor.is_null() {
            return count;
        }
    }
}

/// Where the only service that was started with a folder says how it is reached.
fn note(data: &Folder) -> PathBuf {
    let notes: Vec<_> = fs::read_dir(data.path().join("running")).unwrap().map(|note| note.unwrap().path()).collect();
    let [note] = &notes[..] else { panic!("{notes:?}") };
    note.clone()
}

/// A table in memory is filled as one in a file is: what the command says is so of the service that runs.
#[tokio::test(flavor = "multi_thread")]
async fn seeding_reaches_a_service_whose_table_is_in_memory() {
    let data = Folder::new();
    let path = data.path().to_string_lossy();
    let service = Service::ephemeral(&data).await;
    let seeded = onefold(&["seed", "--data", &path]);
    let token = stdout(&seeded).lines().last().unwrap().to_owned();
    assert_eq!(count(&service, &token, "users.list").await, 200);
    let said = String::from_utf8_lossy(&seeded.stderr);
    assert!(said.contains("whose table is in memory") && said.contains("100 of 100 posts"), "{said}");
    assert!(!said.contains('\r'), "no terminal: {said:?}");
    service.kill();

    // Its note is left, and leads nowhere: the data folder is filled.
    assert!(note(&data).exists());
    let kept = stdout(&onefold(&["seed", "--data", &path]));
    assert!(kept.contains("200 users (200 new)"), "{kept}");
    let service = Service::kept(&data).await;
    assert_eq!(count(&service, kept.lines().last().unwrap(), "users.list").await, 200);

    // What listens where the note leads is no database that refuses: nobody knows whose the folder is, and why is said.
    let note = note(&data);
    let whole = fs::read_to_string(&note).unwrap();
    let mut other: Value = serde_json::from_str(&whole).unwrap();
    other["databaseEndpoint"] = json!(format!("http://{}", service.address));
    fs::write(&note, other.to_string()).unwrap();
    let refused = onefold(&["seed", "--data", &path]);
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot be used"), "{refused:?}");
    fs::write(&note, whole).unwrap();

    // A folder that somebody has without saying where: nothing is said that is not so.
    fs::remove_file(note).unwrap();
    let refused = onefold(&["seed", "--data", &path]);
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another service uses this data folder"));
}

/// The demonstration company is made once, whether a service runs or not.
#[tokio::test(flavor = "multi_thread")]
async fn seeding_may_be_repeated() {
    let data = Folder::new();
    let path = data.path().to_string_lossy();
    let first = stdout(&onefold(&["seed", "--data", &path]));
    assert!(first.contains("200 users (200 new) and 100 posts (100 new)"), "{first}");

    // Beside a running service it finds that everything is there, and tells who may sign in.
    let service = Service::kept(&data).await;
    let second = stdout(&onefold(&["seed", "--data", &path]));
    assert!(second.contains("200 users (0 new) and 100 posts (0 new)"), "{second}");
    let token = second.lines().last().unwrap();
    assert_eq!(count(&service, token, "users.list").await, 200);
    assert_eq!(count(&service, token, "posts.list").await, 100);
    assert_eq!(service.mutation(token, "users.create", json!({})).await.code(), "BAD_REQUEST", "an administrator");

    // The administrator of the token is one of the users, and may write posts.
    let post = service.mutation(token, "posts.create", json!({"title": "Hello", "body": "Everybody."})).await.data();
    let author = service.query(token, "users.get", json!({"id": post["authorId"]})).await.data();
    assert_eq!(author["role"], "administrator");
}

#[tokio::test(flavor = "multi_thread")]
async fn seeding_works_beside_a_service_that_is_empty() {
    let data = Folder::new();
    let service = Service::kept(&data).await;
    let seeded = stdout(&onefold(&["seed", "--data", &data.path().to_string_lossy()]));
    assert!(seeded.contains("(200 new)"), "{seeded}");
    assert_eq!(count(&service, seeded.lines().last().unwrap(), "users.list").await, 200);
}
