//! A function's process: its start, its pipes, its termination.

use std::io;
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Function, output, runtime_api};

/// How long a process may take to end after `SIGTERM`.
const TERM_GRACE: Duration = Duration::from_secs(2);
/// How long a process that reported an init error may take to end by itself.
const INIT_ERROR_GRACE: Duration = Duration::from_secs(1);
/// How long to wait for the last output of a process that has ended: its children, if it left any, may hold the pipes
/// open.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// A running process with its own Runtime API. Dropping it kills the process.
pub(super) struct Process {
    pub(super) child: Child,
    /// The requests of its runtime.
    pub(super) reports: mpsc::Receiver<runtime_api::Report>,
    output: JoinSet<()>,
    /// The Runtime API's task, aborted on drop together with its connections.
    _server: JoinSet<()>,
}

impl Process {
    pub(super) async fn start(function: &Function, instance: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let mut child = command(function, &address, instance).spawn()?;
        // A runtime has one request at a time; a few more may come from a faulty one.
        let (sender, reports) = mpsc::channel(4);
        let mut server = JoinSet::new();
        server.spawn(runtime_api::serve(listener, sender));
        let mut output = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            let name = function.name.clone();
            output.spawn(async move { output::pass(stdout, &name, std::io::stdout).await });
        }
        if let Some(stderr) = child.stderr.take() {
            let name = function.name.clone();
            output.spawn(async move { output::pass(stderr, &name, std::io::stderr).await });
        }
        Ok(Self { child, reports, output, _server: server })
    }

    /// Sends `SIGTERM` and waits until the process is reaped; kills it when it does not end.
    pub(super) async fn terminate(&mut self) {
        // A process without an id is reaped already; until then the id cannot belong to another.
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        self.end_within(TERM_GRACE).await;
    }

    /// Waits for an announced exit; kills the process when it does not come.
    pub(super) async fn wait_for_exit(&mut self) {
        self.end_within(INIT_ERROR_GRACE).await;
    }

    async fn end_within(&mut self, grace: Duration) {
        if tokio::time::timeout(grace, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Kills and reaps the process.
    pub(super) async fn kill(&mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::warn!(%error, "a function's process could not be killed");
        }
    }

    /// Forwards the last output.
    pub(super) async fn drain_output(&mut self) {
        let drained = async { while self.output.join_next().await.is_some() {} };
        // A process that still holds the pipes is no function of ours.
        let _ = tokio::time::timeout(OUTPUT_GRACE, drained).await;
    }
}

/// The environment that Lambda documents for custom runtimes, with the function's own on top.
fn command(function: &Function, runtime_api: &str, instance: u64) -> Command {
    let name = function.name.as_str();
    let memory_mb = function.memory_mb.to_string();
    let mut command = Command::new(&function.program);
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory_mb),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{name}")),
            ("AWS_LAMBDA_LOG_STREAM_NAME", &format!("local/{instance}")),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("TZ", ":UTC"),
            ("_HANDLER", name),
        ])
        .envs(function.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A Ctrl-C at the terminal goes to the whole group; calls in flight must finish after it.
        .process_group(0)
        .kill_on_drop(true);
    command
}
