//! Whoever registers is a stranger still: a proved address is no right to read of others.

use serde_json::{Value, json};
use testbed::Role;

use crate::{
    support::styles::{
        calls::Contract,
        drivers::{self, Driver},
    },
    support::{Browser, TestServer, Tokens},
};

/// What a stranger must not get to see.
const PLANTED: [&str; 3] = ["keeper@example.org", "Planted Keeper", "Planted title"];

/// Every question about others, with an answer to find.
fn questions(keeper: &Value, post: &Value) -> Vec<(&'static str, Value)> {
    vec![
        ("users.list", json!({})),
        ("users.list", json!({"role": "administrator"})),
        ("users.get", json!({"id": keeper["id"]})),
        ("users.byIds", json!({"ids": [keeper["id"]]})),
        ("posts.list", json!({})),
        ("posts.get", json!({"id": post["id"]})),
        ("posts.byIds", json!({"ids": [post["id"]]})),
        ("audit.list", json!({})),
        ("grants.clientsList", json!({})),
    ]
}

async fn styles(contract: &Contract, server: &TestServer) -> Vec<Box<dyn Driver>> {
    let mut styles: Vec<Box<dyn Driver>> = vec![Box::new(drivers::first())];
    styles.extend(drivers::others(contract, &server.service).await);
    styles
}

#[tokio::test]
async fn a_stranger_who_registered_reads_nothing_of_others_in_any_style() {
    let server = TestServer::open().await;
    let keeper = json!({"email": PLANTED[0], "name": PLANTED[1], "role": "administrator", "isVerified": true});
    let keeper = server.mutation("users.create", keeper).await.data();
    let author = server.key.token_of(Role::Administrator, keeper["id"].as_str().unwrap());
    let post = server.service.mutation(&author, "posts.create", json!({"title": PLANTED[2], "body": "At noon."}));
    let post = post.await.data();

    // Given somebody who registered and proved the address, …
    let stranger = server.registered("stranger").await;
    let token = server.mail(&stranger.email, 1).await.token();
    let mut browser = Browser::new(&server.service);
    let proof = json!({"token": token, "password": stranger.password});
    assert_eq!(browser.mutation("auth.verifyEmail", proof).await.code(), "OK");
    let me = browser.login(&stranger.email, &stranger.password).await.data()["user"].clone();
    assert_eq!((&me["role"], &me["isVerified"], &me["permissions"]), (&json!("guest"), &json!(true), &json!([])));
    let login = json!({"email": stranger.email, "password": stranger.password, "keep": "tokens"});
    let tokens = Tokens::of(&browser.clone().mutation("auth.login", login).await.data());

    // … who asks for all that there is, with a token and in a browser …
    let contract = Contract::of_the_testbed();
    for driver in styles(&contract, &server).await {
        for (name, input) in questions(&keeper, &post) {
            let procedure = contract.find(name).unwrap();
            let by_cookie = driver.say(procedure, Some(&input)).unwrap().header("origin", browser.origin());
            let by_token = driver.say(procedure, Some(&input)).unwrap().bearer(&tokens.access);
            for request in [by_token, by_cookie] {
                let answer = browser.send(request).await;
                let refused = driver.hear(procedure, &answer).unwrap().unwrap_err();
                // … then nothing is said, and nothing of it stands anywhere in the answer.
                assert_eq!(refused.code, "FORBIDDEN", "{name} in {}: {}", driver.name(), answer.text());
                let text = answer.text();
                assert!(PLANTED.iter().all(|planted| !text.contains(planted)), "{name} in {}: {text}", driver.name());
            }
        }
    }

    // What is their own they read, and once they have a role, what it permits.
    let profile = browser.query("auth.me", Value::Null).await.data();
    assert_eq!(profile["email"], json!(stranger.email));
    server.mutation("users.update", json!({"id": me["id"], "role": "viewer"})).await.data();
    assert_eq!(browser.query("posts.get", json!({"id": post["id"]})).await.data()["title"], json!(PLANTED[2]));
}
