//! The audit log: who did what to whom. It has all of it, holds no secret, and nobody changes it.

use std::collections::BTreeSet;

use identity::AuditAction;
use local::data::DataFolder;
use protocol::Access;
use serde_json::{Value, json};
use testbed::Role;

use super::drive::{Used, form, parameter};
use crate::support::{Browser, Request, TestServer, people::password, provider::Provider, table};

/// Every entry, newest first.
async fn entries(server: &TestServer) -> Vec<Value> {
    let (mut entries, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = server.query("audit.list", json!({"limit": 100, "cursor": cursor})).await.data();
        entries.extend(page["items"].as_array().unwrap().clone());
        cursor = page["next"].clone();
        if cursor.is_null() {
            return entries;
        }
    }
}

/// All actions that there are.
fn actions() -> BTreeSet<String> {
    fn names(schema: &Value, found: &mut BTreeSet<String>) {
        let listed = schema["enum"].as_array().into_iter().flatten().chain([&schema["const"]]);
        found.extend(listed.filter_map(Value::as_str).map(str::to_owned));
        schema["oneOf"].as_array().into_iter().flatten().for_each(|one| names(one, found));
    }
    let mut found = BTreeSet::new();
    names(&serde_json::to_value(schemars::schema_for!(AuditAction)).unwrap(), &mut found);
    assert!(found.contains("signInFailed"), "{found:?}");
    found
}

/// The entries that came since a number of them were there, oldest first: action, actor, target.
async fn since(server: &TestServer, before: usize) -> Vec<(String, Value, Value)> {
    let all = entries(server).await;
    let new = all[..all.len() - before].iter().rev();
    new.map(|entry| (entry["action"].as_str().unwrap().to_owned(), entry["actor"].clone(), entry["target"].clone()))
        .collect()
}

