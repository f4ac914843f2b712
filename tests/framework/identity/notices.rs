//! Owners are told what is done with their accounts: after it was done, without a link, and not without end.

use serde_json::{Value, json};
use testbed::Role;

use super::{
    drive::{CALLBACK, approve, form, parameter},
    limits::a_whole_span,
};
use crate::support::{
    Browser, Folder, Key, Person, Request, Service, TestServer, mailbox, people::password, provider::Provider,
};

const PASSWORD: &str = "Your password was changed";
const ADDRESS: &str = "The e-mail address of your account was changed";
const RIGHTS: &str = "What your account may do was changed";
const LINKED: &str = "Another account was linked to yours";
const UNLINKED: &str = "An account was unlinked from yours";
const BROWSER: &str = "Somebody signed in with another browser";
const PROGRAM: &str = "A program signed in";
const SIGNED_OUT: &str = "You were signed out everywhere";
const LET_IN: &str = "An application was let in to your account";
const DELETED: &str = "Your account was deleted";

/// A service at which one signs in with Facebook as well.
async fn server() -> (TestServer, Provider) {
    let data = Folder::new();
    let provider = Provider::start(json!({"id": "1234", "name": "Ada", "email": "ada@elsewhere.example"})).await;
    std::fs::create_dir_all(data.path().join("secrets")).unwrap();
    let file = data.path().join("secrets/identity-providers.json");
    std::fs::write(file, provider.configuration().to_string()).unwrap();
    let service = Service::ephemeral(&data).await;
    let key = Key::of(data.path());
    let server = TestServer { admin: key.token(Role::Administrator), service, key, data };
    let keeper = json!({"email": "keeper@example.org", "name": "Keeper", "role": "administrator"});
    server.mutation("users.create", keeper).await.data();
    (server, provider)
}

/// The subjects of all notices to an address so far. None of them has a link, or anything that becomes one.
async fn told(server: &TestServer, to: &str) -> Vec<String> {
    let mut subjects = Vec::new();
    for mail in mailbox::mails(&server.service, to).await.into_iter().filter(mailbox::Mail::is_notice) {
        for part in ["://", "www.", "#", "@"] {
            assert!(!mail.text.contains(part), "{}", mail.text);
        }
        // An administrator's address is not the owner's business.
        let by_administrator =
            [ADDRESS, RIGHTS, SIGNED_OUT].contains(&mail.subject.as_str()) || mail.text.starts_with("An administrator");
        assert_eq!(mail.text.contains("127.0.0.1"), !by_administrator, "{}", mail.text);
        assert!(mail.text.contains("That was on 20"), "{}", mail.text);
        subjects.push(mail.subject);
    }
    subjects
}

async fn ok(browser: &mut Browser, procedure: &str, input: Value) {
    let answer = browser.mutation(procedure, input).await;
    assert_eq!(answer.code(), "OK", "{procedure}: {}", answer.text());
}

async fn reset(server: &TestServer, person: &Person, mails: usize) -> String {
    let mut browser = Browser::new(&server.service);
    ok(&mut browser, "auth.requestReset", json!({"email": person.email})).await;
    let (token, next) = (server.mail(&person.email, mails).await.token(), password());
    ok(&mut browser, "auth.resetPassword", json!({"token": token, "password": next})).await;
    next
}

#[tokio::test]
async fn each_change_of_password_address_identity_and_rights_is_told() {
    a_whole_span().await;
    let (server, _provider) = server().await;
    let ada = server.person("ada", Role::Viewer).await;
    let mut expected: Vec<&str> = told(&server, &ada.email).await.iter().map(|_| RIGHTS).collect();
    let mut browser = Browser::new(&server.service);
    ok(&mut browser, "auth.login", json!({"email": ada.email, "password": ada.password})).await;
    expected.push(BROWSER);
    let url = browser.mutation("oauth.link", json!({"provider": "facebook"})).await.data()["url"].clone();
    let state = parameter(url.as_str().unwrap(), "state");
    let back = format!("/oauth/callback/facebook?state={state}&code=c0de-of-a-flow");
    let answer = browser.send(Request::new("GET", back)).await;
    assert!(answer.header("location").is_some_and(|to| !to.contains("error")), "{}", answer.text());
    expected.push(LINKED);
    ok(&mut browser, "oauth.unlink", json!({"provider": "facebook"})).await;
    expected.push(UNLINKED);
    let change = json!({"current": ada.password, "password": password()});
    ok(&mut browser, "auth.changePassword", change).await;
    expected.push(PASSWORD);
    reset(&server, &ada, 2).await;
    expected.push(PASSWORD);
    let update = async |change: Value| {
        let mut input = json!({"id": ada.id});
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        server.mutation("users.update", input).await.data();
    };
    update(json!({"name": "Countess"})).await;
    update(json!({"role": "employee"})).await;
    expected.push(RIGHTS);
    update(json!({"isVerified": false})).await;
    expected.push(RIGHTS);
    update(json!({"email": "countess@example.com"})).await;
    expected.push(ADDRESS);
    assert_eq!(told(&server, &ada.email).await, expected);
    assert_eq!(told(&server, "countess@example.com").await, [ADDRESS]);
}

