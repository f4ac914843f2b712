//! Every procedure with every kind of caller, over the wire, held against what the contract declares and what the
//! roles may do. A new procedure joins by itself.
//!
//! Each caller is known in two ways: by a token and by the cookie of a session. An employee calls twice: about
//! somebody else's item, and as the owner of one.

use std::sync::Mutex;

use model::Role;
use protocol::Auth;
use runtime::Entry;
use serde_json::{Value, json};

use crate::given::{
    Answer, Key, Office, Request,
    tokens::{claims, header, now_s},
};

const PASSWORD: &str = "seven grey herons wade";

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Nobody,
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

const CALLERS: [Caller; 7] = [
    Caller::Nobody,
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

/// What must come of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The procedure runs, or says what is wrong with the input.
    In,
    Unauthorized,
    Forbidden,
}

/// The policy of the reference service, once more and by hand: a role, a permission, and whether.
fn may(role: Role, permission: &str) -> bool {
    match role {
        Role::Administrator => true,
        Role::Employee => ["users:read", "posts:read", "users:write:own", "posts:write:own"].contains(&permission),
        Role::Viewer => permission.ends_with(":read") && ["users:read", "posts:read"].contains(&permission),
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

/// What came of a call.
fn seen(answer: &Answer, is_http: bool) -> Outcome {
    assert!(answer.status < 500, "{}", answer.text());
    if is_http {
        return match answer.status {
            401 if answer.header("www-authenticate") == Some("Bearer") => Outcome::Unauthorized,
            _ => Outcome::In,
        };
    }
    // A procedure's own failure may have these codes as well: then it ran.
    match answer.code().as_str() {
        "UNAUTHORIZED" if answer.failure().is_empty() => Outcome::Unauthorized,
        "FORBIDDEN" if answer.failure().is_empty() => Outcome::Forbidden,
        _ => Outcome::In,
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
    async fn hired(office: &Office, name: &str, role: Role) -> Self {
        let email = format!("{name}@example.com");
        let input = json!({"email": email, "name": name, "password": PASSWORD});
        office.service.send(&Request::mutation("auth.register", &input)).await.data();
        let page = office.query("users.list", json!({"sort": "email", "limit": 100})).await.data();
        let user = page["items"].as_array().unwrap().iter().find(|user| user["email"] == email).unwrap().clone();
        let id = user["id"].as_str().unwrap().to_owned();
        office.mutation("users.update", json!({"id": id, "role": role.name(), "isVerified": true})).await.data();
        Self { email, id, role, token: Mutex::new(None), cookie: Mutex::new(None) }
    }

    async fn sign_in(&self, office: &Office, keep: &str) -> SignedIn {
        let kept = if keep == "cookie" { &self.cookie } else { &self.token };
        let before = kept.lock().unwrap().clone();
        if let Some(before) = before {
            let devices = before.present(office, Request::query("sessions.list", &Value::Null));
            if office.service.send(&devices).await.status == 200 {
                return before;
            }
        }
        let input = json!({"email": self.email, "password": PASSWORD, "keep": keep});
        let answer = office.service.send(&Request::mutation("auth.login", &input)).await;
        let signed_in = if keep == "cookie" {
            let cookie = answer.cookie("onefold-local").unwrap();
            let me = Request::query("auth.me", &Value::Null).header("cookie", &cookie);
            let csrf = office.service.send(&me).await.header("x-csrf-token").unwrap().to_owned();
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
    fn present(&self, office: &Office, request: Request) -> Request {
        match self {
            Self::Token(token) => request.bearer(token),
            Self::Cookie { cookie, csrf } => {
                let origin = format!("http://{}", office.service.address);
                request.header("cookie", cookie).header("origin", origin).header("x-csrf-token", csrf)
            }
        }
    }
}

/// Whether the input names an item, and the item of that domain that belongs to somebody.
async fn item(office: &Office, entry: &Entry, owner: &Person) -> Option<Value> {
    let (contract, _) = codegen::contract(&functions::service()).unwrap();
    let procedure = contract.procedures.into_iter().find(|procedure| procedure.name == entry.name).unwrap();
    procedure.input?["properties"].get("id")?;
    let (domain, _) = entry.name.split_once('.').unwrap();
    match domain {
        "users" => Some(json!(owner.id)),
        "posts" => {
            let author = office.key.token_of(Role::Administrator, &owner.id);
            let input = json!({"title": "Lunch", "body": "At noon."});
            Some(office.service.mutation(&author, "posts.create", input).await.data()["id"].clone())
        }
        _ => panic!("say here how an item of `{domain}` comes to belong to somebody"),
    }
}

fn request(entry: &Entry, input: &Value) -> Request {
    match entry.http() {
        Some((method, path)) => Request::new(method, path).header("content-type", "application/x-www-form-urlencoded"),
        None if entry.method() == "GET" => Request::query(entry.name, input),
        None => Request::mutation(entry.name, input),
    }
}

#[tokio::test]
async fn every_procedure_lets_in_whom_it_declares() {
    let office = Office::open().await;
    let mut people = Vec::new();
    // The first who registers is an administrator.
    for (name, role) in [("anna", Role::Administrator), ("emil", Role::Employee), ("vera", Role::Viewer)] {
        people.push(Person::hired(&office, name, role).await);
    }
    let of = |role: Role| people.iter().find(|person| person.role == role).unwrap();
    let (mut calls, mut unexpected) = (0, Vec::new());
    for procedure in functions::service().procedures {
        let entry = procedure.entry;
        let owned = matches!(entry.spec.auth, Auth::Permission { own: true, .. });
        for (caller, by) in CALLERS
            .into_iter()
            .flat_map(|caller| [By::Token, By::SessionToken, By::Cookie].into_iter().map(move |by| (caller, by)))
        {
            let owner = of(if caller == Caller::Owner { Role::Employee } else { Role::Viewer });
            let item = if owned { item(&office, &entry, owner).await } else { None };
            let input = item.as_ref().map_or_else(|| json!({}), |id| json!({"id": id}));
            let request = presented(&office, &people, request(&entry, &input), caller, by).await;
            let answer = office.service.send(&request).await;
            let mut expected = declared(entry.spec.auth, caller, by, item.is_some());
            // A public procedure that asks nobody who they are does not look at what they present.
            if entry.spec.auth == Auth::Public && !entry.spec.asks_caller {
                expected = Outcome::In;
            }
            calls += 1;
            let seen = seen(&answer, entry.http().is_some());
            if seen != expected {
                unexpected.push(format!(
                    "{} for {caller:?} by {by:?}: {seen:?}, not {expected:?}: {}",
                    entry.name,
                    answer.text()
                ));
            }
            // Whoever is refused at the door learns nothing of the input.
            if expected != Outcome::In && item.is_none() && entry.http().is_none() {
                assert_eq!(answer.fields(), Vec::<String>::new(), "{} for {caller:?}", entry.name);
            }
        }
    }
    assert_eq!(calls, functions::service().procedures.len() * CALLERS.len() * 3);
    assert!(unexpected.is_empty(), "{} unexpected answers:\n{}", unexpected.len(), unexpected.join("\n"));
}

/// The request as this caller makes it, with a fresh sign-in: some procedures end it.
async fn presented(office: &Office, people: &[Person], request: Request, caller: Caller, by: By) -> Request {
    let person = |role: Role| people.iter().find(|person| person.role == role).unwrap();
    match (caller, caller.role(), by) {
        (Caller::Nobody, _, _) => request,
        (_, Some(role), By::Token) => request.bearer(&office.key.token_of(role, &person(role).id)),
        (_, Some(role), By::SessionToken) => person(role).sign_in(office, "tokens").await.present(office, request),
        (_, Some(role), By::Cookie) => person(role).sign_in(office, "cookie").await.present(office, request),
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
            SignedIn::Cookie { cookie, csrf }.present(office, request)
        }
        (_, _, By::Token | By::SessionToken) => {
            let mut claims = claims(Role::Administrator);
            claims["exp"] = json!(now_s() - 60);
            request.bearer(&office.key.sign(&header(), &claims))
        }
        (_, _, By::Cookie) => {
            let signed_in = person(Role::Administrator).sign_in(office, "cookie").await;
            let logout = signed_in.present(office, Request::mutation("auth.logout", &json!({})));
            assert_eq!(office.service.send(&logout).await.status, 200);
            signed_in.present(office, request)
        }
    }
}

/// A session is looked up in one read; a token in none, but on procedures that are marked sensitive.
#[tokio::test]
async fn knowing_a_caller_costs_one_read_with_a_cookie_and_none_with_a_token() {
    let office = Office::open().await;
    let anna = Person::hired(&office, "anna", Role::Administrator).await;
    let get = || Request::query("users.get", &json!({"id": anna.id}));
    let units = async |request: Request| {
        let answer = office.service.send(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let id = answer.header("x-request-id").unwrap().to_owned();
        let line = office.service.logged(|line| line["request_id"] == id.as_str()).await;
        (line["read_units"].as_f64().unwrap(), line["write_units"].as_f64().unwrap())
    };
    let without = units(get().bearer(&office.key.token(Role::Viewer))).await;
    let token = anna.sign_in(&office, "tokens").await;
    assert_eq!(units(token.present(&office, get())).await, without);
    let cookie = anna.sign_in(&office, "cookie").await;
    let (reads, writes) = units(cookie.present(&office, get())).await;
    assert_eq!((reads, writes), (without.0 + 1.0, without.1), "one strongly consistent read of one item");
    let devices = || Request::query("sessions.list", &Value::Null);
    let operator = units(devices().bearer(&office.key.token_of(Role::Viewer, &anna.id))).await;
    let (reads, _) = units(token.present(&office, devices())).await;
    assert_eq!(reads, operator.0 + 1.0, "a sensitive procedure looks at the session of a token");
}

/// A role that the service does not know permits nothing, and one among several suffices.
#[tokio::test]
async fn only_known_roles_count() {
    let office = Office::open().await;
    let with_roles = |roles: Value| {
        let mut claims = claims(Role::Viewer);
        claims["roles"] = roles;
        office.key.sign(&header(), &claims)
    };
    let stranger = with_roles(json!(["root", "", "Administrator"]));
    assert_eq!(office.service.query(&stranger, "users.list", Value::Null).await.code(), "FORBIDDEN");
    let several = with_roles(json!(["root", "viewer"]));
    assert_eq!(office.service.query(&several, "users.list", Value::Null).await.code(), "OK");
}
