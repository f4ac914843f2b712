//! One script of calls, played in each style on a service of its own.
//!
//! The script is composed on the first service, where later calls use what earlier ones gave. On the others, what is
//! made by chance or by the clock is another value in the same place: there a value stands for its counterpart. Which
//! values are such is told by a second play in the same style: what differs between two plays that are the same.

use std::collections::{HashMap, HashSet};

use fastrand::Rng;
use serde_json::{Value, json};

use super::{
    calls::{Contract, Pool, Procedure, made_up},
    drivers::{Driver, Failed, Heard},
};
use crate::support::{Connection, Key, Request, Service, mailbox};

/// The password of whoever registers.
pub const PASSWORD: &str = "seven grey herons wade";

/// Who calls, by what the script knows of them.
#[derive(Clone, Debug)]
pub enum Who {
    Nobody,
    /// Somebody with a token of this role and no account.
    Operator(&'static str),
    /// The user of this id, with a token of the operator's role.
    User(String),
    /// Whoever has this token of a session.
    Session(String),
    /// Whoever a service takes for its own with this token.
    Token(&'static str),
}

/// A call, and what came of it when the script was composed.
#[derive(Clone, Debug)]
pub struct Step {
    pub procedure: String,
    pub input: Option<Value>,
    pub who: Who,
    pub heard: Heard,
    /// Whose mail the token of its input came with.
    pub mailed_to: Option<String>,
}

/// A service to play on. `key` signs its tokens, where it has one.
pub struct Stage<'a> {
    pub service: &'a Service,
    pub key: Option<&'a Key>,
    operator_role: &'static str,
    connection: Connection,
}

impl<'a> Stage<'a> {
    pub async fn of(service: &'a Service, key: Option<&'a Key>, operator_role: &'static str) -> Self {
        Self { service, key, operator_role, connection: service.connect().await }
    }

    fn presented(&self, request: Request, who: &Who, counterparts: &Counterparts) -> Request {
        let operator = "0190f1d0-0000-7000-8000-000000000000";
        match (who, self.key) {
            (Who::Nobody, _) => request,
            (Who::Operator(role), Some(key)) => request.bearer(&key.token_named(role, operator)),
            (Who::User(id), Some(key)) => request.bearer(&key.token_named(self.operator_role, &counterparts.of(id))),
            (Who::Session(token), _) => request.bearer(&counterparts.of(token)),
            (Who::Token(token), _) => request.bearer(token),
            (who, None) => panic!("{who:?} has no token here"),
        }
    }

    /// Makes one call. None when the style has no words for it.
    async fn call(
        &mut self,
        driver: &dyn Driver,
        procedure: Procedure<'_>,
        input: Option<&Value>,
        who: &Who,
        counterparts: &Counterparts,
    ) -> Option<Result<Heard, String>> {
        let request = self.presented(driver.say(procedure, input)?, who, counterparts);
        let answer = match self.connection.send(&request).await {
            Ok(answer) => answer,
            // The service may have closed a connection that it answered an error on.
            Err(_) => {
                self.connection = self.service.connect().await;
                let again = self.connection.send(&request).await;
                again.unwrap_or_else(|error| {
                    panic!("{error}: {} in {}: {request:.2000?}", procedure.name(), driver.name())
                })
            }
        };
        if answer.header("connection") == Some("close") {
            self.connection = self.service.connect().await;
        }
        Some(driver.hear(procedure, &answer))
    }
}

/// What stands for what in another play.
#[derive(Default)]
pub struct Counterparts(HashMap<String, String>);

impl Counterparts {
    fn of(&self, text: &str) -> String {
        self.0.get(text).cloned().unwrap_or_else(|| text.to_owned())
    }

