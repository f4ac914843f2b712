//! The same from real functions, each in processes of its own, which may die: nobody is signed out by that, and
//! what is counted is counted for all of them together.

use std::{collections::BTreeSet, time::Duration};

use rustix::process::Signal;
use serde_json::{Value, json};
use testbed::Role;
use tokio::{task::JoinSet, time::sleep};

use super::limits::a_whole_span;
use crate::{
    isolated::children,
    support::{
        Answer, Browser, Connection, Folder, Key, Person, Request, Service, TestServer, Tokens,
        browser::{CSRF, SESSION},
        service::{signal_process, testbed_program},
    },
};

/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// The processes of one function.
fn instances(server: &TestServer, function: &str) -> Vec<u32> {
    let all = children(server.service.pid()).into_iter();
    all.filter(|(_, name)| name == function).map(|(pid, _)| pid).collect()
}

fn kill(server: &TestServer, function: &str) -> usize {
    let pids = instances(server, function);
    for &pid in &pids {
        signal_process(pid, Signal::KILL);
    }
    pids.len()
}

fn refresh(token: &str) -> Request {
    Request::mutation("auth.refresh", &json!({"refreshToken": token}))
}

/// Sends a request until it is answered, as a client does whose answer was lost.
async fn insist(server: &TestServer, request: &Request) -> Answer {
    for _ in 0..500 {
        let answer = server.service.send(request).await;
        if ![500, 502, 503, 504].contains(&answer.status) {
            return answer;
        }
        sleep(PAUSE).await;
    }
    panic!("no answer");
}

/// One service for all of this: building the functions takes a while.
#[tokio::test(flavor = "multi_thread")]
async fn identity_holds_across_processes_and_their_ends() {
    let data = Folder::new();
    let arguments = ["--isolated", "--ephemeral", "--data", &data.path().to_string_lossy()];
    let service = Service::start(testbed_program(), &arguments).await;
    let key = Key::of(data.path());
    let server = TestServer { admin: key.token(Role::Administrator), service, key, data };
    server.keeper().await;
    let ada = server.person("ada", Role::Viewer).await;

    a_killed_function_loses_no_refresh(&server, &ada).await;
    a_killed_function_loses_no_renewal(&server, &ada).await;
    many_refreshes_over_dying_functions_make_one_successor(&server, &ada).await;
    guesses_are_counted_for_all_instances_together(&server, &ada).await;
    let written = server.service.written();
    assert!(!written.contains(&ada.password), "no password in the log");
}

