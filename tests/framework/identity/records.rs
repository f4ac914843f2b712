//! What is kept about somebody: it is theirs to take along, and goes when they go.

use local::data::DataFolder;
use serde_json::{Value, json};
use testbed::Role;

use super::drive::Used;
use crate::support::{Browser, Request, TestServer, provider::Provider, table};

/// Nothing that was mailed stays behind with the address and a password's hash in it.
#[tokio::test]
async fn what_was_mailed_goes_with_its_account() {
    let provider = Provider::start(json!({"id": "1", "name": "Ada", "email": "ada@example.com"})).await;
    let server = TestServer::with(&provider).await;
    server.keeper().await;
    let mailed = async || {
        let running = DataFolder::open(server.data.path()).unwrap().running().unwrap();
        let is_mailed = |item: &Value| item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("mailed-token#"));
        table::dump(&running).await.into_iter().filter(is_mailed).count()
    };
    let (ada, bob) = (server.person("ada", Role::Viewer).await, server.person("bob", Role::Viewer).await);
    for person in [&ada, &bob] {
        for _ in 0..2 {
            let reset = Request::mutation("auth.requestReset", &json!({"email": person.email}));
            assert_eq!(server.service.send(&reset).await.code(), "OK");
        }
    }
    assert_eq!(mailed().await, 4);
    let mut browser = server.browser(&ada).await;
    assert_eq!(browser.mutation("account.erase", json!({"password": ada.password})).await.code(), "OK");
    assert_eq!(mailed().await, 2, "those of others stay");
    assert_eq!(server.mutation("users.delete", json!({"id": bob.id})).await.code(), "OK");
    assert_eq!(mailed().await, 0);
}

/// Everything of one list, part by part.
async fn exported(browser: &mut Browser, list: &str, field: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let part = browser.mutation("account.export", json!({"list": list, "cursor": cursor})).await.data();
        all.extend(part[field].as_array().unwrap().clone());
        cursor = part["next"].clone();
        if cursor.is_null() {
            return all;
        }
    }
}

/// Entries of the audit log, sessions and consents are about somebody as much as the rest.
#[tokio::test]
async fn everything_that_is_kept_about_somebody_is_theirs_to_take_along() {
    let used = Used::new().await;
    let mut browser = used.browser.clone();
    let person = browser.mutation("account.export", json!({})).await.data();
    assert_eq!(person["user"]["id"], used.ada.id.as_str());
    assert_eq!(person["identities"].as_array().unwrap().len(), 1);
    let sessions = person["sessions"].as_array().unwrap();
    let application = sessions.iter().find(|session| session["kind"] == "application").expect("an application");
    assert_eq!((&application["clientId"], &application["scopes"]), (&json!(used.client_id), &json!(["posts:read"])));
    assert!(sessions.iter().any(|session| session["current"] == true && session["address"] == "127.0.0.1"));

    let done = exported(&mut browser, "done", "entries").await;
    assert!(done.iter().all(|entry| entry["actor"] == used.ada.id.as_str() && entry["address"] == "127.0.0.1"));
    let has = |entries: &[Value], action: &str| entries.iter().any(|entry| entry["action"] == action);
    for action in ["registered", "signedIn", "consentGiven", "identityLinked", "passwordRefused", "dataExported"] {
        assert!(has(&done, action), "{action}");
    }
    let undergone = exported(&mut browser, "undergone", "entries").await;
    for action in ["signInFailed", "resetRequested", "signedIn"] {
        assert!(has(&undergone, action), "{action}");
    }
    // From where somebody else did it is theirs.
    for entry in undergone.iter().filter(|entry| entry["actor"] != used.ada.id.as_str()) {
        assert_eq!(entry["address"], "", "{entry}");
    }
    assert!(exported(&mut browser, "posts", "posts").await.iter().all(|post| post["authorId"] == used.ada.id.as_str()));
    // Nothing in it is a secret.
    let text = serde_json::to_string(&(done, undergone)).unwrap();
    assert_eq!(super::dump::found(&used.secrets, text.as_bytes()), []);
}