    fn within(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.of(text).into(),
            Value::Array(entries) => entries.iter().map(|entry| self.within(entry)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (self.of(name), self.within(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }
}

/// Composes a script.
pub struct Composer<'a> {
    contract: &'a Contract,
    stage: Stage<'a>,
    driver: &'a dyn Driver,
    pool: Pool,
    rng: Rng,
    /// Users with an account, for calls in their names.
    users: Vec<String>,
    script: Vec<Step>,
}

impl<'a> Composer<'a> {
    pub fn new(contract: &'a Contract, stage: Stage<'a>, driver: &'a dyn Driver, seed: u64) -> Self {
        let (pool, rng) = (Pool::default(), Rng::with_seed(seed));
        Self { contract, stage, driver, pool, rng, users: Vec::new(), script: Vec::new() }
    }

    /// Makes a call and writes it down.
    pub async fn call(&mut self, name: &str, input: Option<Value>, who: Who) -> Heard {
        let procedure = self.contract.find(name).unwrap();
        let heard = self.stage.call(self.driver, procedure, input.as_ref(), &who, &Counterparts::default()).await;
        let heard =
            heard.expect("the first style has words for everything").unwrap_or_else(|fault| panic!("{name}: {fault}"));
        if let (Ok(Some(output)), Some(schema)) = (&heard, procedure.output()) {
            self.pool.take_in(procedure.document, schema, output, "");
        }
        self.script.push(Step { procedure: name.to_owned(), input, who, heard: heard.clone(), mailed_to: None });
        heard
    }

    /// Lets inputs hold what is not made up, since it has a meaning for identity: the password of those who registered and
    /// a new one, where an application is, and these scopes.
    pub fn knows(&mut self, scopes: &[&str]) {
        let words = [
            ("GivenPassword", PASSWORD),
            ("Password", "nine brown foxes swim"),
            ("redirectUris", "https://app.example.com/callback"),
        ];
        for (name, value) in words.into_iter().chain(scopes.iter().map(|scope| ("scopes", *scope))) {
            self.pool.keep(name, &value.into());
        }
    }

    /// Somebody with an account, in whose name others call, too; and the token of their session.
    pub async fn register(&mut self, name: &str) {
        let email = format!("{name}@example.com");
        let registration = json!({"email": email, "name": name, "password": PASSWORD});
        self.call("auth.register", Some(registration), Who::Nobody).await.unwrap();
        let token = mailbox::mail(self.stage.service, &email, 1).await.token();
        let proof = json!({"token": token, "password": PASSWORD});
        self.call("auth.verifyEmail", Some(proof), Who::Nobody).await.unwrap();
        self.script.last_mut().unwrap().mailed_to = Some(email);
        let id = self.login(name).await;
        self.users.push(id);
    }

    /// Signs somebody in who registered; answers the id.
    pub async fn login(&mut self, name: &str) -> String {
        let login = json!({"email": format!("{name}@example.com"), "password": PASSWORD, "keep": "tokens"});
        let signed_in = self.call("auth.login", Some(login), Who::Nobody).await.unwrap().unwrap();
        signed_in["user"]["id"].as_str().unwrap().to_owned()
    }

    /// Whoever registered first.
    pub fn user(&self) -> Who {
        Who::User(self.users[0].clone())
    }

    /// Whoever registered last.
    pub fn newest(&self) -> Who {
        Who::User(self.users[self.users.len() - 1].clone())
    }

    /// Whoever signed in last.
    pub fn session(&self) -> Who {
        Who::Session(self.pool.last("accessToken").unwrap())
    }

    /// Calls every procedure so many times, in an order of chance, with valid inputs and near misses.
    pub async fn call_everything(mut self, times: usize, strangers: &[Who]) -> Vec<Step> {
        let mut names: Vec<_> = self.contract.procedures().map(|procedure| procedure.name()).collect();
        for _ in 0..times {
            self.rng.shuffle(&mut names);
            for name in &names {
                let procedure = self.contract.find(name).unwrap();
                // What is gone can be called no more: so less goes than comes.
                if procedure.rest().is_some_and(|(method, _)| method == "DELETE") && self.rng.u8(..3) > 0 {
                    continue;
                }
                let spoilt = self.rng.u8(..3) == 0;
                let leave_out = procedure.input().is_some() && self.rng.u8(..12) == 0;
                let input = if leave_out { None } else { made_up(&mut self.rng, procedure, &self.pool, spoilt) };
                let who = self.somebody(strangers);
                let _ = self.call(name, input, who).await;
            }
        }
        self.script
    }

    fn somebody(&mut self, strangers: &[Who]) -> Who {
        match self.rng.u8(..10) {
            0..4 if !self.users.is_empty() => Who::User(self.rng.choice(&self.users).unwrap().clone()),
            4..7 => match self.pool.draw(&mut self.rng, "accessToken") {
                Some(Value::String(token)) => Who::Session(token),
                _ => Who::Nobody,
            },
            _ => self.rng.choice(strangers).unwrap().clone(),
        }
    }
}

/// Places in the outputs of a script where two plays differ: the step, and the path.
pub type Chance = HashSet<(usize, String)>;

/// Plays a script in a style. Answers each step's outcome as the script would have it, with counterparts turned back.
/// None where the style has no words for the call. Without `chance`, whatever differs is by chance.
pub async fn play(
    contract: &Contract,
    script: &[Step],
    driver: &dyn Driver,
    mut stage: Stage<'_>,
    chance: Option<&Chance>,
) -> Vec<Option<Result<Heard, String>>> {
    let mut counterparts = Counterparts::default();
    let mut all = Vec::new();
    for (at, step) in script.iter().enumerate() {
        let procedure = contract.find(&step.procedure).unwrap();
        if let (Some(to), Some(input)) = (&step.mailed_to, &step.input) {
            let token = mailbox::mail(stage.service, to, 1).await.token();
            counterparts.0.insert(input["token"].as_str().unwrap().to_owned(), token);
        }
        let input = step.input.as_ref().map(|input| counterparts.within(input));
        let heard = match driver.has(procedure) {
            true => stage.call(driver, procedure, input.as_ref(), &step.who, &counterparts).await,
            false => None,
        };
        // What changes something has to happen in every play: a refusal is in the audit log, unless the style's own types
        // came first.
        let is_by_type = |heard: &Heard| driver.is_typed() && is_by_type(&step.heard, heard);
        let instead = match heard.as_ref().is_none_or(|heard| heard.as_ref().is_ok_and(is_by_type)) {
            true => stage.call(&super::drivers::first(), procedure, input.as_ref(), &step.who, &counterparts).await,
            false => None,
        };
        if let Some(Ok(heard)) = heard.as_ref().or(instead.as_ref()) {
            for (path, expected, seen) in differences(&step.heard, heard) {
                if let (Value::String(expected), Value::String(seen)) = (expected, seen)
                    && chance.is_none_or(|chance| chance.contains(&(at, path)))
                {
                    counterparts.0.entry(expected).or_insert(seen);
                }
            }
        }
        all.push(heard);
    }
    all
}

/// Whether a style may have refused by its own types: it names no field, or some of those that are at fault. It looks
/// at them before it is known who calls, and its types are no secret.
pub fn is_by_type(expected: &Heard, seen: &Heard) -> bool {
    match (expected, seen) {
        (Err(expected), Err(seen)) if seen.code == "BAD_REQUEST" && expected.failure.is_none() => {
            let is_named = |path: &String| expected.fields.iter().any(|known| known.starts_with(path));
            match expected.code.as_str() {
                "BAD_REQUEST" => seen.fields.iter().all(is_named),
                code => ["UNAUTHORIZED", "FORBIDDEN"].contains(&code),
            }
        }
        _ => false,
    }
}

/// Where two outcomes of one step differ, as paths with both values. Empty when they agree.
pub fn differences(expected: &Heard, seen: &Heard) -> Vec<(String, Value, Value)> {
    let mut found = Vec::new();
    match (expected, seen) {
        (Ok(expected), Ok(seen)) => differ(&json!(expected), &json!(seen), "output", &mut found),
        (Err(expected), Err(seen)) => {
            if expected.code != seen.code {
                found.push(("code".to_owned(), json!(expected.code), json!(seen.code)));
            }
            differ(&json!(expected.failure), &json!(seen.failure), "failure", &mut found);
            if expected.fields != seen.fields {
                found.push(("fields".to_owned(), json!(expected.fields), json!(seen.fields)));
            }
        }
        (Ok(output), Err(failed)) => found.push(("outcome".to_owned(), json!(output), told(failed))),
        (Err(failed), Ok(output)) => found.push(("outcome".to_owned(), told(failed), json!(output))),
    }
    found
}

fn told(failed: &Failed) -> Value {
    json!({"code": failed.code, "failure": failed.failure, "fields": failed.fields})
}

fn differ(expected: &Value, seen: &Value, path: &str, found: &mut Vec<(String, Value, Value)>) {
    match (expected, seen) {
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                differ(a, b, &format!("{path}[{at}]"), found);
            }
        }
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() && a.keys().all(|name| b.contains_key(name)) => {
            for (name, a) in a {
                differ(a, &b[name], &format!("{path}.{name}"), found);
            }
        }
        (a, b) if a == b => {}
        _ => found.push((path.to_owned(), expected.clone(), seen.clone())),
    }
}
