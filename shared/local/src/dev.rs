//! `dev`: builds the service's program anew after each change of its sources, and runs it.
//!
//! ```text
//! change ── quiet for 50 ms ── cargo build ─┬─ fails: cargo says why; the service runs on as it was
//!                                           └─ succeeds: the service stops, starts anew, and `regen` writes what is generated
//! ```
//!
//! Cargo says which sources there are: those of the workspace's packages and of the packages that they name by a path.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::{Duration, Instant},
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use protocol::Cause;
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{sleep, timeout},
};

use crate::{build::package_variables, call, serve::stop_signal};

/// How long no further change may come until the build begins: an editor writes several files, or one in several steps.
const QUIET_FOR: Duration = Duration::from_millis(50);
/// How long the service may take to end before it is killed.
const END_LIMIT: Duration = Duration::from_secs(15);

/// What is built and run.
pub struct Dev {
    /// The workspace's folder.
    pub root: PathBuf,
    /// The package whose program this is.
    pub package: &'static str,
    /// The folder of generated programs, from the workspace's folder: what is written there changes nothing of this one.
    pub programs: Option<PathBuf>,
    /// The options with which the service is started.
    pub options: Vec<String>,
}

/// Builds and runs the service until Ctrl-C or SIGTERM.
///
/// # Errors
/// When cargo or the service cannot be started, or the sources cannot be watched.
pub async fn run(dev: Dev) -> Result<ExitCode, Cause> {
    let mut service = None;
    let code = tokio::select! {
        code = rounds(&dev, &mut service) => code?,
        () = stop_signal() => ExitCode::SUCCESS,
    };
    stop(&mut service).await?;
    Ok(code)
}

