//! What is told of accounts to people who have none, and tokens that are mailed.

use std::{collections::BTreeSet, net::Ipv4Addr};

use serde_json::{Value, json};
use testbed::Role;
use tokio::task::JoinSet;

use super::limits::a_whole_span;
use crate::support::{Answer, Connection, Person, Request, Service, TestServer, mailbox, people::password};

/// All that an answer tells, but for what is every answer's own: its id and its time.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let own = ["x-request-id", "date"];
    let names: BTreeSet<&str> = answer.names().into_iter().filter(|name| !own.contains(name)).collect();
    // A cookie has a value of its own, and the rest of its line in common.
    let common = |line: &str| match line.split_once('=').zip(line.split_once(';')) {
        Some(((name, _), (_, attributes))) if line.contains("HttpOnly") => format!("{name}=…;{attributes}"),
        _ => line.to_owned(),
    };
    let headers =
        names.iter().flat_map(|name| answer.all(name).into_iter().map(|line| ((*name).to_owned(), common(line))));
    let id = answer.header("x-request-id").unwrap_or("?");
    (answer.status, headers.collect(), answer.text().replace(id, "…"))
}

async fn call(service: &Service, procedure: &str, input: &Value) -> Answer {
    service.send(&Request::mutation(procedure, input).header("origin", "http://localhost:1")).await
}

/// A proved address, one that is not, one of somebody who never chose a password, and one of nobody.
async fn addresses(server: &TestServer) -> [String; 4] {
    let proved = server.person("ada", Role::Employee).await.email;
    let registered = server.registered("bob").await.email;
    server.user("carl").await;
    [proved, registered, "carl@example.com".to_owned(), "dora@example.com".to_owned()]
}

/// Calls these for each of the addresses, which must make no difference; answers what came by mail for each.
async fn expect_the_same(calls: &[(&str, Value)]) -> [Vec<String>; 4] {
    let server = TestServer::inhabited().await;
    let addresses = addresses(&server).await;
    for (procedure, input) in calls {
        let mut answers = Vec::new();
        for address in &addresses {
            // In other letters it is the same address.
            for email in [address.clone(), address.to_uppercase()] {
                let mut input = input.clone();
                input["email"] = email.into();
                answers.push(told(&call(&server.service, procedure, &input).await));
            }
        }
        let (first, rest) = answers.split_first().unwrap();
        assert!(first.0 < 500, "{procedure}: {first:?}");
        for answer in rest {
            assert_eq!(answer, first, "{procedure}");
        }
    }
    let mut subjects = Vec::new();
    for address in &addresses {
        let mails = mailbox::mails(&server.service, address).await;
        let asked_for = mails.into_iter().filter(|mail| !mail.is_notice());
        subjects.push(asked_for.map(|mail| mail.subject).collect());
    }
    subjects.try_into().unwrap()
}

const CONFIRM: &str = "Confirm your e-mail address";
const ALREADY: &str = "You have an account already";
const INVITED: &str = "You have an account: choose a password";
const CHOOSE: &str = "Choose a new password";

/// Only its owner is told, by mail.
#[tokio::test]
async fn whether_an_address_has_an_account_is_not_told() {
    a_whole_span().await;
    let mails = expect_the_same(&[("auth.requestReset", json!({})), ("auth.resendVerification", json!({}))]).await;
    let [proved, registered, silent, nobody] = mails;
    assert_eq!(proved, [CONFIRM, CHOOSE, CHOOSE]);
    assert_eq!(registered, [CONFIRM, CHOOSE, CHOOSE, CONFIRM, CONFIRM]);
    // There is nothing to confirm with what an administrator made: its owner chooses a password.
    assert_eq!(silent, [CHOOSE; 4]);
    assert_eq!(nobody, [""; 0]);

    let [proved, registered, silent, nobody] =
        expect_the_same(&[("auth.register", json!({"name": "Somebody", "password": password()}))]).await;
    assert_eq!(proved, [CONFIRM, ALREADY, ALREADY]);
    // As long as nobody has proved an address, it belongs to who follows the link that they were mailed.
    assert_eq!(registered, [CONFIRM, CONFIRM, CONFIRM]);
    // What an administrator made is nobody's to register: its owner is invited to choose a password.
    assert_eq!(silent, [INVITED, INVITED]);
    assert_eq!(nobody, [CONFIRM, CONFIRM]);

    // Nor by whether what was registered is good for a sign-in.
    let chosen = password();
    expect_the_same(&[
        ("auth.register", json!({"name": "Somebody", "password": chosen})),
        ("auth.login", json!({"password": chosen})),
    ])
    .await;
    expect_the_same(&[
        ("auth.register", json!({"name": "Somebody", "password": "password1234"})),
        ("auth.login", json!({"password": "not the password"})),
        ("auth.login", json!({"password": "not the password", "keep": "tokens"})),
    ])
    .await;
}

