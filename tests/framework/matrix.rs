//! Every procedure with every kind of caller, over the wire and in every style of API, held against what the contract
//! declares and what the roles may do. A new procedure joins by itself.
//!
//! Each caller is known in two ways: by a token and by the cookie of a session. An employee calls twice: about
//! somebody else's item, and as the owner of one.

use std::sync::Mutex;

use futures_util::future::{join, join_all};
use protocol::Auth;
use runtime::Entry;
use serde_json::{Value, json};
use testbed::Role;

use crate::{
    support::styles::{
        access::{Outcome, seen, seen_by_http},
        calls::{Contract, Procedure, hollow},
        drivers::{self, Driver},
    },
    support::{
        Answer, Key, Request, TestServer,
        tokens::{claims, header, now_s},
    },
};

const PASSWORD: &str = "seven grey herons wade";

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Nobody,
    /// Whoever registered, and was given no role.
    Guest,
    Viewer,
    /// An employee who asks for an item of somebody else.
    Employee,
    /// An employee who asks for an item of their own.
    Owner,
    Administrator,
    /// Somebody whose token or session is over.
    Expired,
    /// Somebody who made the token or the cookie.
    Forged,
}

const CALLERS: [Caller; 8] = [
    Caller::Nobody,
    Caller::Guest,
    Caller::Viewer,
    Caller::Employee,
    Caller::Owner,
    Caller::Administrator,
    Caller::Expired,
    Caller::Forged,
];

impl Caller {
    fn role(self) -> Option<Role> {
        match self {
            Self::Guest => Some(Role::Guest),
            Self::Viewer => Some(Role::Viewer),
            Self::Employee | Self::Owner => Some(Role::Employee),
            Self::Administrator => Some(Role::Administrator),
            Self::Nobody | Self::Expired | Self::Forged => None,
        }
    }
}

/// How the caller is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// An operator's token, which has no session.
    Token,
    /// The token of a session.
    SessionToken,
    Cookie,
}

/// The policy of the testbed, once more and by hand: a role, a permission, and whether.
fn may(role: Role, permission: &str) -> bool {
    match role {
        Role::Administrator => true,
        Role::Employee => ["users:read", "posts:read", "users:write:own", "posts:write:own"].contains(&permission),
        Role::Viewer => permission.ends_with(":read") && ["users:read", "posts:read"].contains(&permission),
        Role::Guest => false,
    }
}

/// What the declaration means for a caller. `has_item`: whether the call is about a certain item.
fn declared(auth: Auth, caller: Caller, by: By, has_item: bool) -> Outcome {
    let Some(role) = caller.role() else {
        // A cookie that leads nowhere is no cookie; a token that is not good is refused wherever it is looked at.
        let is_looked_at = matches!(caller, Caller::Expired | Caller::Forged) && by != By::Cookie;
        return match auth {
            Auth::Public if !is_looked_at => Outcome::In,
            _ => Outcome::Unauthorized,
        };
    };
    match auth {
        Auth::Public | Auth::SignedIn => Outcome::In,
        Auth::Permission { name, .. } if may(role, name) => Outcome::In,
        Auth::Permission { name, own: true } if may(role, &format!("{name}:own")) => {
            if caller == Caller::Owner || !has_item { Outcome::In } else { Outcome::Forbidden }
        }
        Auth::Permission { .. } => Outcome::Forbidden,
    }
}

/// Somebody with an account.
struct Person {
    email: String,
    id: String,
    role: Role,
    token: Mutex<Option<SignedIn>>,
    cookie: Mutex<Option<SignedIn>>,
}

/// A sign-in of somebody. What a procedure ended is begun again.
#[derive(Clone)]
enum SignedIn {
    Token(String),
    Cookie { cookie: String, csrf: String },
}

