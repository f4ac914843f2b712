//! Who becomes the first administrator of a service: whoever deployed it, and not who comes first.

use identity::IdentityRole as _;
use runtime::opaque::Opaque;
use serde_json::{Value, json};
use testbed::Role;

use crate::support::{Answer, Browser, Folder, TestServer, mailbox, people::password};

const OWNER: &str = "owner@example.com";

/// A service that was deployed with a token for its first administrator, and the token.
async fn deployed() -> (TestServer, String) {
    deployed_with(&[]).await
}

/// The same with more arguments.
async fn deployed_with(arguments: &[&str]) -> (TestServer, String) {
    let data = Folder::new();
    let token = Opaque::random().unwrap();
    std::fs::create_dir_all(data.path().join("secrets")).unwrap();
    let secret = json!({"hash": token.hash()}).to_string();
    std::fs::write(data.path().join("secrets/founder.json"), secret).unwrap();
    (TestServer::open_with(data, arguments).await, token.text())
}

async fn register(browser: &mut Browser, email: &str, password: &str, token: Option<&str>) -> Answer {
    let input = json!({"email": email, "name": "Somebody", "password": password, "founderToken": token});
    browser.mutation("auth.register", input).await
}

/// Opens the newest of so many links in a browser.
async fn open(server: &TestServer, browser: &mut Browser, email: &str, count: usize) -> Answer {
    let token = mailbox::mail(&server.service, email, count).await.token();
    browser.mutation("auth.verifyEmail", json!({"token": token})).await
}

async fn role(browser: &mut Browser, email: &str, password: &str) -> Value {
    browser.login(email, password).await.data()["user"]["role"].clone()
}

/// A stranger is faster, with the owner's own address.
#[tokio::test]
async fn who_comes_first_is_not_the_first_administrator() {
    let (server, token) = deployed().await;
    let (strangers, owners) = (password(), password());
    let (mut stranger, mut owner) = (Browser::new(&server.service), Browser::new(&server.service));
    assert_eq!(register(&mut stranger, OWNER, &strangers, None).await.code(), "OK");
    for wrong in ["", "founder", &Opaque::random().unwrap().text(), &token.to_lowercase()] {
        let refused = register(&mut stranger, "stranger@example.com", &strangers, Some(wrong)).await;
        assert_eq!(refused.failure(), "wrongFounderToken", "{wrong}");
    }
    assert_eq!(register(&mut owner, OWNER, &owners, Some(&token)).await.code(), "OK");
    assert_eq!(open(&server, &mut owner, OWNER, 2).await.code(), "OK");
    assert_eq!(role(&mut owner, OWNER, &owners).await, "administrator");
    assert_eq!(stranger.login(OWNER, &strangers).await.failure(), "wrongCredentials");

    // It is good once.
    let again = register(&mut stranger, "another@example.com", &strangers, Some(&token)).await;
    assert_eq!(again.failure(), "wrongFounderToken");
    let later = "later@example.com";
    assert_eq!(register(&mut stranger, later, &strangers, None).await.code(), "OK");
    assert_eq!(open(&server, &mut stranger, later, 1).await.code(), "OK");
    assert_eq!(role(&mut stranger, later, &strangers).await, Role::NEW_USER.name());
}

/// Registration is closed to whoever comes, and not to whom the deployment names.
#[tokio::test]
async fn who_has_the_token_registers_where_registration_is_closed() {
    let (server, token) = deployed_with(&["--registration", "closed"]).await;
    let (owners, mut owner) = (password(), Browser::new(&server.service));
    assert_eq!(register(&mut owner, OWNER, &owners, None).await.failure(), "closed");
    assert_eq!(register(&mut owner, OWNER, &owners, Some(&token)).await.code(), "OK");
    assert_eq!(open(&server, &mut owner, OWNER, 1).await.code(), "OK");
    assert_eq!(role(&mut owner, OWNER, &owners).await, "administrator");
    assert_eq!(register(&mut owner, "later@example.com", &owners, None).await.failure(), "closed");
}

