//! One process over its lifetime: it starts, asks for work, works, is idle, ends.
//!
//! Each instance has a task that owns the process and decides everything about it, so that there is one order of
//! events: reports of its runtime, new calls, its exit, its deadline.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::process::Child;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::fleet::{Alive, Fleet, Job, Outcome};
use super::process::Process;
use super::runtime_api::{Answer, Failure, Invocation, Report, Verdict};
use super::{Function, InvokeError};

/// The channel by which calls reach an idle instance.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    pub(super) id: u64,
    pub(super) jobs: mpsc::Sender<Job>,
}

/// The state of an instance.
enum State {
    Idle,
    /// It has a call that its runtime has not requested yet.
    Waiting(Job),
    /// Its runtime has the call: from here on it is never given to another instance.
    Working {
        request_id: String,
        reply: oneshot::Sender<Outcome>,
        place: OwnedSemaphorePermit,
    },
}

/// Why an instance ends.
enum End {
    /// The process exited; the text is its exit status or signal.
    Exited(String),
    /// It did not start, or did not answer, in time.
    Overdue,
    /// Its runtime reported that it cannot start.
    InitError(Failure),
    /// It was idle for long enough.
    Unused,
    /// The pool shuts down.
    PoolEnds,
}

struct Instance {
    fleet: Arc<Fleet>,
    handle: Handle,
    state: State,
    /// Its runtime's pending request for work.
    poll: Option<oneshot::Sender<Result<Invocation, Verdict>>>,
    /// Whether it ever requested work: until then it is starting.
    started: bool,
    last_request_id: String,
    /// The deadline of the start, of the call or of being idle.
    deadline: Instant,
}

/// Runs an instance, started for a call, until it ends.
pub(super) async fn run(fleet: Arc<Fleet>, alive: Alive, id: u64, first: Job, mut ending: watch::Receiver<bool>) {
    let mut process = match Process::start(&fleet.function, id).await {
        Ok(process) => process,
        Err(error) => {
            let message = format!("{} could not be started: {error}", fleet.function.program.display());
            drop(alive);
            answer(first.reply, first.place, Err(InvokeError::InitFailed { message }));
            return;
        }
    };
    let (sender, mut jobs) = mpsc::channel(1);
    let mut instance = Instance {
        deadline: Instant::now() + fleet.function.init_timeout,
        handle: Handle { id, jobs: sender },
        state: State::Waiting(first),
        poll: None,
        started: false,
        last_request_id: String::new(),
        fleet,
    };
    let end = instance.run(&mut process, &mut jobs, &mut ending).await;
    // From here on no call can take it. A call that is on its way goes to another instance.
    instance.fleet.withdraw(id);
    jobs.close();
    while let Some(job) = jobs.recv().await {
        let _ = job.reply.send(Outcome::NotHandedOut(job.place));
    }
    // The caller gets the result at once; the permit is released when the process is gone, so that there are never more
    // processes than permits.
    let place = instance.settle(&end);
    match end {
        End::Exited(_) => {}
        End::Overdue => process.kill().await,
        End::InitError(_) => process.wait_for_exit().await,
        End::Unused | End::PoolEnds => process.terminate().await,
    }
    process.drain_output().await;
    drop(alive);
    drop(place);
}

impl Instance {
    async fn run(
        &mut self,
        process: &mut Process,
        jobs: &mut mpsc::Receiver<Job>,
        ending: &mut watch::Receiver<bool>,
    ) -> End {
        loop {
            if let Some(end) = self.hand_out(&mut process.child) {
                return end;
            }
            tokio::select! {
                // The order matters: a report of the process before its exit counts.
                biased;
                Some(report) = process.reports.recv() => {
                    if let Some(end) = self.hear(report) {
                        return end;
                    }
                }
                Some(job) = jobs.recv(), if matches!(self.state, State::Idle) => {
                    self.deadline = Instant::now() + self.function().timeout;
                    self.state = State::Waiting(job);
                }
                exit = process.child.wait() => return End::Exited(describe(exit)),
                // A dropped sender means that the pool was dropped.
                _ = ending.wait_for(|ending| *ending) => return End::PoolEnds,
                () = tokio::time::sleep_until(self.deadline) => {
                    if !matches!(self.state, State::Idle) {
                        return End::Overdue;
                    }
                    if self.fleet.withdraw(self.handle.id) {
                        return End::Unused;
                    }
                    // A call has just taken it and arrives next.
                    self.deadline = Instant::now() + self.function().idle_for;
                }
            }
        }
    }

    fn function(&self) -> &Function {
        &self.fleet.function
    }

    /// Passes the waiting call to the runtime's pending request, if there are both.
    fn hand_out(&mut self, child: &mut Child) -> Option<End> {
        if !matches!(self.state, State::Waiting(_)) {
            return None;
        }
        let poll = self.poll.take()?;
        let State::Waiting(job) = std::mem::replace(&mut self.state, State::Idle) else {
            return None;
        };
        // The request of a process that died while idle may still be pending. The check costs a microsecond, and
        // replaces the instance silently instead of failing the call.
        if let Ok(Some(status)) = child.try_wait() {
            self.state = State::Waiting(job);
            return Some(End::Exited(status.to_string()));
        }
        let invocation =
            Invocation { headers: invocation_headers(self.function(), &job.request_id), event: job.event.clone() };
        if poll.send(Ok(invocation)).is_err() {
            // The runtime cancelled its request; it asks again or ends.
            self.state = State::Waiting(job);
            return None;
        }
        self.deadline = Instant::now() + self.function().timeout;
        self.state = State::Working { request_id: job.request_id, reply: job.reply, place: job.place };
        None
    }