#[tokio::test]
async fn each_action_has_its_entry() {
    let provider = Provider::start(json!({"id": "1234", "name": "Ada", "email": "ada@example.com"})).await;
    let server = TestServer::with(&provider).await;
    let mut seen = BTreeSet::new();
    let mut count = 0;
    // What has happened since the last time, exactly.
    let mut expect = async |expected: &[(&str, Value, Value)]| {
        let new = since(&server, count).await;
        let expected: Vec<(String, Value, Value)> = expected
            .iter()
            .map(|(action, actor, target)| ((*action).to_owned(), actor.clone(), target.clone()))
            .collect();
        assert_eq!(new, expected);
        count += new.len();
        seen.extend(new.into_iter().map(|(action, ..)| action));
    };
    let (operator, nobody) = (json!("the operator"), Value::Null);

    let keeper = server.keeper().await;
    expect(&[("userCreated", operator.clone(), keeper)]).await;

    let ada = server.person("ada", Role::Administrator).await;
    let id = json!(ada.id);
    let own = |action: &'static str| (action, id.clone(), Value::Null);
    let rights = ("rightsChanged", operator.clone(), id.clone());
    expect(&[own("registered"), own("emailVerified"), own("signedIn"), rights, own("signedOut")]).await;
    let again = json!({"email": ada.email, "name": "Eve", "password": password()});
    Browser::new(&server.service).mutation("auth.register", again).await;
    expect(&[("registeredAgain", nobody.clone(), id.clone())]).await;

    let cato = server.registered("cato").await;
    let id_of_cato = server.id_of(&cato.email).await;
    expect(&[("registered", id_of_cato.clone(), Value::Null)]).await;
    let mut stranger = Browser::new(&server.service);
    stranger.mutation("auth.resendVerification", json!({"email": cato.email})).await.data();
    let guess = json!({"token": server.mail(&cato.email, 2).await.token(), "password": password()});
    assert_eq!(stranger.mutation("auth.verifyEmail", guess).await.failure(), "passwordNeeded");
    let about_cato = |action: &'static str| (action, nobody.clone(), id_of_cato.clone());
    expect(&[about_cato("verificationRequested"), about_cato("passwordRefused")]).await;
    for _ in 0..2 {
        let token = json!({"token": "nobody's"});
        assert_eq!(stranger.mutation("auth.verifyEmail", token).await.failure(), "notValid");
        let reset = json!({"token": "nobody's", "password": password()});
        assert_eq!(stranger.mutation("auth.resetPassword", reset).await.failure(), "notValid");
        let founder = json!({"email": "eve@example.com", "name": "Eve", "password": password(), "founderToken": "x"});
        assert_eq!(stranger.mutation("auth.register", founder).await.failure(), "wrongFounderToken");
    }
    // Once for each kind of token, and not at each try.
    let refused = ("tokenRefused", nobody.clone(), nobody.clone());
    expect(&[refused.clone(), refused.clone(), refused]).await;

    let mut browser = server.browser(&ada).await;
    expect(&[own("signedIn")]).await;
    Browser::new(&server.service).login(&ada.email, "not the password").await;
    expect(&[("signInFailed", nobody.clone(), id.clone())]).await;
    Browser::new(&server.service).login("nobody@example.com", "not the password").await;
    let unknown = entries(&server).await[0]["target"].clone();
    expect(&[("signInFailed", nobody.clone(), unknown)]).await;

    let tokens = server.tokens(&ada).await;
    let refresh = Request::mutation("auth.refresh", &json!({"refreshToken": tokens.refresh}));
    let second = server.service.send(&refresh).await.data()["tokens"]["refreshToken"].clone();
    let second = Request::mutation("auth.refresh", &json!({"refreshToken": second}));
    assert_eq!(server.service.send(&second).await.code(), "OK");
    assert_eq!(server.service.send(&refresh).await.failure(), "ended");
    expect(&[own("signedIn"), own("tokenReused")]).await;

    let wrong = json!({"current": password(), "password": password()});
    assert_eq!(browser.mutation("auth.changePassword", wrong).await.failure(), "wrongPassword");
    let wrong = json!({"password": password()});
    assert_eq!(browser.mutation("account.erase", wrong).await.failure(), "wrongPassword");
    expect(&[own("passwordRefused"), own("passwordRefused")]).await;

    browser.mutation("users.update", json!({"id": id, "name": "Countess"})).await.data();
    expect(&[("userChanged", id.clone(), id.clone())]).await;
    let wrong = json!({"password": "not the password"});
    assert_eq!(browser.mutation("auth.reauthenticate", wrong).await.failure(), "wrongPassword");
    assert_eq!(browser.mutation("auth.reauthenticate", json!({"password": ada.password})).await.code(), "OK");
    expect(&[own("passwordRefused"), own("reauthenticated")]).await;
    let change = json!({"current": ada.password, "password": password()});
    assert_eq!(browser.mutation("auth.changePassword", change).await.code(), "OK");
    expect(&[own("passwordChanged")]).await;

    let url = browser.mutation("oauth.link", json!({"provider": "facebook"})).await.data()["url"].clone();
    let back = format!("/oauth/callback/facebook?state={}&code=x", parameter(url.as_str().unwrap(), "state"));
    browser.send(Request::new("GET", back)).await;
    expect(&[own("identityLinked")]).await;
    assert_eq!(browser.mutation("oauth.unlink", json!({"provider": "facebook"})).await.code(), "OK");
    expect(&[own("identityUnlinked")]).await;

    let application = json!({"name": "Robot", "kind": "confidential", "redirectUris": [], "scopes": ["posts:read"],
        "grantTypes": ["client_credentials"]});
    let application = browser.mutation("grants.clientsCreate", application).await.data()["client"]["id"].clone();
    expect(&[("clientCreated", id.clone(), application.clone())]).await;
    let known = [("client_id", application.as_str().unwrap()), ("client_secret", "not the secret")];
    let unknown = [("client_id", "nobody"), ("client_secret", "not the secret")];
    for (path, client) in [("/oauth/token", &known), ("/oauth/introspect", &known), ("/oauth/revoke", &unknown)] {
        assert_eq!(server.service.send(&form(path, client)).await.status, 401, "{path}");
    }
    let refused = ("clientRefused", nobody.clone(), application.clone());
    expect(&[refused.clone(), refused, ("clientRefused", nobody.clone(), nobody.clone())]).await;
    assert_eq!(browser.mutation("grants.clientsDelete", json!({"id": application})).await.code(), "OK");
    expect(&[("clientDeleted", id.clone(), application)]).await;
    for list in ["posts", "done", "undergone"] {
        assert_eq!(browser.mutation("account.export", json!({"list": list})).await.code(), "OK");
    }
    expect(&[own("dataExported"), own("dataExported"), own("dataExported")]).await;

    let reset = json!({"email": ada.email});
    browser.mutation("auth.requestReset", reset).await.data();
    let chosen = password();
    let reset = json!({"token": server.mail(&ada.email, 3).await.token(), "password": chosen});
    assert_eq!(Browser::new(&server.service).mutation("auth.resetPassword", reset).await.code(), "OK");
    expect(&[("resetRequested", nobody.clone(), id.clone()), own("passwordReset")]).await;
    let mut browser = Browser::new(&server.service);
    browser.login(&ada.email, &chosen).await.data();
    assert_eq!(browser.mutation("account.erase", json!({"password": chosen})).await.code(), "OK");
    expect(&[own("signedIn"), own("accountErased")]).await;
    // Who is refused over and over is written down once for each thing that they tried.
    let viewer = server.key.token_of(Role::Viewer, "a viewer");
    let client = json!({"id": uuid::Uuid::now_v7().to_string()});
    for _ in 0..3 {
        assert_eq!(server.service.mutation(&viewer, "grants.clientsDelete", client.clone()).await.code(), "FORBIDDEN");
        assert_eq!(server.service.mutation(&viewer, "users.delete", json!({"id": id})).await.code(), "FORBIDDEN");
    }
    // A query writes nothing into the table: the log of calls has it.
    assert_eq!(server.service.query(&viewer, "audit.list", Value::Null).await.code(), "FORBIDDEN");
    let is_told = |line: &Value| line["message"] == "refused" && line["procedure"] == "audit.list";
    assert_eq!(server.service.logged(is_told).await["caller"], "a viewer");
    let own_only = server.key.token_of(Role::Employee, "an employee");
    let others = json!({"id": id, "name": "Eve"});
    assert_eq!(server.service.mutation(&own_only, "users.update", others).await.code(), "FORBIDDEN");
    let refused = |who: &str| ("refused", json!(who), Value::Null);
    expect(&[refused("a viewer"), refused("a viewer"), refused("an employee")]).await;
    let bob = server.user("bob").await["id"].clone();
    assert_eq!(server.mutation("users.delete", json!({"id": bob})).await.code(), "OK");
    expect(&[("userCreated", operator.clone(), bob.clone()), ("userDeleted", operator, bob)]).await;

    // Somebody lets an application in: that is in what everything was used for.
    seen.insert("consentGiven".to_owned());
    assert_eq!(seen, actions());
    for entry in entries(&server).await {
        assert!(["127.0.0.1", ""].contains(&entry["address"].as_str().unwrap()), "{entry}");
        let text = entry.to_string();
        for secret in [&ada.password, &chosen, &ada.email, &provider.secret, &provider.access_token] {
            assert!(!text.contains(secret.as_str()), "{text}");
        }
    }
}

