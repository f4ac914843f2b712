//! Who may make an account by themselves, by whichever way they come.

use serde_json::{Value, json};

use super::drive::{parameter, sent_with};
use crate::{
    support::styles::{
        calls::Contract,
        drivers::{self, Driver},
    },
    support::{Browser, Request, TestServer, mailbox, people::password, provider::Provider},
};

/// The addresses of all users.
async fn addresses(server: &TestServer) -> Vec<String> {
    let page = server.query("users.list", json!({"sort": "email", "limit": 100})).await.data();
    page["items"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

/// Where a browser is sent that signs in with an account elsewhere.
async fn arrival(server: &TestServer) -> String {
    let mut browser = Browser::new(&server.service);
    let begun = browser.send(Request::new("GET", "/oauth/start?provider=facebook&return_to=/in")).await;
    let back = format!("/oauth/callback/facebook?state={}&code=x", sent_with(&begun, "state"));
    let ended = browser.send(Request::new("GET", back)).await;
    ended.header("location").unwrap_or_else(|| panic!("{}", ended.text())).to_owned()
}

/// What comes of registering with an address.
async fn registers(server: &TestServer, email: &str) -> String {
    let input = json!({"email": email, "name": "Ada", "password": password()});
    Browser::new(&server.service).mutation("auth.register", input).await.code()
}

/// The failure that each style gives whoever registers with an address and may not.
async fn refused(server: &TestServer, email: &str) -> Vec<Value> {
    let contract = Contract::of_the_testbed();
    let register = contract.find("auth.register").unwrap();
    let mut styles: Vec<Box<dyn Driver>> = vec![Box::new(drivers::first())];
    styles.extend(drivers::others(&contract, &server.service).await);
    let mut heard = Vec::new();
    for driver in styles {
        let input = json!({"email": email, "name": "Eve", "password": password()});
        let answer = server.service.send(&driver.say(register, Some(&input)).unwrap()).await;
        let failed = driver.hear(register, &answer).unwrap().unwrap_err();
        assert_eq!(failed.code, "FORBIDDEN", "{}", driver.name());
        heard.push(failed.failure.unwrap());
    }
    heard
}

#[tokio::test]
async fn where_registration_is_closed_nobody_makes_an_account_in_any_way() {
    let provider = Provider::start(json!({"id": "1", "name": "Eve", "email": "elsewhere@example.com"})).await;
    let server = TestServer::open_with(provider.folder(), &["--registration", "closed"]).await;
    let ada = json!({"email": "ada@example.com", "name": "Ada", "role": "employee"});
    server.mutation("users.create", ada).await.data();

    // Whether an address is known makes no difference, and nobody gets a mail.
    for email in ["ada@example.com", "eve@example.com"] {
        for failure in refused(&server, email).await {
            assert_eq!(failure, json!({"type": "closed"}), "{email}");
        }
        assert!(mailbox::mails(&server.service, email).await.is_empty());
    }
    assert!(arrival(&server).await.ends_with("/in#error=registration_closed"));
    assert_eq!(addresses(&server).await, ["ada@example.com"]);

    // Whom an administrator made an account for comes in: a link leads to a password.
    let mut browser = Browser::new(&server.service);
    let ask = json!({"email": "ada@example.com"});
    assert_eq!(browser.mutation("auth.requestReset", ask).await.code(), "OK");
    let (token, password) = (server.mail("ada@example.com", 1).await.token(), password());
    let choose = json!({"token": token, "password": password});
    assert_eq!(browser.mutation("auth.resetPassword", choose).await.code(), "OK");
    let user = browser.login("ada@example.com", &password).await.data()["user"].clone();
    assert_eq!((&user["role"], &user["isVerified"]), (&json!("employee"), &json!(true)));

    // And links an account elsewhere, by which they come in from then on.
    let url = browser.mutation("oauth.link", json!({"provider": "facebook"})).await.data()["url"].clone();
    let back = format!("/oauth/callback/facebook?state={}&code=x", parameter(url.as_str().unwrap(), "state"));
    browser.send(Request::new("GET", back)).await;
    assert!(arrival(&server).await.ends_with("/in"));
}

#[tokio::test]
async fn where_registration_is_for_some_domains_others_make_no_account() {
    let provider = Provider::start(json!({"id": "1", "name": "Eve", "email": "eve@other.example"})).await;
    let server = TestServer::open_with(provider.folder(), &["--registration", "example.com,example.net"]).await;
    for other in ["eve@other.example", "eve@sub.example.com", "eve@example.com.other.example"] {
        for failure in refused(&server, other).await {
            assert_eq!(failure, json!({"type": "otherDomain"}), "{other}");
        }
        assert!(mailbox::mails(&server.service, other).await.is_empty());
    }
    assert!(arrival(&server).await.ends_with("/in#error=other_domain"));
    assert_eq!(addresses(&server).await, [""; 0]);
    for email in ["ada@example.com", "bob@EXAMPLE.net"] {
        assert_eq!(registers(&server, email).await, "OK", "{email}");
    }
    assert_eq!(addresses(&server).await, ["ada@example.com", "bob@EXAMPLE.net"]);
}

#[tokio::test]
async fn where_registration_is_open_whoever_comes_makes_an_account() {
    let provider = Provider::start(json!({"id": "1", "name": "Eve", "email": "eve@other.example"})).await;
    // On this machine it is if nothing is said.
    for arguments in [&["--registration", "open"][..], &[]] {
        let server = TestServer::open_with(provider.folder(), arguments).await;
        assert_eq!(registers(&server, "ada@example.com").await, "OK");
        // The provider vouches for no address: its owner is mailed first.
        assert!(arrival(&server).await.ends_with("/in#error=confirm_email"));
        assert_eq!(addresses(&server).await, ["ada@example.com", "eve@other.example"]);
    }
}
