//! Cargo, asked about the workspace or to build a part of it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::service::command;

/// The workspace's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs cargo and answers what it wrote to standard output.
pub fn cargo(arguments: &[&str]) -> String {
    let output = command("cargo").args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {stderr}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// Builds programs as this test was built, and answers where each of them is.
pub fn build(arguments: &[&str]) -> BTreeMap<String, PathBuf> {
    let mut all = vec!["build", "--message-format=json-render-diagnostics"];
    if !cfg!(debug_assertions) {
        all.push("--release");
    }
    all.extend(arguments);
    let mut programs = BTreeMap::new();
    for message in cargo(&all).lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if let (Some(name), Some(path)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
            programs.insert(name.to_owned(), path.into());
        }
    }
    programs
}

/// Builds a service of the tests, with the features that its dependencies have in the tests, so that none is built again.
pub fn example(name: &str) -> PathBuf {
    build(&["--workspace", "--example", name]).remove(name).unwrap()
}

/// Builds the service in one file.
pub fn conformance_program() -> PathBuf {
    example("conformance")
}