/// As much is read and written for an address that nobody has, so that time tells nothing either.
#[tokio::test]
async fn a_sign_in_that_fails_is_the_same_work_for_every_address() {
    let server = TestServer::inhabited().await;
    let mut work = Vec::new();
    for email in addresses(&server).await {
        // What a network reads is written down now and then, whoever it was: the least of three is the call's own work.
        let mut tries = Vec::new();
        for _ in 0..3 {
            let answer =
                call(&server.service, "auth.login", &json!({"email": email, "password": "not the password"})).await;
            assert_eq!(answer.failure(), "wrongCredentials");
            let line = server.service.logged(|line| line["request_id"].as_str() == answer.header("x-request-id")).await;
            tries.push(["read_units", "write_units"].map(|units| line[units].as_f64().unwrap()));
        }
        work.push(tries.into_iter().min_by(|one, other| one.partial_cmp(other).unwrap()));
    }
    assert!(work.iter().all(|one| *one == work[0]), "{work:?}");
}

/// What must not tell whether there is an account is held back until the work for one is done as a rule: the same for
/// every address. It is told by the service's own log.
#[tokio::test]
async fn an_answer_that_must_not_tell_comes_after_the_same_time() {
    let server = TestServer::inhabited().await;
    let addresses = addresses(&server).await;
    let register = json!({"name": "Somebody", "password": password()});
    for (procedure, input) in
        [("auth.register", register), ("auth.requestReset", json!({})), ("auth.resendVerification", json!({}))]
    {
        for email in &addresses {
            let mut input = input.clone();
            input["email"] = email.clone().into();
            let answer = call(&server.service, procedure, &input).await;
            let line = server.service.logged(|line| line["request_id"].as_str() == answer.header("x-request-id")).await;
            let duration_us = line["duration_us"].as_u64().unwrap();
            assert!(duration_us >= 500_000, "{procedure}: {email} after {duration_us} µs");
        }
    }
}

/// Sends all requests at once, each on a connection of its own.
async fn at_once(service: &Service, requests: impl IntoIterator<Item = Request>) -> Vec<Answer> {
    let address = service.address;
    let calls: JoinSet<_> = requests
        .into_iter()
        .map(|request| async move { Connection::insist(Ipv4Addr::LOCALHOST.into(), address, &request).await })
        .collect();
    calls.join_all().await
}

/// How many succeeded; the others were told that the link is not good any more, or that somebody was faster.
fn successes(answers: &[Answer]) -> usize {
    for answer in answers {
        assert!([200, 409, 422].contains(&answer.status), "{} {}", answer.status, answer.text());
    }
    answers.iter().filter(|answer| answer.status == 200).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_who_use_a_mailed_token_one_succeeds() {
    let server = TestServer::inhabited().await;
    let ada = server.registered("ada").await;
    let token = server.mail(&ada.email, 1).await.token();
    let verify = |_| Request::mutation("auth.verifyEmail", &json!({"token": token, "password": ada.password}));
    assert_eq!(successes(&at_once(&server.service, (0..20).map(verify)).await), 1);
    assert_eq!(server.service.send(&verify(0)).await.failure(), "notValid");

    call(&server.service, "auth.requestReset", &json!({"email": ada.email})).await.data();
    let token = server.mail(&ada.email, 2).await.token();
    let passwords: Vec<String> = (0..20).map(|_| password()).collect();
    let reset =
        |password: &String| Request::mutation("auth.resetPassword", &json!({"token": token, "password": password}));
    assert_eq!(successes(&at_once(&server.service, passwords.iter().map(reset)).await), 1);
    assert_eq!(server.service.send(&reset(&password())).await.failure(), "notValid");
    let id = server.id_of(&ada.email).await;
    let mut good = 0;
    // Each from a browser of its own, and no more than a few wrong ones: the limits are another test's.
    for (place, password) in passwords.iter().enumerate() {
        if place % 10 == 9 {
            let other = json!({"id": id, "email": format!("ada{place}@example.com")});
            server.mutation("users.update", other).await.data();
        }
        let email = server.query("users.get", json!({"id": id})).await.data()["email"].clone();
        let answer = call(&server.service, "auth.login", &json!({"email": email, "password": password})).await;
        good += usize::from(answer.status == 200);
    }
    assert_eq!(good, 1, "one password is good");
}

#[tokio::test]
async fn a_mailed_token_is_for_one_purpose_one_person_and_one_address() {
    let server = TestServer::inhabited().await;
    let ada = server.registered("ada").await;
    let id = server.id_of(&ada.email).await;
    let verification = server.mail(&ada.email, 1).await.token();
    call(&server.service, "auth.requestReset", &json!({"email": ada.email})).await.data();
    let reset = server.mail(&ada.email, 2).await.token();
    let verify = async |token: &str| call(&server.service, "auth.verifyEmail", &json!({"token": token})).await;
    let choose = async |token: &str| {
        call(&server.service, "auth.resetPassword", &json!({"token": token, "password": password()})).await
    };
    // That for a password confirms nothing, and is not used up by that.
    assert_eq!(verify(&reset).await.failure(), "notValid");
    assert_eq!(verify(&verification).await.failure(), "passwordNeeded");
    for made_up in
        ["", "x", &"A".repeat(43), &reset.to_lowercase(), &format!("{reset}="), &reset[1..], &"A".repeat(100)]
    {
        assert_eq!(verify(made_up).await.failure(), "notValid", "{made_up}");
        assert_eq!(choose(made_up).await.failure(), "notValid", "{made_up}");
    }
    // A password that is too weak does not use it up either.
    let weak = call(&server.service, "auth.resetPassword", &json!({"token": reset, "password": "password1234"})).await;
    assert_eq!((weak.code().as_str(), weak.fields()), ("BAD_REQUEST", vec!["password".to_owned()]));

    // The address is another one by now: what was sent to the old one proves nothing.
    server.mutation("users.update", json!({"id": id, "email": "countess@example.com"})).await.data();
    assert_eq!(verify(&verification).await.failure(), "notValid");
    assert_eq!(choose(&reset).await.failure(), "notValid");
    call(&server.service, "auth.requestReset", &json!({"email": "countess@example.com"})).await.data();
    let new = server.mail("countess@example.com", 1).await.token();
    assert_eq!(choose(&new).await.code(), "OK");

    // Nor is what was sent to somebody who is gone, whoever has the address then.
    call(&server.service, "auth.requestReset", &json!({"email": "countess@example.com"})).await.data();
    let late = server.mail("countess@example.com", 2).await.token();
    server.mutation("users.delete", json!({"id": id})).await.data();
    assert_eq!(choose(&late).await.failure(), "notValid");
    let next = json!({"email": "countess@example.com", "name": "Another", "password": password()});
    call(&server.service, "auth.register", &next).await.data();
    assert_eq!(choose(&late).await.failure(), "notValid");
    assert_eq!(verify(&late).await.failure(), "notValid");
}

/// A new password, however it came about, is the end of the links that were mailed before: whoever reads old mails
/// does not choose the next one.
#[tokio::test]
async fn a_new_password_ends_the_links_from_before() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let link = async |count: usize| {
        call(&server.service, "auth.requestReset", &json!({"email": ada.email})).await.data();
        server.mail(&ada.email, count).await.token()
    };
    let choose = async |token: &str, password: &str| {
        call(&server.service, "auth.resetPassword", &json!({"token": token, "password": password})).await
    };
    let (first, second, chosen) = (link(2).await, link(3).await, password());
    assert_eq!(choose(&second, &chosen).await.code(), "OK");
    assert_eq!(choose(&first, &password()).await.failure(), "notValid");

    let third = link(4).await;
    let mut browser = server.browser(&Person { password: chosen.clone(), ..ada.clone() }).await;
    let change = json!({"current": chosen, "password": password()});
    assert_eq!(browser.mutation("auth.changePassword", change).await.code(), "OK");
    assert_eq!(choose(&third, &password()).await.failure(), "notValid");
    assert!(browser.is_signed_in().await);
    let fourth = link(5).await;
    assert_eq!(choose(&fourth, &password()).await.code(), "OK", "one that was mailed since");
}

