//! A pool with real processes: `function.py` beside this file does what the event says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

use super::{Function, InvokeError, PAYLOAD_LIMIT_BYTES, Pool};

/// Far beyond any step's duration: a test that waits for it fails.
const LONG: Duration = Duration::from_secs(3600);
const POLL: Duration = Duration::from_millis(5);
const POLLS: usize = 4000;

fn function() -> Function {
    Function {
        name: "subject".to_owned(),
        program: Path::new(env!("CARGO_MANIFEST_DIR")).join("src/isolated/function.py"),
        environment: Vec::new(),
        timeout: LONG,
        init_timeout: LONG,
        max_instances: 1,
        idle_for: LONG,
        memory_mb: 256,
    }
}

async fn pool(function: Function) -> Pool {
    Pool::start(vec![function]).await.expect("the program exists")
}

async fn invoke(pool: &Pool, event: Value) -> Result<Value, InvokeError> {
    let answer = pool.invoke("subject", "request-1", Bytes::from(event.to_string())).await?;
    Ok(serde_json::from_slice(&answer).expect("the function answers with JSON"))
}

async fn pid(pool: &Pool) -> Pid {
    let answer = invoke(pool, json!({ "do": "describe" })).await.expect("it answers");
    pid_of(&answer["pid"])
}

fn pid_of(value: &Value) -> Pid {
    let raw = value.as_i64().and_then(|pid| i32::try_from(pid).ok());
    raw.and_then(Pid::from_raw).expect("a process id")
}

fn runs(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}

/// Waits, for a bounded time, until the condition holds.
async fn until(condition: impl Fn() -> bool) {
    for _ in 0..POLLS {
        if condition() {
            return;
        }
        tokio::time::sleep(POLL).await;
    }
    panic!("the condition did not come to hold");
}

/// A folder for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("onefold-isolated-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path).expect("the folder can be made");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn one_instance_answers_call_after_call() {
    let pool = pool(function()).await;
    assert_eq!(pool.instances("subject"), 0);
    for number in 0..3 {
        let event = json!({ "do": "echo", "number": number });
        assert_eq!(invoke(&pool, event.clone()).await, Ok(event));
    }
    assert_eq!(pid(&pool).await, pid(&pool).await);
    assert_eq!(pool.instances("subject"), 1);
    pool.shutdown().await;
}

