//! One property over all styles: for every procedure, made-up valid and invalid inputs come to the same result and the
//! same typed failure in every style.

use std::{collections::BTreeMap, process::Stdio};

use futures_util::future::join_all;
use model::Role;
use serde_json::{Value, json};

use super::{
    calls::Contract,
    drivers::{self, Driver, Heard},
    play::{Chance, Composer, Stage, Step, Who, differences, play},
};
use crate::given::{Folder, Key, Service, cargo::conformance_program, service::command};

/// Decides everything that looks like chance.
const SEED: u64 = 0x0001_F01D;
/// How often each procedure is called in each style.
const TIMES: usize = 12;
const PASSWORD: &str = "seven grey herons wade";

/// Where styles may differ, and why. This list only shrinks.
///
/// Each line: a style, a procedure, a part of what differs, and the reason.
const EXCEPTIONS: [(&str, &str, &str, &str); 0] = [];

/// A service that a script is composed on, and how more of the same are started.
struct Subject {
    contract: Contract,
    program: std::path::PathBuf,
    /// Whether it signs tokens with a key in its data folder.
    has_key: bool,
}

struct Running {
    service: Service,
    key: Option<Key>,
    _data: Folder,
}

impl Subject {
    async fn start(&self) -> Running {
        let data = Folder::new();
        let service = Service::start(&self.program, &["--ephemeral", "--data", &data.path().to_string_lossy()]).await;
        let key = self.has_key.then(|| Key::of(data.path()));
        Running { service, key, _data: data }
    }
}

