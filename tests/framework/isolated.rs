//! The real functions behind a Runtime API: the same wire, from processes that may die.

use std::{collections::BTreeSet, fs, time::Duration};

use rustix::process::Signal;
use serde_json::{Value, json};
use testbed::Role;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    listeners, mails,
    support::{Connection, Folder, Key, Request, Service, service::signal_process},
};

/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// The processes that a process has started: `users-get` and the like, by the name of their program.
pub fn children(of: u32) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        // Some end while they are looked at.
        let Ok(status) = fs::read_to_string(entry.path().join("status")) else { continue };
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let alive = field("State:").is_some_and(|state| !state.starts_with('Z'));
        if alive && field("PPid:").and_then(|parent| parent.parse().ok()) == Some(of) {
            // The name in `status` is cut off.
            let program = fs::read_link(entry.path().join("exe")).unwrap_or_default();
            let name = program.file_name().unwrap_or_default().to_string_lossy();
            found.push((pid, name.strip_prefix("testbed-").unwrap_or(&name).to_owned()));
        }
    }
    found
}

/// One service for all of this: building the functions takes a while.
#[tokio::test(flavor = "multi_thread")]
async fn real_functions_answer_the_same_wire() {
    let data = Folder::new();
    let path = data.path().to_string_lossy().into_owned();
    let arguments = ["--isolated", "--ephemeral", "--data", &path];
    let mut service = Service::start(crate::support::service::testbed_program(), &arguments).await;
    let key = Key::of(data.path());
    let (admin, viewer) = (key.token(Role::Administrator), key.token(Role::Viewer));

    the_wire_is_the_same(&service, &admin, &viewer).await;
    a_function_that_is_killed_is_replaced(&service, &admin).await;
    many_calls_at_once_work(&service, &admin).await;
    a_function_sends_mail(&service).await;
    a_page_of_elsewhere_gets_an_answer_at_no_port(&service).await;

    // At the end no process is left.
    let pids: BTreeSet<u32> = children(service.pid()).into_iter().map(|(pid, _)| pid).collect();
    assert!(!pids.is_empty());
    service.signal(Signal::INT);
    assert!(service.ended().await.success());
    for pid in pids {
        assert!(!fs::exists(format!("/proc/{pid}")).unwrap(), "a function outlived its service");
    }
}

async fn the_wire_is_the_same(service: &Service, admin: &str, viewer: &str) {
    let origin = "https://app.example.com";
    let ping = Request::query("health.ping", &Value::Null).header("origin", origin);
    let answer = service.send(&ping).await;
    assert_eq!(answer.data(), "pong");
    assert_eq!(answer.header("vary"), Some("trpc-accept, accept"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));

    let ada = json!({"email": "ada@example.com", "name": "Ada \u{1f469}", "role": "administrator", "isVerified": true});
    let created = service.mutation(admin, "users.create", ada.clone()).await.data();
    assert_eq!(service.query(viewer, "users.get", json!({"id": created["id"]})).await.data(), created);
    assert_eq!(service.mutation(viewer, "users.get", json!({"id": created["id"]})).await.data(), created, "by POST");
    assert_eq!(service.query(viewer, "users.list", Value::Null).await.data()["items"], json!([created]));
    assert_eq!(service.mutation(admin, "users.create", ada).await.failure(), "emailTaken");
    let last = service.mutation(admin, "users.delete", json!({"id": created["id"]})).await;
    assert_eq!((last.status, last.failure().as_str()), (422, "lastAdministrator"));
    let other = service.mutation(admin, "users.create", json!({"email": "b@example.com", "name": "B"})).await.data();
    let deleted = service.mutation(admin, "users.delete", json!({"id": other["id"]})).await;
    assert_eq!(deleted.json(), json!({"result": {}}));

    // Faults: validation, rights, methods, media types, sizes, malformed input, unknown procedures.
    let invalid = service.mutation(admin, "users.create", json!({"email": "x", "name": ""})).await;
    assert_eq!((invalid.status, invalid.fields()), (400, vec!["email".to_owned(), "name".to_owned()]));
    assert_eq!(service.query("nonsense", "users.list", Value::Null).await.code(), "UNAUTHORIZED");
    assert_eq!(service.mutation(viewer, "users.create", json!({})).await.code(), "FORBIDDEN");
    let two = Request::query("users.list", &Value::Null).bearer(admin).bearer(admin);
    let two = service.send(&two).await;
    let challenge = two.header("www-authenticate");
    assert_eq!((two.code().as_str(), challenge), ("BAD_REQUEST", Some("Bearer error=\"invalid_request\"")));
    for (path, methods) in [("/v1/users", "GET, HEAD, POST"), ("/v1/users/x", "GET, HEAD, DELETE, PATCH")] {
        for method in ["PUT", "OPTIONS"] {
            assert_eq!(
                service.send(&Request::new(method, path)).await.header("allow"),
                Some(methods),
                "{method} {path}"
            );
        }
    }
    let get = service.query(admin, "users.create", Value::Null).await;
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    let untyped = Request::new("POST", "/trpc/users.create").bearer(admin).body("{}");
    assert_eq!(service.send(&untyped).await.code(), "UNSUPPORTED_MEDIA_TYPE");
    let large = Request::mutation("users.create", &Value::Null).bearer(admin).body(vec![b' '; 1024 * 1024 + 1]);
    assert_eq!(service.send(&large).await.code(), "PAYLOAD_TOO_LARGE");
    for body in [&b"{"[..], b"\xff\xfe", b"{\"email\":\"a\0\"}", b"[[[["] {
        let request = Request::mutation("users.create", &Value::Null).bearer(admin).body(body);
        let answer = service.send(&request).await;
        assert_eq!((answer.code().as_str(), answer.error()["code"].as_i64()), ("BAD_REQUEST", Some(-32600)));
    }
    assert_eq!(service.query(admin, "users.rename", Value::Null).await.code(), "NOT_FOUND");
    assert_eq!(service.send(&Request::new("GET", "/trpc/health%2Eping")).await.data(), "pong");
    assert_eq!(service.send(&Request::new("HEAD", "/trpc/health.ping")).await.status, 204);
    let preflight = Request::new("OPTIONS", "/trpc/users.create")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    let answer = service.send(&preflight).await;
    assert_eq!((answer.status, answer.header("access-control-allow-headers")), (204, Some("authorization")));

    // What is decoded in an event's path stays path, and is encoded in what the answer says of it.
    let unlink = Request::new("DELETE", "/v1/oauth/identities/a%3Fb=c%2Fd").bearer(admin);
    let answer = service.send(&unlink).await;
    let said = (answer.status, answer.json()["instance"].clone(), answer.json()["failure"]["type"].clone());
    assert_eq!(said, (404, json!("/v1/oauth/identities/a%3Fb%3Dc%2Fd"), json!("notLinked")), "{}", answer.text());

    // The function's own log line reaches the service's log, under the id that the caller has.
    let answer = service.query(admin, "users.list", Value::Null).await;
    let line = service.logged(|line| line["request_id"].as_str() == answer.header("x-request-id")).await;
    assert_eq!((&line["procedure"], &line["status"]), (&json!("users.list"), &json!(200)));
}

