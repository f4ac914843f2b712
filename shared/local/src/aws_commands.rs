//! The commands that reach AWS. The programs in `infra/`, beside the stacks, carry them out; this module prepares and
//! starts them.

use std::{
    fs, io,
    io::Write as _,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use protocol::Cause;

use crate::{
    build,
    data::at,
    workspace::{self, Tree},
};

/// The oldest supported Node.js.
const NODE: u32 = 20;

/// Runs a program of this workspace's `infra/` with these parameters, for the service whose tree this is; `input` is its
/// standard input.
///
/// # Errors
/// When there is no `infra/`; when Node.js is missing or too old, or the program cannot be installed, built or started.
pub fn run(Tree { root, layout }: &Tree, parameters: &[String], input: Option<&[u8]>) -> Result<ExitCode, Cause> {
    let infra = workspace::part(root, "infra", "it has the templates and the programs that reach AWS")?;
    check_node()?;
    install(&infra)?;
    step(&infra, "npm", &["run", "--silent", "build"])?;
    let mut command = clean("node");
    // The programs run on the oldest supported Node.js until it is raised here; their users need no reminder.
    command.env("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true");
    command.env("ONEFOLD_CONTRACT", root.join(codegen::contract_path(layout)));
    command.current_dir(&infra).arg("build/src/cli.js").args(parameters);
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().map_err(|error| format!("node cannot be started: {error}"))?;
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        // A program that ends early reports the reason itself.
        let _ = pipe.write_all(input);
    }
    let status = child.wait()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_node() -> Result<(), Cause> {
    let needed = || Cause::from(format!("this needs Node.js {NODE} or newer with npm (https://nodejs.org)"));
    let output = clean("node").arg("--version").output().map_err(|_| needed())?;
    let version = String::from_utf8_lossy(&output.stdout);
    let major = version.trim().strip_prefix('v').and_then(|version| version.split('.').next()?.parse().ok());
    if major.is_some_and(|major: u32| major >= NODE) { Ok(()) } else { Err(needed()) }
}

/// Installs what `package-lock.json` lists, unless npm's own record says that it is installed.
fn install(infra: &Path) -> Result<(), Cause> {
    let changed = |file: &str| {
        let path = infra.join(file);
        fs::metadata(&path).and_then(|about| about.modified()).map_err(at(&path))
    };
    let wanted = changed("package-lock.json")?;
    if changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    eprintln!("installing infra/node_modules");
    step(infra, "npm", &["ci", "--no-audit", "--no-fund"])
}

fn step(infra: &Path, program: &str, parameters: &[&str]) -> Result<(), Cause> {
    let output = clean(program).current_dir(infra).args(parameters).stdin(Stdio::null()).output();
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Cause::from(format!("{program} was not found; it comes with Node.js")),
        _ => Cause::from(format!("{program} cannot be started: {error}")),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("`{program} {}` failed in infra/:\n{}", parameters.join(" "), String::from_utf8_lossy(&said)).into())
}

fn clean(program: &str) -> Command {
    let mut command = Command::new(program);
    for name in build::package_variables() {
        command.env_remove(name);
    }
    command
}
