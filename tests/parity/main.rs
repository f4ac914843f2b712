//! What serde writes, what the JSON Schema says and what the TypeScript type says are one thing: held
//! against each other on generated values, for every wire type of the contract.
//!
//! The types come from the procedures themselves ([`protocol::contract::Rewrite`]), so that a new one
//! is in here without a word. `special.rs` adds the wire types that no procedure has yet.

#[allow(dead_code)]
#[path = "../../examples/conformance.rs"]
mod conformance;
mod examples;
mod openapi;
mod openrpc;
mod special;
mod subject;
mod typescript;
#[path = "../values/mod.rs"]
mod values;

use fastrand::Rng;
use serde_json::Value;

use crate::{
    subject::Subject,
    values::{near_miss::near_miss, sample::sample},
};

/// Decides everything that looks like chance.
const SEED: u64 = 0x0001_F01D;
/// How many values of each type are made.
const VALUES: usize = 400;

/// Where serde and the schema may differ, and why. This list only shrinks.
///
/// Each line: a subject, a part of the value's JSON, and the reason.
const EXCEPTIONS: [(&str, &str, &str); 0] = [];

fn is_exception(subject: &Subject, value: &Value) -> bool {
    let text = value.to_string();
    EXCEPTIONS.iter().any(|(name, part, _)| *name == subject.name && text.contains(part))
}

fn everywhere() -> Vec<Subject> {
    let mut subjects = subject::of(&functions::service());
    subjects.extend(subject::of(&special::service()));
    subjects
}

#[test]
fn inputs_are_accepted_by_serde_exactly_when_the_schema_accepts_them() {
    let mut disagreements = Vec::new();
    for subject in everywhere().iter().filter(|subject| subject.is_input()) {
        let mut rng = Rng::with_seed(SEED);
        let mut refused = 0;
        for _ in 0..VALUES {
            let value = sample(&mut rng, subject.document(), subject.schema());
            let miss = near_miss(&mut rng, subject.document(), subject.schema(), &value);
            for value in std::iter::once(value).chain(miss.map(|miss| miss.value)) {
                let by_serde = subject.rewrite(&value);
                let by_schema = subject.validate(&value);
                refused += usize::from(by_schema.is_err());
                if by_serde.is_ok() != by_schema.is_ok() && !is_exception(subject, &value) {
                    disagreements.push(format!(
                        "{}: {value:.300}\n    serde: {}\n    schema: {}",
                        subject.name,
                        by_serde.map_or_else(|error| error, |_| "accepted".into()),
                        by_schema.map_or_else(|error| error, |()| "accepted".into()),
                    ));
                }
            }
        }
        assert!(refused > VALUES / 4, "{}: {refused} near misses are too few to show anything", subject.name);
    }
    let count = disagreements.len();
    disagreements.sort_by_key(String::len);
    // The shortest one of each kind.
    let mut kinds = std::collections::BTreeSet::new();
    disagreements.retain(|text| kinds.insert(text.split_once('\n').map(|(_, verdicts)| verdicts.to_owned())));
    disagreements.truncate(20);
    assert!(count == 0, "{count} disagreements, such as:\n{}", disagreements.join("\n"));
}

#[test]
fn what_serde_writes_is_what_the_schema_says() {
    for subject in everywhere() {
        let mut rng = Rng::with_seed(SEED);
        for _ in 0..VALUES {
            let value = sample(&mut rng, subject.document(), subject.schema());
            let written = subject.rewrite(&value).unwrap_or_else(|error| panic!("{}: {value}: {error}", subject.name));
            let verdict = subject.validate(&written);
            assert_eq!(verdict, Ok(()), "{}: {written}", subject.name);
            assert_eq!(subject.rewrite(&written).as_ref(), Ok(&written), "{}: written differently again", subject.name);
        }
    }
}

/// `Option<T>` is `T | null` there, always present: a client need not tell absent from null.
#[test]
fn outputs_leave_no_field_out() {
    for subject in everywhere().iter().filter(|subject| !subject.is_input()) {
        subject.each_object(&mut |schema| {
            let Some(properties) = schema["properties"].as_object() else { return };
            let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
            for name in properties.keys() {
                assert!(required.iter().any(|r| r == name), "{}: {name} may be absent from an output", subject.name);
            }
        });
    }
}

#[test]
fn the_typescript_types_accept_the_same_values_and_refuse_near_misses() {
    typescript::check(functions::SERVICE.name, &functions::service(), SEED);
    typescript::check("special", &special::service(), SEED);
}
