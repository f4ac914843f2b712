//! Runs the functions' Lambda binaries behind a Runtime API of its own.
//!
//! A [`Pool`] runs functions as the cloud does: each as its own process that asks for work
//! (`GET …/invocation/next`), answers it and asks again
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>). One call at a time per
//! process; more processes under load; idle ones end; a hung or crashed one is replaced by the
//! next call. Events and answers are bytes here: what they mean is not this module's business.
//!
//! **A call that was handed out is never repeated**, because the function may have changed data
//! before it died. A call that still waited when its instance died goes to another one.
//!
//! **One listener per instance** tells who is asking. A path prefix would do it with one listener
//! (`lambda_runtime` accepts a URL in `AWS_LAMBDA_RUNTIME_API`), but other runtimes expect Lambda's
//! documented form, `host:port`.
//!
//! **Processes do not outlive this one.** When a pool is dropped they are killed. When this process
//! is killed itself, the kernel closes its sockets: a `lambda_runtime` binary that waits for work
//! sees its request fail and exits at once, and one that is working finishes its call, cannot
//! deliver it and exits then (both tried: `kill -9` of this process with `lambda_runtime` 1.5).

mod fleet;
mod instance;
mod output;
mod process;
mod runtime_api;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;

use fleet::Fleet;

/// Lambda's limit on a synchronous event and on its response, in bytes.
pub const PAYLOAD_LIMIT_BYTES: usize = 6 * 1024 * 1024;

/// How long [`Pool::shutdown`] waits for calls in flight.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// How long [`Pool::shutdown`] then waits for all processes to be reaped; they are killed well
/// before.
const REAP_LIMIT: Duration = Duration::from_secs(10);

/// One function: its program and its limits.
#[derive(Debug, Clone)]
pub struct Function {
    /// The Lambda's name, by which it is invoked: `orders-get`.
    pub name: String,
    /// The binary, started without arguments.
    pub program: PathBuf,
    /// Variables beside those that Lambda itself sets; they win where both set one. Nothing of
    /// this process's environment is passed on, except `PATH`.
    pub environment: Vec<(String, String)>,
    /// How long one call may take, and how long a call waits for a free instance.
    pub timeout: Duration,
    /// How long a new process may take until it first asks for work.
    pub init_timeout: Duration,
    /// The most processes at one time; at least one.
    pub max_instances: usize,
    /// How long an idle process is kept.
    pub idle_for: Duration,
    /// The memory size that the function is told, in megabytes. It is not enforced.
    pub memory_mb: u32,
}

/// Why a call has no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvokeError {
    /// The pool has no function of this name.
    UnknownFunction,
    /// No process could be started, or it ended, failed or took too long before it asked for work.
    InitFailed {
        /// What happened, for the log.
        message: String,
    },
    /// The process ended in the middle of the call.
    Crashed {
        /// Its exit status or signal, as the system words it.
        exit: String,
    },
    /// The call took longer than the function's timeout; its process was killed.
    TimedOut {
        /// The function's timeout.
        after: Duration,
    },
    /// The function's runtime posted an error instead of an answer.
    Failed {
        /// The error's type as posted; `Unknown` if there was none.
        error_type: String,
        /// The error's message as posted.
        message: String,
    },
    /// Every instance was busy and none came free within the timeout.
    Throttled,
    /// The event is larger than [`PAYLOAD_LIMIT_BYTES`].
    EventTooLarge,
    /// The answer is larger than [`PAYLOAD_LIMIT_BYTES`].
    ResponseTooLarge,
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFunction => f.write_str("there is no such function"),
            Self::InitFailed { message } => write!(f, "the function did not start: {message}"),
            Self::Crashed { exit } => {
                write!(f, "the function's process ended during the call: {exit}")
            }
            Self::TimedOut { after } => write!(f, "the function did not answer within {} ms", after.as_millis()),
            Self::Failed { error_type, message } => write!(f, "the function failed: {error_type}: {message}"),
            Self::Throttled => f.write_str("every instance of the function is busy"),
            Self::EventTooLarge => {
                write!(f, "the event is larger than {PAYLOAD_LIMIT_BYTES} bytes")
            }
            Self::ResponseTooLarge => {
                write!(f, "the answer is larger than {PAYLOAD_LIMIT_BYTES} bytes")
            }
        }
    }
}

impl std::error::Error for InvokeError {}

/// The functions and their processes. Clones share them. The processes are killed when the last
/// clone is dropped; [`Pool::shutdown`] is the orderly end.
#[derive(Debug, Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    fleets: HashMap<String, Arc<Fleet>>,
    /// One task for each process. Dropping the set aborts them, which kills the processes.
    tasks: Mutex<JoinSet<()>>,
    /// True once the pool shuts down.
    ending: watch::Sender<bool>,
}

impl Pool {
    /// Starts a pool of functions; a call starts a process when it needs one.
    ///
    /// # Errors
    /// When a program does not exist, or two functions have one name.
    pub async fn start(functions: Vec<Function>) -> io::Result<Self> {
        let (ending, _) = watch::channel(false);
        let mut fleets = HashMap::with_capacity(functions.len());
        for function in functions {
            let name = function.name.clone();
            if let Err(error) = tokio::fs::metadata(&function.program).await {
                let message = format!("{name}: {}: {error}", function.program.display());
                return Err(io::Error::new(error.kind(), message));
            }
            if fleets.insert(name.clone(), Arc::new(Fleet::new(function, ending.subscribe()))).is_some() {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("two functions are named {name}")));
            }
        }
        Ok(Self { shared: Arc::new(Shared { fleets, tasks: Mutex::default(), ending }) })
    }

    /// Calls a function with an event and waits for its answer.
    ///
    /// The request id reaches the function as `Lambda-Runtime-Aws-Request-Id`. It has to be fit for
    /// a header and a path (letters, digits, `-`, at most 128); another is replaced by a new one.
    ///
    /// # Errors
    /// See [`InvokeError`].
    pub async fn invoke(&self, function: &str, request_id: &str, event: Bytes) -> Result<Bytes, InvokeError> {
        let fleet = self.shared.fleets.get(function).ok_or(InvokeError::UnknownFunction)?;
        if event.len() > PAYLOAD_LIMIT_BYTES {
            return Err(InvokeError::EventTooLarge);
        }
        let fits = (1..=128).contains(&request_id.len())
            && request_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let request_id = if fits { request_id.to_owned() } else { uuid::Uuid::now_v7().to_string() };
        fleet.invoke(request_id, event, &self.shared.tasks).await
    }

    /// The number of living processes of a function, those that start or end included.
    #[must_use]
    pub fn instances(&self, function: &str) -> usize {
        self.shared.fleets.get(function).map_or(0, |fleet| fleet.instances())
    }

    /// Shuts down: new calls are refused, those in flight finish (for at most 10 s), then all processes get `SIGTERM`,
    /// are killed if they do not end, and reaped.
    pub async fn shutdown(self) {
        for fleet in self.shared.fleets.values() {
            fleet.close();
        }
        let drained = async {
            for fleet in self.shared.fleets.values() {
                fleet.drained().await;
            }
        };
        if tokio::time::timeout(DRAIN_LIMIT, drained).await.is_err() {
            tracing::warn!("calls were still running after {} s and are cut off", DRAIN_LIMIT.as_secs());
        }
        self.shared.ending.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let reaped = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(REAP_LIMIT, reaped).await.is_err() {
            tracing::warn!("some processes could not be reaped within {} s", REAP_LIMIT.as_secs());
        }
    }
}
