//! Whoever may write users writes no rights: not by a new user, not by a change, and not to somebody who stands above
//! them; in whatever style.

use identity::IdentityRole as _;
use serde_json::{Value, json};
use testbed::Role;

use super::{
    application::Application,
    drive::{CALLBACK, sent_with},
};
use crate::{
    support::styles::{
        calls::Contract,
        drivers::{self, Driver, Failed, Heard},
    },
    support::{Request, TestServer},
};

/// What an application may be given that works with users.
const SCOPES: &[&str] = &["users:read", "users:write", "posts:read"];

/// Calls a procedure in one style.
async fn call(
    server: &TestServer,
    contract: &Contract,
    driver: &dyn Driver,
    token: &str,
    (name, input): (&str, Value),
) -> Heard {
    let procedure = contract.find(name).unwrap();
    let request = driver.say(procedure, Some(&input)).unwrap().bearer(token);
    driver.hear(procedure, &server.service.send(&request).await).unwrap()
}

fn is_refused(heard: &Heard) -> bool {
    matches!(heard, Err(Failed { code, failure: None, .. }) if code == "FORBIDDEN")
}

async fn everybody(server: &TestServer) -> Value {
    server.query("users.list", json!({"sort": "createdAt", "limit": 100})).await.data()["items"].clone()
}

#[tokio::test]
async fn no_application_makes_an_administrator_in_any_style() {
    let server = TestServer::inhabited().await;
    let contract = Contract::of_the_testbed();
    let mut styles: Vec<Box<dyn Driver>> = vec![Box::new(drivers::first())];
    styles.extend(drivers::others(&contract, &server.service).await);
    let ada = server.person("ada", Role::Administrator).await;
    let vera = server.person("vera", Role::Viewer).await;
    let application = Application::register(&server, SCOPES).await;
    let mut browser = server.browser(&ada).await;
    let tokens = [
        ("for itself", application.for_itself(&server).await),
        (
            "in an administrator's name",
            application.in_the_name_of(&server, &mut browser, "users:read users:write").await,
        ),
    ];
    let before = everybody(&server).await;
    for (style, driver) in styles.iter().enumerate() {
        for (how, token) in &tokens {
            let what = format!("an application {how} in {}", driver.name());
            let call = async |name: &str, input: Value| call(&server, &contract, &**driver, token, (name, input)).await;
            let new = json!({"email": format!("eve-{style}@example.com"), "name": "Eve"});
            let with = |more: Value| {
                let mut input = new.clone();
                input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                input
            };
            let change = |id: &str, more: Value| {
                let mut input = json!({"id": id});
                input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                input
            };
            for (name, input) in [
                ("users.create", with(json!({"role": "administrator"}))),
                ("users.create", with(json!({"role": "administrator", "isVerified": true}))),
                ("users.create", with(json!({"role": "employee"}))),
                ("users.create", with(json!({"isVerified": true}))),
                ("users.update", change(&vera.id, json!({"role": "administrator"}))),
                ("users.update", change(&vera.id, json!({"role": "employee", "name": "Vera"}))),
                ("users.update", change(&vera.id, json!({"email": "eve@example.com"}))),
                ("users.update", change(&vera.id, json!({"isVerified": true}))),
                ("users.update", change(&vera.id, json!({"isVerified": false}))),
                ("users.update", change(&ada.id, json!({"role": "viewer"}))),
                ("users.update", change(&ada.id, json!({"email": "eve@example.com"}))),
                ("users.delete", json!({"id": ada.id})),
            ] {
                let heard = call(name, input.clone()).await;
                assert!(is_refused(&heard), "{what}: {name} {input}: {heard:?}");
            }
            // Whoever stands above is nobody's to rename, but for the own name.
            let renamed = call("users.update", change(&ada.id, json!({"name": "ada"}))).await;
            assert_eq!(is_refused(&renamed), *how == "for itself", "{what}: {renamed:?}");
            assert_eq!(everybody(&server).await.as_array().unwrap().len(), before.as_array().unwrap().len(), "{what}");

            // What it is for, it does.
            let made = call("users.create", new.clone()).await.unwrap().unwrap();
            let expected = (&json!(Role::NEW_USER.name()), &json!(false));
            assert_eq!((&made["role"], &made["isVerified"]), expected, "{what}");
            let id = made["id"].as_str().unwrap();
            assert_eq!(
                call("users.update", change(id, json!({"name": "Grace"}))).await.unwrap().unwrap()["name"],
                "Grace"
            );
            assert!(call("users.delete", json!({"id": id})).await.is_ok(), "{what}");
        }
    }
    let rights = |users: &Value| {
        let of = |user: &Value| ["id", "email", "role", "isVerified"].map(|field| user[field].clone());
        users.as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(rights(&everybody(&server).await), rights(&before), "nobody has other rights than before");
}

#[tokio::test]
async fn the_permission_to_give_rights_is_no_scope() {
    let server = TestServer::inhabited().await;
    for scope in ["rights:write", "rights:write:own"] {
        let refused = Application::try_register(&server, &["posts:read", scope]).await;
        assert_eq!(
            (refused.failure().as_str(), &refused.error()["data"]["failure"]["value"]),
            ("notYourScope", &json!(scope))
        );
    }
    let application = Application::register(&server, SCOPES).await;
    for scope in ["rights:write", "users:write rights:write", "rights:write:own"] {
        let asked = application.asks(&[("grant_type", "client_credentials"), ("scope", scope)]);
        let answer = server.service.send(&asked).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_scope")), "{scope}");
        let link = format!(
            "/oauth/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&scope={}&code_challenge={}\
             &code_challenge_method=S256",
            application.id,
            scope.replace(' ', "+"),
            "A".repeat(43),
        );
        let answer = server.service.send(&Request::new("GET", link)).await;
        assert_eq!(sent_with(&answer, "error"), "invalid_scope", "{scope}");
    }
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let document = server.service.send(&Request::new("GET", path)).await.json();
        let scopes = document["scopes_supported"].as_array().unwrap();
        assert!(scopes.contains(&json!("users:write")) && !scopes.contains(&json!("rights:write")), "{scopes:?}");
    }
    let openapi = server.service.send(&Request::new("GET", "/openapi.json")).await.json();
    let scopes = &openapi["components"]["securitySchemes"]["oauth"]["flows"]["authorizationCode"]["scopes"];
    assert!(scopes["users:write"].is_string() && scopes["rights:write"].is_null(), "{scopes}");
}

/// Those who have the permission give rights, in a session of the service's own.
#[tokio::test]
async fn an_administrator_gives_rights_and_takes_them() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Administrator).await;
    let mut browser = server.browser(&ada).await;
    let me = browser.query("auth.me", Value::Null).await.data();
    assert!(me["permissions"].as_array().unwrap().contains(&json!("rights:write")), "{me}");
    let new = json!({"email": "grace@example.com", "name": "Grace", "role": "administrator", "isVerified": true});
    let grace = browser.mutation("users.create", new).await.data();
    let demoted = browser.mutation("users.update", json!({"id": grace["id"], "role": "employee"})).await.data();
    assert_eq!(demoted["role"], "employee");
    assert_eq!(browser.mutation("users.delete", json!({"id": grace["id"]})).await.code(), "OK");
}