impl Person {
    async fn register(server: &TestServer, name: &str, role: Role) -> Self {
        let email = format!("{name}@example.com");
        let input = json!({"email": email, "name": name, "password": PASSWORD});
        server.service.send(&Request::mutation("auth.register", &input)).await.data();
        let page = server.query("users.list", json!({"sort": "email", "limit": 100})).await.data();
        let user = page["items"].as_array().unwrap().iter().find(|user| user["email"] == email).unwrap().clone();
        let id = user["id"].as_str().unwrap().to_owned();
        let token = server.mail(&email, 1).await.token();
        let proof = Request::mutation("auth.verifyEmail", &json!({"token": token, "password": PASSWORD}));
        server.service.send(&proof).await.data();
        server.mutation("users.update", json!({"id": id, "role": role.name()})).await.data();
        Self { email, id, role, token: Mutex::new(None), cookie: Mutex::new(None) }
    }

    async fn sign_in(&self, server: &TestServer, keep: &str) -> SignedIn {
        let kept = if keep == "cookie" { &self.cookie } else { &self.token };
        let before = kept.lock().unwrap().clone();
        if let Some(before) = before {
            let devices = before.present(server, Request::query("sessions.list", &Value::Null));
            if server.service.send(&devices).await.status == 200 {
                return before;
            }
        }
        let input = json!({"email": self.email, "password": PASSWORD, "keep": keep});
        let answer = server.service.send(&Request::mutation("auth.login", &input)).await;
        let signed_in = if keep == "cookie" {
            let cookie = answer.cookie("onefold-local").unwrap_or_else(|| panic!("{}: {}", self.email, answer.text()));
            let me = Request::query("auth.me", &Value::Null).header("cookie", &cookie);
            let csrf = server.service.send(&me).await.header("x-csrf-token").unwrap().to_owned();
            SignedIn::Cookie { cookie, csrf }
        } else {
            SignedIn::Token(answer.data()["tokens"]["accessToken"].as_str().unwrap().to_owned())
        };
        *kept.lock().unwrap() = Some(signed_in.clone());
        signed_in
    }
}

impl SignedIn {
    /// The request as a program of the service's own makes it, or a page.
    fn present(&self, server: &TestServer, request: Request) -> Request {
        match self {
            Self::Token(token) => request.bearer(token),
            Self::Cookie { cookie, csrf } => {
                let origin = format!("http://{}", server.service.address);
                request.header("cookie", cookie).header("origin", origin).header("x-csrf-token", csrf)
            }
        }
    }
}

/// Whether the input names an item, and the item of that domain that belongs to somebody.
async fn item(server: &TestServer, procedure: Procedure<'_>, owner: &Person) -> Option<Value> {
    procedure.input()?["properties"].get("id")?;
    let (domain, _) = procedure.name().split_once('.').unwrap();
    match domain {
        "users" => Some(json!(owner.id)),
        "posts" => {
            let author = server.key.token_of(Role::Administrator, &owner.id);
            let input = json!({"title": "Lunch", "body": "At noon."});
            Some(server.service.mutation(&author, "posts.create", input).await.data()["id"].clone())
        }
        _ => panic!("say here how an item of `{domain}` comes to belong to somebody"),
    }
}

/// Whoever calls, in each of the ways to be known.
fn callers() -> impl Iterator<Item = (Caller, By)> {
    let ways = [By::Token, By::SessionToken, By::Cookie];
    CALLERS.into_iter().flat_map(move |caller| ways.into_iter().map(move |by| (caller, by)))
}

/// What the service was seen to do, and what it should not have done.
#[derive(Default)]
struct Tally {
    procedures: usize,
    calls: usize,
    unexpected: Vec<String>,
}

impl Tally {
    fn count(&mut self, what: &str, (caller, by): (Caller, By), seen: Outcome, expected: Outcome, answer: &Answer) {
        self.calls += 1;
        if seen != expected {
            let text = answer.text();
            self.unexpected.push(format!("{what} for {caller:?} by {by:?}: {seen:?}, not {expected:?}: {text:.400}"));
        }
    }
}

