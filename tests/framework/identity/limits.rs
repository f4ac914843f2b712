//! Guesses, and attempts to lock somebody else out.

use std::{
    net::Ipv4Addr,
    time::{Duration, SystemTime},
};

use runtime::opaque::Opaque;
use serde_json::{Value, json};
use testbed::Role;
use tokio::{task::JoinSet, time::sleep};

use crate::support::{
    Answer, Browser, Connection, Person, Request, TestServer,
    browser::{DEVICE, SESSION},
    people::password,
};

/// Attempts are counted in spans of a quarter of an hour, and mails in hours, which begin at fixed times.
const SPAN_S: u64 = 900;
/// A test of counts is done in less.
const LONGEST_S: u64 = 60;

/// Waits, if a span is about to end, until the next one begins: counts begin anew with it.
pub async fn a_whole_span() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let left = Duration::from_secs(SPAN_S - now.as_secs() % SPAN_S);
    if left < Duration::from_secs(LONGEST_S) {
        sleep(left).await;
    }
}

const EVE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
const ADA: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Refused for now, and told for how long.
fn expect_too_often(answer: &Answer, span_s: u64) {
    assert_eq!((answer.status, answer.code().as_str()), (429, "TOO_MANY_REQUESTS"), "{}", answer.text());
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=span_s).contains(&wait), "{wait}");
    assert_eq!(answer.all("set-cookie"), [""; 0]);
}

/// Guesses from new browsers at an address, until it is refused; answers how many guesses there were.
async fn guesses(server: &TestServer, from: Ipv4Addr, email: &str) -> usize {
    for place in 0..1_000 {
        let answer = Browser::at(&server.service, from).login(email, &format!("guess number {place}")).await;
        if answer.status == 429 {
            expect_too_often(&answer, SPAN_S);
            return place;
        }
        assert_eq!(answer.failure(), "wrongCredentials");
    }
    panic!("nobody stops them");
}

#[tokio::test]
async fn guessing_ends_after_ten_and_the_owner_still_signs_in() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let (ada, bob) = (server.person("ada", Role::Viewer).await, server.person("bob", Role::Viewer).await);
    let mut own = Browser::at(&server.service, ADA);
    own.login(&ada.email, &ada.password).await.data();
    assert!(own.has(DEVICE));

    assert_eq!(guesses(&server, EVE, &ada.email).await, 10);
    // Also with the right password, so that an answer tells nothing; also in other letters and from elsewhere.
    for email in [ada.email.clone(), ada.email.to_uppercase()] {
        let answer = Browser::at(&server.service, Ipv4Addr::new(127, 0, 0, 67)).login(&email, &ada.password).await;
        expect_too_often(&answer, SPAN_S);
    }
    // It is the same for an address that nobody has.
    assert_eq!(guesses(&server, EVE, "nobody@example.com").await, 10);

    // In the browser that Ada used before, nothing has happened, signed in or not; and nobody else has.
    own.mutation("auth.logout", json!({})).await.data();
    for _ in 0..3 {
        let answer = own.login(&ada.email, &ada.password).await;
        assert_eq!(answer.code(), "OK", "{}", answer.text());
    }
    assert_eq!(Browser::at(&server.service, EVE).login(&bob.email, &bob.password).await.code(), "OK");
    // That she signed in gives strangers no further guesses.
    expect_too_often(&Browser::at(&server.service, EVE).login(&ada.email, "guess").await, SPAN_S);

    // A known browser has its own ten, and they are the account's that knows it.
    for place in 0..10 {
        assert_eq!(own.login(&ada.email, &format!("guess {place}")).await.failure(), "wrongCredentials");
    }
    expect_too_often(&own.login(&ada.email, &ada.password).await, SPAN_S);
    assert!(own.is_signed_in().await, "the session goes on");
    let mut planted = Browser::at(&server.service, EVE);
    planted.plant(DEVICE, own.cookie(DEVICE));
    assert_eq!(planted.login(&bob.email, &bob.password).await.code(), "OK", "to Bob it is any browser");
}

