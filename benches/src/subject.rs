//! The measured functions, with their environments and events.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use runtime::environment::{CURSOR_KEY, DATABASE_ENDPOINT, READ_UNITS, TOKENS};
use serde_json::{Value, json};

use crate::database::{Database, REGION, SESSION, TABLE, USER_EMAIL, USER_ID};
use crate::event::{Get, encoded};
use crate::places::Places;
use crate::process::Launch;
use crate::runtime_api::Event;
use crate::tokens::{AUDIENCE, ISSUER, Signer};

/// Environment variables by name.
type Environment = Vec<(String, String)>;

/// The key that seals cursors; no subject returns one.
const SEALING_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A function under measurement.
pub struct Subject<'a> {
    /// Its name in the tables.
    pub name: &'static str,
    /// How to start an instance.
    pub launch: Launch,
    /// The size of the deployed code, without the language's own runtime, in bytes.
    pub size_bytes: u64,
    /// Its workloads, at least one.
    pub workloads: Vec<Workload<'a>>,
}

/// One kind of calls.
pub struct Workload<'a> {
    /// The label among the subject's workloads; empty if it is the only one.
    pub label: &'static str,
    /// A text that every answer must contain.
    pub expected: &'static str,
    source: Box<dyn Fn(u64) -> io::Result<Event> + 'a>,
    is_varied: bool,
}

impl<'a> Workload<'a> {
    fn same(label: &'static str, expected: &'static str, event: Event) -> Self {
        let source = Box::new(move |_| Ok(Event::clone(&event)));
        Self { label, expected, source, is_varied: false }
    }

    fn varied(label: &'static str, expected: &'static str, source: impl Fn(u64) -> io::Result<Event> + 'a) -> Self {
        Self { label, expected, source: Box::new(source), is_varied: true }
    }

    /// The events for that many calls. Where events vary, no two calls of a run get the same one: `used` counts them.
    pub fn events(&self, count: usize, used: &mut u64) -> io::Result<Vec<Event>> {
        let first = *used;
        if self.is_varied {
            *used += count as u64;
        }
        (first..).take(count).map(|number| (self.source)(number)).collect()
    }
}

/// All functions, in the order of the tables; with those of another commit, from its folder of release binaries.
pub fn subjects<'a>(
    places: &Places,
    database: &Database,
    signer: &'a Signer,
    before: Option<&Path>,
) -> io::Result<Vec<Subject<'a>>> {
    let onefold = |name| environment_of_function(name, database, signer);
    let users = || user_workloads(signer, "/trpc/users.get", Value::Null);
    let with_session = || users().map(|tokens| tokens.into_iter().chain([session_workload()]).collect());
    let one_call = |expected| vec![Workload::same("", expected, ping_event())];
    let ok = || one_call("\"statusCode\":200");
    let mut subjects = vec![
        rust(places.binary("hello-bare"), "hello-bare", lambda_environment(), one_call("pong"))?,
        rust(places.binary("hello-http"), "hello-http", lambda_environment(), ok())?,
        rust(places.binary("hello-sdk"), "hello-sdk", environment_of_sdk(database), one_call(USER_EMAIL))?,
        rust(places.binary("health-ping"), "health-ping", onefold("health-ping"), ok())?,
        rust(places.binary("users-get"), "users-get", onefold("users-get"), with_session()?)?,
        node(places, database, signer)?,
    ];
    if let Some(before) = before {
        subjects.push(rust(before.join("health-ping"), "health-ping before", onefold("health-ping"), ok())?);
        subjects.push(rust(before.join("users-get"), "users-get before", onefold("users-get"), with_session()?)?);
    }
    Ok(subjects)
}

/// A function that is one binary.
fn rust<'a>(
    program: PathBuf,
    name: &'static str,
    environment: Environment,
    workloads: Vec<Workload<'a>>,
) -> io::Result<Subject<'a>> {
    let size_bytes = size(&program)?;
    Ok(Subject { name, launch: Launch { program, arguments: Vec::new(), environment }, size_bytes, workloads })
}

