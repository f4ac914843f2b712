//! Builds the functions' binaries, in one `cargo build`.

use std::{collections::HashMap, ffi::OsString, path::PathBuf, process::Stdio};

use protocol::Cause;
use tokio::{process::Command, time::Instant};

/// The prefixes of the variables that `cargo run` and `cargo test` set for a package's own programs.
const PACKAGE_VARIABLE_PREFIXES: [&str; 5] =
    ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_PACKAGE"];

/// The variables that a build must not inherit from this process: a build script that watches one of them (`ring`'s
/// does) would run again in every build with another value.
pub fn package_variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| PACKAGE_VARIABLE_PREFIXES.iter().any(|start| name.to_string_lossy().starts_with(start)))
}

/// The packages of a build.
#[derive(Clone, Debug)]
pub struct Build {
    /// The workspace's folder.
    pub root: PathBuf,
    /// The package whose programs are the functions.
    pub functions: &'static str,
    /// What the names of its programs begin with.
    pub prefix: &'static str,
    /// The package whose program this is.
    pub package: &'static str,
}

/// Builds every function and returns the binaries' paths, by the function's name. It says on standard error what it does
/// and how long it took, as cargo does there.
///
/// The build has the profile of this process: a release service has release functions.
///
/// # Errors
/// When the build fails; cargo has printed the reason.
pub async fn functions(
    Build { root, functions, prefix, package }: &Build,
    count: usize,
) -> Result<HashMap<String, PathBuf>, Cause> {
    let began = Instant::now();
    eprintln!("Building {count} functions, each a program of its own: minutes the first time, seconds after a change.");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    for name in package_variables() {
        command.env_remove(name);
    }
    // Naming this program's package as well gives its dependencies the same features as under `cargo run`, so that only
    // the functions themselves are left to build.
    command.current_dir(root).args(["build", "--package", functions, "--package", package, "--bins"]);
    command.arg("--message-format=json-render-diagnostics");
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().await;
    let output = output.map_err(|error| format!("{} cannot be started: {error}", cargo.display()))?;
    if !output.status.success() {
        return Err("the functions do not build".into());
    }
    eprintln!("Built in {} s.", began.elapsed().as_secs());
    let mut programs = HashMap::new();
    for line in output.stdout.split(|&b| b == b'\n') {
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
        if let (Some(program), Some(name)) = (message["executable"].as_str(), message["target"]["name"].as_str()) {
            programs.insert(name.strip_prefix(prefix).unwrap_or(name).to_owned(), PathBuf::from(program));
        }
    }
    Ok(programs)
}
