//! The OpenAPI 3.1 document of the REST routes.
//!
//! It describes what `runtime` does; a test checks it against the running service (schemathesis, all checks).

mod components;
mod operation;
mod problem;

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    case,
    contract::{AuthContract, Contract},
    trpc,
};
use serde_json::{Map, Value, json};

use crate::{rest::Route, words};
use components::Components;

/// The document, as in `openapi.json` and at `/openapi.json`. `url` is the service's address without a slash at the
/// end; empty if it is unknown.
pub fn document(contract: &Contract, url: &str) -> Value {
    let contract = &words::worded(contract, |procedure| match procedure.rest {
        Some(_) => case::camel_case(&procedure.name),
        None => format!("{}{}", trpc::BASE_PATH, procedure.name),
    });
    let mut components = Components::new(contract, url);
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in Route::all(contract) {
        let operation = operation::of(&mut components, &route);
        paths.entry(route.path.to_owned()).or_default().insert(route.method.to_ascii_lowercase(), operation);
    }
    let mut tags: Vec<&str> = Route::all(contract).map(|route| domain(&route.procedure.name)).collect();
    tags.dedup();
    let mut document = json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "info": {
            "title": contract.service,
            "version": contract.about.version,
            "description": words::introduced(contract, DESCRIPTION),
        },
        "externalDocs": {"url": format!("{url}/docs"), "description": "Every procedure, and how it is called in each style."},
        "servers": [{"url": if url.is_empty() { "/" } else { url }}],
        "tags": tags.iter().map(|tag| named_tag(contract, tag)).collect::<Vec<_>>(),
        "paths": paths,
        "components": components.finish(),
    });
    for (member, value) in [("license", words::license(contract)), ("contact", words::contact(contract))] {
        if let Some(value) = value {
            document["info"][member] = value;
        }
    }
    let schemes = security_schemes(contract, url);
    if !schemes.is_empty() {
        document["components"]["securitySchemes"] = schemes.into();
    }
    while drop_unused(&mut document) {}
    document
}

/// Removes components that nothing refers to, and returns whether there were any. Those that only these refer to
/// remain for the next round.
fn drop_unused(document: &mut Value) -> bool {
    let mut used = BTreeSet::new();
    references(document, &mut used);
    let mut dropped = false;
    for group in ["schemas", "responses", "headers", "parameters"] {
        let Some(components) = document.pointer_mut(&format!("/components/{group}")).and_then(Value::as_object_mut)
        else {
            continue;
        };
        let before = components.len();
        components.retain(|name, _| used.contains(&format!("#/components/{group}/{name}")));
        dropped |= components.len() < before;
        if components.is_empty()
            && let Some(groups) = document["components"].as_object_mut()
        {
            groups.remove(group);
        }
    }
    dropped
}

/// Collects all references in a document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(members) => members.iter().for_each(|member| references(member, found)),
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        _ => {}
    }
}

/// The document as text.
pub fn text(contract: &Contract, url: &str) -> String {
    serde_json::to_string_pretty(&document(contract, url)).unwrap_or_default() + "\n"
}

const DESCRIPTION: &str = "\
Each operation is one procedure. The input of GET and DELETE stands in the address; a list is a repeated name, a \
structure is JSON. POST, PUT and PATCH take a JSON object. PATCH is a merge patch (RFC 7396): what is absent stays, null \
is a value. Wherever there is GET there is HEAD.\n\n\
Errors are problems (RFC 9457). `code` is the same in every style of API, `failure` is the procedure's own typed failure, \
`errors` names the fields that are wrong, and the log is searched by `requestId`.";

/// The domain of a procedure: `orders` of `orders.get`.
fn domain(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// A tag, with the description of its domain.
fn named_tag(contract: &Contract, name: &str) -> Value {
    match words::domain_docs(contract, name) {
        "" => json!({"name": name}),
        docs => json!({"name": name, "description": docs}),
    }
}

/// How callers authenticate.
fn security_schemes(contract: &Contract, url: &str) -> Map<String, Value> {
    let mut schemes = Map::new();
    if contract.in_styles().all(|procedure| matches!(procedure.auth, AuthContract::Public)) {
        return schemes;
    }
    schemes.insert(
        BEARER.into(),
        json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token."}),
    );
    if contract.session.is_some() {
        let cookie = runtime::Site::new(url, "", "").cookie_name(runtime::sessions::COOKIE);
        let cookie =
            json!({"type": "apiKey", "in": "cookie", "name": cookie, "description": "The session of a browser."});
        schemes.insert(COOKIE.into(), cookie);
        let csrf = "With the cookie, in every call but GET: the value that answers to the session carry. The page's origin \
                    has to be one that the service trusts.";
        let csrf = json!({"type": "apiKey", "in": "header", "name": "x-csrf-token", "description": csrf});
        schemes.insert(CSRF.into(), csrf);
    }
    if let Some((authorize, token)) = contract.authorization_endpoints() {
        let code = json!({
            "authorizationUrl": format!("{url}{authorize}"),
            "tokenUrl": format!("{url}{token}"),
            "refreshUrl": format!("{url}{token}"),
            "scopes": scopes(contract),
        });
        let oauth = json!({
            "type": "oauth2",
            "description": "OAuth 2.1 with PKCE, for applications of others. Scopes are permissions.",
            "flows": {"authorizationCode": code},
        });
        schemes.insert(OAUTH.into(), oauth);
    }
    schemes
}

const BEARER: &str = "bearer";
const COOKIE: &str = "cookie";
const CSRF: &str = "csrf";
const OAUTH: &str = "oauth";

/// The permissions of applications, each with the procedures that need it.
fn scopes(contract: &Contract) -> BTreeMap<String, String> {
    let mut scopes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for procedure in contract.in_styles() {
        let AuthContract::Permission { permission, own } = &procedure.auth else { continue };
        if !procedure.for_applications {
            continue;
        }
        scopes.entry(permission.clone()).or_default().push(&procedure.name);
        if *own {
            scopes.entry(format!("{permission}:own")).or_default().push(&procedure.name);
        }
    }
    let of_own = |name: &str| if name.ends_with(":own") { ", for what is the caller's own" } else { "" };
    scopes.into_iter().map(|(name, by)| (name.clone(), format!("{}{}", by.join(", "), of_own(&name)))).collect()
}

/// The security requirements of a procedure: one alternative suffices, and needs all of its parts.
fn security(contract: &Contract, route: &Route<'_>) -> Value {
    let scopes = match &route.procedure.auth {
        AuthContract::Public => return json!([]),
        // Where applications may not call, their tokens are no alternative.
        _ if !route.procedure.for_applications => vec![],
        AuthContract::SignedIn => vec![],
        AuthContract::Permission { permission, own } => {
            let own = own.then(|| vec![format!("{permission}:own")]);
            [vec![permission.clone()]].into_iter().chain(own).collect()
        }
    };
    let mut ways = vec![json!({BEARER: []})];
    if contract.session.is_some() {
        ways.push(if route.method == "GET" { json!({COOKIE: []}) } else { json!({COOKIE: [], CSRF: []}) });
    }
    if contract.authorization_endpoints().is_some() {
        ways.extend(scopes.into_iter().map(|scopes| json!({OAUTH: scopes})));
    }
    ways.into()
}