/// One mailbox under another spelling is no other address, and hides nothing that comes with it.
#[tokio::test]
async fn another_spelling_of_an_address_is_no_other_address() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let (local, host) = ada.email.split_once('@').unwrap();
    let spelt = [format!("{}@{host}", local.to_uppercase()), format!("{local}@{}", host.to_uppercase())];
    // How many notices of both kinds went to the mailbox, whose address is read in any spelling.
    let counted = async || {
        let subjects = told(&server, &ada.email).await;
        [RIGHTS, ADDRESS].map(|kind| subjects.iter().filter(|subject| *subject == kind).count())
    };
    let [rights, addresses] = counted().await;
    for (change, more) in [
        (json!({"id": ada.id, "email": spelt[0]}), 0),
        (json!({"id": ada.id, "email": spelt[1], "isVerified": false}), 1),
    ] {
        server.mutation("users.update", change.clone()).await.data();
        assert_eq!(counted().await, [rights + more, addresses], "{change}");
    }
    let log = server.query("audit.list", json!({"target": ada.id})).await.data();
    let details = log.to_string();
    assert!(details.contains("another spelling of the address") && !details.contains("another address"), "{details}");
}

#[tokio::test]
async fn a_browser_that_is_not_known_is_told_of_and_the_first_one_is_not() {
    let server = TestServer::inhabited().await;
    let ada = server.registered("ada").await;
    let mut first = Browser::new(&server.service);
    let token = server.mail(&ada.email, 1).await.token();
    ok(&mut first, "auth.verifyEmail", json!({"token": token, "password": ada.password})).await;
    for _ in 0..2 {
        assert_eq!(first.login(&ada.email, &ada.password).await.code(), "OK");
    }
    assert_eq!(told(&server, &ada.email).await, [""; 0]);
    let mut second = Browser::new(&server.service);
    assert_eq!(second.login(&ada.email, "not the password").await.failure(), "wrongCredentials");
    assert_eq!(told(&server, &ada.email).await, [""; 0], "nobody signed in");
    for _ in 0..2 {
        assert_eq!(second.login(&ada.email, &ada.password).await.code(), "OK");
    }
    assert_eq!(told(&server, &ada.email).await, [BROWSER]);
}

#[tokio::test]
async fn the_end_of_an_account_is_told() {
    let server = TestServer::inhabited().await;
    let (ada, bob) = (server.person("ada", Role::Viewer).await, server.person("bob", Role::Viewer).await);
    ok(&mut server.browser(&ada).await, "account.erase", json!({"password": ada.password})).await;
    assert_eq!(told(&server, &ada.email).await.last().unwrap(), DELETED);
    server.mutation("users.delete", json!({"id": bob.id})).await.data();
    assert_eq!(told(&server, &bob.email).await.last().unwrap(), DELETED);
    let mails =
        [&ada, &bob].map(async |person| mailbox::mails(&server.service, &person.email).await.pop().unwrap().text);
    let [own, by_administrator] = mails;
    assert!(own.await.contains("by somebody who was signed in to it"));
    assert!(by_administrator.await.starts_with("An administrator"));
}

/// Whoever stole a cookie could let an application in, which then stays longer than the session.
#[tokio::test]
async fn an_application_that_is_let_in_is_told_of_until_it_is_in() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let mut browser = server.browser(&ada).await;
    let application = json!({"name": "Reader", "kind": "public", "scopes": ["posts:read"], "redirectUris": [CALLBACK]});
    let id = server.mutation("grants.clientsCreate", application).await.data()["client"]["id"].clone();
    let id = id.as_str().unwrap();
    for _ in 0..2 {
        let (code, verifier) = approve(&mut browser, id).await;
        assert_eq!(told(&server, &ada.email).await.last().unwrap(), LET_IN);
        let redeem = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", &verifier),
            ("redirect_uri", CALLBACK),
            ("client_id", id),
        ];
        assert_eq!(server.service.send(&form("/oauth/token", &redeem)).await.status, 200);
    }
    let times = told(&server, &ada.email).await.iter().filter(|it| *it == LET_IN).count();
    assert_eq!(times, 1, "it is in");
}

/// A program keeps no cookie. Its sign-ins push no browser out of those that the account knows.
#[tokio::test]
async fn programs_that_sign_in_make_no_browser_a_stranger() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let mut browser = server.browser(&ada).await;
    let before = told(&server, &ada.email).await;
    for _ in 0..=identity::Account::MAX_KNOWN {
        server.tokens(&ada).await;
    }
    assert_eq!(browser.login(&ada.email, &ada.password).await.code(), "OK");
    let told = told(&server, &ada.email).await.split_off(before.len());
    assert_eq!(told, [PROGRAM], "the browser is known still");
}

/// Whoever has the password could fill the mailbox, and bury what matters under the rest.
#[tokio::test]
async fn nobodys_mailbox_is_filled_and_nothing_is_buried() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let before = told(&server, &ada.email).await.len();
    for _ in 0..8 {
        assert_eq!(Browser::new(&server.service).login(&ada.email, &ada.password).await.code(), "OK");
        server.tokens(&ada).await;
    }
    let mut browser = server.browser(&ada).await;
    ok(&mut browser, "auth.changePassword", json!({"current": ada.password, "password": password()})).await;
    let told = told(&server, &ada.email).await.split_off(before);
    let count = |subject: &str| told.iter().filter(|it| *it == subject).count();
    assert_eq!((count(BROWSER), count(PROGRAM), count(PASSWORD)), (5, 1, 1), "{told:?}");
}
