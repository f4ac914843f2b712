//! Refresh tokens that come again: from many tabs at once, late, stolen, made up (RFC 9700 section 4.14).

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use testbed::Role;
use tokio::task::JoinSet;

use crate::support::{Answer, Browser, Connection, Request, Service, TestServer, Tokens};

fn refresh(token: &str) -> Request {
    Request::mutation("auth.refresh", &json!({"refreshToken": token}))
}

/// Presents a token that must be good.
async fn next(service: &Service, token: &str) -> Tokens {
    Tokens::of(&service.send(&refresh(token)).await.data())
}

fn expect_ended(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.failure().as_str()), (401, "ended"), "{what}: {}", answer.text());
    assert_eq!(answer.all("set-cookie"), [""; 0], "{what}");
}

/// How often somebody's refresh token came a second time, as the audit log has it.
async fn reuses(server: &TestServer, of: &str) -> usize {
    let entries = server.query("audit.list", json!({"actor": of, "limit": 100})).await.data();
    entries["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "tokenReused").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_refreshes_of_one_token_make_one_successor() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let mut tokens = server.tokens(&ada).await;
    for round in 0..3 {
        let calls: JoinSet<_> = (0..100)
            .map(|_| {
                let (address, token) = (server.service.address, tokens.refresh.clone());
                async move { Connection::open(address).await.unwrap().send(&refresh(&token)).await.unwrap() }
            })
            .collect();
        let answers = calls.join_all().await;
        let successors: Vec<Tokens> = answers.iter().map(|answer| Tokens::of(&answer.data())).collect();
        let distinct: BTreeSet<&str> = successors.iter().map(|tokens| tokens.refresh.as_str()).collect();
        assert_eq!(distinct.len(), 1, "round {round}");
        assert!(!distinct.contains(tokens.refresh.as_str()));
        // Each of the access tokens is good, also where the table is asked.
        for tokens in [&successors[0], &successors[99]] {
            assert_eq!(server.service.query(&tokens.access, "sessions.list", Value::Null).await.code(), "OK");
        }
        tokens = successors.into_iter().next().unwrap();
    }
    assert_eq!(reuses(&server, &ada.id).await, 0);
    let devices = server.service.query(&tokens.access, "sessions.list", Value::Null).await.data();
    assert_eq!(devices["items"].as_array().unwrap().len(), 1);
}

/// The answer was lost: the same token once more gives the same, and is no theft.
#[tokio::test]
async fn a_token_may_come_again_until_its_successor_was_used() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let first = server.tokens(&ada).await;
    let second = next(&server.service, &first.refresh).await;
    assert_eq!(next(&server.service, &first.refresh).await.refresh, second.refresh);
    assert_ne!(first.access, second.access);
    let third = next(&server.service, &second.refresh).await;
    assert_eq!(reuses(&server, &ada.id).await, 0);

    // Now two parties have it: the session ends for both, and for whoever holds any token of it.
    let other = server.tokens(&ada).await;
    expect_ended(&server.service.send(&refresh(&first.refresh)).await, "reused");
    for (what, tokens) in [("the first", &first), ("the second", &second), ("the third", &third)] {
        expect_ended(&server.service.send(&refresh(&tokens.refresh)).await, what);
        let answer = server.service.query(&tokens.access, "sessions.list", Value::Null).await;
        assert_eq!(answer.code(), "UNAUTHORIZED", "{what}");
    }
    assert_eq!(reuses(&server, &ada.id).await, 1);
    // Her other session is not of that family.
    assert_eq!(server.service.query(&other.access, "sessions.list", Value::Null).await.code(), "OK");
}

