//! Another secret for a session: at sign-in, and when it is renewed.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use testbed::Role;
use tokio::task::JoinSet;

use crate::support::{
    Answer, Browser, Request, TestServer,
    browser::{CSRF, DEVICE, SESSION},
};

/// Sends many calls at once, each from a browser of its own.
async fn at_once(calls: impl IntoIterator<Item = (Browser, &'static str, Value)>) -> Vec<(Browser, Answer)> {
    let calls: JoinSet<_> = calls
        .into_iter()
        .map(|(mut browser, procedure, input)| async move {
            let answer = browser.mutation(procedure, input).await;
            (browser, answer)
        })
        .collect();
    calls.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_renewals_of_one_cookie_make_one_successor() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let mut browser = server.browser(&ada).await;
    browser.csrf().await;
    let renewed = at_once((0..50).map(|_| (browser.clone(), "auth.refresh", json!({})))).await;
    for (_, answer) in &renewed {
        assert_eq!(answer.code(), "OK", "{}", answer.text());
    }
    let secrets: BTreeSet<&str> = renewed.iter().map(|(browser, _)| browser.session()).collect();
    assert_eq!(secrets.len(), 1, "one successor");
    assert!(!secrets.contains(browser.session()));
    // Tabs that still have the old one, and those that have the new one, go on; it is one device.
    assert!(browser.is_signed_in().await);
    let (mut next, _) = renewed.into_iter().next().unwrap();
    let devices = next.query("sessions.list", Value::Null).await.data();
    assert_eq!(devices["items"].as_array().unwrap().len(), 1, "{devices}");
    // The old one makes the same once more, and the token against cross-site requests is each one's own.
    let (old_token, new_token) = (browser.csrf().await, next.csrf().await);
    assert_ne!(old_token, new_token);
    let crossed = Request::mutation("auth.refresh", &json!({})).header("origin", next.origin()).header(CSRF, old_token);
    assert_eq!(next.clone().send(crossed).await.code(), "FORBIDDEN");
    assert_eq!(browser.mutation("auth.refresh", json!({})).await.code(), "OK");
    assert_eq!(browser.session(), next.session());
}

/// Who has the old one of a renewed cookie is signed out with it.
#[tokio::test]
async fn revoking_ends_the_cookies_before_as_well() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Employee).await;
    let (mut first, mut elsewhere) = (server.browser(&ada).await, server.browser(&ada).await);
    let mut second = first.clone();
    assert_eq!(second.mutation("auth.refresh", json!({})).await.code(), "OK");
    // Within the grace of the first, the second is renewed as well.
    let mut third = second.clone();
    assert_eq!(third.mutation("auth.refresh", json!({})).await.code(), "OK");
    assert!(third.is_signed_in().await);

    // Other rights count for whoever is still let in.
    server.mutation("users.update", json!({"id": ada.id, "role": "viewer"})).await.data();
    for browser in [&mut first, &mut second, &mut third] {
        let code = browser.mutation("posts.create", json!({"title": "Hello", "body": "Everybody."})).await.code();
        assert!(["FORBIDDEN", "UNAUTHORIZED"].contains(&code.as_str()), "{code}");
    }
    assert_eq!(elsewhere.mutation("sessions.revokeOthers", Value::Null).await.data(), json!({"count": 1}));
    for browser in [&mut third, &mut second, &mut first] {
        assert!(!browser.is_signed_in().await);
        assert_eq!(browser.mutation("auth.refresh", json!({})).await.failure(), "ended");
    }
    assert!(elsewhere.is_signed_in().await);
}

/// Session fixation: a secret that somebody else chose is never taken over.
#[tokio::test]
async fn signing_in_makes_another_secret() {
    let server = TestServer::inhabited().await;
    let (ada, eve) = (server.person("ada", Role::Administrator).await, server.person("eve", Role::Viewer).await);
    let mut eves = server.browser(&eve).await;
    let made_up = BASE64.encode([7; 32]);
    for planted in [made_up.as_str(), eves.session()] {
        let mut browser = Browser::new(&server.service);
        browser.plant(SESSION, planted);
        browser.plant(DEVICE, &made_up);
        let answer = browser.login(&ada.email, &ada.password).await;
        assert_eq!(answer.code(), "OK", "{}", answer.text());
        assert_ne!(browser.session(), planted);
        assert_ne!(browser.cookie(DEVICE), made_up);
        let mut planter = Browser::new(&server.service);
        planter.plant(SESSION, planted);
        let me = planter.query("auth.me", Value::Null).await;
        assert!(me.code() == "UNAUTHORIZED" || me.data()["email"] == eve.email.as_str(), "{}", me.text());
        assert_eq!(browser.query("auth.me", Value::Null).await.data()["email"], ada.email.as_str());
    }
    for answer in
        [eves.mutation("auth.refresh", json!({})).await, server.browser(&eve).await.login("x@example.com", "x").await]
    {
        for line in answer.all("set-cookie") {
            assert!(!line.contains(&made_up));
        }
    }
}

/// Signing in anew ends the session that the browser had (OWASP ASVS 5.0, 7.2.4).
#[tokio::test]
async fn signing_in_ends_the_session_before() {
    let server = TestServer::inhabited().await;
    let (ada, bob) = (server.person("ada", Role::Viewer).await, server.person("bob", Role::Viewer).await);
    let mut browser = server.browser(&ada).await;
    let mut others = server.browser(&ada).await;
    for next in [&ada, &bob] {
        let mut before = browser.clone();
        assert_eq!(browser.login(&next.email, &next.password).await.code(), "OK");
        assert!(browser.is_signed_in().await && !before.is_signed_in().await);
    }
    assert!(others.is_signed_in().await, "no other device is signed out");
    let devices = others.query("sessions.list", Value::Null).await.data();
    assert_eq!(devices["items"].as_array().unwrap().len(), 1, "{devices}");
    // A sign-in that fails ends nothing.
    assert_eq!(browser.login(&bob.email, "not the password").await.failure(), "wrongCredentials");
    assert!(browser.is_signed_in().await);
}

/// The cookies as a browser is told to keep them.
#[tokio::test]
async fn cookies_are_out_of_reach_of_scripts_and_of_other_sites() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let answer = Browser::new(&server.service).login(&ada.email, &ada.password).await;
    let lines = answer.all("set-cookie");
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        for attribute in ["Path=/", "HttpOnly", "SameSite=Lax"] {
            assert!(line.split("; ").any(|known| known == attribute), "{line}");
        }
        assert!(!line.contains("Domain"), "{line}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}