/// Its mailbox is this service's, wherever the function runs.
async fn a_function_sends_mail(service: &Service) {
    mails::register(service, "grace@example.com").await;
    assert_eq!(mails::receivers(service, "?to=grace%40example.com").await, ["grace@example.com"]);
}

/// Each function that runs has a Runtime API of its own.
async fn a_page_of_elsewhere_gets_an_answer_at_no_port(service: &Service) {
    let functions = children(service.pid()).len();
    let ports = listeners::no_port_answers_a_page_of_elsewhere(service, None, Some(service.address)).await;
    assert!(functions > 0 && ports.len() >= 3 + functions, "{functions} functions, {ports:?}");
}

async fn a_function_that_is_killed_is_replaced(service: &Service, admin: &str) {
    assert_eq!(service.query(admin, "users.list", Value::Null).await.status, 200);
    let before: Vec<u32> =
        children(service.pid()).into_iter().filter(|(_, name)| name == "users-list").map(|(pid, _)| pid).collect();
    assert!(!before.is_empty(), "{:?}", children(service.pid()));
    for &pid in &before {
        signal_process(pid, Signal::KILL);
    }
    // Until the end is noticed a call may fall into the hole; it gets a typed error and no silence.
    let mut answered = false;
    for _ in 0..250 {
        let answer = service.query(admin, "users.list", Value::Null).await;
        answered = answer.status == 200;
        if answered {
            break;
        }
        assert!(["BAD_GATEWAY", "SERVICE_UNAVAILABLE"].contains(&answer.code().as_str()), "{}", answer.text());
        sleep(PAUSE).await;
    }
    assert!(answered, "the function was not replaced");
    let after = children(service.pid());
    assert!(after.iter().any(|(pid, name)| name == "users-list" && !before.contains(pid)), "{after:?}");
}

async fn many_calls_at_once_work(service: &Service, admin: &str) {
    let calls: JoinSet<_> = (0..200)
        .map(|place| {
            let (address, token) = (service.address, admin.to_owned());
            async move {
                let request = match place % 2 {
                    0 => Request::query("health.ping", &Value::Null),
                    _ => Request::query("users.list", &json!({"limit": 1})).bearer(&token),
                };
                Connection::open(address).await.unwrap().send(&request).await.unwrap()
            }
        })
        .collect();
    for answer in calls.join_all().await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let instances = children(service.pid()).iter().filter(|(_, name)| name == "users-list").count();
    assert!((1..=8).contains(&instances), "{instances} instances");
}