/// The server, and one of each role.
struct Setup {
    server: TestServer,
    people: Vec<Person>,
    /// A cookie that was good once.
    ended: SignedIn,
}

impl Setup {
    async fn new() -> Self {
        let server = TestServer::open().await;
        let mut people = Vec::new();
        // The first who registers is an administrator.
        for (name, role) in
            [("anna", Role::Administrator), ("emil", Role::Employee), ("vera", Role::Viewer), ("gina", Role::Guest)]
        {
            people.push(Person::register(&server, name, role).await);
        }
        let ended = people[0].sign_in(&server, "cookie").await;
        let logout = ended.present(&server, Request::mutation("auth.logout", &json!({})));
        assert_eq!(server.service.send(&logout).await.status, 200);
        Self { server, people, ended }
    }

    fn of(&self, role: Role) -> &Person {
        self.people.iter().find(|person| person.role == role).unwrap()
    }

    /// Every caller calls a procedure in one style.
    async fn call(&self, entry: &Entry, procedure: Procedure<'_>, driver: &dyn Driver, tally: &mut Tally) {
        let owned = matches!(entry.spec.auth, Auth::Permission { own: true, .. });
        let what = format!("{} in {}", entry.name, driver.name());
        for (caller, by) in callers() {
            let owner = self.of(if caller == Caller::Owner { Role::Employee } else { Role::Viewer });
            let item = if owned { item(&self.server, procedure, owner).await } else { None };
            let input = match &item {
                Some(id) => Some(json!({"id": id})),
                None => procedure.input().map(|schema| hollow(procedure.document, schema)),
            };
            let request = driver.say(procedure, input.as_ref()).unwrap_or_else(|| panic!("{what}: {input:?}"));
            let answer = self.server.service.send(&self.presented(request, caller, by).await).await;
            // A cookie that was renewed is good for a moment more, which need not last until the next call.
            if let (Some(role), Some(_)) = (caller.role(), answer.cookie("onefold-local")) {
                *self.of(role).cookie.lock().unwrap() = None;
            }
            let heard = driver.hear(procedure, &answer).unwrap_or_else(|fault| panic!("{what}: {fault}"));
            let expected = expected(entry, caller, by, item.is_some());
            tally.count(&what, (caller, by), seen(&heard), expected, &answer);
            if let Err(failed) = heard {
                assert!(!failed.code.contains("SERVER"), "{what}: {}", answer.text());
                // Whoever is refused at the door learns nothing of the input.
                assert!(expected == Outcome::In || item.is_some() || failed.fields.is_empty(), "{what} for {caller:?}");
            }
        }
        tally.procedures += 1;
    }

    /// The request as this caller makes it, with a fresh sign-in: some procedures end it.
    async fn presented(&self, request: Request, caller: Caller, by: By) -> Request {
        let server = &self.server;
        match (caller, caller.role(), by) {
            (Caller::Nobody, _, _) => request,
            (_, Some(role), By::Token) => request.bearer(&server.key.token_of(role, &self.of(role).id)),
            (_, Some(role), By::SessionToken) => self.of(role).sign_in(server, "tokens").await.present(server, request),
            (_, Some(role), By::Cookie) => self.of(role).sign_in(server, "cookie").await.present(server, request),
            (Caller::Forged, _, By::Token) => request.bearer(&Key::foreign().token(Role::Administrator)),
            (Caller::Forged, _, By::SessionToken) => {
                // A good signature over a session that never was: only sensitive procedures would see it. So the
                // signature is another's here as well.
                let mut claims = claims(Role::Administrator);
                claims["sid"] = json!("A".repeat(43));
                request.bearer(&Key::foreign().sign(&header(), &claims))
            }
            (Caller::Forged, _, By::Cookie) => {
                let (cookie, csrf) = (format!("onefold-local={}", "A".repeat(43)), "A".repeat(43));
                SignedIn::Cookie { cookie, csrf }.present(server, request)
            }
            (_, _, By::Token | By::SessionToken) => {
                let mut claims = claims(Role::Administrator);
                claims["exp"] = json!(now_s() - 60);
                request.bearer(&server.key.sign(&header(), &claims))
            }
            (_, _, By::Cookie) => self.ended.present(server, request),
        }
    }
}