#[tokio::test]
async fn an_instance_sees_lambda_s_environment_and_headers_and_nothing_of_ours() {
    let own = vec![("TABLE".to_owned(), "service".to_owned()), ("AWS_REGION".to_owned(), "eu-west-1".to_owned())];
    let pool = pool(Function { environment: own, timeout: Duration::from_secs(60), ..function() }).await;
    let answer = invoke(&pool, json!({ "do": "describe" })).await.expect("it answers");
    let environment = &answer["environment"];
    for (name, value) in [
        ("TABLE", "service"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "subject"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("_HANDLER", "subject"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    assert!(environment["PATH"].is_string());
    assert!(environment.get("CARGO_MANIFEST_DIR").is_none(), "cargo sets it for this test only");
    let headers = &answer["headers"];
    let header = |name: &str| headers[name].as_str().unwrap_or_default();
    assert_eq!(header("lambda-runtime-aws-request-id"), "request-1");
    assert!(header("lambda-runtime-invoked-function-arn").ends_with(":function:subject"));
    assert!(header("lambda-runtime-trace-id").starts_with("Root=1-"));
    assert!(header("lambda-runtime-deadline-ms").parse::<u64>().is_ok());
    pool.shutdown().await;
}

#[tokio::test]
async fn a_posted_error_is_the_caller_s_and_the_instance_goes_on() {
    let pool = pool(function()).await;
    let before = pid(&pool).await;
    let expected = InvokeError::Failed { error_type: "Fault".to_owned(), message: "the fault".to_owned() };
    assert_eq!(invoke(&pool, json!({ "do": "error" })).await, Err(expected));
    assert_eq!(pid(&pool).await, before);
    pool.shutdown().await;
}

#[tokio::test]
async fn what_is_not_allowed_is_refused_and_harms_nothing() {
    let folder = Folder::new();
    let report = folder.file("report");
    let pool = pool(function()).await;
    let first = invoke(&pool, json!({ "do": "confuse", "report": report })).await;
    assert_eq!(first, Ok(json!("first")));
    // The instance requests the next call only after it has written its report.
    assert_eq!(
        invoke(&pool, json!({ "do": "error" })).await.map_err(|error| error.to_string()),
        Err("the function failed: Fault: the fault".to_owned())
    );
    let statuses: Value = serde_json::from_slice(&std::fs::read(report).expect("it was written")).expect("it is JSON");
    let expected = json!({
        "wrong": 400, "next": 403, "init": 403, "path": 404, "first": 202, "second": 403, "error": 403,
    });
    assert_eq!(statuses, expected);
    pool.shutdown().await;
}

#[tokio::test]
async fn a_crash_in_the_middle_is_told_at_once_replaced_and_never_repeated() {
    let folder = Folder::new();
    let calls = folder.file("calls");
    let pool = pool(function()).await;
    let crashed = invoke(&pool, json!({ "do": "exit", "note": calls })).await;
    assert!(matches!(&crashed, Err(InvokeError::Crashed { exit }) if exit.contains('7')), "{crashed:?}");
    assert_eq!(invoke(&pool, json!({ "do": "echo" })).await, Ok(json!({ "do": "echo" })));
    assert_eq!(lines(&calls), 1, "the call was handed out once");
    assert_eq!(pool.instances("subject"), 1);
    pool.shutdown().await;
}

#[tokio::test]
async fn an_instance_that_dies_while_idle_is_replaced_silently() {
    let pool = pool(function()).await;
    let first = pid(&pool).await;
    kill_process(first, Signal::KILL).expect("it runs");
    until(|| pool.instances("subject") == 0).await;
    assert_ne!(pid(&pool).await, first);
    pool.shutdown().await;
}

#[tokio::test]
async fn a_call_that_finds_its_instance_exiting_goes_to_another() {
    let folder = Folder::new();
    let calls = folder.file("calls");
    let pool = pool(function()).await;
    for _ in 0..5 {
        assert_eq!(invoke(&pool, json!({ "do": "exit after", "note": calls })).await, Ok(json!("done")));
    }
    assert_eq!(lines(&calls), 5);
    pool.shutdown().await;
}

#[tokio::test]
async fn a_hung_instance_is_killed_and_the_next_call_gets_a_new_one() {
    let timeout = Duration::from_secs(3);
    let pool = pool(Function { timeout, ..function() }).await;
    let hung = pid(&pool).await;
    assert_eq!(invoke(&pool, json!({ "do": "hang" })).await, Err(InvokeError::TimedOut { after: timeout }));
    assert_ne!(pid(&pool).await, hung);
    assert!(!runs(hung));
    pool.shutdown().await;
}

#[tokio::test]
async fn a_function_that_cannot_start_says_why() {
    let init = |mode: &str, init_timeout| {
        let environment = vec![("MODE".to_owned(), mode.to_owned())];
        let function = Function { environment, init_timeout, ..function() };
        async move {
            let pool = pool(function).await;
            let result = invoke(&pool, json!({ "do": "echo" })).await;
            until(|| pool.instances("subject") == 0).await;
            pool.shutdown().await;
            result
        }
    };
    let failed = |message: &str| Err(InvokeError::InitFailed { message: message.to_owned() });
    assert_eq!(init("init error", LONG).await, failed("Init.Config: no config"));
    assert_eq!(init("init exit", LONG).await, failed("it ended before it asked for work: exit status: 3"));
    let hung = init("init hang", Duration::from_millis(50)).await;
    assert_eq!(hung, failed("it did not ask for work within 50 ms"));
}

#[tokio::test]
async fn a_program_that_is_missing_or_cannot_run_is_told() {
    let missing = Pool::start(vec![Function { program: "/no/such/program".into(), ..function() }]).await;
    assert_eq!(missing.err().map(|error| error.kind()), Some(std::io::ErrorKind::NotFound));
    let twice = Pool::start(vec![function(), function()]).await;
    assert_eq!(twice.err().map(|error| error.kind()), Some(std::io::ErrorKind::AlreadyExists));

    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let pool = pool(Function { program, ..function() }).await;
    let failed = invoke(&pool, json!({ "do": "echo" })).await;
    assert!(matches!(failed, Err(InvokeError::InitFailed { .. })), "{failed:?}");
    assert_eq!(pool.invoke("other", "1", Bytes::new()).await, Err(InvokeError::UnknownFunction));
}

#[tokio::test]
async fn calls_at_one_time_get_instances_of_their_own() {
    let folder = Folder::new();
    let pool = pool(Function { max_instances: 3, ..function() }).await;
    // Each answers only when all three are running.
    let event = json!({ "do": "meet", "in": folder.0, "count": 3 });
    let (first, second, third) =
        tokio::join!(invoke(&pool, event.clone()), invoke(&pool, event.clone()), invoke(&pool, event));
    let pids = [first, second, third].map(|answer| pid_of(&answer.expect("it met the others")));
    assert!(pids[0] != pids[1] && pids[1] != pids[2] && pids[0] != pids[2]);
    assert_eq!(pool.instances("subject"), 3);
    pool.shutdown().await;
    assert!(pids.iter().all(|pid| !runs(*pid)));
}

#[tokio::test]
async fn a_call_waits_for_a_free_instance_when_no_more_may_start() {
    let pool = pool(Function { max_instances: 2, ..function() }).await;
    let calls = (0..8).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move { pid(&pool).await })
    });
    let mut pids = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        pids.push(call.await.expect("it answers").as_raw_nonzero());
    }
    pids.sort_unstable();
    pids.dedup();
    assert!(pids.len() <= 2, "{pids:?}");
    pool.shutdown().await;
}