/// The links that are mailed lead to the service's pages, whatever host the request named: whoever asks for a mail
/// does not choose where its link leads.
#[tokio::test]
async fn a_link_leads_where_the_service_says() {
    let server = TestServer::inhabited().await;
    server.registered("ada").await;
    let request = Request::mutation("auth.requestReset", &json!({"email": "ada@example.com"}))
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example")
        .header("origin", "https://evil.example")
        .header("referer", "https://evil.example/");
    assert_eq!(server.service.send(&request.clone().header("host", "evil.example")).await.code(), "FORBIDDEN");
    assert_eq!(server.service.send(&request).await.code(), "OK");
    let mails = mailbox::mails(&server.service, "ada@example.com").await;
    assert_eq!(mails.len(), 2, "one of the registration, and one that was asked for by a name of this machine");
    for mail in mails {
        assert!(mail.text.contains(&format!("http://{}/", server.service.address)), "{}", mail.text);
        assert!(!mail.text.contains("evil"), "{}", mail.text);
    }
}

/// However many come first, one of them is the first; and of those who want one address, one gets it.
#[tokio::test(flavor = "multi_thread")]
async fn one_is_the_first_and_one_has_the_address() {
    let server = TestServer::open().await;
    let register = |place: usize| {
        let input =
            json!({"email": format!("user{}@example.com", place / 2), "name": "Somebody", "password": password()});
        Request::mutation("auth.register", &input)
    };
    let answers = at_once(&server.service, (0..20).map(register)).await;
    assert!(
        answers.iter().all(|answer| answer.status == 200),
        "{:?}",
        answers.iter().map(Answer::text).collect::<Vec<_>>()
    );
    let page = server.query("users.list", json!({"limit": 100})).await.data();
    let users = page["items"].as_array().unwrap();
    assert_eq!(users.len(), 10);
    assert_eq!(users.iter().filter(|user| user["role"] == "administrator").count(), 1);
    assert!(users.iter().all(|user| user["isVerified"] == false));
    for user in users {
        let mails = mailbox::mails(&server.service, user["email"].as_str().unwrap()).await;
        // Nobody has proved the address yet: each gets a link, and who follows theirs has the account.
        assert_eq!(mails.iter().filter(|mail| !mail.token().is_empty()).count(), 2, "{mails:?}");
        assert_eq!(mails.len(), 2);
    }
}
