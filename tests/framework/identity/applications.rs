//! Third parties' applications at every procedure, in every style, held against what the contract declares: they come
//! through where their scopes say so and their person may, and nowhere else. A new procedure joins by itself.

use protocol::{Auth, Spec};
use runtime::Entry;
use serde_json::Value;
use testbed::{Role, WITHHELD};

use super::application::Application;
use crate::{
    support::TestServer,
    support::styles::{
        calls::{Contract, hollow},
        drivers::{self, Driver, Failed, Heard},
    },
};

/// An application that calls.
struct Calling {
    who: &'static str,
    token: String,
    scopes: Vec<&'static str>,
    /// Of the person in whose name it does; none of one that calls for itself.
    role: Option<Role>,
}

/// The refusal that a declaration means for it, if it is one.
fn declared(spec: &Spec, calling: &Calling) -> Option<&'static str> {
    let may = |permission: &str| {
        let by_role = calling.role.is_none_or(|role| role.permits(permission));
        calling.scopes.contains(&permission) && by_role && !WITHHELD.contains(&permission)
    };
    match spec.auth {
        Auth::Public => None,
        Auth::SignedIn => Some("FORBIDDEN"),
        // What takes a fresh sign-in takes a person.
        Auth::Permission { .. } if spec.always_fresh_s().is_some() => Some("FORBIDDEN"),
        Auth::Permission { name, .. } if may(name) => None,
        Auth::Permission { .. } => Some("FORBIDDEN"),
    }
}

/// The refusal that was heard. A procedure's own failure may have these codes as well: then it ran.
fn refusal(heard: &Heard) -> Option<&str> {
    match heard {
        Err(Failed { code, failure: None, .. }) if ["UNAUTHORIZED", "FORBIDDEN"].contains(&code.as_str()) => Some(code),
        _ => None,
    }
}

async fn all_kinds(server: &TestServer) -> Vec<Calling> {
    let every: Vec<_> = Role::PERMISSIONS.iter().copied().filter(|permission| !WITHHELD.contains(permission)).collect();
    let (wide, narrow) =
        (Application::register(server, &every).await, Application::register(server, &["posts:read"]).await);
    let mut kinds = vec![
        Calling { who: "for itself", token: wide.for_itself(server).await, scopes: every.clone(), role: None },
        Calling {
            who: "for itself, to read",
            token: narrow.for_itself(server).await,
            scopes: vec!["posts:read"],
            role: None,
        },
    ];
    for (name, role) in [("anna", Role::Administrator), ("vera", Role::Viewer)] {
        let mut browser = server.browser(&server.person(name, role).await).await;
        let token = wide.in_the_name_of(server, &mut browser, &every.join(" ")).await;
        kinds.push(Calling { who: name, token, scopes: every.clone(), role: Some(role) });
        let token = wide.in_the_name_of(server, &mut browser, "posts:read").await;
        kinds.push(Calling { who: "to read", token, scopes: vec!["posts:read"], role: Some(role) });
    }
    kinds
}

async fn call(
    server: &TestServer,
    contract: &Contract,
    driver: &dyn Driver,
    entry: &Entry,
    calling: &Calling,
) -> Option<String> {
    let procedure = contract.find(entry.name).filter(|procedure| driver.has(*procedure))?;
    let input = procedure.input().map(|schema| hollow(procedure.document, schema));
    let request = driver.say(procedure, input.as_ref()).unwrap().bearer(&calling.token);
    let answer = server.service.send(&request).await;
    let heard = driver.hear(procedure, &answer).unwrap();
    let (seen, expected) = (refusal(&heard), declared(&entry.spec, calling));
    let what = format!("{} in {} by an application, {}", entry.name, driver.name(), calling.who);
    (seen != expected).then(|| format!("{what}: {seen:?}, not {expected:?}: {:.300}", answer.text()))
}

#[tokio::test]
async fn an_application_comes_through_where_its_scopes_say_so_and_its_person_may() {
    let server = TestServer::inhabited().await;
    let contract = Contract::of_the_testbed();
    let mut styles: Vec<Box<dyn Driver>> = vec![Box::new(drivers::first())];
    styles.extend(drivers::others(&contract, &server.service).await);
    let kinds = all_kinds(&server).await;
    let mut unexpected = Vec::new();
    for driver in &styles {
        for procedure in testbed::service().procedures {
            for calling in &kinds {
                unexpected.extend(call(&server, &contract, &**driver, &procedure.entry, calling).await);
            }
        }
    }
    assert!(unexpected.is_empty(), "{} unexpected answers:\n{}", unexpected.len(), unexpected.join("\n"));
}

/// The OpenAPI document offers an application's token where one comes through, with the permission that it needs, and
/// nowhere else.
#[test]
fn the_document_says_where_an_application_comes_through() {
    let document: Value = serde_json::from_str(include_str!("../../testbed/bindings/openapi.json")).unwrap();
    let scopes: Vec<_> = Role::PERMISSIONS.to_vec();
    let widest = Calling { who: "all", token: String::new(), scopes, role: Some(Role::Administrator) };
    let mut offered = 0;
    for procedure in testbed::service().procedures {
        let Some((method, path)) = procedure.entry.rest() else { continue };
        let pointer = format!("/paths/{}/{}/security", path.replace('/', "~1"), method.to_lowercase());
        let security = document.pointer(&pointer).and_then(Value::as_array).unwrap_or_else(|| panic!("{pointer}"));
        let ways: Vec<_> = security.iter().filter_map(|way| way["oauth"].get(0)?.as_str()).collect();
        let expected = match procedure.entry.spec.auth {
            Auth::Permission { name, .. } if declared(&procedure.entry.spec, &widest).is_none() => Some(name),
            _ => None,
        };
        assert_eq!(ways.first().copied(), expected, "{}", procedure.entry.name);
        assert!(security.iter().all(|way| way.get("oauth").is_none() || way["oauth"] != Value::Array(Vec::new())));
        assert_eq!(security.is_empty(), procedure.entry.spec.auth == Auth::Public, "{}", procedure.entry.name);
        offered += ways.len();
    }
    assert!(offered > 10, "{offered}");
}
