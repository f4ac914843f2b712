//! Builds everything that is measured, exactly as it is deployed.

use std::fs;
use std::io::{self, Error};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::places::Places;

/// Builds the functions, the hello functions, the local service and the Node side. Only `npm ci` needs the network, and
/// only if the lock file changed since its last run.
pub fn prepare(places: &Places) -> io::Result<()> {
    // A build of its own, without the harness, so that cargo does not unify the features of all.
    let hello = "build --release --package benches --no-default-features --bin hello-bare --bin hello-http";
    run("cargo", hello, &places.root)?;
    let sdk = "build --release --package benches --no-default-features --features sdk --bin hello-sdk";
    run("cargo", sdk, &places.root)?;
    run("cargo", "build --release --package functions --bin health-ping --bin users-get", &places.root)?;
    run("cargo", "build --release --bin onefold", &places.root)?;
    if needs_install(&places.node) {
        run("npm", "ci --no-audit --no-fund", &places.node)?;
    }
    run("npm", "run build", &places.node)
}

/// The prefixes of the variables that `cargo run` sets for this program. Build scripts of dependencies watch some of
/// them and would run again.
const PACKAGE_VARIABLE_PREFIXES: [&str; 5] =
    ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_PACKAGE"];

/// Runs a command whose arguments have no spaces. Its output goes to this program's standard error.
pub fn run(program: &str, arguments: &str, folder: &Path) -> io::Result<()> {
    eprintln!("> {program} {arguments}");
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if PACKAGE_VARIABLE_PREFIXES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    let status = command
        .args(arguments.split(' '))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status()
        .map_err(|cause| Error::new(cause.kind(), format!("cannot start {program}: {cause}")))?;
    if status.success() { Ok(()) } else { Err(Error::other(format!("{program} {arguments}: {status}"))) }
}

/// Whether the installed packages differ from the lock file: npm keeps a copy of it beside them.
fn needs_install(folder: &Path) -> bool {
    let modified = |path: &str| fs::metadata(folder.join(path)).and_then(|data| data.modified());
    match (modified("package-lock.json"), modified("node_modules/.package-lock.json")) {
        (Ok(locked), Ok(installed)) => locked > installed,
        _ => true,
    }
}
