//! What ends a session, and that it counts from the very next call of every other device.

use serde_json::{Value, json};
use testbed::Role;
use tokio::task::JoinSet;

use crate::support::{Browser, Person, Request, TestServer, Tokens, mailbox, people::password};

/// Somebody who is signed in on three devices: two browsers and a program.
struct SignedIn {
    person: Person,
    here: Browser,
    there: Browser,
    program: Tokens,
}

impl SignedIn {
    async fn new(server: &TestServer, name: &str, role: Role) -> Self {
        let person = server.person(name, role).await;
        Self {
            here: server.browser(&person).await,
            there: server.browser(&person).await,
            program: server.tokens(&person).await,
            person,
        }
    }

    /// Which of the devices are let in by the very next call of each: here, there, the program's token on a
    /// procedure that is sensitive, and its refresh token.
    async fn alive(&mut self, server: &TestServer) -> [bool; 4] {
        let token = server.service.query(&self.program.access, "sessions.list", Value::Null).await;
        assert!(["OK", "UNAUTHORIZED"].contains(&token.code().as_str()), "{}", token.text());
        let input = json!({"refreshToken": self.program.refresh});
        let refreshed = server.service.send(&Request::mutation("auth.refresh", &input)).await;
        if refreshed.code() == "OK" {
            self.program = Tokens::of(&refreshed.data());
        } else {
            assert_eq!(refreshed.failure(), "ended");
        }
        [
            self.here.is_signed_in().await,
            self.there.is_signed_in().await,
            token.code() == "OK",
            refreshed.code() == "OK",
        ]
    }

    /// The name of the device `there`, as `here` sees it.
    async fn device(&mut self, which: impl Fn(&Value) -> bool) -> Value {
        let devices = self.here.query("sessions.list", Value::Null).await.data();
        devices["items"].as_array().unwrap().iter().find(|item| which(item)).unwrap()["device"].clone()
    }
}

const ALL: [bool; 4] = [true; 4];
const NONE: [bool; 4] = [false; 4];
const ONLY_HERE: [bool; 4] = [true, false, false, false];

#[tokio::test]
async fn signing_out_ends_this_session_and_no_other() {
    let server = TestServer::inhabited().await;
    let mut ada = SignedIn::new(&server, "ada", Role::Employee).await;
    assert_eq!(ada.alive(&server).await, ALL);
    // The cookie is taken from the browser, and is no good where it was copied to.
    let mut copy = ada.here.clone();
    assert_eq!(ada.here.mutation("auth.logout", json!({})).await.code(), "OK");
    assert!(!ada.here.has("onefold-local"));
    assert!(!copy.is_signed_in().await);
    assert_eq!(copy.mutation("auth.refresh", json!({})).await.failure(), "ended");
    assert_eq!(ada.alive(&server).await, [false, true, true, true]);
    // So is a program's, by its refresh token alone; twice is no mistake.
    for _ in 0..2 {
        let input = json!({"refreshToken": ada.program.refresh});
        assert_eq!(server.service.send(&Request::mutation("auth.logout", &input)).await.code(), "OK");
    }
    assert_eq!(ada.alive(&server).await, [false, true, false, false]);
}

#[tokio::test]
async fn one_device_can_be_signed_out_or_all_others() {
    let server = TestServer::inhabited().await;
    let mut ada = SignedIn::new(&server, "ada", Role::Viewer).await;
    let mut bob = SignedIn::new(&server, "bob", Role::Viewer).await;
    let program = ada.device(|item| item["kind"] == "tokens").await;
    assert_eq!(ada.here.mutation("sessions.revoke", json!({"device": program})).await.code(), "OK");
    assert_eq!(ada.alive(&server).await, [true, true, false, false]);
    let there = ada.device(|item| item["current"] == false).await;
    assert_eq!(ada.here.mutation("sessions.revoke", json!({"device": there})).await.code(), "OK");
    assert_eq!(ada.alive(&server).await, ONLY_HERE);
    let here = ada.device(|item| item["current"] == true).await;
    assert_eq!(ada.here.mutation("sessions.revoke", json!({"device": here})).await.code(), "OK");
    assert_eq!(ada.alive(&server).await, NONE);

    assert_eq!(bob.here.mutation("sessions.revokeOthers", Value::Null).await.data(), json!({"count": 2}));
    assert_eq!(bob.alive(&server).await, ONLY_HERE);
}

