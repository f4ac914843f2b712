//! What is sent, well or badly, does not come into the log.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use testbed::Role;

use super::{
    drive::{CALLBACK, Used, form},
    dump::found,
};
use crate::support::{
    Browser, Key, Request,
    browser::{CSRF, DEVICE, SESSION},
    http::basic,
    tokens::{claims, header},
};

/// In every input that is about to come.
const PLANTED: &str = "planted-3f9c7a";

/// Inputs of a procedure in which one field after the other is not what it should be.
fn misshapen(fields: &[String]) -> Vec<Value> {
    let mut inputs = vec![json!(PLANTED), json!([PLANTED]), json!({PLANTED: PLANTED})];
    let all: serde_json::Map<String, Value> = fields.iter().map(|field| (field.clone(), json!(PLANTED))).collect();
    inputs.push(Value::Object(all.clone()));
    for field in fields {
        for wrong in
            [json!({PLANTED: 1}), json!([PLANTED]), json!(format!("{PLANTED}\n\u{0}")), json!(PLANTED.repeat(200))]
        {
            let mut input = all.clone();
            input.insert(field.clone(), wrong);
            inputs.push(Value::Object(input));
        }
    }
    inputs
}

/// The fields of each procedure's input, as the contract has them.
fn procedures() -> BTreeMap<String, Vec<String>> {
    let (contract, _) = codegen::contract(&testbed::service()).unwrap();
    let fields = |input: Option<Value>| -> Vec<String> {
        let properties = input.map(|input| input["properties"].clone());
        properties.and_then(|it| it.as_object().map(|it| it.keys().cloned().collect())).unwrap_or_default()
    };
    contract.procedures.into_iter().map(|procedure| (procedure.name, fields(procedure.input))).collect()
}

/// Requests whose heads hold it.
fn heads(used: &Used) -> Vec<Request> {
    let own = || Request::mutation("auth.refresh", &json!({}));
    let key = Key::foreign();
    let with = |mut value: Value, name: &str| {
        value[name] = PLANTED.into();
        value
    };
    let viewer = || claims(Role::Viewer);
    let mut requests = vec![
        own().header("authorization", PLANTED),
        own().header("authorization", format!("Bearer {PLANTED}")),
        own().header("authorization", basic(PLANTED, PLANTED)),
        own().header("cookie", PLANTED),
        own().header("cookie", format!("{SESSION}={PLANTED}; {DEVICE}={PLANTED}; {PLANTED}={PLANTED}")),
        own().header("cookie", used.browser.cookies()).header("origin", format!("https://{PLANTED}.example")),
        own().header("cookie", used.browser.cookies()).header("origin", used.browser.origin()).header(CSRF, PLANTED),
        own().header("x-request-id", PLANTED).header("x-forwarded-for", PLANTED).header("user-agent", PLANTED),
        own().header(PLANTED, PLANTED).header("referer", format!("https://example.com/?token={PLANTED}")),
        Request::new("POST", "/trpc/auth.login").header("content-type", PLANTED).body(PLANTED),
        Request::new("POST", "/trpc/auth.login")
            .header("content-type", "application/json")
            .body(format!("{{\"password\": {PLANTED}")),
        Request::new("POST", "/trpc/auth.login")
            .header("content-type", "application/json")
            .body(format!("\"{PLANTED}\" \u{ff}")),
        Request::new("GET", format!("/trpc/auth.login?input={PLANTED}&password={PLANTED}")),
        Request::new("GET", format!("/trpc/users.list?input=%7B%22{PLANTED}%22%3A1%7D")),
        Request::new("GET", format!("/trpc/users.list?{PLANTED}")),
        Request::new("GET", format!("/trpc/{PLANTED}")),
        Request::new("GET", format!("/{PLANTED}?{PLANTED}")),
        Request::new("GET", format!("/oauth/callback/{PLANTED}?state={PLANTED}&code={PLANTED}&error={PLANTED}")),
        Request::new("GET", format!("/oauth/callback/facebook?state={PLANTED}&code={PLANTED}&{PLANTED}")),
        Request::new("GET", format!("/oauth/start?provider={PLANTED}&return_to=/{PLANTED}")),
        Request::new("GET", format!("/oauth/start?provider=facebook&return_to={PLANTED}")),
        Request::new("GET", format!("/oauth/authorize?client_id={PLANTED}&state={PLANTED}&{PLANTED}={PLANTED}")),
        Request::new(
            "GET",
            format!(
                "/oauth/authorize?client_id={0}&redirect_uri={CALLBACK}&state={PLANTED}&scope={PLANTED}",
                used.client_id
            ),
        ),
        Request::new(PLANTED, "/trpc/auth.login"),
    ];
    for member in ["alg", "typ", "kid", "jku", "jwk", "crit", "x5c", "zip"] {
        requests.push(own().bearer(&key.sign(&with(header(), member), &viewer())));
        requests.push(own().bearer(&used.server.key.sign(&with(header(), member), &viewer())));
    }
    for claim in ["iss", "aud", "sub", "exp", "iat", "nbf", "roles", "sid", "scope", "jti", "client_id"] {
        requests.push(own().bearer(&used.server.key.sign(&header(), &with(viewer(), claim))));
    }
    requests.push(own().bearer(&format!("{0}.{0}.{0}", BASE64.encode(PLANTED))));
    requests
}

