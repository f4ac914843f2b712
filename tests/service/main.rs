//! The service of this tree, from outside: what holds for each of its procedures, whichever there are. A new procedure is
//! in here without a word. What the procedures of a domain do is in the file of the domain, beside this one.
#![allow(clippy::unwrap_used, missing_docs)]

mod access;
mod generated;
mod released;
mod styles;
// Other tests use the rest of it.
#[allow(dead_code, unused_imports)]
#[path = "../support/mod.rs"]
mod support;
#[path = "../values/mod.rs"]
mod values;

use std::path::Path;

use serde_json::Value;

use crate::support::{cargo::root, styles::calls::Contract};

/// The program of the service.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_onefold"))
}

/// The operator's role. A service without one has no procedure that takes a token of ours.
fn operator_role() -> &'static str {
    functions::SERVICE.operator_role.unwrap_or_default()
}

/// A file of JSON in the service's bindings.
fn bindings(name: &str) -> Value {
    let path = root().join(functions::SERVICE.layout.unwrap().bindings).join(name);
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

fn contract() -> Contract {
    Contract::new(bindings("contract.json"))
}