#[tokio::test]
async fn entries_are_read_by_administrators_and_changed_by_nobody() {
    let used = Used::new().await;
    let server = &used.server;
    let before = entries(server).await;
    let consents: Vec<&Value> = before.iter().filter(|entry| entry["action"] == "consentGiven").collect();
    assert_eq!(consents.len(), 2);
    for consent in consents {
        assert_eq!((&consent["actor"], &consent["target"]), (&json!(used.ada.id), &json!(used.client_id)));
    }
    // Neither the entries nor what is around them hold a secret.
    let text = serde_json::to_string(&before).unwrap();
    assert_eq!(super::dump::found(&used.secrets, text.as_bytes()), []);

    for role in [Role::Employee, Role::Viewer] {
        let person = server.person(role.name(), role).await;
        for token in [server.key.token(role), server.tokens(&person).await.access] {
            assert_eq!(server.service.query(&token, "audit.list", Value::Null).await.code(), "FORBIDDEN");
        }
        assert_eq!(server.browser(&person).await.query("audit.list", Value::Null).await.code(), "FORBIDDEN");
    }
    let bob = Browser::new(&server.service).query("audit.list", Value::Null).await;
    assert_eq!(bob.code(), "UNAUTHORIZED");
    let application =
        server.service.query(used.secret("an application's access token"), "audit.list", Value::Null).await;
    assert_eq!(application.code(), "FORBIDDEN");

    // No procedure has the right to change an entry, or to delete one; two have the right to read them.
    let mut readers = Vec::new();
    for (procedure, needs) in local::local_cloud::needs(&testbed::service()) {
        for grant in needs.grants.iter().filter(|grant| grant.prefix == "audit") {
            assert!([Access::Create, Access::Read].contains(&grant.access), "{procedure}: {grant:?}");
            if grant.access == Access::Read {
                readers.push(procedure.clone());
            }
        }
    }
    readers.sort();
    assert_eq!(readers, ["account.export", "audit.list"]);

    // Nor does the database let all functions' rights together do it.
    let folder = DataFolder::open(server.data.path()).unwrap();
    let environment = std::fs::read_to_string(folder.functions_env()).unwrap();
    let key = environment.lines().find_map(|line| line.strip_prefix("AWS_ACCESS_KEY_ID='")).unwrap();
    let mut functions = used.running();
    functions.access_key_id = key.trim_end_matches('\'').to_owned();
    let items = table::dump(&used.running()).await;
    let entry =
        items.iter().find(|item| item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("audit#"))).unwrap();
    let key = json!({"pk": entry["pk"], "sk": entry["sk"]});
    for (action, input) in [
        ("DeleteItem", json!({"Key": key})),
        ("UpdateItem", json!({"Key": key, "UpdateExpression": "REMOVE version"})),
        ("BatchWriteItem", json!({"RequestItems": {"testbed": [{"DeleteRequest": {"Key": key}}]}})),
        ("TransactWriteItems", json!({"TransactItems": [{"Delete": {"TableName": "testbed", "Key": key}}]})),
    ] {
        let mut input = input;
        if input.get("Key").is_some() {
            input["TableName"] = "testbed".into();
        }
        let refusal = table::refused(&functions, action, &input).await;
        assert!(refusal.contains("AccessDenied"), "{action}: {refusal}");
    }
    let after = entries(server).await;
    assert_eq!(after[after.len() - before.len()..], before, "what was there is there");
}