#[tokio::test]
async fn a_call_is_throttled_when_no_instance_comes_free_in_time() {
    let folder = Folder::new();
    let go = folder.file("go");
    // The first call's start takes longer than the timeout of the second, which waits for the only permit.
    let environment = vec![("MODE".to_owned(), "init slow".to_owned())];
    let pool = pool(Function { environment, timeout: Duration::from_secs(3), ..function() }).await;
    let first = invoke(&pool, json!({ "do": "wait", "for": go }));
    let second = async {
        let throttled = invoke(&pool, json!({ "do": "echo" })).await;
        std::fs::write(&go, "").expect("the file can be written");
        throttled
    };
    assert_eq!(tokio::join!(first, second), (Ok(json!("waited")), Err(InvokeError::Throttled)));
    pool.shutdown().await;
}

#[tokio::test]
async fn an_idle_instance_ends_and_the_next_call_starts_another() {
    let pool = pool(Function { idle_for: Duration::from_millis(100), ..function() }).await;
    let first = pid(&pool).await;
    until(|| pool.instances("subject") == 0).await;
    assert!(!runs(first));
    assert_ne!(pid(&pool).await, first);
    pool.shutdown().await;
}

#[tokio::test]
async fn six_megabytes_pass_and_more_is_refused_in_both_directions() {
    let folder = Folder::new();
    let report = folder.file("report");
    let pool = pool(function()).await;
    let before = pid(&pool).await;
    let event = Bytes::from(vec![b' '; PAYLOAD_LIMIT_BYTES + 1]);
    assert_eq!(pool.invoke("subject", "1", event).await, Err(InvokeError::EventTooLarge));
    let large = |bytes: usize| json!({ "do": "large", "bytes": bytes, "report": report });
    assert_eq!(invoke(&pool, large(7 * 1024 * 1024)).await, Err(InvokeError::ResponseTooLarge));
    assert_eq!(pid(&pool).await, before, "the instance got its 413 and goes on");
    assert_eq!(std::fs::read_to_string(&report).ok().as_deref(), Some("413"));
    // Two bytes are the quotes of the JSON string.
    let most = invoke(&pool, large(PAYLOAD_LIMIT_BYTES - 2)).await.expect("it is within the limit");
    assert_eq!(most.as_str().map(str::len), Some(PAYLOAD_LIMIT_BYTES - 2));
    let mut event = br#"{"do":"echo"}"#.to_vec();
    event.resize(PAYLOAD_LIMIT_BYTES, b' ');
    assert!(pool.invoke("subject", "1", event.into()).await.is_ok());
    pool.shutdown().await;
}

#[tokio::test]
async fn shutdown_lets_calls_finish_refuses_new_ones_and_leaves_no_process() {
    let folder = Folder::new();
    let (go, started) = (folder.file("go"), folder.file("started"));
    let pool = pool(function()).await;
    let before = pid(&pool).await;
    let call = tokio::spawn({
        let (pool, go, started) = (pool.clone(), go.clone(), started.clone());
        async move { invoke(&pool, json!({ "do": "wait", "for": go, "note": started })).await }
    });
    until(|| lines(&started) == 1).await;
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { invoke(&pool, json!({ "do": "echo" })).await }
    });
    let ending = tokio::spawn(pool.clone().shutdown());
    let refused = waiting.await.expect("no panic");
    assert!(matches!(refused, Err(InvokeError::InitFailed { .. })), "{refused:?}");
    std::fs::write(&go, "").expect("the file can be written");
    assert_eq!(call.await.expect("no panic"), Ok(json!("waited")));
    ending.await.expect("no panic");
    assert_eq!(pool.instances("subject"), 0);
    assert!(!runs(before));
}

#[tokio::test]
async fn a_dropped_pool_leaves_no_process() {
    let pool = pool(function()).await;
    let left = pid(&pool).await;
    drop(pool);
    // The process is killed at once, and reaped by tokio a little later.
    until(|| !runs(left)).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_free_the_place_of_its_call() {
    let folder = Folder::new();
    let (go, calls) = (folder.file("go"), folder.file("calls"));
    let pool = pool(function()).await;
    let call = tokio::spawn({
        let (pool, go, calls) = (pool.clone(), go.clone(), calls.clone());
        async move { invoke(&pool, json!({ "do": "wait", "for": go, "note": calls })).await }
    });
    until(|| lines(&calls) == 1).await;
    call.abort();
    assert!(call.await.is_err_and(|error| error.is_cancelled()));
    let next = tokio::spawn({
        let pool = pool.clone();
        async move { pid(&pool).await }
    });
    std::fs::write(&go, "").expect("the file can be written");
    next.await.expect("it gets the same instance");
    assert_eq!((lines(&calls), pool.instances("subject")), (1, 1));
    pool.shutdown().await;
}
