//! One property over all styles: for every procedure, made-up valid and invalid inputs come to the same result and the
//! same typed failure in every style.

use std::process::Stdio;

use serde_json::{Value, json};
use testbed::Role;

use crate::support::{
    Folder,
    cargo::conformance_program,
    service::{command, testbed_program},
    styles::{
        agreement::{SEED, Subject, check, never_succeeded, within_a_quarter},
        calls::Contract,
        drivers,
        play::{Composer, PASSWORD, Step, Who},
    },
};

/// How often each procedure is called in each style.
const TIMES: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_style_gives_the_same_answers() {
    within_a_quarter(compare_styles).await;
}

async fn compare_styles() {
    let contract = Contract::of_the_testbed();
    let subject = Subject {
        contract,
        program: testbed_program().to_owned(),
        signs: Some((testbed::SERVICE.name, Role::Administrator.name())),
    };
    let first = drivers::first();
    let running = subject.start().await;
    let mut composer = Composer::new(&subject.contract, running.stage().await, &first, SEED);
    for name in ["anna", "berta"] {
        composer.register(name).await;
        let Who::User(id) = composer.newest() else { panic!("somebody registered") };
        let promotion = json!({"id": id, "role": "administrator"});
        composer.call("users.update", Some(promotion), Who::Operator(Role::Administrator.name())).await.unwrap();
        composer.login(name).await;
    }
    chosen_calls(&mut composer).await;
    composer.knows(&["users:read", "posts:read"]);
    let roles = [Role::Administrator, Role::Administrator, Role::Employee, Role::Viewer];
    let mut strangers: Vec<_> = roles.into_iter().map(|role| Who::Operator(role.name())).collect();
    strangers.push(Who::Nobody);
    let script = composer.call_everything(TIMES, &strangers).await;
    check(&subject, &script, &running.service).await;
    expect_success(&subject, &script);
}

/// Most procedures succeed once.
fn expect_success(subject: &Subject, script: &[Step]) {
    let never = never_succeeded(&subject.contract, script);
    assert!(never.len() * 3 <= subject.contract.procedures().count(), "these never succeed: {never:?}");
}

/// Calls that chance would hardly hit upon.
async fn chosen_calls(composer: &mut Composer<'_>) {
    let id = |output: &Value| json!({"id": output["id"]});
    let operator = || Who::Operator(Role::Administrator.name());
    let eve = json!({"email": "eve@example.com", "name": "Eve"});
    let eve = composer.call("users.create", Some(eve), operator()).await.unwrap().unwrap();
    composer.call("users.get", Some(id(&eve)), operator()).await.unwrap();
    composer.call("users.delete", Some(id(&eve)), operator()).await.unwrap();

    let anna = composer.user();
    let redirect_uri = "https://app.example.com/callback";
    let till = json!({"name": "Till", "kind": "public", "redirectUris": [redirect_uri], "scopes": ["users:read"]});
    let till = composer.call("grants.clientsCreate", Some(till), anna.clone()).await.unwrap().unwrap();
    composer.call("grants.clientsDelete", Some(id(&till["client"])), anna).await.unwrap();

    // More than one page, of which the first is asked for with nothing.
    for at in 0..21 {
        let user = json!({"email": format!("guest{at}@example.org"), "name": "Guest"});
        composer.call("users.create", Some(user), operator()).await.unwrap();
    }
    let page = composer.call("users.list", None, operator()).await.unwrap().unwrap();
    let next = composer.call("users.list", Some(json!({"cursor": page["next"]})), operator()).await.unwrap().unwrap();
    assert!(next["next"].is_null() && !next["items"].as_array().unwrap().is_empty(), "{next}");

    let first = composer.session();
    composer.login("berta").await;
    let devices = composer.call("sessions.list", None, first.clone()).await.unwrap().unwrap();
    let other = devices["items"].as_array().unwrap().iter().find(|device| device["current"] != true).unwrap();
    composer.call("sessions.revoke", Some(json!({"device": other["device"]})), first.clone()).await.unwrap();
    let change = json!({"current": PASSWORD, "password": "nine brown foxes swim"});
    composer.call("auth.changePassword", Some(change), first).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_style_of_another_service_gives_the_same_answers() {
    let program = conformance_program();
    // Its contract is what it would write.
    let folder = Folder::workspace();
    let written =
        command(&program).arg("regen").env("CARGO_MANIFEST_DIR", folder.path()).stdout(Stdio::null()).status();
    assert!(written.unwrap().success());
    let text = std::fs::read_to_string(folder.path().join("target/conformance/bindings/contract.json")).unwrap();
    let contract = Contract::new(serde_json::from_str(&text).unwrap());
    let subject = Subject { contract, program, signs: None };
    let first = drivers::first();
    let running = subject.start().await;
    let composer = Composer::new(&subject.contract, running.stage().await, &first, SEED);
    let script = composer.call_everything(TIMES, &[Who::Nobody, Who::Token("good"), Who::Token("bad")]).await;
    check(&subject, &script, &running.service).await;
    expect_success(&subject, &script);
}