/// What a network tries counts as one, whichever token of a mail or of a session it is that was guessed.
#[tokio::test]
async fn guessing_at_mailed_tokens_ends_after_three_hundred() {
    a_whole_span().await;
    let server = TestServer::open().await;
    let guess = async |from: Ipv4Addr, place: usize| {
        let token = Opaque::random().unwrap().text();
        let calls = [
            ("auth.verifyEmail", json!({"token": token})),
            ("auth.resetPassword", json!({"token": token, "password": password()})),
        ];
        let (procedure, input) = &calls[place % calls.len()];
        Browser::at(&server.service, from).mutation(procedure, input.clone()).await
    };
    for place in 0..300 {
        assert_eq!(guess(EVE, place).await.failure(), "notValid", "{place}");
    }
    for place in 300..302 {
        expect_too_often(&guess(EVE, place).await, SPAN_S);
    }
    assert_eq!(guess(ADA, 0).await.failure(), "notValid", "another network");
}

/// Whoever is kept from signing in by strangers' guesses, and has no browser that is known, gets in by mail.
#[tokio::test]
async fn who_chooses_a_password_by_mail_gets_in_while_strangers_guess() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    assert_eq!(guesses(&server, EVE, &ada.email).await, 10);
    let mut new = Browser::at(&server.service, ADA);
    expect_too_often(&new.login(&ada.email, &ada.password).await, SPAN_S);
    assert_eq!(new.mutation("auth.requestReset", json!({"email": ada.email})).await.code(), "OK");
    let (token, chosen) = (server.mail(&ada.email, 2).await.token(), password());
    let reset = json!({"token": token, "password": chosen});
    assert_eq!(new.mutation("auth.resetPassword", reset).await.code(), "OK");
    assert!(!new.has(SESSION), "it signs nobody in by itself");
    let answer = new.login(&ada.email, &chosen).await;
    assert_eq!(answer.code(), "OK", "{}", answer.text());
    expect_too_often(&Browser::at(&server.service, EVE).login(&ada.email, &chosen).await, SPAN_S);
}

/// Attempts are counted before they are made: many at once do not pass together.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_once_are_counted_one_by_one() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let calls: JoinSet<_> = (0..60)
        .map(|place| {
            let (address, email) = (server.service.address, ada.email.clone());
            let guess = json!({"email": email, "password": format!("guess number {place}")});
            async move { Connection::insist(EVE.into(), address, &Request::mutation("auth.login", &guess)).await }
        })
        .collect();
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 10);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 50);
}

/// Who signs in rightly uses nothing up, however often.
#[tokio::test]
async fn success_is_not_counted() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    for _ in 0..15 {
        assert_eq!(Browser::at(&server.service, ADA).login(&ada.email, &ada.password).await.code(), "OK");
    }
    assert_eq!(guesses(&server, EVE, &ada.email).await, 10, "nor does it give strangers more");
}

/// Who tries many accounts is stopped by address, and nobody at another address with them. What a caller says of
/// its address is not believed.
#[tokio::test(flavor = "multi_thread")]
async fn guessing_at_many_accounts_is_stopped_by_address() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let calls: JoinSet<_> = (0..40)
        .map(|place| {
            let address = server.service.address;
            async move {
                let mut refused = 0;
                for turn in 0..10 {
                    let guess = json!({"email": format!("user{place}@example.com"), "password": "guess"});
                    let claimed = format!("10.0.{place}.{turn}");
                    let request = Request::mutation("auth.login", &guess)
                        .header("x-forwarded-for", &claimed)
                        .header("forwarded", format!("for={claimed}"))
                        .header("x-real-ip", &claimed)
                        .header("cloudfront-viewer-address", format!("{claimed}:1"))
                        .header("true-client-ip", &claimed);
                    refused += usize::from(Connection::insist(EVE.into(), address, &request).await.status == 429);
                }
                refused
            }
        })
        .collect();
    let refused: usize = calls.join_all().await.into_iter().sum();
    assert!((100..400).contains(&refused), "{refused}");
    expect_too_often(&Browser::at(&server.service, EVE).login(&ada.email, &ada.password).await, SPAN_S);
    assert_eq!(Browser::at(&server.service, ADA).login(&ada.email, &ada.password).await.code(), "OK");
}