/// Somebody else's device, one that never was, and one that is over: all the same.
#[tokio::test]
async fn whether_a_device_is_somebody_elses_is_not_told() {
    let server = TestServer::inhabited().await;
    let mut ada = SignedIn::new(&server, "ada", Role::Administrator).await;
    let mut bob = SignedIn::new(&server, "bob", Role::Viewer).await;
    let over = bob.device(|item| item["kind"] == "tokens").await;
    bob.here.mutation("sessions.revoke", json!({"device": over})).await.data();
    let bobs = bob.device(|item| item["current"] == true).await;
    let adas = ada.device(|item| item["current"] == true).await;
    let mut answers = Vec::new();
    for device in [adas, over, json!(uuid::Uuid::now_v7().to_string())] {
        let answer = bob.here.mutation("sessions.revoke", json!({"device": device})).await;
        assert_eq!((answer.status, answer.failure().as_str()), (404, "missing"));
        let mut error = answer.error();
        assert_eq!(error["data"]["failure"]["value"], device);
        error["data"]["requestId"].take();
        answers.push(error.to_string().replace(device.as_str().unwrap(), "…"));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // An administrator, too, signs out nobody else, not even by an operator's token.
    assert_eq!(ada.here.mutation("sessions.revoke", json!({"device": bobs})).await.failure(), "missing");
    assert_eq!(server.mutation("sessions.revoke", json!({"device": bobs})).await.failure(), "missing");
    assert_eq!(server.mutation("sessions.revokeOthers", Value::Null).await.data(), json!({"count": 0}));
    assert_eq!((ada.alive(&server).await, bob.alive(&server).await), (ALL, [true, true, false, false]));
}

#[tokio::test]
async fn another_password_signs_all_other_devices_out() {
    let server = TestServer::inhabited().await;
    let mut ada = SignedIn::new(&server, "ada", Role::Viewer).await;
    let thief = ada.here.clone();
    let wrong = json!({"current": "not the password", "password": password()});
    assert_eq!(ada.here.mutation("auth.changePassword", wrong).await.failure(), "wrongPassword");
    assert_eq!(ada.alive(&server).await, ALL);
    let next = password();
    let change = json!({"current": ada.person.password, "password": next});
    assert_eq!(ada.here.mutation("auth.changePassword", change).await.code(), "OK");
    assert_eq!(ada.alive(&server).await, ONLY_HERE);

    // Who has a copy of the cookie that this browser had is signed out as well: without a grace in which a thief
    // could take part in the renewal.
    let mut copy = thief.clone();
    assert_eq!(copy.mutation("auth.refresh", json!({})).await.code(), "UNAUTHORIZED");
    assert!(!thief.clone().is_signed_in().await);
    assert!(ada.here.is_signed_in().await);

    let old = Browser::new(&server.service).login(&ada.person.email, &ada.person.password).await;
    assert_eq!(old.failure(), "wrongCredentials");
    assert_eq!(Browser::new(&server.service).login(&ada.person.email, &next).await.code(), "OK");
}

/// Whoever knew the old password and was faster to sign in than the new one was to count is out all the same: also
/// when the password was looked at before, and the session was begun after.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_under_way_does_not_outlive_the_password() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let mut here = server.browser(&ada).await;
    here.csrf().await;
    // Browsers that the account knows have attempts of their own. Each signs in again and again, until the password
    // is not good any more.
    let mut thieves = JoinSet::new();
    for _ in 0..3 {
        let (mut browser, ada) = (server.browser(&ada).await, ada.clone());
        thieves.spawn(async move {
            loop {
                let answer = browser.login(&ada.email, &ada.password).await;
                if answer.status != 200 {
                    assert_eq!(answer.failure(), "wrongCredentials");
                    return browser;
                }
            }
        });
    }
    // One who has tokens renews them as fast.
    let mut renewing = Browser::new(&server.service);
    let input = json!({"email": ada.email, "password": ada.password, "keep": "tokens"});
    let mut signed_in = renewing.mutation("auth.login", input).await.data();
    let mut renew = async move || {
        let answer =
            renewing.mutation("auth.refresh", json!({"refreshToken": signed_in["tokens"]["refreshToken"]})).await;
        let code = answer.code();
        if code == "OK" {
            signed_in = answer.data();
        }
        code
    };
    assert_eq!(renew().await, "OK");
    let renewing = tokio::spawn(async move {
        loop {
            let code = renew().await;
            if code != "OK" {
                return code;
            }
        }
    });
    // Nor do they keep the owner from what ends them, however fast they come back.
    for _ in 0..3 {
        let ended = here.mutation("sessions.revokeOthers", Value::Null).await;
        assert_eq!(ended.code(), "OK", "{}", ended.text());
    }
    let change = json!({"current": ada.password, "password": password()});
    let changed = here.mutation("auth.changePassword", change).await;
    assert_eq!(changed.code(), "OK", "{}", changed.text());
    for mut browser in thieves.join_all().await {
        assert!(!browser.is_signed_in().await, "let in by a password that was not the account's any more");
    }
    assert_eq!(renewing.await.unwrap(), "UNAUTHORIZED");
    assert!(here.is_signed_in().await);
}