/// Builds and starts the service after each change. It ends when no change can help.
async fn rounds(dev: &Dev, service: &mut Option<Child>) -> Result<ExitCode, Cause> {
    let program = env::current_exe()?;
    let mut sources = Sources::find(dev).await?;
    loop {
        let begun = Instant::now();
        if build(dev, &program).await? {
            let is_first = service.is_none();
            stop(service).await?;
            *service = Some(start(dev, &program)?);
            regen(dev, &program).await?;
            if !is_first {
                eprintln!("Built and started anew in {:.1} s.", begun.elapsed().as_secs_f64());
            }
        } else {
            let what = if service.is_some() { "the service runs on as it was" } else { "no service runs" };
            eprintln!("It does not build, and {what}. The next change of a file builds it again.");
        }
        let ended = async {
            match service {
                Some(child) => child.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = sources.changed() => changed?,
            status = ended => {
                *service = None;
                let status = status?;
                if status.code() == Some(i32::from(call::USAGE_ERROR)) {
                    return Ok(ExitCode::from(call::USAGE_ERROR));
                }
                eprintln!("The service ended ({status}). The next change of a file builds and starts it again.");
                sources.changed().await?;
            }
        }
        if std::mem::take(&mut sources.has_changed_manifest) {
            sources = Sources::find(dev).await?;
        }
    }
}

fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Cargo in the workspace, without what it tells this process about this process's package.
fn cargo_command(dev: &Dev) -> Command {
    let mut command = Command::new(cargo());
    for name in package_variables() {
        command.env_remove(name);
    }
    command.current_dir(&dev.root).stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn cannot_start(error: &io::Error) -> Cause {
    format!("{} cannot be started: {error}", cargo().display()).into()
}

/// Builds the program that this process runs, with its profile. Cargo prints what is wrong.
async fn build(dev: &Dev, program: &Path) -> Result<bool, Cause> {
    let name = program.file_stem().unwrap_or_default();
    let is_example = program.parent().is_some_and(|folder| folder.ends_with("examples"));
    let mut command = cargo_command(dev);
    command
        .args(["build", "--quiet", "--package", dev.package, if is_example { "--example" } else { "--bin" }])
        .arg(name);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let status = command.status().await.map_err(|error| cannot_start(&error))?;
    Ok(status.success())
}

fn start(dev: &Dev, program: &Path) -> Result<Child, Cause> {
    let child = Command::new(program).args(&dev.options).stdin(Stdio::null()).kill_on_drop(true).spawn();
    child.map_err(|error| format!("{} cannot be started: {error}", program.display()).into())
}

/// Writes what is generated, by the new program. It prints what it wrote, and what is wrong.
async fn regen(dev: &Dev, program: &Path) -> Result<(), Cause> {
    let mut command = Command::new(program);
    let status = command.arg("regen").current_dir(&dev.root).stdin(Stdio::null()).status().await;
    status.map(drop).map_err(|error| format!("{} cannot be started: {error}", program.display()).into())
}

/// Ends the service as Ctrl-C would.
async fn stop(service: &mut Option<Child>) -> Result<(), Cause> {
    let Some(mut child) = service.take() else { return Ok(()) };
    let pid = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid {
        // It may have ended already.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if timeout(END_LIMIT, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(())
}

/// The files of which the program is made, and what happens to them.
struct Sources {
    changes: UnboundedReceiver<notify::Result<notify::Event>>,
    programs: Option<PathBuf>,
    has_changed_manifest: bool,
    _watcher: RecommendedWatcher,
}

impl Sources {
    /// Asks cargo which they are, and watches them.
    async fn find(dev: &Dev) -> Result<Self, Cause> {
        let output = cargo_command(dev)
            .args(["metadata", "--format-version", "1"])
            .stderr(Stdio::inherit())
            .output()
            .await
            .map_err(|error| cannot_start(&error))?;
        if !output.status.success() {
            return Err("cargo cannot say which packages there are".into());
        }
        let (sender, changes) = unbounded_channel();
        // It fails when nobody waits for changes any more.
        let mut watcher = notify::recommended_watcher(move |event| drop(sender.send(event)))?;
        for (folder, mode) in watched(&serde_json::from_slice(&output.stdout)?, &dev.root) {
            let watching = watcher.watch(&folder, mode);
            watching.map_err(|error| format!("{} cannot be watched: {error}", folder.display()))?;
        }
        let programs = dev.programs.as_ref().map(|folder| dev.root.join(folder));
        Ok(Self { changes, programs, has_changed_manifest: false, _watcher: watcher })
    }

    /// Waits for a change, and until no further one comes.
    async fn changed(&mut self) -> Result<(), Cause> {
        let mut has_changed = false;
        loop {
            let event = tokio::select! {
                event = self.changes.recv() => event,
                () = sleep(QUIET_FOR), if has_changed => return Ok(()),
            };
            let event = event.ok_or("the sources are watched no more")??;
            if is_change(event.kind) {
                let mut paths = event.paths.iter().filter(|path| self.is_source(path)).peekable();
                has_changed |= paths.peek().is_some();
                self.has_changed_manifest |= paths.any(|path| path.ends_with("Cargo.toml"));
            }
        }
    }

    fn is_source(&self, path: &Path) -> bool {
        let is_generated = self.programs.as_ref().is_some_and(|programs| path.starts_with(programs));
        !is_generated && is_source(path)
    }
}

/// Whether a change of the file changes the program. What editors write beside it does not.
fn is_source(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let is_included = path.parent().is_some_and(|folder| folder.components().any(|part| part.as_os_str() == "src"));
    let is_kept = |end: &str| name.ends_with(end);
    let is_of_an_editor = name.starts_with(['.', '#']) || is_kept("~") || is_kept(".swp") || is_kept(".tmp");
    !is_of_an_editor && (is_included || [".rs", "Cargo.toml", "Cargo.lock"].into_iter().any(is_kept))
}

/// Whether something happened to a file but for its being read.
fn is_change(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Access(_) | EventKind::Other)
}

/// The folders with sources, by what `cargo metadata` says. A folder with a manifest or a program is watched without those in
/// it: `target/` may be one of them.
fn watched(metadata: &Value, root: &Path) -> BTreeSet<(PathBuf, RecursiveMode)> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    // Whatever has a source comes from a registry or a repository, and does not change.
    let own = packages.filter(|package| package["source"].is_null());
    let mut folders = BTreeSet::from([(root.to_owned(), RecursiveMode::NonRecursive)]);
    for package in own {
        let Some(folder) = package["manifest_path"].as_str().and_then(|path| Path::new(path).parent()) else {
            continue;
        };
        folders.insert((folder.to_owned(), RecursiveMode::NonRecursive));
        let sources = folder.join("src");
        if sources.is_dir() {
            folders.insert((sources.clone(), RecursiveMode::Recursive));
        }
        let targets = package["targets"].as_array().into_iter().flatten();
        let programs = targets.filter_map(|target| Path::new(target["src_path"].as_str()?).parent());
        folders.extend(
            programs
                .filter(|program| !program.starts_with(&sources))
                .map(|program| (program.to_owned(), RecursiveMode::NonRecursive)),
        );
    }
    folders
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_editor_writes_for_itself_and_what_is_no_source_changes_nothing() {
        let is = |path: &str| is_source(Path::new(path));
        assert!(is("/w/orders/src/place.rs") && is("/w/orders/src/page.html") && is("/w/orders/main.rs"));
        assert!(is("/w/Cargo.toml") && is("/w/Cargo.lock"));
        for other in [
            "/w/README.md",
            "/w/orders/src/.place.rs.swp",
            "/w/orders/src/place.rs~",
            "/w/orders/src/#place.rs#",
            "/w/target",
        ] {
            assert!(!is(other), "{other}");
        }
    }

    #[test]
    fn sources_are_those_of_packages_at_paths_and_of_programs_beside_them() {
        let folder = env::temp_dir().join(format!("onefold-dev-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(folder.join("orders/src")).unwrap();
        let at = |path: &str| folder.join(path);
        let metadata = json!({ "packages": [
            { "source": "registry+https://example.com", "manifest_path": "/elsewhere/Cargo.toml", "targets": [] },
            { "source": null, "manifest_path": at("Cargo.toml"), "targets": [{ "src_path": at("orders/main.rs") }] },
            { "source": null, "manifest_path": at("orders/Cargo.toml"), "targets": [{ "src_path": at("orders/src/bin/a.rs") }] },
        ] });
        let expected = BTreeSet::from([
            (folder.clone(), RecursiveMode::NonRecursive),
            (at("orders"), RecursiveMode::NonRecursive),
            (at("orders/src"), RecursiveMode::Recursive),
        ]);
        assert_eq!(watched(&metadata, &folder), expected);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