/// Strangers behind the same address as its people (an server, a carrier's network) shut none of them out who was in
/// before: a browser that the account knows has its own attempts, and no part in those of the network.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_of_a_network_do_not_shut_out_its_known_browsers() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let (ada, bob) = (server.person("ada", Role::Viewer).await, server.person("bob", Role::Viewer).await);
    let mut known = Browser::at(&server.service, EVE);
    known.login(&ada.email, &ada.password).await.data();
    let guess = async |place: usize| {
        Browser::at(&server.service, EVE).login(&format!("user{place}@example.com"), "guess").await
    };
    // What the known browser gets wrong is not the network's.
    for place in 0..9 {
        assert_eq!(known.login(&ada.email, &format!("guess {place}")).await.failure(), "wrongCredentials");
    }
    for place in 0..100 {
        assert_eq!(guess(place).await.failure(), "wrongCredentials", "{place}");
    }
    expect_too_often(&guess(100).await, SPAN_S);
    expect_too_often(&Browser::at(&server.service, EVE).login(&ada.email, &ada.password).await, SPAN_S);
    // To another account it is as unknown as any.
    expect_too_often(&known.login(&bob.email, &bob.password).await, SPAN_S);
    for _ in 0..3 {
        let answer = known.login(&ada.email, &ada.password).await;
        assert_eq!(answer.code(), "OK", "{}", answer.text());
    }
    let change = json!({"current": ada.password, "password": password()});
    assert_eq!(known.mutation("auth.changePassword", change).await.code(), "OK", "nor out of what takes a password");
    // That it succeeded gives the network no further guesses, and its own ten end as before.
    expect_too_often(&guess(101).await, SPAN_S);
}

/// Whoever has somebody's session does not have the password, and does not get to guess it: not by renewing the
/// session either.
#[tokio::test]
async fn a_stolen_session_does_not_guess_the_password() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let (mut stolen, mut own) = (server.browser(&ada).await, server.browser(&ada).await);
    let mut wrong = 0;
    'guesses: for round in 0..4 {
        for place in 0..6 {
            let (procedure, input) = match place % 2 {
                0 => (
                    "auth.changePassword",
                    json!({"current": format!("guess {round} {place}"), "password": password()}),
                ),
                _ => ("account.erase", json!({"password": format!("guess {round} {place}")})),
            };
            let answer = stolen.mutation(procedure, input).await;
            if answer.status == 429 {
                break 'guesses;
            }
            assert_eq!(answer.failure(), "wrongPassword", "{}", answer.text());
            wrong += 1;
        }
        let before = stolen.session().to_owned();
        assert_eq!(stolen.mutation("auth.refresh", json!({})).await.code(), "OK");
        assert_ne!(stolen.session(), before);
    }
    assert_eq!(wrong, 10, "guesses with a stolen session");
    // Its owner changes the password meanwhile.
    let change = json!({"current": ada.password, "password": password()});
    assert_eq!(own.mutation("auth.changePassword", change).await.code(), "OK");
    assert!(!stolen.is_signed_in().await && own.has(SESSION));
}

async fn ask(server: &TestServer, from: Ipv4Addr, procedure: &str, input: Value) -> Answer {
    Browser::at(&server.service, from).mutation(procedure, input).await
}

/// Nobody's mailbox is filled. But what strangers do with an address must not keep its owner from a new password.
#[tokio::test]
async fn mails_to_one_address_have_a_limit_for_each_purpose() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let Person { email, .. } = server.person("ada", Role::Viewer).await;
    let register = json!({"email": email, "name": "Eve", "password": password()});
    let mut sent = 0;
    while ask(&server, EVE, "auth.register", register.clone()).await.status == 200 {
        sent += 1;
        assert!(sent < 20, "nobody stops them");
    }
    for procedure in ["auth.register", "auth.register"] {
        expect_too_often(&ask(&server, EVE, procedure, register.clone()).await, 3_600);
    }
    let reset = ask(&server, ADA, "auth.requestReset", json!({"email": email})).await;
    assert_eq!(reset.code(), "OK", "the owner still gets a link: {}", reset.text());

    // And an address that nobody has is refused at the same number; others may ask all the same.
    for email in [email.as_str(), "nobody@example.com"] {
        let mut asked = 0;
        while ask(&server, EVE, "auth.requestReset", json!({"email": email})).await.status == 200 {
            asked += 1;
            assert!(asked < 20, "nobody stops them");
        }
        assert_eq!(asked, 5, "{email}");
        expect_too_often(&ask(&server, EVE, "auth.requestReset", json!({"email": email.to_uppercase()})).await, 3_600);
        assert_eq!(ask(&server, ADA, "auth.requestReset", json!({"email": email})).await.code(), "OK", "{email}");
    }
}
