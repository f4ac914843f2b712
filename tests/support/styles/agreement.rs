//! One script, played in every style: each gives the same answers, or says why not.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, resume_unwind},
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::{FutureExt as _, future::join_all};
use serde_json::Value;

use super::{
    calls::Contract,
    drivers::{self, Driver, Heard},
    play::{Chance, Stage, Step, differences, is_by_type, play},
};
use crate::support::{Folder, Key, Service};

/// Decides everything that looks like chance.
pub const SEED: u64 = 0x0001_F01D;

/// Where styles may differ, and why. This list only shrinks.
///
/// Each line: a style, a procedure, a part of what differs, and the reason.
const EXCEPTIONS: [(&str, &str, &str, &str); 0] = [];

/// A service that a script is composed on, and how more of the same are started.
pub struct Subject {
    pub contract: Contract,
    pub program: PathBuf,
    /// Its name and its operator's role, if it signs tokens with a key in its data folder.
    pub signs: Option<(&'static str, &'static str)>,
}

/// The service of one play.
pub struct Running {
    pub service: Service,
    key: Option<(Key, &'static str)>,
    _data: Folder,
}

impl Subject {
    pub async fn start(&self) -> Running {
        let data = Folder::new();
        let service = Service::start(&self.program, &["--ephemeral", "--data", &data.path().to_string_lossy()]).await;
        let key = self.signs.map(|(name, role)| (Key::of_service(data.path(), name), role));
        Running { service, key, _data: data }
    }
}

impl Running {
    pub async fn stage(&self) -> Stage<'_> {
        let (key, role) = self.key.as_ref().map_or((None, ""), |(key, role)| (Some(key), *role));
        Stage::of(&self.service, key, role).await
    }
}

/// Runs what composes a script and checks it; once more, if a quarter of an hour ended meanwhile and plays differed. Refusals
/// of one kind share an entry of the audit log within a quarter: plays in two of them leave different numbers of entries.
pub async fn within_a_quarter<F: Future<Output = ()>>(run: impl Fn() -> F) {
    let quarter = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / (15 * 60);
    let begun = quarter();
    if let Err(fault) = AssertUnwindSafe(run()).catch_unwind().await {
        if quarter() == begun {
            resume_unwind(fault);
        }
        run().await;
    }
}

/// Plays a script in every style, and holds what came of it against the script.
pub async fn check(subject: &Subject, script: &[Step], service: &Service) {
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

/// A script that shows something: every procedure was called, and some succeeded.
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
    println!("{} calls; succeeded: {succeeded:?}; failures: {failures:?}", script.len());
    assert!(succeeded.values().any(|count| *count > 0), "nothing succeeded: {failures:?}");
}

/// The procedures that never succeeded.
pub fn never_succeeded<'a>(contract: &'a Contract, script: &[Step]) -> Vec<&'a str> {
    let succeeds = |name: &str| script.iter().any(|step| step.procedure == name && step.heard.is_ok());
    contract.procedures().map(|procedure| procedure.name()).filter(|name| !succeeds(name)).collect()
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

/// A call that anybody can make again.
fn told(at: usize, step: &Step, style: &str, path: &str, expected: &Value, seen: &Value) -> String {
    let input = step.input.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
    format!(
        "call {at} of seed {SEED:#x}, in {style}: {} with {input:.600} as {:.100?}: {path} is {seen:.300}, and not {expected:.300}",
        step.procedure, step.who
    )
}