#[tokio::test]
async fn every_procedure_lets_in_whom_it_declares_in_every_style() {
    let contract = Contract::of_the_testbed();
    let first = Setup::new().await;
    let mut styles: Vec<Box<dyn Driver>> = vec![Box::new(drivers::first())];
    styles.extend(drivers::others(&contract, &first.server.service).await);
    let own = by_own_form(&first, &contract);
    // Each style has a setup of its own: limits count what fails.
    let tallies = styles.iter().map(|driver| in_style(&contract, &**driver));
    let (own, tallies) = join(own, join_all(tallies)).await;
    let tallies: Vec<_> = tallies.into_iter().chain([own]).collect();
    for tally in &tallies {
        assert_eq!(tally.calls, tally.procedures * CALLERS.len() * 3);
    }
    let (single_calls, own) = (&tallies[0], &tallies[styles.len()]);
    assert_eq!(single_calls.procedures + own.procedures, testbed::service().procedures.len());
    let unexpected: Vec<_> = tallies.into_iter().flat_map(|tally| tally.unexpected).collect();
    assert!(unexpected.is_empty(), "{} unexpected answers:\n{}", unexpected.len(), unexpected.join("\n"));
}

/// All that a style has.
async fn in_style(contract: &Contract, driver: &dyn Driver) -> Tally {
    let (setup, mut tally) = (Setup::new().await, Tally::default());
    for procedure in testbed::service().procedures {
        match contract.find(procedure.entry.name) {
            Some(known) if driver.has(known) => setup.call(&procedure.entry, known, driver, &mut tally).await,
            _ => {}
        }
    }
    tally
}

/// What is in no style, since it has a form of its own.
async fn by_own_form(setup: &Setup, contract: &Contract) -> Tally {
    let mut tally = Tally::default();
    for procedure in testbed::service().procedures {
        let entry = procedure.entry;
        if contract.find(entry.name).is_some() {
            continue;
        }
        let (method, path) = entry.http().unwrap();
        for (caller, by) in callers() {
            let request = Request::new(method, path).header("content-type", "application/x-www-form-urlencoded");
            let answer = setup.server.service.send(&setup.presented(request, caller, by).await).await;
            tally.count(entry.name, (caller, by), seen_by_http(&answer), expected(&entry, caller, by, false), &answer);
        }
        tally.procedures += 1;
    }
    tally
}

/// What is declared, and what comes of it: a public procedure that asks nobody who they are does not look at what they
/// present.
fn expected(entry: &Entry, caller: Caller, by: By, has_item: bool) -> Outcome {
    match entry.spec.auth {
        Auth::Public if !entry.spec.asks_caller => Outcome::In,
        auth => declared(auth, caller, by, has_item),
    }
}