#[tokio::test]
async fn a_reset_of_the_password_signs_every_device_out() {
    let server = TestServer::inhabited().await;
    let mut ada = SignedIn::new(&server, "ada", Role::Viewer).await;
    let mut nobody = Browser::new(&server.service);
    assert_eq!(nobody.mutation("auth.requestReset", json!({"email": ada.person.email})).await.code(), "OK");
    assert_eq!(ada.alive(&server).await, ALL, "asking alone does nothing");
    let (token, next) = (server.mail(&ada.person.email, 2).await.token(), password());
    let reset = nobody.mutation("auth.resetPassword", json!({"token": token, "password": next})).await;
    assert_eq!(reset.code(), "OK", "{}", reset.text());
    assert!(!nobody.has("onefold-local"), "it signs nobody in");
    assert_eq!(ada.alive(&server).await, NONE);
    let old = Browser::new(&server.service).login(&ada.person.email, &ada.person.password).await;
    assert_eq!(old.failure(), "wrongCredentials");
    assert_eq!(Browser::new(&server.service).login(&ada.person.email, &next).await.code(), "OK");
}

#[tokio::test]
async fn the_end_of_an_account_is_the_end_of_its_sessions() {
    let server = TestServer::inhabited().await;
    let mut ada = SignedIn::new(&server, "ada", Role::Administrator).await;
    assert_eq!(server.mutation("users.delete", json!({"id": ada.person.id})).await.code(), "OK");
    assert_eq!(ada.alive(&server).await, NONE);
    let mut bob = SignedIn::new(&server, "bob", Role::Viewer).await;
    let wrong = bob.here.mutation("account.erase", json!({"password": "not the password"})).await;
    assert_eq!(wrong.failure(), "wrongPassword");
    let none = bob.here.mutation("account.erase", json!({})).await;
    assert_eq!(none.failure(), "wrongPassword");
    assert_eq!(bob.alive(&server).await, ALL);
    let erased = bob.there.mutation("account.erase", json!({"password": bob.person.password})).await;
    assert_eq!(erased.code(), "OK", "{}", erased.text());
    assert_eq!(bob.alive(&server).await, NONE);
    for person in [&ada.person, &bob.person] {
        let answer = Browser::new(&server.service).login(&person.email, &person.password).await;
        assert_eq!(answer.failure(), "wrongCredentials");
    }
}