impl Running {
    async fn stage(&self) -> Stage<'_> {
        Stage::of(&self.service, self.key.as_ref()).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_style_gives_the_same_answers() {
    let contract = Contract::of_the_reference_service();
    let subject = Subject { contract, program: crate::given::service::ONEFOLD.into(), has_key: true };
    let first = drivers::first();
    let running = subject.start().await;
    let mut composer = Composer::new(&subject.contract, running.stage().await, &first, SEED);
    for name in ["anna", "berta"] {
        composer.hire(name, PASSWORD).await;
    }
    deliberately(&mut composer).await;
    // What is not made up: words that have a meaning.
    for (name, value) in [
        ("GivenPassword", PASSWORD),
        ("Password", "nine brown foxes swim"),
        ("redirectUris", "https://app.example.com/callback"),
        ("scopes", "users:read"),
        ("scopes", "posts:read"),
    ] {
        composer.knows(name, value);
    }
    let roles = [Role::Administrator, Role::Administrator, Role::Employee, Role::Viewer];
    let mut strangers: Vec<_> = roles.into_iter().map(Who::Operator).collect();
    strangers.push(Who::Nobody);
    let script = composer.call_everything(TIMES, &strangers).await;
    check(&subject, &script, &running.service).await;
}

/// Calls that chance would hardly hit upon.
async fn deliberately(composer: &mut Composer<'_>) {
    let id = |output: &Value| json!({"id": output["id"]});
    let operator = || Who::Operator(Role::Administrator);
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
    composer.login("berta", PASSWORD).await;
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
    let subject = Subject { contract, program, has_key: false };
    let first = drivers::first();
    let running = subject.start().await;
    let composer = Composer::new(&subject.contract, running.stage().await, &first, SEED);
    let script = composer.call_everything(TIMES, &[Who::Nobody, Who::Token("good"), Who::Token("bad")]).await;
    check(&subject, &script, &running.service).await;
}

/// Plays a script in every style, and holds what came of it against the script.
async fn check(subject: &Subject, script: &[Step], service: &Service) {
    worthwhile(&subject.contract, script);
    let drivers = drivers::others(&subject.contract, service).await;
    let again = played(subject, script, &drivers::first(), None).await;
    let chance = by_chance(script, &again);
    let plays = join_all(drivers.iter().map(|driver| played(subject, script, &**driver, Some(&chance)))).await;
    let mut faults = Vec::new();
    for (driver, heard) in drivers.iter().zip(&plays) {
        compare(subject, script, &**driver, heard, &chance, &mut faults);
    }
    let count = faults.len();
    let mut by_kind = BTreeMap::new();
    for (kind, fault) in faults {
        by_kind.entry(kind).or_insert(fault);
    }
    let shown: Vec<_> = by_kind.into_values().take(25).collect();
    assert!(count == 0, "{count} calls differ, such as:\n{}", shown.join("\n"));
}

type Played = Vec<Option<Result<Heard, String>>>;

async fn played(subject: &Subject, script: &[Step], driver: &dyn Driver, chance: Option<&Chance>) -> Played {
    let running = subject.start().await;
    play(&subject.contract, script, driver, running.stage().await, chance).await
}

/// A script that shows something: every procedure was called, most of them succeeded once and failed in its own way.
fn worthwhile(contract: &Contract, script: &[Step]) {
    let (mut succeeded, mut failures) = (BTreeMap::new(), BTreeMap::new());
    for step in script {
        let good: &mut usize = succeeded.entry(step.procedure.as_str()).or_default();
        match &step.heard {
            Ok(_) => *good += 1,
            Err(failed) => {
                assert_ne!(
                    failed.code, "TOO_MANY_REQUESTS",
                    "a limit says nothing of styles: call {} less",
                    step.procedure
                );
                *failures.entry(failed.code.as_str()).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(succeeded.len(), contract.procedures().count());
    let never: Vec<_> = succeeded.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    println!("{} calls; succeeded: {succeeded:?}; failures: {failures:?}", script.len());
    assert!(never.len() * 3 <= succeeded.len(), "these never succeed: {never:?}");
}

/// Where a second play in the same style differs.
fn by_chance(script: &[Step], again: &Played) -> Chance {
    let mut chance = Chance::new();
    for (at, (step, heard)) in script.iter().zip(again).enumerate() {
        let heard = heard.as_ref().unwrap().as_ref().unwrap();
        for (path, expected, seen) in differences(&step.heard, heard) {
            let same_kind = std::mem::discriminant(&expected) == std::mem::discriminant(&seen);
            assert!(same_kind && !expected.is_object(), "{}", told(at, step, "a second play", &path, &expected, &seen));
            chance.insert((at, path));
        }
    }
    chance
}

fn compare(
    subject: &Subject,
    script: &[Step],
    driver: &dyn Driver,
    played: &Played,
    chance: &Chance,
    faults: &mut Vec<(String, String)>,
) {
    for (at, (step, heard)) in script.iter().zip(played).enumerate() {
        let procedure = subject.contract.find(&step.procedure).unwrap();
        let mut fault = |path: &str, expected: &Value, seen: &Value| {
            let is_exception = EXCEPTIONS.iter().any(|(style, name, part, _)| {
                *style == driver.name() && *name == step.procedure && path.contains(part)
            });
            if !is_exception {
                let text = told(at, step, driver.name(), path, expected, seen);
                faults.push((format!("{} {} {path}", driver.name(), step.procedure), text));
            }
        };
        match heard {
            None => {
                let refused = step.heard.as_ref().err();
                let is_spoilt = step.input.as_ref().is_some_and(|input| any_text(input, &|text| driver.spoils(text)));
                if driver.has(procedure) && !is_spoilt && refused.is_none_or(|failed| failed.failure.is_some()) {
                    fault("unsayable", &Value::Null, &Value::Null);
                }
            }
            Some(Err(form)) => fault("form", &Value::Null, &form.as_str().into()),
            Some(Ok(heard)) => {
                for (path, expected, seen) in differences(&step.heard, heard) {
                    let same_kind = std::mem::discriminant(&expected) == std::mem::discriminant(&seen);
                    if chance.contains(&(at, path.clone())) && same_kind {
                        continue;
                    }
                    if seen.is_string() && expected.as_str().is_some_and(|expected| driver.spoils(expected)) {
                        continue;
                    }
                    if driver.is_typed() && ["code", "fields"].contains(&&*path) && is_by_type(&step.heard, heard) {
                        continue;
                    }
                    fault(&path, &expected, &seen);
                }
            }
        }
    }
}

fn any_text(value: &Value, is: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text),
        Value::Array(entries) => entries.iter().any(|entry| any_text(entry, is)),
        Value::Object(fields) => fields.iter().any(|(name, value)| is(name) || any_text(value, is)),
        _ => false,
    }
}

/// Whether a style may have refused by its own types: it names no field, or some of those that are at fault. It looks
/// at them before it is known who calls, and its types are no secret.
fn is_by_type(expected: &Heard, seen: &Heard) -> bool {
    match (expected, seen) {
        (Err(expected), Err(seen)) if seen.code == "BAD_REQUEST" && expected.failure.is_none() => {
            let is_named = |path: &String| expected.fields.iter().any(|known| known.starts_with(path));
            match expected.code.as_str() {
                "BAD_REQUEST" => seen.fields.iter().all(is_named),
                code => ["UNAUTHORIZED", "FORBIDDEN"].contains(&code),
            }
        }
        _ => false,
    }
}

/// A call that anybody can make again.
fn told(at: usize, step: &Step, style: &str, path: &str, expected: &Value, seen: &Value) -> String {
    let input = step.input.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
    format!(
        "call {at} of seed {SEED:#x}, in {style}: {} with {input:.600} as {:.100?}: {path} is {seen:.300}, and not {expected:.300}",
        step.procedure, step.who
    )
}