/// A cookie that a browser sends along changes nothing, in whatever style a page of another site calls: it lacks the
/// token that only the service's own pages know.
///
/// What only reads is answered, by GET as by a gateway's POST: it changes nothing, and no page of another site may read
/// the answer. (Nor could it send the question: JSON and XML are media types that a browser asks leave for.)
#[tokio::test]
async fn a_cookie_alone_changes_nothing_in_any_style() {
    let setup = Setup::new().await;
    let server = &setup.server;
    let contract = Contract::of_the_testbed();
    let mut styles: Vec<Box<dyn Driver>> = vec![Box::new(drivers::first())];
    styles.extend(drivers::others(&contract, &server.service).await);
    let signed_in = setup.of(Role::Administrator).sign_in(server, "cookie").await;
    let SignedIn::Cookie { cookie, csrf } = &signed_in else { panic!("a cookie was asked for") };
    let (create, list) = (contract.find("users.create").unwrap(), contract.find("users.list").unwrap());
    for driver in &styles {
        let style = driver.name();
        let planted = json!({"email": format!("{style}@example.org"), "name": "Planted"});
        let foreign = "https://evil.example";
        let headers: [&[(&str, &str)]; 4] =
            [&[], &[("origin", foreign)], &[("origin", foreign), ("x-csrf-token", csrf)], &[("x-csrf-token", csrf)]];
        for headers in headers {
            let with = |request: Request| {
                let request = request.header("cookie", cookie);
                headers.iter().fold(request, |request, (name, value)| request.header(name, value))
            };
            let answer = server.service.send(&with(driver.say(create, Some(&planted)).unwrap())).await;
            let heard = driver.hear(create, &answer).unwrap();
            assert_eq!(seen(&heard), Outcome::Forbidden, "{style} with {headers:?}: {}", answer.text());
            let answer = server.service.send(&with(driver.say(list, Some(&json!({}))).unwrap())).await;
            assert!(driver.hear(list, &answer).unwrap().is_ok(), "{style} with {headers:?}: {}", answer.text());
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{style} with {headers:?}");
        }
        let own = signed_in.present(server, driver.say(create, Some(&planted)).unwrap());
        let heard = driver.hear(create, &server.service.send(&own).await).unwrap();
        assert!(heard.is_ok(), "nothing was made before, and the service's own page makes it in {style}: {heard:?}");
    }
}

/// A session is looked up in one read; a token in none, but where its session is looked at as well: in mutations that
/// take a permission, and on procedures that are marked sensitive.
#[tokio::test]
async fn knowing_a_caller_costs_one_read_with_a_cookie_and_none_with_a_token_that_only_reads() {
    let server = TestServer::open().await;
    let anna = Person::register(&server, "anna", Role::Administrator).await;
    let get = || Request::query("users.get", &json!({"id": anna.id}));
    let units = async |request: Request| {
        let answer = server.service.send(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let id = answer.header("x-request-id").unwrap().to_owned();
        let line = server.service.logged(|line| line["request_id"] == id.as_str()).await;
        (line["read_units"].as_f64().unwrap(), line["write_units"].as_f64().unwrap())
    };
    let without = units(get().bearer(&server.key.token(Role::Viewer))).await;
    let token = anna.sign_in(&server, "tokens").await;
    assert_eq!(units(token.present(&server, get())).await, without);
    let cookie = anna.sign_in(&server, "cookie").await;
    let (reads, writes) = units(cookie.present(&server, get())).await;
    assert_eq!((reads, writes), (without.0 + 1.0, without.1), "one strongly consistent read of one item");
    let devices = || Request::query("sessions.list", &Value::Null);
    let operator = units(devices().bearer(&server.key.token_of(Role::Viewer, &anna.id))).await;
    let (reads, _) = units(token.present(&server, devices())).await;
    assert_eq!(reads, operator.0 + 1.0, "a sensitive procedure looks at the session of a token");
    let rename = || Request::mutation("users.update", &json!({"id": anna.id, "name": "anna"}));
    let operator = units(rename().bearer(&server.key.token_of(Role::Administrator, &anna.id))).await;
    let (reads, writes) = units(token.present(&server, rename())).await;
    assert_eq!((reads, writes), (operator.0 + 1.0, operator.1), "so does what changes something");
}

/// A role that the service does not know permits nothing, and one among several suffices.
#[tokio::test]
async fn only_known_roles_count() {
    let server = TestServer::open().await;
    let with_roles = |roles: Value| {
        let mut claims = claims(Role::Viewer);
        claims["roles"] = roles;
        server.key.sign(&header(), &claims)
    };
    let stranger = with_roles(json!(["root", "", "Administrator"]));
    assert_eq!(server.service.query(&stranger, "users.list", Value::Null).await.code(), "FORBIDDEN");
    let several = with_roles(json!(["root", "viewer"]));
    assert_eq!(server.service.query(&several, "users.list", Value::Null).await.code(), "OK");
}
