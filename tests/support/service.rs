//! A running service: the real program, on a free port, with a data folder of its own.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::LazyLock,
    time::Duration,
};

use runtime::{Definition, Layout, Registered};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use testbed::Role;
use tokio::time::sleep;

use super::{
    cargo,
    http::{Answer, Connection, Request},
    tokens::Key,
};

/// How long a service may take to start. With real functions it builds them first.
const START_LIMIT: Duration = Duration::from_secs(900);
/// How long it may take to end.
const END_LIMIT: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A folder that is gone at the end of the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("onefold-test-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// One that the commands of the testbed take for its workspace.
    pub fn workspace() -> Self {
        let folder = Self::new();
        fs::create_dir_all(folder.0.join("tests/testbed")).unwrap();
        for (manifest, text) in [("Cargo.toml", "[workspace]\n"), ("tests/testbed/Cargo.toml", "")] {
            fs::write(folder.0.join(manifest), text).unwrap();
        }
        folder
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// A service that has nothing but a name: no roles, and callers by their tokens.
pub const fn definition(name: &'static str) -> Definition {
    let layout = Some(Layout { bindings: "bindings", packages: None });
    Definition { layout, permits: |_, _| true, ..Definition::named(name) }
}

/// Whether a procedure is one of the package `identity`, which the service mounts.
pub fn is_mounted(procedure: &Registered) -> bool {
    procedure.path.starts_with("entries::identity::")
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where the program of the testbed is. It is built once, with the features that its dependencies have in the tests.
pub fn testbed_program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| cargo::example("testbed"));
    &PROGRAM
}

/// A command that is not told about this test's own package: build scripts that look at such
/// variables would run again in every build inside a test.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let package_variables = ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_PACKAGE"];
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if package_variables.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.current_dir(cargo::root()).stdin(Stdio::null());
    command
}

/// A running service. It is stopped when it goes out of scope.
pub struct Service {
    child: Child,
    pub address: SocketAddr,
    logs: Folder,
}

impl Service {
    /// The testbed; the table lives in memory.
    pub async fn ephemeral(data: &Folder) -> Self {
        Self::start(testbed_program(), &["--ephemeral", "--data", &data.path().to_string_lossy()]).await
    }

    /// The testbed; the table is kept.
    pub async fn kept(data: &Folder) -> Self {
        Self::start(testbed_program(), &["--data", &data.path().to_string_lossy()]).await
    }

    /// Any service on a free port. Pages of all origins may call, as they may by default where it is deployed: so the
    /// tests reach what is behind the front, which refuses them otherwise.
    pub async fn start(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Self {
        Self::to_pages_of_this_machine(program, &[&["--allowed-origins", "*"], arguments].concat()).await
    }

    /// Any service on a free port, with no arguments but these.
    pub async fn to_pages_of_this_machine(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Self {
        let logs = Folder::new();
        let file = |name: &str| File::create(logs.path().join(name)).unwrap();
        let mut child = command(program)
            .args(["--port", "0"])
            .args(arguments)
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        let mut waited = Duration::ZERO;
        loop {
            let stderr = fs::read_to_string(logs.path().join("stderr")).unwrap();
            if let Some(address) = stderr.split_once(" answers at http://").and_then(|(_, rest)| rest.split_once('/')) {
                return Self { child, address: address.0.parse().unwrap(), logs };
            }
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the service ended with {status}: {stderr}");
            }
            if waited > START_LIMIT {
                let _ = child.kill();
                panic!("the service does not start: {stderr}");
            }
            sleep(PAUSE).await;
            waited += PAUSE;
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub async fn connect(&self) -> Connection {
        Connection::open(self.address).await.unwrap()
    }

    /// Sends one request on a connection of its own.
    pub async fn send(&self, request: &Request) -> Answer {
        self.connect().await.send(request).await.unwrap()
    }

    /// Calls a query.
    pub async fn query(&self, token: &str, procedure: &str, input: Value) -> Answer {
        self.send(&Request::query(procedure, &input).bearer(token)).await
    }

    /// Calls a mutation.
    pub async fn mutation(&self, token: &str, procedure: &str, input: Value) -> Answer {
        self.send(&Request::mutation(procedure, &input).bearer(token)).await
    }

    /// Everything that was written to standard output and standard error.
    pub fn written(&self) -> String {
        let read = |name: &str| String::from_utf8_lossy(&fs::read(self.logs.path().join(name)).unwrap()).into_owned();
        read("stdout") + &read("stderr")
    }

    /// The lines of the log so far.
    pub fn log(&self) -> Vec<Value> {
        let stdout = fs::read_to_string(self.logs.path().join("stdout")).unwrap();
        stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The first line of the log that fits, which must come soon: the log is written beside the calls.
    pub async fn logged(&self, fits: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            if let Some(line) = self.log().into_iter().find(&fits) {
                return line;
            }
            sleep(PAUSE).await;
        }
        panic!("no such line in the log:\n{}", self.written());
    }

    pub fn signal(&self, signal: Signal) {
        signal_process(self.pid(), signal);
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut waited = Duration::ZERO;
        while waited < END_LIMIT {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            sleep(PAUSE).await;
            waited += PAUSE;
        }
        panic!("the service does not end:\n{}", self.written());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // With a signal that it can obey, so that its functions end as well.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
        }
        for _ in 0..500 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that this test started, directly or not.
pub fn signal_process(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// The testbed in memory, its key, and an administrator.
pub struct TestServer {
    pub service: Service,
    pub key: Key,
    pub admin: String,
    pub data: Folder,
}

impl TestServer {
    pub async fn open() -> Self {
        Self::open_with(Folder::new(), &[]).await
    }

    /// The same with data that is there already, and with more arguments.
    pub async fn open_with(data: Folder, arguments: &[&str]) -> Self {
        let folder = data.path().to_string_lossy().into_owned();
        let service =
            Service::start(testbed_program(), &[&["--ephemeral", "--data", &folder], arguments].concat()).await;
        let key = Key::of(data.path());
        Self { admin: key.token(Role::Administrator), service, key, data }
    }

    /// Creates a user who is not there yet, and answers them.
    pub async fn user(&self, name: &str) -> Value {
        let input = serde_json::json!({"email": format!("{name}@example.com"), "name": name});
        self.service.mutation(&self.admin, "users.create", input).await.data()
    }

    pub async fn query(&self, procedure: &str, input: Value) -> Answer {
        self.service.query(&self.admin, procedure, input).await
    }

    pub async fn mutation(&self, procedure: &str, input: Value) -> Answer {
        self.service.mutation(&self.admin, procedure, input).await
    }
}
