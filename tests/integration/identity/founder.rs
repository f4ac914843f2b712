//! Who becomes the first administrator of a service: whoever deployed it, and not who comes first.

use model::Role;
use runtime::opaque::Opaque;
use serde_json::{Value, json};

use crate::given::{Answer, Browser, Folder, Office, mailbox, people::password};

const OWNER: &str = "owner@example.com";

/// A service that was deployed with a token for its first administrator, and the token.
async fn deployed() -> (Office, String) {
    deployed_with(&[]).await
}

/// The same with more arguments.
async fn deployed_with(arguments: &[&str]) -> (Office, String) {
    let data = Folder::new();
    let token = Opaque::random().unwrap();
    std::fs::create_dir_all(data.path().join("secrets")).unwrap();
    let secret = json!({"hash": token.hash()}).to_string();
    std::fs::write(data.path().join("secrets/founder.json"), secret).unwrap();
    (Office::open_with(data, arguments).await, token.text())
}

async fn register(browser: &mut Browser, email: &str, password: &str, token: Option<&str>) -> Answer {
    let input = json!({"email": email, "name": "Somebody", "password": password, "founderToken": token});
    browser.mutation("auth.register", input).await
}

/// Opens the newest of so many links in a browser.
async fn open(office: &Office, browser: &mut Browser, email: &str, count: usize) -> Answer {
    let token = mailbox::mail(&office.service, email, count).await.token();
    browser.mutation("auth.verify_email", json!({"token": token})).await
}

async fn role(browser: &mut Browser, email: &str, password: &str) -> Value {
    browser.login(email, password).await.data()["user"]["role"].clone()
}

/// A stranger is faster, with the owner's own address.
#[tokio::test]
async fn who_comes_first_is_not_the_first_administrator() {
    let (office, token) = deployed().await;
    let (strangers, owners) = (password(), password());
    let (mut stranger, mut owner) = (Browser::new(&office.service), Browser::new(&office.service));
    assert_eq!(register(&mut stranger, OWNER, &strangers, None).await.code(), "OK");
    for wrong in ["", "founder", &Opaque::random().unwrap().text(), &token.to_lowercase()] {
        let refused = register(&mut stranger, "stranger@example.com", &strangers, Some(wrong)).await;
        assert_eq!(refused.failure(), "wrongFounderToken", "{wrong}");
    }
    assert_eq!(register(&mut owner, OWNER, &owners, Some(&token)).await.code(), "OK");
    assert_eq!(open(&office, &mut owner, OWNER, 2).await.code(), "OK");
    assert_eq!(role(&mut owner, OWNER, &owners).await, "administrator");
    assert_eq!(stranger.login(OWNER, &strangers).await.failure(), "wrongCredentials");

    // It is good once.
    let again = register(&mut stranger, "another@example.com", &strangers, Some(&token)).await;
    assert_eq!(again.failure(), "wrongFounderToken");
    let later = "later@example.com";
    assert_eq!(register(&mut stranger, later, &strangers, None).await.code(), "OK");
    assert_eq!(open(&office, &mut stranger, later, 1).await.code(), "OK");
    assert_eq!(role(&mut stranger, later, &strangers).await, Role::OF_NEWCOMERS.name());
}

/// Registration is closed to whoever comes, and not to whom the deployment names.
#[tokio::test]
async fn who_has_the_token_registers_where_registration_is_closed() {
    let (office, token) = deployed_with(&["--registration", "closed"]).await;
    let (owners, mut owner) = (password(), Browser::new(&office.service));
    assert_eq!(register(&mut owner, OWNER, &owners, None).await.failure(), "closed");
    assert_eq!(register(&mut owner, OWNER, &owners, Some(&token)).await.code(), "OK");
    assert_eq!(open(&office, &mut owner, OWNER, 1).await.code(), "OK");
    assert_eq!(role(&mut owner, OWNER, &owners).await, "administrator");
    assert_eq!(register(&mut owner, "later@example.com", &owners, None).await.failure(), "closed");
}

/// The link of a mistyped address leads whoever has that mailbox to an account, and not to that of the administrator.
/// The token stays good until an address is proved with it.
#[tokio::test]
async fn a_link_that_goes_astray_makes_no_administrator() {
    let (office, token) = deployed().await;
    let (owners, mistyped) = (password(), "onwer@example.com");
    let (mut stranger, mut owner) = (Browser::new(&office.service), Browser::new(&office.service));
    assert_eq!(register(&mut owner, mistyped, &owners, Some(&token)).await.code(), "OK");
    assert_eq!(open(&office, &mut stranger, mistyped, 1).await.failure(), "passwordNeeded");
    let chosen = password();
    let link = mailbox::mail(&office.service, mistyped, 1).await.token();
    let choose = json!({"token": link, "password": chosen});
    assert_eq!(stranger.mutation("auth.reset_password", choose).await.code(), "OK");
    assert_eq!(role(&mut stranger, mistyped, &chosen).await, Role::OF_NEWCOMERS.name());

    assert_eq!(register(&mut owner, OWNER, &owners, Some(&token)).await.code(), "OK");
    assert_eq!(open(&office, &mut owner, OWNER, 1).await.code(), "OK");
    assert_eq!(role(&mut owner, OWNER, &owners).await, "administrator");
}

/// Where strangers do not come and nobody was named, it is the first person.
#[tokio::test]
async fn under_development_the_first_person_is_the_administrator() {
    let office = Office::open().await;
    let (mut ada, words) = (Browser::new(&office.service), password());
    assert_eq!(register(&mut ada, OWNER, &words, None).await.code(), "OK");
    assert_eq!(open(&office, &mut ada, OWNER, 1).await.code(), "OK");
    assert_eq!(role(&mut ada, OWNER, &words).await, "administrator");
    let refused = register(&mut ada, "bob@example.com", &words, Some(&Opaque::random().unwrap().text())).await;
    assert_eq!(refused.failure(), "wrongFounderToken", "there is no token here");
}
