//! More than one may do: roles that somebody gives themselves, other people's things, fields that nobody asked for
//! (OWASP API1, API3 and API5).

use serde_json::{Value, json};
use testbed::Role;

use crate::support::{Browser, Person, Request, TestServer};

/// Somebody's browser and somebody's token, to call with either.
struct Insider {
    person: Person,
    browser: Browser,
    token: String,
}

impl Insider {
    async fn new(server: &TestServer, name: &str, role: Role) -> Self {
        let person = server.person(name, role).await;
        Self { browser: server.browser(&person).await, token: server.tokens(&person).await.access, person }
    }

    /// What both ways of calling are answered, which must be the same.
    async fn call(&mut self, server: &TestServer, procedure: &str, input: Value) -> (String, String) {
        let by_cookie = self.browser.mutation(procedure, input.clone()).await;
        let by_token = server.service.mutation(&self.token, procedure, input).await;
        assert_eq!(by_cookie.code(), by_token.code(), "{procedure}: {} {}", by_cookie.text(), by_token.text());
        (by_cookie.code(), by_cookie.error()["message"].as_str().unwrap_or_default().to_owned())
    }

    async fn expect(&mut self, server: &TestServer, procedure: &str, input: Value, code: &str) {
        assert_eq!(self.call(server, procedure, input.clone()).await.0, code, "{procedure} {input}");
    }
}

async fn user(server: &TestServer, id: &str) -> Value {
    server.query("users.get", json!({"id": id})).await.data()
}

#[tokio::test]
async fn nobody_gives_themselves_rights() {
    let server = TestServer::inhabited().await;
    let mut employee = Insider::new(&server, "emil", Role::Employee).await;
    let viewer = Insider::new(&server, "vera", Role::Viewer).await;
    let other = viewer.person.id.clone();
    let own = employee.person.id.clone();
    let (before, others_before) = (user(&server, &own).await, user(&server, &other).await);
    for change in [
        json!({"role": "administrator"}),
        json!({"role": "employee"}),
        json!({"isVerified": true}),
        json!({"isVerified": false}),
        json!({"email": "emil2@example.com"}),
        json!({"email": "emil@example.com"}),
        json!({"name": "Emil", "role": "administrator"}),
    ] {
        for id in [&own, &other] {
            let mut input = change.clone();
            input["id"] = json!(id);
            employee.expect(&server, "users.update", input, "FORBIDDEN").await;
        }
    }
    for change in [json!({"name": "Eve"}), json!({"age": 1}), json!({})] {
        let mut input = change;
        input["id"] = json!(other);
        employee.expect(&server, "users.update", input, "FORBIDDEN").await;
    }
    // Also of somebody who does not exist: that is not told.
    let nobody = json!({"id": uuid::Uuid::now_v7().to_string(), "name": "Eve"});
    employee.expect(&server, "users.update", nobody, "FORBIDDEN").await;
    for (procedure, input) in [
        ("users.create", json!({"email": "eve@example.com", "name": "Eve", "role": "administrator"})),
        ("users.delete", json!({"id": own})),
        ("users.delete", json!({"id": other})),
        ("audit.list", json!({})),
        ("grants.clientsList", json!({})),
    ] {
        employee.expect(&server, procedure, input, "FORBIDDEN").await;
    }
    assert_eq!((user(&server, &own).await, user(&server, &other).await), (before, others_before));
    // What is one's own to change is.
    let renamed =
        employee.browser.mutation("users.update", json!({"id": own, "name": "Emil E.", "age": 40})).await.data();
    assert_eq!(
        (&renamed["name"], &renamed["role"], &renamed["isVerified"]),
        (&json!("Emil E."), &json!("employee"), &json!(true))
    );
}

#[tokio::test]
async fn a_viewer_changes_nothing_and_an_employee_only_own_posts() {
    let server = TestServer::inhabited().await;
    let mut viewer = Insider::new(&server, "vera", Role::Viewer).await;
    let mut employee = Insider::new(&server, "emil", Role::Employee).await;
    let mut other = Insider::new(&server, "emma", Role::Employee).await;
    let text = json!({"title": "Hello", "body": "Everybody."});
    let post = other.browser.mutation("posts.create", text.clone()).await.data();
    let id = post["id"].clone();
    let missing = uuid::Uuid::now_v7().to_string();
    for (procedure, input) in [
        ("posts.create", text.clone()),
        ("posts.update", json!({"id": id, "title": "Mine"})),
        ("posts.delete", json!({"id": id})),
        ("users.update", json!({"id": viewer.person.id, "name": "Vera V."})),
        ("users.create", json!({"email": "eve@example.com", "name": "Eve"})),
        ("users.delete", json!({"id": viewer.person.id})),
    ] {
        viewer.expect(&server, procedure, input, "FORBIDDEN").await;
    }
    for (procedure, input) in
        [("posts.update", json!({"id": id, "title": "Mine"})), ("posts.delete", json!({"id": id}))]
    {
        employee.expect(&server, procedure, input, "FORBIDDEN").await;
    }
    // Posts may be read by everybody, so that one that is not there may be told from one that is somebody else's.
    employee.expect(&server, "posts.delete", json!({"id": missing}), "NOT_FOUND").await;
    assert_eq!(server.query("posts.get", json!({"id": id})).await.data(), post);
    assert_eq!(
        other.browser.mutation("posts.update", json!({"id": id, "title": "Mine"})).await.data()["title"],
        "Mine"
    );
    assert_eq!(other.browser.mutation("posts.delete", json!({"id": id})).await.code(), "OK");
}

