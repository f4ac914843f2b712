//! What wants a sign-in of a moment ago says so in every style, with the same failure.

use serde_json::json;
use testbed::Role;

use crate::support::styles::{
    calls::Contract,
    drivers::{self, Failed},
};
use crate::support::{
    TestServer,
    tokens::{claims, header, now_s},
};

#[tokio::test]
async fn every_style_says_that_a_sign_in_is_too_old() {
    let server = TestServer::open().await;
    let contract = Contract::of_the_testbed();
    let old = |age_s: i64| {
        let mut claims = claims(Role::Administrator);
        claims["iat"] = (now_s() - age_s).into();
        server.key.sign(&header(), &claims)
    };
    let mut all = drivers::others(&contract, &server.service).await;
    all.push(Box::new(drivers::first()));
    let precious: Vec<_> =
        contract.procedures().filter(|it| it.failures().iter().any(|it| it["type"] == "reauthenticate")).collect();
    assert!(precious.len() >= 5, "{}", precious.len());
    let expected =
        Failed { code: "FORBIDDEN".into(), failure: Some(json!({"type": "reauthenticate"})), fields: Vec::new() };
    // Whoever is let in does not get it, either.
    server.mutation("users.create", json!({"email": "ada@example.com", "name": "Ada"})).await.data();
    for procedure in &precious {
        let input = match procedure.name() {
            "oauth.link" | "oauth.unlink" => json!({"provider": "acme"}),
            "auth.changePassword" => json!({"password": "seven grey herons wade"}),
            "grants.clientsCreate" => {
                json!({"name": "Reader", "kind": "public", "redirectUris": [], "scopes": ["posts:read"]})
            }
            "users.create" => json!({"email": "ada@example.com", "name": "Thief", "role": "administrator"}),
            "users.update" => json!({"id": "00000000-0000-7000-8000-000000000000", "role": "administrator"}),
            _ => json!({}),
        };
        for driver in &all {
            let what = format!("{} in {}", procedure.name(), driver.name());
            let call = async |age_s: i64| {
                let request = driver.say(*procedure, Some(&input)).unwrap().bearer(&old(age_s));
                let answer = server.service.send(&request).await;
                driver.hear(*procedure, &answer).unwrap_or_else(|wrong| panic!("{what}: {wrong}"))
            };
            assert_eq!(call(3_600).await.unwrap_err(), expected, "{what}");
            assert_ne!(call(0).await.unwrap_err(), expected, "{what}, of somebody who was there a moment ago");
        }
    }
}