    fn hear(&mut self, report: Report) -> Option<End> {
        match report {
            Report::Next(poll) => {
                if matches!(self.state, State::Working { .. }) {
                    let _ = poll.send(Err(Verdict::NotNow));
                } else {
                    self.started = true;
                    self.poll = Some(poll);
                }
                None
            }
            Report::Answer { request_id, answer, verdict } => {
                let _ = verdict.send(self.accept(&request_id, answer));
                None
            }
            Report::InitError { failure, verdict } => {
                let accepted = !self.started;
                let _ = verdict.send(if accepted { Verdict::Accepted } else { Verdict::NotNow });
                accepted.then_some(End::InitError(failure))
            }
        }
    }

    /// Accepts a response to the call that the runtime has, and to no other.
    fn accept(&mut self, answered_id: &str, posted: Answer) -> Verdict {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Working { request_id, reply, place } if answered_id == request_id => {
                let (result, verdict) = match posted {
                    Answer::Response(response) => (Ok(response), Verdict::Accepted),
                    Answer::TooLarge => (Err(InvokeError::ResponseTooLarge), Verdict::TooLarge),
                    Answer::Error(Failure { error_type, error_message: message }) => {
                        (Err(InvokeError::Failed { error_type, message }), Verdict::Accepted)
                    }
                };
                self.last_request_id = request_id;
                self.deadline = Instant::now() + self.function().idle_for;
                // The order matters: the instance becomes idle, its permit is released, then the caller gets the
                // response. So the next call finds this instance.
                self.fleet.offer(self.handle.clone());
                answer(reply, place, result);
                verdict
            }
            state => {
                self.state = state;
                if answered_id == self.last_request_id { Verdict::NotNow } else { Verdict::UnknownRequestId }
            }
        }
    }

    /// Tells the caller, if there is one, what the end means for its call. Returns the permit that is still held.
    fn settle(&mut self, end: &End) -> Option<OwnedSemaphorePermit> {
        let after = self.function().timeout;
        let (reply, place, error) = match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => return None,
            State::Waiting(job) if self.started && matches!(end, End::Exited(_)) => {
                let _ = job.reply.send(Outcome::NotHandedOut(job.place));
                return None;
            }
            State::Waiting(job) if self.started && matches!(end, End::Overdue) => {
                (job.reply, job.place, InvokeError::TimedOut { after })
            }
            State::Waiting(job) => {
                let message = init_failure(end, self.function());
                (job.reply, job.place, InvokeError::InitFailed { message })
            }
            State::Working { reply, place, .. } => {
                let error = match end {
                    End::Exited(exit) => InvokeError::Crashed { exit: exit.clone() },
                    End::Overdue => InvokeError::TimedOut { after },
                    End::InitError(_) | End::Unused | End::PoolEnds => {
                        InvokeError::Crashed { exit: "ended with the pool".to_owned() }
                    }
                };
                (reply, place, error)
            }
        };
        tracing::warn!(function = self.function().name, instance = self.handle.id, %error, "an instance is given up");
        let _ = reply.send(Outcome::Done(Err(error)));
        Some(place)
    }
}

/// Releases the permit before the caller gets the result, so that its next call need not wait for it.
fn answer(reply: oneshot::Sender<Outcome>, place: OwnedSemaphorePermit, result: Result<bytes::Bytes, InvokeError>) {
    drop(place);
    // The caller may have gone away; the call was executed all the same.
    let _ = reply.send(Outcome::Done(result));
}

fn describe(exit: std::io::Result<std::process::ExitStatus>) -> String {
    exit.map_or_else(|error| error.to_string(), |status| status.to_string())
}

fn init_failure(end: &End, function: &Function) -> String {
    match end {
        End::Exited(exit) => format!("it ended before it asked for work: {exit}"),
        End::Overdue => format!("it did not ask for work within {} ms", function.init_timeout.as_millis()),
        End::InitError(failure) => format!("{}: {}", failure.error_type, failure.error_message),
        End::Unused | End::PoolEnds => "the pool is shutting down".to_owned(),
    }
}

/// The response headers of `GET /runtime/invocation/next`, as the Runtime API documents them.
fn invocation_headers(function: &Function, request_id: &str) -> HeaderMap {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let random = uuid::Uuid::now_v7().simple().to_string();
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{}", function.name);
    // AWS X-Ray, "Tracing header": the start in seconds, then 96 and 64 random bits in hexadecimal.
    let trace = format!("Root=1-{:08x}-{};Parent={};Sampled=0", now.as_secs(), &random[8..], &random[16..]);
    let deadline_ms = (now + function.timeout).as_millis().to_string();
    let mut headers = HeaderMap::with_capacity(8);
    for (name, value) in [
        ("lambda-runtime-aws-request-id", request_id),
        ("lambda-runtime-deadline-ms", &deadline_ms),
        ("lambda-runtime-invoked-function-arn", &arn),
        ("lambda-runtime-trace-id", &trace),
    ] {
        // All values are plain ASCII: the request id is checked on entry, the name at the pool's start.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}