/// As long as the address is not proved, anybody may have registered with it.
#[tokio::test]
async fn an_unproved_account_has_no_permission() {
    let server = TestServer::open().await;
    server.keeper().await;
    let ada = server.person("ada", Role::Administrator).await;
    server.mutation("users.update", json!({"id": ada.id, "isVerified": false})).await.data();
    let mut browser = server.browser(&ada).await;
    let token = server.tokens(&ada).await.access;
    let me = browser.query("auth.me", Value::Null).await.data();
    assert_eq!(
        (&me["role"], &me["isVerified"], &me["permissions"]),
        (&json!("administrator"), &json!(false), &json!([]))
    );
    let id = me["id"].clone();
    for (procedure, input) in [
        ("users.list", json!({})),
        ("users.get", json!({"id": id})),
        ("posts.list", json!({})),
        ("posts.create", json!({"title": "Hello", "body": "Everybody."})),
        ("users.update", json!({"id": id, "isVerified": true})),
        ("users.update", json!({"id": id, "name": "Ada"})),
        ("users.create", json!({"email": "eve@example.com", "name": "Eve"})),
        ("audit.list", json!({})),
        ("grants.clientsList", json!({})),
    ] {
        for answer in [
            browser.mutation(procedure, input.clone()).await,
            server.service.mutation(&token, procedure, input.clone()).await,
        ] {
            assert_eq!(answer.code(), "FORBIDDEN", "{procedure}: {}", answer.text());
        }
    }
    // The proof counts from the next call, in the session that makes it. Whoever else was in has proved nothing.
    browser.mutation("auth.resendVerification", json!({"email": ada.email})).await.data();
    let proof = json!({"token": server.mail(&ada.email, 2).await.token(), "password": ada.password});
    assert_eq!(browser.mutation("auth.verifyEmail", proof).await.code(), "OK");
    assert_eq!(browser.query("users.list", Value::Null).await.code(), "OK");
    assert_eq!(server.service.query(&token, "posts.list", Value::Null).await.code(), "FORBIDDEN");
    assert_eq!(server.service.query(&token, "audit.list", Value::Null).await.code(), "UNAUTHORIZED", "it asks");
}

/// Fields that an entity has and an input has not are refused, and nothing of such a call is done.
#[tokio::test]
async fn fields_that_nobody_asked_for_are_refused() {
    let server = TestServer::inhabited().await;
    let mut employee = Insider::new(&server, "emil", Role::Employee).await;
    let own = employee.person.id.clone();
    let (email, name, password) = ("eve@example.com", "Eve", "some violet tractors");
    let post = employee.browser.mutation("posts.create", json!({"title": "Hello", "body": "All."})).await.data();
    let planted = [
        (
            "auth.register",
            json!({"email": email, "name": name, "password": password}),
            vec![
                ("role", json!("administrator")),
                ("isVerified", json!(true)),
                ("isFounder", json!(true)),
                ("id", json!(own)),
                ("permissions", json!(["users:write"])),
                ("version", json!(1)),
            ],
        ),
        (
            "auth.login",
            json!({"email": email, "password": password}),
            vec![("role", json!("administrator")), ("userId", json!(own)), ("session", json!("A".repeat(43)))],
        ),
        ("auth.refresh", json!({}), vec![("role", json!("administrator")), ("session", json!("A".repeat(43)))]),
        (
            "auth.changePassword",
            json!({"current": employee.person.password, "password": password}),
            vec![("id", json!(own)), ("email", json!(email))],
        ),
        (
            "users.update",
            json!({"id": own, "name": name}),
            vec![
                ("createdAt", json!("2020-01-01T00:00:00Z")),
                ("password", json!(password)),
                ("permissions", json!([])),
                ("__proto__", json!({"role": "administrator"})),
                ("Role", json!("administrator")),
                ("is_verified", json!(true)),
            ],
        ),
        (
            "posts.create",
            json!({"title": "Hello", "body": "All."}),
            vec![
                ("authorId", json!(uuid::Uuid::now_v7().to_string())),
                ("id", post["id"].clone()),
                ("createdAt", json!("2020-01-01T00:00:00Z")),
            ],
        ),
        (
            "posts.update",
            json!({"id": post["id"], "title": "Hello"}),
            vec![("authorId", json!(uuid::Uuid::now_v7().to_string())), ("updatedAt", json!("2020-01-01T00:00:00Z"))],
        ),
        (
            "account.erase",
            json!({"password": employee.person.password}),
            vec![("id", json!(own)), ("userId", json!(own))],
        ),
    ];
    for (procedure, input, fields) in planted {
        for (field, value) in fields {
            let mut input = input.clone();
            input[field] = value;
            let answer = employee.browser.mutation(procedure, input).await;
            assert_eq!(
                (answer.code().as_str(), answer.fields()),
                ("BAD_REQUEST", vec![field.to_owned()]),
                "{procedure}"
            );
        }
    }
    // The same member twice, of which a careless reader checks one and uses the other.
    let twice = format!("{{\"id\":\"{own}\",\"name\":\"Eve\",\"name\":\"Mallory\"}}");
    let request = Request::mutation("users.update", &Value::Null).body(twice).bearer(&employee.token);
    assert_eq!(server.service.send(&request).await.code(), "BAD_REQUEST");
    assert_eq!(user(&server, &own).await["name"], "emil");
    assert!(employee.browser.is_signed_in().await);
    let users = server.query("users.list", json!({"limit": 100})).await.text();
    assert!(!users.contains(email), "{users}");
}
