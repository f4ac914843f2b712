//! Each secret is good for what it is for, and for nothing else: every living one, tried as everything.

use std::net::Ipv4Addr;

use serde_json::json;
use tokio::task::JoinSet;

use super::{
    drive::{CALLBACK, Used, approve, form},
    dump::{attempts, everything_is_still_alive, steal},
};
use crate::support::http::basic;

/// What a secret is for, as the attempts call it.
fn purpose(secret: &str) -> &'static str {
    match secret {
        "a cookie" | "a cookie that was renewed a moment ago" => "a cookie",
        "an access token" => "a token",
        "a refresh token" | "a refresh token that was used a moment ago" => "a refresh token",
        // That an address is proved takes the password of the registration, or its browser, besides.
        "a token that proves an address" | "another of them" | "a token for another password" => {
            "a link for another password"
        }
        "a code" => "a code",
        "an application's refresh token" => "an application's refresh token",
        "the token against cross-site requests" => "the token against cross-site requests",
        // Passwords; secrets of applications, which are no way in by themselves; tokens of operators and of
        // applications, which are nobody of whom to tell; what belongs to other services.
        _ => "",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_one_kind_is_none_of_another() {
    let used = Used::new().await;
    let address = used.server.service.address;
    let thieves: JoinSet<_> = used
        .secrets
        .iter()
        .zip(2..)
        .map(|(secret, place)| {
            let all = attempts(&used, &secret.text).into_iter();
            let others = all.filter(|(what, _)| *what != purpose(secret.name));
            let others = others.map(|attempt| (attempt, secret.name.to_owned())).collect();
            steal(address, Ipv4Addr::new(127, 0, 8, place), others)
        })
        .collect();
    let opened: Vec<_> = thieves.join_all().await.into_iter().flatten().collect();
    assert_eq!(opened, []);

    // All of them are good for what they are for, after that.
    let code = form(
        "/oauth/token",
        &[
            ("grant_type", "authorization_code"),
            ("code", used.secret("a code")),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &used.secrets.iter().rfind(|it| it.name == "the verifier of a code").unwrap().text),
        ],
    );
    let code = code.header("authorization", basic(&used.client_id, used.secret("the secret of an application")));
    let answer = used.server.service.send(&code).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    everything_is_still_alive(&used).await;
}

/// Somebody lets an application in and is signed out before it comes: by then nobody has said yes.
#[tokio::test]
async fn a_code_of_somebody_who_was_signed_out_is_none() {
    let mut used = Used::new().await;
    let secret = used.secret("the secret of an application").to_owned();
    let redeem = async |used: &Used, (code, verifier): (String, String)| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &*verifier),
        ];
        let request = form("/oauth/token", &fields).header("authorization", basic(&used.client_id, &secret));
        used.server.service.send(&request).await
    };
    let (mut other, id) = (used.server.browser(&used.ada).await, used.client_id.clone());
    let said = approve(&mut other, &id).await;
    // A cookie that was renewed in the meantime is the same session.
    assert_eq!(other.mutation("auth.refresh", json!({})).await.code(), "OK");
    assert_eq!(redeem(&used, said).await.status, 200);
    let said = approve(&mut other, &id).await;
    assert_eq!(used.browser.mutation("sessions.revokeOthers", json!({})).await.code(), "OK");
    let answer = redeem(&used, said).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_grant")), "{}", answer.text());
    let said = approve(&mut used.browser, &id).await;
    assert_eq!(used.browser.mutation("auth.logout", json!({})).await.code(), "OK");
    assert_eq!(redeem(&used, said).await.status, 400);
}

/// What an application takes back or asks about is its own, and not a session of the service's own programs.
#[tokio::test]
async fn an_application_asks_and_takes_back_only_what_is_its_own() {
    let used = Used::new().await;
    let own = used.secret("the secret of an application");
    let ask = async |path: &str, token: &str| {
        let request = form(path, &[("token", token)]).header("authorization", basic(&used.client_id, own));
        used.server.service.send(&request).await
    };
    for name in
        ["a refresh token", "an access token", "a cookie", "an operator's token", "a token for another password"]
    {
        let told = ask("/oauth/introspect", used.secret(name)).await;
        assert_eq!((told.status, told.text().as_str()), (200, "{\"active\":false}"), "{name}");
        let revoked = ask("/oauth/revoke", used.secret(name)).await;
        assert!([200, 400].contains(&revoked.status), "{name}: {}", revoked.text());
        // Some clients read JSON from every answer.
        assert_eq!(revoked.header("content-type"), Some("application/json"), "{name}");
        assert!(revoked.status == 400 || revoked.json() == json!({}), "{name}: {}", revoked.text());
    }
    // A cookie and a made up turn, in the form of a refresh token.
    let joined = format!("{}{}", used.secret("a cookie"), "A".repeat(43));
    ask("/oauth/revoke", &joined).await;
    let told = ask("/oauth/introspect", used.secret("an application's refresh token")).await.json();
    assert_eq!((&told["active"], &told["sub"]), (&true.into(), &used.ada.id.as_str().into()));
    everything_is_still_alive(&used).await;
}