#[tokio::test]
async fn an_administrator_signs_somebody_out_everywhere() {
    let server = TestServer::inhabited().await;
    let mut ada = SignedIn::new(&server, "ada", Role::Administrator).await;
    let mut bob = SignedIn::new(&server, "bob", Role::Employee).await;
    let of = |person: &Person| json!({"id": person.id});
    // Nobody without the right, nor for oneself: for that there is `sessions.revokeOthers`.
    for person in [&ada.person, &bob.person] {
        assert_eq!(bob.here.mutation("users.signOut", of(person)).await.code(), "FORBIDDEN");
    }
    assert_eq!(ada.here.mutation("users.signOut", of(&bob.person)).await.data(), json!({"count": 3}));
    assert_eq!((bob.alive(&server).await, ada.alive(&server).await), (NONE, ALL));
    let mails = mailbox::mails(&server.service, &bob.person.email).await;
    assert_eq!(mails.last().unwrap().subject, "You were signed out everywhere");
    assert_eq!(ada.here.mutation("users.signOut", of(&bob.person)).await.data(), json!({"count": 0}));
    assert_eq!(
        mailbox::mails(&server.service, &bob.person.email).await.len(),
        mails.len(),
        "there was nothing to tell"
    );
    let log = server.query("audit.list", json!({"target": bob.person.id, "limit": 1})).await.data();
    let entry = &log["items"][0];
    assert_eq!((&entry["action"], &entry["actor"]), (&json!("signedOut"), &json!(ada.person.id)));
    assert_eq!(ada.here.mutation("users.signOut", json!({"id": uuid::Uuid::now_v7()})).await.failure(), "missing");
}

/// Another role, or an address that counts as verified no more: the next call of each device goes by it.
#[tokio::test]
async fn other_rights_count_from_the_next_call() {
    let server = TestServer::inhabited().await;
    let mut ada = SignedIn::new(&server, "ada", Role::Employee).await;
    let post = json!({"title": "Hello", "body": "Everybody."});
    let rename = json!({"id": ada.person.id, "name": "Countess"});
    assert_eq!(ada.there.mutation("posts.create", post.clone()).await.code(), "OK");
    let change = async |change: Value| {
        let mut input = json!({"id": ada.person.id});
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        server.mutation("users.update", input).await.data();
    };
    change(json!({"role": "viewer"})).await;
    for browser in [&mut ada.here, &mut ada.there] {
        assert_eq!(browser.mutation("posts.create", post.clone()).await.code(), "FORBIDDEN");
        assert_eq!(browser.query("posts.list", Value::Null).await.header("onefold-renew"), Some("1"));
        assert_eq!(browser.query("posts.list", Value::Null).await.code(), "OK");
    }
    // A token keeps what it says for its quarter of an hour; not where anything is changed.
    for (procedure, input) in [("users.update", &rename), ("posts.create", &post)] {
        assert_eq!(server.service.mutation(&ada.program.access, procedure, input.clone()).await.code(), "FORBIDDEN");
    }
    let input = json!({"refreshToken": ada.program.refresh});
    ada.program = Tokens::of(&server.service.send(&Request::mutation("auth.refresh", &input)).await.data());
    assert_eq!(server.service.mutation(&ada.program.access, "posts.create", post.clone()).await.code(), "FORBIDDEN");

    change(json!({"isVerified": false})).await;
    for browser in [&mut ada.here, &mut ada.there] {
        assert_eq!(browser.query("posts.list", Value::Null).await.code(), "FORBIDDEN");
    }
    change(json!({"isVerified": true, "role": "administrator"})).await;
    for browser in [&mut ada.here, &mut ada.there] {
        assert_eq!(browser.query("audit.list", Value::Null).await.code(), "OK");
        // Renewed, it says no more that it wants to be.
        assert_eq!(browser.mutation("auth.refresh", json!({})).await.code(), "OK");
        assert_eq!(browser.query("audit.list", Value::Null).await.header("onefold-renew"), None);
    }
    assert_eq!(ada.alive(&server).await, ALL);
}