/// Ada's tokens never were in two hands.
async fn expect_no_theft(server: &TestServer, ada: &Person) {
    let entries = server.query("audit.list", json!({"actor": ada.id, "limit": 100})).await.data();
    let reuses = entries["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "tokenReused").count();
    assert_eq!(reuses, 0);
}

async fn a_killed_function_loses_no_refresh(server: &TestServer, ada: &Person) {
    let mut tokens = server.tokens(ada).await;
    let (mut killed, mut lost) = (0, 0);
    for round in 0..200 {
        if round > 20 && lost > 3 {
            break;
        }
        let request = refresh(&tokens.refresh);
        let mut connection = server.service.connect().await;
        connection.begin(&request).await.unwrap();
        // A little later each time: before it is read, while it is done, after it was written.
        sleep(Duration::from_millis(round % 20)).await;
        killed += kill(server, "auth-refresh");
        let answer = match connection.finish(false).await {
            Ok(answer) if answer.status == 200 => answer,
            _ => {
                lost += 1;
                insist(server, &request).await
            }
        };
        assert_eq!(answer.code(), "OK", "{}", answer.text());
        tokens = Tokens::of(&answer.data());
        let devices = server.service.query(&tokens.access, "sessions.list", Value::Null).await;
        assert_eq!(devices.code(), "OK", "{}", devices.text());
    }
    assert!(killed > 0 && lost > 0, "{killed} killed, {lost} lost");
    expect_no_theft(server, ada).await;
}

async fn a_killed_function_loses_no_renewal(server: &TestServer, ada: &Person) {
    let mut browser = server.browser(ada).await;
    let mut renewed = 0;
    for round in 0..12 {
        let (csrf, before) = (browser.csrf().await, browser.session().to_owned());
        let request =
            Request::mutation("auth.refresh", &json!({})).header("origin", browser.origin()).header(CSRF, &csrf);
        let mut connection = server.service.connect().await;
        connection.begin(&request.clone().header("cookie", browser.cookies())).await.unwrap();
        sleep(Duration::from_millis(round)).await;
        kill(server, "auth-refresh");
        let _ = connection.finish(false).await;
        // Whether or not that was done, the browser has not heard of it, and asks again.
        let mut answer = browser.send(request.clone()).await;
        while [500, 502, 503, 504].contains(&answer.status) {
            sleep(PAUSE).await;
            answer = browser.send(request.clone()).await;
        }
        assert_eq!(answer.code(), "OK", "{}", answer.text());
        renewed += usize::from(browser.session() != before);
        assert!(browser.is_signed_in().await);
    }
    assert_eq!(renewed, 12);
}

async fn many_refreshes_over_dying_functions_make_one_successor(server: &TestServer, ada: &Person) {
    let tokens = server.tokens(ada).await;
    let calls: JoinSet<_> = (0..60)
        .map(|_| {
            let (address, request) = (server.service.address, refresh(&tokens.refresh));
            async move { Connection::open(address).await.unwrap().send(&request).await }
        })
        .collect();
    for _ in 0..3 {
        kill(server, "auth-refresh");
        sleep(PAUSE).await;
    }
    let answers = calls.join_all().await;
    let mut successors: BTreeSet<String> = BTreeSet::new();
    for answer in answers.into_iter().filter_map(Result::ok) {
        assert!([200, 500, 502, 503, 504].contains(&answer.status), "{}", answer.text());
        if answer.status == 200 {
            successors.insert(Tokens::of(&answer.data()).refresh);
        }
    }
    successors.insert(Tokens::of(&insist(server, &refresh(&tokens.refresh)).await.data()).refresh);
    assert_eq!(successors.len(), 1, "one successor");
    let next = insist(server, &refresh(successors.first().unwrap())).await;
    assert_eq!(next.code(), "OK", "{}", next.text());
    expect_no_theft(server, ada).await;
}

async fn guesses_are_counted_for_all_instances_together(server: &TestServer, ada: &Person) {
    a_whole_span().await;
    let mut known = server.browser(ada).await;
    let calls: JoinSet<_> = (0..60)
        .map(|place| {
            let guess = json!({"email": ada.email, "password": format!("guess number {place}")});
            let address = server.service.address;
            async move {
                Connection::open(address).await.unwrap().send(&Request::mutation("auth.login", &guess)).await.unwrap()
            }
        })
        .collect();
    let answers = calls.join_all().await;
    let instances = instances(server, "auth-login").len();
    assert!(instances > 1, "{instances} instances: together they were tried");
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(401), count(429)), (10, 50));

    // The functions of which nothing is left do not forget.
    kill(server, "auth-login");
    let again = Request::mutation("auth.login", &json!({"email": ada.email, "password": ada.password}));
    assert_eq!(insist(server, &again).await.code(), "TOO_MANY_REQUESTS");
    // Both cookies come through a function's answer, and the browser that is known gets in.
    let answer = known.login(&ada.email, &ada.password).await;
    assert_eq!((answer.code().as_str(), answer.all("set-cookie").len()), ("OK", 2), "{}", answer.text());
    assert!(known.has(SESSION) && known.is_signed_in().await);
    let none = Browser::new(&server.service).query("auth.me", Value::Null).await;
    assert_eq!(none.code(), "UNAUTHORIZED");
}