/// What applications send.
fn forms(used: &Used) -> Vec<Request> {
    let fields = [
        "grant_type",
        "code",
        "code_verifier",
        "refresh_token",
        "client_id",
        "client_secret",
        "token",
        "redirect_uri",
        "scope",
        "resource",
        "username",
        "password",
    ];
    let mut requests = Vec::new();
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/authorize"] {
        let all: Vec<(&str, &str)> = fields.iter().map(|field| (*field, PLANTED)).collect();
        requests.push(form(path, &all));
        requests.push(form(path, &[all.clone(), all.clone()].concat()));
        requests.push(form(path, &[(PLANTED, PLANTED)]));
        requests.push(form(path, &[]).body(format!("%{PLANTED}&%zz=&=")));
        requests.push(form(path, &[]).header("authorization", basic(PLANTED, PLANTED)));
        for grant_type in ["authorization_code", "refresh_token", "client_credentials", "password"] {
            let mut some = all.clone();
            some[0].1 = grant_type;
            some.retain(|(name, _)| !name.starts_with("client"));
            let secret = used.secret("the secret of an application");
            requests.push(form(path, &some).header("authorization", basic(&used.client_id, secret)));
            requests.push(form(path, &some).header("authorization", basic(&used.client_id, PLANTED)));
        }
    }
    requests
}

#[tokio::test]
async fn no_secret_and_nothing_that_is_sent_comes_into_the_log() {
    let used = Used::new().await;
    let service = &used.server.service;
    let mut connection = service.connect().await;
    let (mut sent, admin) = (0, used.server.admin.clone());
    for (procedure, fields) in procedures() {
        for input in misshapen(&fields) {
            let request = Request::mutation(&procedure, &input).bearer(&admin);
            let answer = connection.send(&request).await.unwrap();
            // A service that is too busy says so in the log as well.
            assert!(answer.status < 500 || answer.status == 503, "{procedure} {input}: {}", answer.text());
            sent += 1;
        }
    }
    for request in [heads(&used), forms(&used)].concat() {
        // Some of it is not even HTTP: the connection ends with it.
        if let Ok(answer) = service.connect().await.send(&request).await {
            // 501: a method that nobody knows.
            assert!(answer.status < 500 || [501, 503].contains(&answer.status), "{request:?}: {}", answer.text());
        }
        sent += 1;
    }
    assert!(sent > 400, "{sent}");
    let mut browser = Browser::new(service);
    browser.plant(SESSION, PLANTED);
    browser.mutation("auth.logout", json!({"refreshToken": PLANTED})).await;

    // The last call's line is there: so are those of the calls before it.
    let last = browser.query("health.ping", Value::Null).await;
    service.logged(|line| line["request_id"].as_str() == last.header("x-request-id")).await;
    let written = service.written();
    let lines: Vec<&str> = written.lines().filter(|line| line.contains(PLANTED)).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    for form in [BASE64.encode(PLANTED), PLANTED.to_uppercase()] {
        assert!(!written.contains(&form), "{form}");
    }
    assert_eq!(found(&used.secrets, written.as_bytes()), []);
    assert!(service.log().len() > sent, "each call has its line");
    let errors: Vec<Value> = service.log().into_iter().filter(|line| line["level"] == "ERROR").collect();
    assert!(errors.is_empty(), "{errors:?}");
}
