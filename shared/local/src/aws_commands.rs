//! The commands that reach AWS. The app in `infra/`, which makes the stacks, carries them out; this module prepares and
//! starts it.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::SystemTime,
};

use protocol::Cause;
use serde_json::Value;

use crate::{
    build,
    data::at,
    workspace::{self, Tree},
};

/// The oldest supported Node.js.
const NODE: u32 = 20;

/// Runs the app of this workspace's `infra/` with these parameters, for the service whose tree this is; `input` is its
/// standard input.
///
/// # Errors
/// When there is no `infra/`; when Node.js is missing or too old, or the app cannot be installed, built or started.
pub fn run(Tree { root, layout }: &Tree, parameters: &[String], input: Option<&[u8]>) -> Result<ExitCode, Cause> {
    let infra = workspace::part(root, "infra", "it has the templates and the commands that reach AWS")?;
    check_node()?;
    install(&infra)?;
    step(&infra, "npm", &["run", "--silent", "build"])?;
    let mut command = clean("node");
    // The programs run on the oldest supported Node.js until it is raised here; their users need no reminder.
    command.env("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true");
    command.env("ONEFOLD_CONTRACT", root.join(codegen::contract_path(layout)));
    command.current_dir(&infra).arg("build/app.js").args(parameters);
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

/// Installs what `package-lock.json` lists, unless npm's own record says that it is installed. Of a package that is in
/// a folder, npm installs a copy: after a change in the folder it is made anew.
fn install(infra: &Path) -> Result<(), Cause> {
    let lock = infra.join("package-lock.json");
    let mut wanted = changed(&lock)?;
    for folder in package_folders(&lock)? {
        wanted = wanted.max(last_change(&infra.join(folder))?);
    }
    if changed(&infra.join("node_modules/.package-lock.json")).is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    eprintln!("installing infra/node_modules");
    step(infra, "npm", &["ci", "--no-audit", "--no-fund"])
}

fn changed(path: &Path) -> Result<SystemTime, Cause> {
    fs::metadata(path).and_then(|about| about.modified()).map_err(at(path))
}

/// The folders of packages that a lock file names in place of versions, from its own folder.
fn package_folders(lock: &Path) -> Result<Vec<PathBuf>, Cause> {
    let text = fs::read(lock).map_err(at(lock))?;
    let locked: Value = serde_json::from_slice(&text).map_err(|error| at(lock)(error.into()))?;
    let packages = locked["packages"].as_object().into_iter().flatten();
    let folders = packages.filter_map(|(_, package)| package["resolved"].as_str()?.strip_prefix("file:"));
    Ok(folders.map(PathBuf::from).collect())
}

/// When a file, or one of a folder's, was changed last, apart from what is installed or built there.
fn last_change(path: &Path) -> Result<SystemTime, Cause> {
    if !path.is_dir() {
        return changed(path);
    }
    let mut last = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(path).map_err(at(path))? {
        let entry = entry.map_err(at(path))?;
        let name = entry.file_name();
        if !["node_modules", "build", ".venv"].iter().any(|made| name == *made) {
            last = last.max(last_change(&entry.path())?);
        }
    }
    Ok(last)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_package_in_a_folder_is_as_new_as_its_files_without_those_that_are_made() {
        let tree = std::env::temp_dir().join(format!("onefold-packages-{}", uuid::Uuid::new_v4()));
        let at = |path: &str| tree.join(path);
        for folder in ["infra", "package/src", "package/build", "package/node_modules/other"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (path, seconds) in
            [("src/index.ts", 5), ("README.md", 3), ("build/index.js", 9), ("node_modules/other/index.js", 9)]
        {
            let file = fs::File::create(at("package").join(path)).unwrap();
            file.set_modified(written + Duration::from_secs(seconds)).unwrap();
        }
        let lock = at("infra/package-lock.json");
        let other = r#""node_modules/other": { "version": "1.0.0", "resolved": "https://packages.example.com/other" }"#;
        fs::write(
            &lock,
            format!(r#"{{ "packages": {{ {other}, "node_modules/package": {{ "resolved": "file:../package" }} }} }}"#),
        )
        .unwrap();
        let folders = package_folders(&lock).unwrap();
        assert_eq!(folders, [PathBuf::from("../package")]);
        assert_eq!(last_change(&at("infra").join(&folders[0])).unwrap(), written + Duration::from_secs(5));
        fs::remove_dir_all(tree).unwrap();
    }

    #[test]
    fn a_package_whose_folder_is_gone_is_named() {
        let said = last_change(Path::new("/nowhere/shared/infra")).unwrap_err().to_string();
        assert!(said.contains("/nowhere/shared/infra: "), "{said}");
    }
}