/// Node with tRPC's Lambda adapter, doing the work of `users-get`.
fn node<'a>(places: &Places, database: &Database, signer: &'a Signer) -> io::Result<Subject<'a>> {
    let mut environment = lambda_environment();
    environment.extend(database_access(database));
    let jwks = signer.jwks().to_string();
    environment.extend(owned([
        ("NODE_ENV", "production"),
        ("TABLE_NAME", TABLE),
        ("TOKEN_ISSUER", ISSUER),
        ("TOKEN_AUDIENCE", AUDIENCE),
        ("TOKEN_JWKS", &jwks),
    ]));
    // AWS's managed runtime sizes the heap to the function's memory, here 256 MB: 5 % and 90 % of it.
    let heap = ["--max-semi-space-size=12", "--max-old-space-size=230"].map(str::to_owned);
    let file = |name: &str| places.node.join("dist").join(name);
    let path = |name: &str| file(name).to_string_lossy().into_owned();
    Ok(Subject {
        name: "node-trpc",
        size_bytes: size(&file("handler.mjs"))? + size(&file("runtime.mjs"))?,
        launch: Launch {
            program: "node".into(),
            arguments: heap.into_iter().chain(["runtime.mjs", "handler.mjs"].map(path)).collect(),
            environment,
        },
        workloads: user_workloads(signer, "/trpc/{trpc+}", json!({ "trpc": "users.get" }))?,
    })
}

/// The whole environment of one of Onefold's functions: Lambda's variables and the template's. As deployed, only a
/// function with grants knows a table.
fn environment_of_function(name: &str, database: &Database, signer: &Signer) -> Environment {
    let tokens = json!({ "issuer": ISSUER, "audience": AUDIENCE, "keys": [signer.public_key()] }).to_string();
    let mut environment = lambda_environment();
    environment.extend(owned([(TOKENS, tokens.as_str())]));
    if name != "health-ping" {
        environment.extend(database_access(database));
        environment.extend(owned([(runtime::environment::TABLE, TABLE), (CURSOR_KEY, SEALING_KEY)]));
        // One user makes more calls in a minute here than any caller may. What is read is counted all the same.
        environment.extend(owned([(READ_UNITS, "1000000000")]));
    }
    environment
}

/// The environment of `hello-sdk`.
fn environment_of_sdk(database: &Database) -> Environment {
    let mut environment = lambda_environment();
    environment.extend(database_access(database));
    let key = format!("user#{USER_ID}");
    environment.extend(owned([(runtime::environment::TABLE, TABLE), ("BENCHES_KEY", &key)]));
    environment
}

/// The variables by which every AWS SDK reaches the database.
fn database_access(database: &Database) -> Environment {
    let credentials = database.credentials();
    owned([
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.as_str()),
        (DATABASE_ENDPOINT, database.endpoint()),
    ])
}

/// Fetching one user, with one token for all calls and with a fresh token for each.
fn user_workloads<'a>(
    signer: &'a Signer,
    route: &'static str,
    path_parameters: Value,
) -> io::Result<Vec<Workload<'a>>> {
    let event = move |number| -> io::Result<Event> {
        let query = format!("input={}", encoded(&json!({ "id": USER_ID }).to_string()));
        let token = signer.token(number)?;
        let get = Get {
            route,
            path: "/trpc/users.get",
            query: &query,
            path_parameters: path_parameters.clone(),
            token: Some(&token),
            cookie: None,
        };
        Ok(get.render())
    };
    let same = Workload::same("same token", USER_EMAIL, event(u64::MAX)?);
    Ok(vec![same, Workload::varied("fresh token", USER_EMAIL, event)])
}

/// Fetching one user with the cookie of a session.
fn session_workload<'a>() -> Workload<'a> {
    let query = format!("input={}", encoded(&json!({ "id": USER_ID }).to_string()));
    let route = "/trpc/users.get";
    let cookie = format!("__Host-{}={SESSION}", runtime::sessions::COOKIE);
    let get =
        Get { route, path: route, query: &query, path_parameters: Value::Null, token: None, cookie: Some(&cookie) };
    Workload::same("session", USER_EMAIL, get.render())
}

fn ping_event() -> Event {
    let route = "/trpc/health.ping";
    Get { route, path: route, query: "", path_parameters: Value::Null, token: None, cookie: None }.render()
}

/// The variables that Lambda itself sets for every function.
fn lambda_environment() -> Environment {
    owned([
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/measured"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2025/03/10/[$LATEST]0123456789abcdef"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ])
}

fn owned<const COUNT: usize>(variables: [(&str, &str); COUNT]) -> Environment {
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn size(path: &Path) -> io::Result<u64> {
    Ok(fs::metadata(path)?.len())
}