/// The link of a mistyped address leads whoever has that mailbox to an account, and not to that of the administrator.
/// The token stays good until an address is proved with it.
#[tokio::test]
async fn a_link_that_goes_astray_makes_no_administrator() {
    let (server, token) = deployed().await;
    let (owners, mistyped) = (password(), "onwer@example.com");
    let (mut stranger, mut owner) = (Browser::new(&server.service), Browser::new(&server.service));
    assert_eq!(register(&mut owner, mistyped, &owners, Some(&token)).await.code(), "OK");
    assert_eq!(open(&server, &mut stranger, mistyped, 1).await.failure(), "passwordNeeded");
    let chosen = password();
    let link = mailbox::mail(&server.service, mistyped, 1).await.token();
    let choose = json!({"token": link, "password": chosen});
    assert_eq!(stranger.mutation("auth.resetPassword", choose).await.code(), "OK");
    assert_eq!(role(&mut stranger, mistyped, &chosen).await, Role::NEW_USER.name());

    assert_eq!(register(&mut owner, OWNER, &owners, Some(&token)).await.code(), "OK");
    assert_eq!(open(&server, &mut owner, OWNER, 1).await.code(), "OK");
    assert_eq!(role(&mut owner, OWNER, &owners).await, "administrator");
}

/// The account may be one that is there: of somebody who registered before, or chose another password with the link.
#[tokio::test]
async fn the_token_names_somebody_who_has_an_account() {
    let (server, token) = deployed().await;
    let (before, chosen, mut owner) = (password(), password(), Browser::new(&server.service));
    assert_eq!(register(&mut owner, OWNER, &before, None).await.code(), "OK");
    assert_eq!(open(&server, &mut owner, OWNER, 1).await.code(), "OK");
    assert_eq!(role(&mut owner, OWNER, &before).await, Role::NEW_USER.name());
    let mut stranger = Browser::new(&server.service);
    let strangers = password();
    assert_eq!(register(&mut stranger, OWNER, &strangers, None).await.code(), "OK");
    assert_eq!(mailbox::mail(&server.service, OWNER, 2).await.subject, "You have an account already");

    assert_eq!(register(&mut owner, OWNER, &chosen, Some(&token)).await.code(), "OK");
    assert_eq!(open(&server, &mut stranger, OWNER, 3).await.failure(), "passwordNeeded");
    assert_eq!(open(&server, &mut owner, OWNER, 3).await.code(), "OK");
    assert_eq!(role(&mut owner, OWNER, &chosen).await, "administrator");
    for old in [&before, &strangers] {
        assert_eq!(stranger.login(OWNER, old).await.failure(), "wrongCredentials");
    }
}

/// Whoever founded the service and left comes back by it no more: the token stays used.
#[tokio::test]
async fn the_token_is_good_once_also_when_the_founder_is_gone() {
    for leaves in ["users.delete", "account.erase"] {
        let (server, token) = deployed().await;
        let (words, mut founder) = (password(), Browser::new(&server.service));
        assert_eq!(register(&mut founder, OWNER, &words, Some(&token)).await.code(), "OK");
        assert_eq!(register(&mut founder, "second@example.com", &words, Some(&token)).await.code(), "OK");
        assert_eq!(open(&server, &mut founder, OWNER, 1).await.code(), "OK");
        founder.login(OWNER, &words).await.data();
        server.keeper().await;
        match leaves {
            "users.delete" => {
                let id = server.id_of(OWNER).await;
                server.mutation("users.delete", json!({"id": id})).await.data();
            }
            _ => assert_eq!(founder.mutation("account.erase", json!({"password": words})).await.code(), "OK"),
        }
        let again = register(&mut founder, OWNER, &words, Some(&token)).await;
        assert_eq!(again.failure(), "wrongFounderToken", "{leaves}");
        // Nor by a link that was mailed before.
        let link = mailbox::mail(&server.service, "second@example.com", 1).await.token();
        let proof = json!({"token": link, "password": words});
        assert_eq!(founder.mutation("auth.verifyEmail", proof).await.failure(), "notValid", "{leaves}");
    }
}

/// Where strangers do not come and nobody was named, it is the first person.
#[tokio::test]
async fn under_development_the_first_person_is_the_administrator() {
    let server = TestServer::open().await;
    let (mut ada, words) = (Browser::new(&server.service), password());
    assert_eq!(register(&mut ada, OWNER, &words, None).await.code(), "OK");
    assert_eq!(open(&server, &mut ada, OWNER, 1).await.code(), "OK");
    assert_eq!(role(&mut ada, OWNER, &words).await, "administrator");
    let refused = register(&mut ada, "bob@example.com", &words, Some(&Opaque::random().unwrap().text())).await;
    assert_eq!(refused.failure(), "wrongFounderToken", "there is no token here");
}