#[tokio::test]
async fn a_made_up_token_ends_a_session_only_with_its_secret() {
    let server = TestServer::inhabited().await;
    let (ada, eve) = (server.person("ada", Role::Viewer).await, server.person("eve", Role::Viewer).await);
    let (adas, eves) = (server.tokens(&ada).await, server.tokens(&eve).await);
    let (own, other) = (BASE64.decode(&adas.refresh).unwrap(), BASE64.decode(&eves.refresh).unwrap());
    let join = |session: &[u8], turn: &[u8]| BASE64.encode([session, turn].concat());
    let sid = |tokens: &Tokens| {
        let claims = BASE64.decode(tokens.access.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        BASE64.decode(claims["sid"].as_str().unwrap()).unwrap()
    };
    for (what, token) in [
        ("a made up session", join(&[7; 32], &own[32..])),
        ("nothing but zeros", join(&[0; 32], &[0; 32])),
        ("the turn alone", join(&own[32..], &own[32..])),
        ("halves in the other order", join(&own[32..], &own[..32])),
        ("the hash that an access token names", join(&sid(&adas), &own[32..])),
        ("one half", BASE64.encode(&own[..32])),
        ("one byte less", BASE64.encode(&own[..63])),
        ("one byte more", join(&own, &[0])),
        ("padding", format!("{}==", adas.refresh)),
        ("spaces", format!(" {} ", adas.refresh)),
        ("another case", adas.refresh.to_uppercase()),
        ("the access token", adas.access.clone()),
        ("nothing", String::new()),
        ("a line", format!("{}\n", adas.refresh)),
        ("a huge one", "A".repeat(100_000)),
    ] {
        expect_ended(&server.service.send(&refresh(&token)).await, what);
    }
    for input in
        [json!({"refreshToken": 7}), json!({"refreshToken": [adas.refresh]}), json!({"refresh_token": adas.refresh})]
    {
        let answer = server.service.send(&Request::mutation("auth.refresh", &input)).await;
        assert_eq!(answer.code(), "BAD_REQUEST", "{input}");
    }
    let adas = next(&server.service, &adas.refresh).await;
    assert_eq!(reuses(&server, &ada.id).await, 0);

    // With the session's secret, a turn that never was is one that somebody made up: Ada's session ends, and with
    // hers nobody else's.
    let own = BASE64.decode(&adas.refresh).unwrap();
    expect_ended(&server.service.send(&refresh(&join(&own[..32], &other[32..]))).await, "somebody else's turn");
    expect_ended(&server.service.send(&refresh(&adas.refresh)).await, "the good one, afterwards");
    assert_eq!((reuses(&server, &ada.id).await, reuses(&server, &eve.id).await), (1, 0));
    next(&server.service, &eves.refresh).await;
}

/// A refresh token is no cookie's business: it is renewed without one, whatever cookie comes along, and sets none.
#[tokio::test]
async fn a_refresh_renews_what_it_names_and_nothing_else() {
    let server = TestServer::inhabited().await;
    let (ada, eve) = (server.person("ada", Role::Viewer).await, server.person("eve", Role::Viewer).await);
    let tokens = server.tokens(&ada).await;
    let mut browser = server.browser(&eve).await;
    let cookie = browser.session().to_owned();
    let answer = browser.mutation("auth.refresh", json!({"refreshToken": tokens.refresh})).await;
    assert_eq!((answer.code().as_str(), answer.all("set-cookie").len()), ("OK", 0));
    assert_eq!(browser.session(), cookie);
    let tokens = Tokens::of(&answer.data());
    let me = server.service.query(&tokens.access, "auth.me", Value::Null).await.data();
    assert_eq!(me["email"], ada.email.as_str());
    // Without a token it is the cookie that is renewed; with neither there is nothing.
    assert_eq!(browser.mutation("auth.refresh", json!({})).await.data(), json!({"tokens": null}));
    assert_ne!(browser.session(), cookie);
    expect_ended(&Browser::new(&server.service).mutation("auth.refresh", json!({})).await, "nobody");
    // An access token cannot renew itself.
    expect_ended(&server.service.mutation(&tokens.access, "auth.refresh", json!({})).await, "an access token");
    expect_ended(&server.mutation("auth.refresh", json!({})).await, "an operator's token");
}
