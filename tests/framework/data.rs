//! What is kept: nobody's write is lost, nothing is there twice, lists have no gaps.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use bytes::Bytes;
use identity::{EmailAddress, UserId};
use local::database::Credentials;
use protocol::{Clock, CursorScope, Timestamp, Version};
use serde_json::{Value, json};
use store::{Operation, Settings, Store, StoreLimits, StoreSession, Write, transaction};
use testbed::{Role, User};
use tokio::task::JoinSet;

use crate::support::{Answer, Folder, Key, Request, Service, TestServer};

/// Sends all requests at once, each on a connection of its own; who is told that the service is too busy asks again.
async fn all_at_once_until_answered(service: &Service, requests: impl IntoIterator<Item = Request>) -> Vec<Answer> {
    let address = service.address;
    let until_answered = |request: Request| async move {
        loop {
            let mut connection = crate::support::Connection::open(address).await.unwrap();
            let answer = connection.send(&request).await.unwrap();
            if ![503, 504].contains(&answer.status) {
                return answer;
            }
        }
    };
    requests.into_iter().map(until_answered).collect::<JoinSet<_>>().join_all().await
}

/// Sends all requests at once, each on a connection of its own.
async fn all_at_once(service: &Service, requests: impl IntoIterator<Item = Request>) -> Vec<Answer> {
    let address = service.address;
    let calls: JoinSet<_> =
        requests
            .into_iter()
            .map(|request| async move {
                crate::support::Connection::open(address).await.unwrap().send(&request).await.unwrap()
            })
            .collect();
    calls.join_all().await
}

/// How often each code was answered; a failure's type stands behind its code.
fn codes(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut codes = BTreeMap::new();
    for answer in answers {
        let code = match answer.status {
            200 => "OK".to_owned(),
            _ => format!("{} {}", answer.code(), answer.failure()).trim().to_owned(),
        };
        *codes.entry(code).or_default() += 1;
    }
    codes
}

fn counted<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.into_iter().map(|(code, count)| (code.to_owned(), count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_who_want_one_address_one_gets_it() {
    let server = TestServer::open().await;
    let create = |place: usize| {
        let email = if place.is_multiple_of(2) { "Ada@Example.com" } else { "ada@example.COM" };
        let input = json!({"email": email, "name": format!("Ada {place}")});
        Request::mutation("users.create", &input).bearer(&server.admin)
    };
    let answers = all_at_once_until_answered(&server.service, (0..1_000).map(create)).await;
    let mut answered = codes(&answers);
    // On a machine so slow that the winner's first answer came too late, the winner was told that it has the address.
    let won = answered.remove("OK").unwrap_or_default();
    assert!(won <= 1, "{won}");
    assert_eq!(answered, counted([("CONFLICT emailTaken", 1_000 - won)]));

    let there = server.query("users.list", Value::Null).await.data()["items"].clone();
    assert_eq!(there.as_array().map(Vec::len), Some(1), "{there}");
    if let Some(winner) = answers.iter().find(|answer| answer.status == 200) {
        assert_eq!(there, json!([winner.data()]));
    }
    let loser = answers.iter().find(|answer| answer.status == 409).unwrap().error();
    assert_eq!(loser["data"]["failure"]["value"].as_str().unwrap().to_lowercase(), "ada@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_writers_of_one_user_lose_no_update() {
    let server = TestServer::open().await;
    let ada = server.user("ada").await;

    // Everybody has read version 1; whoever is late is told so and changes nothing.
    let update = |place: usize| {
        let input = json!({"id": ada["id"], "version": ada["version"], "name": format!("Ada {place}")});
        Request::mutation("users.update", &input).bearer(&server.admin)
    };
    let answers = all_at_once(&server.service, (0..100).map(update)).await;
    let won: Vec<Value> = answers.iter().filter(|answer| answer.status == 200).map(Answer::data).collect();
    assert_eq!(won.len(), 1, "{:?}", codes(&answers));
    assert!(answers.iter().all(|answer| ["OK", "CONFLICT"].contains(&answer.code().as_str())), "{:?}", codes(&answers));
    assert_eq!(server.query("users.get", json!({"id": ada["id"]})).await.data(), won[0]);

    // Each reads and writes for itself: as many changes are kept as were acknowledged.
    let update = |place: u32| {
        let input = json!({"id": ada["id"], "age": place});
        Request::mutation("users.update", &input).bearer(&server.admin)
    };
    let answers = all_at_once(&server.service, (0..100).map(update)).await;
    let won: BTreeSet<i64> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.data()["version"].as_i64().unwrap())
        .collect();
    let conflicts = answers.iter().filter(|answer| answer.code() == "CONFLICT").count();
    assert_eq!(won.len() + conflicts, 100, "{:?}", codes(&answers));
    let last = server.query("users.get", json!({"id": ada["id"]})).await.data();
    assert_eq!(won, (3..=last["version"].as_i64().unwrap()).collect(), "each acknowledged change is one version");
}

/// Twenty people add one to a number, and try again when somebody was faster.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_again_after_a_conflict_gets_through() {
    let server = TestServer::open().await;
    let ada = server.user("ada").await;
    let id = ada["id"].clone();
    server.mutation("users.update", json!({"id": id, "age": 0})).await.data();
    let writers: JoinSet<_> = (0..20)
        .map(|_| {
            let (address, token, id) = (server.service.address, server.admin.clone(), id.clone());
            async move {
                let mut connection = crate::support::Connection::open(address).await.unwrap();
                for _ in 0..1_000 {
                    let get = Request::query("users.get", &json!({"id": id})).bearer(&token);
                    let seen = connection.send(&get).await.unwrap().data();
                    let age = seen["age"].as_u64().unwrap() + 1;
                    let input = json!({"id": id, "version": seen["version"], "age": age});
                    let answer =
                        connection.send(&Request::mutation("users.update", &input).bearer(&token)).await.unwrap();
                    match answer.code().as_str() {
                        "OK" => return,
                        code => assert_eq!(code, "CONFLICT"),
                    }
                }
                panic!("a writer never got through");
            }
        })
        .collect();
    writers.join_all().await;
    assert_eq!(server.query("users.get", json!({"id": id})).await.data()["age"], 20);
}

#[tokio::test]
async fn a_patch_tells_absent_from_null() {
    let server = TestServer::open().await;
    let ada = json!({"email": "ada@example.com", "name": "Ada", "age": 36, "isVerified": true, "role": "employee"});
    let ada = server.mutation("users.create", ada).await.data();
    let id = ada["id"].clone();
    let update = async |mut change: Value| {
        change["id"] = id.clone();
        server.mutation("users.update", change).await
    };

    let kept = update(json!({"name": "Ada Lovelace"})).await.data();
    assert_eq!((&kept["age"], &kept["email"], &kept["role"]), (&json!(36), &ada["email"], &json!("employee")));
    assert_eq!((&kept["version"], &kept["isVerified"]), (&json!(2), &json!(true)));
    let forgotten = update(json!({"age": null})).await.data();
    assert_eq!((&forgotten["age"], &forgotten["name"]), (&Value::Null, &json!("Ada Lovelace")));
    assert!(forgotten.as_object().unwrap().contains_key("age"), "null is there");
    assert_eq!(update(json!({"age": 37})).await.data()["age"], 37);

    // What cannot be forgotten refuses null, and nothing of such a change is made.
    for field in ["name", "email", "role", "isVerified"] {
        let answer = update(json!({field: null, "age": 1})).await;
        assert_eq!((answer.code().as_str(), answer.fields()), ("BAD_REQUEST", vec![field.to_owned()]));
    }
    assert_eq!(server.query("users.get", json!({"id": id})).await.data()["age"], 37);
}

#[tokio::test]
async fn an_address_belongs_to_one_user_until_it_is_given_up() {
    let server = TestServer::open().await;
    let (ada, bob) = (server.user("ada").await, server.user("bob").await);
    let create = async |email: &str| server.mutation("users.create", json!({"email": email, "name": "New"})).await;
    let rename = async |user: &Value, email: &str| {
        server.mutation("users.update", json!({"id": user["id"], "email": email})).await
    };

    assert_eq!(create("ADA@example.com").await.failure(), "emailTaken");
    assert_eq!(rename(&bob, "aDa@example.com").await.failure(), "emailTaken");
    assert_eq!(rename(&bob, "bob@example.com").await.code(), "OK", "one's own is not taken");
    assert_eq!(rename(&bob, "BOB@example.com").await.data()["email"], "BOB@example.com", "its case may change");

    // A new address frees the old one, and so does the end of a user.
    assert_eq!(rename(&ada, "countess@example.com").await.code(), "OK");
    assert_eq!(create("ada@example.com").await.code(), "OK");
    assert_eq!(create("countess@example.com").await.failure(), "emailTaken");
    assert_eq!(server.mutation("users.delete", json!({"id": ada["id"]})).await.code(), "OK");
    assert_eq!(create("countess@example.com").await.code(), "OK");
    assert_eq!(server.mutation("users.delete", json!({"id": ada["id"]})).await.failure(), "missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays() {
    let server = TestServer::open().await;
    let administrator = async |name: &str| {
        let email = format!("{name}@example.com");
        let input = json!({"email": email, "name": name, "role": "administrator", "isVerified": true});
        server.mutation("users.create", input).await.data()["id"].clone()
    };
    let ada = administrator("ada").await;
    for (procedure, input) in [
        ("users.delete", json!({"id": ada})),
        ("users.update", json!({"id": ada, "role": "viewer"})),
        ("users.update", json!({"id": ada, "isVerified": false})),
        ("users.update", json!({"id": ada, "email": "other@example.com"})),
    ] {
        let answer = server.mutation(procedure, input).await;
        assert_eq!((answer.code().as_str(), answer.failure().as_str()), ("UNPROCESSABLE_CONTENT", "lastAdministrator"));
    }
    assert_eq!(server.mutation("users.update", json!({"id": ada, "name": "Ada"})).await.code(), "OK");

    // Two go at once, each of whom could go alone: one of them stays.
    let mut last = ada;
    for round in 0..10 {
        let other = administrator(&format!("other{round}")).await;
        let leave = |id: &Value, demote: bool| {
            let request = match demote {
                true => Request::mutation("users.update", &json!({"id": id, "role": "viewer"})),
                false => Request::mutation("users.delete", &json!({"id": id})),
            };
            request.bearer(&server.admin)
        };
        let answers = all_at_once(&server.service, [leave(&last, round % 2 == 0), leave(&other, round % 3 == 0)]).await;
        let expected = counted([("OK", 1), ("UNPROCESSABLE_CONTENT lastAdministrator", 1)]);
        assert_eq!(codes(&answers), expected, "round {round}");
        let left = server.query("users.list", json!({"role": "administrator"})).await.data()["items"].clone();
        assert_eq!(left.as_array().unwrap().len(), 1, "round {round}");
        last = left[0]["id"].clone();
    }
}

/// Who has not proved the address has no permission: somebody who can act has to be left, and counts from the proof on.
#[tokio::test]
async fn the_last_administrator_who_can_act_stays() {
    let server = TestServer::open().await;
    let administrator = async |name: &str, is_verified: bool| {
        let email = format!("{name}@example.com");
        let input = json!({"email": email, "name": name, "role": "administrator", "isVerified": is_verified});
        server.mutation("users.create", input).await.data()["id"].clone()
    };
    // Whoever cannot act may go, also when nobody else is there.
    let mistyped = administrator("typo", false).await;
    assert_eq!(server.mutation("users.delete", json!({"id": mistyped})).await.code(), "OK");

    let (ada, mistyped) = (administrator("ada", true).await, administrator("typo", false).await);
    for (procedure, input) in [
        ("users.delete", json!({"id": ada})),
        ("users.update", json!({"id": ada, "role": "employee"})),
        ("users.update", json!({"id": ada, "isVerified": false})),
    ] {
        assert_eq!(
            server.mutation(procedure, input.clone()).await.failure(),
            "lastAdministrator",
            "{procedure} {input}"
        );
    }
    // A proof makes one who can act, and the loss of it takes one away; what is no change counts nothing.
    let set = async |change: Value| server.mutation("users.update", change).await.code();
    assert_eq!(set(json!({"id": mistyped, "isVerified": true})).await, "OK");
    assert_eq!(set(json!({"id": mistyped, "isVerified": true, "name": "Typo"})).await, "OK");
    assert_eq!(set(json!({"id": ada, "isVerified": false})).await, "OK");
    assert_eq!(set(json!({"id": mistyped, "role": "viewer"})).await, "UNPROCESSABLE_CONTENT");
    assert_eq!(set(json!({"id": ada, "isVerified": true})).await, "OK");
    assert_eq!(set(json!({"id": mistyped, "role": "viewer"})).await, "OK");
    assert_eq!(server.mutation("users.delete", json!({"id": ada})).await.failure(), "lastAdministrator");
}

/// Every place of a list, in order, page by page.
async fn pages(service: &Service, token: &str, input: &Value) -> Vec<Value> {
    let mut connection = service.connect().await;
    let (mut pages, mut cursor) = (Vec::new(), Value::Null);
    for _ in 0..10_000 {
        let mut input = input.clone();
        input["cursor"] = cursor;
        let page = connection.send(&Request::query("users.list", &input).bearer(token)).await.unwrap().data();
        cursor = page["next"].clone();
        pages.push(page["items"].clone());
        if cursor.is_null() {
            return pages;
        }
    }
    panic!("the list does not end");
}

fn ids(pages: &[Value]) -> Vec<String> {
    let items = pages.iter().flat_map(|page| page.as_array().unwrap());
    items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Writes users past the service, for speed: the store's own transactions.
pub async fn seed_users(data: &Folder, count: usize) -> Vec<User> {
    let folder = local::data::DataFolder::open(data.path()).unwrap();
    let running = folder.running().unwrap();
    let credentials =
        Credentials { access_key_id: running.access_key_id, secret_access_key: running.secret_access_key };
    let mut limits = StoreLimits::default();
    limits.retries.attempt_timeout = std::time::Duration::from_secs(20);
    limits.retries.total_timeout = std::time::Duration::from_secs(60);
    let store = Store::new(Settings {
        table: testbed::SERVICE.name.to_owned(),
        access: credentials.access(&running.database_endpoint),
        cursor_key: Some([0; 32]),
        limits,
    })
    .unwrap();
    let scope = CursorScope { procedure: "test", caller: None, input: Bytes::new() };
    let write = Write::<User>::new(StoreSession::new(store, scope, Clock::System));
    let mut users: Vec<User> = (0..count)
        .map(|place| User {
            id: UserId::from(uuid::Uuid::now_v7()),
            email: EmailAddress::new(format!("seeded{place}@example.com")),
            name: format!("Seeded {place}"),
            age: (place % 3 != 0).then_some(u32::try_from(place % 100).unwrap()),
            is_verified: place % 2 == 0,
            role: Role::Viewer,
            // Many at the same moment: the time alone does not tell where a page ends.
            created_at: Timestamp::from_unix_ms(1_735_689_600_000 + i64::try_from(place / 25).unwrap()),
            ends_at: None,
            version: Version::default(),
        })
        .collect();
    // A user takes two of a transaction's hundred actions.
    for batch in users.chunks_mut(50) {
        let operations: Vec<Operation> = batch.iter_mut().map(|user| write.creating(user)).collect();
        transaction(operations).await.unwrap();
    }
    users
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_ten_thousand_has_no_gap_while_others_write() {
    let data = Folder::new();
    let service = Arc::new(Service::kept(&data).await);
    let admin = Key::of(data.path()).token(Role::Administrator);
    let users = seed_users(&data, 10_000).await;

    // Given somebody who inserts at both ends and in the middle, and deletes here and there …
    let going: Vec<UserId> = users.iter().skip(6).step_by(50).map(|user| user.id).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (service, admin, stop, going) = (Arc::clone(&service), admin.clone(), Arc::clone(&stop), going.clone());
        async move {
            let mut connection = service.connect().await;
            let (mut inserted, mut deleted) = (0, 0);
            for id in going {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let input = json!({"email": format!("new{id}@example.com"), "name": "New", "isVerified": true});
                let create = Request::mutation("users.create", &input).bearer(&admin);
                inserted += usize::from(connection.send(&create).await.unwrap().status == 200);
                let delete = Request::mutation("users.delete", &json!({"id": id})).bearer(&admin);
                deleted += usize::from(connection.send(&delete).await.unwrap().status == 200);
            }
            (inserted, deleted)
        }
    });

    // … when the verified ones are read, oldest first …
    let read = pages(&service, &admin, &json!({"isVerified": true, "sort": "createdAt", "limit": 100})).await;
    stop.store(true, Ordering::Relaxed);
    let (inserted, deleted) = writer.await.unwrap();
    assert!(inserted > 0 && deleted > 0, "somebody did write meanwhile: {inserted}, {deleted}");

    // … then those who stayed are all there, once, in order, and pages are as full as was asked.
    let read_ids = ids(&read);
    let once: BTreeSet<&String> = read_ids.iter().collect();
    assert_eq!(once.len(), read_ids.len(), "somebody is there twice");
    let leaving: BTreeSet<String> = going.iter().map(UserId::to_string).collect();
    let stayed: Vec<String> = users
        .iter()
        .filter(|user| user.is_verified)
        .map(|user| user.id.to_string())
        .filter(|id| !leaving.contains(id))
        .collect();
    let expected: BTreeSet<&String> = stayed.iter().collect();
    let seen: Vec<&String> = read_ids.iter().filter(|id| expected.contains(id)).collect();
    assert_eq!(seen.len(), stayed.len(), "somebody is missing");
    let of_seed: BTreeSet<String> =
        users.iter().filter(|user| !user.is_verified).map(|user| user.id.to_string()).collect();
    assert!(read_ids.iter().all(|id| !of_seed.contains(id)), "the filter holds");
    for page in &read[..read.len() - 1] {
        assert_eq!(page.as_array().unwrap().len(), 100);
    }
    let times: Vec<&str> =
        read.iter().flat_map(|page| page.as_array().unwrap()).map(|user| user["createdAt"].as_str().unwrap()).collect();
    assert!(times.is_sorted());

    // By age it holds everybody of that age.
    let of_age = pages(&service, &admin, &json!({"sort": "age", "ageMin": 30, "ageMax": 31, "limit": 100})).await;
    let going_or_gone = |user: &&User| !leaving.contains(&user.id.to_string());
    let expected = users.iter().filter(going_or_gone).filter(|user| matches!(user.age, Some(30 | 31)));
    let expected: BTreeSet<String> = expected.map(|user| user.id.to_string()).collect();
    let of_age: BTreeSet<String> = ids(&of_age).into_iter().filter(|id| !leaving.contains(id)).collect();
    assert_eq!(of_age, expected);
}

#[tokio::test]
async fn a_cursor_is_good_for_one_caller_and_one_query() {
    let server = TestServer::open().await;
    for name in ["ada", "bob", "carl", "dora"] {
        server.user(name).await;
    }
    let list = async |input: Value| server.query("users.list", input).await;
    let first = list(json!({"limit": 2, "sort": "name"})).await.data();
    let cursor = first["next"].as_str().unwrap().to_owned();

    // For the same question it goes on, at any page size, whatever the order of its fields.
    let rest = list(json!({"cursor": cursor, "sort": "name", "limit": 50, "role": null})).await.data();
    assert_eq!(rest["next"], Value::Null);
    assert_eq!(ids(&[first["items"].clone(), rest["items"].clone()]).len(), 4);

    // Whoever reads it learns nothing of the place that it names.
    let sealed = BASE64.decode(&cursor).unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("bob"));

    let mut forged = cursor.clone().into_bytes();
    forged[20] = if forged[20] == b'A' { b'B' } else { b'A' };
    for (what, input) in [
        ("changed", json!({"cursor": String::from_utf8(forged).unwrap(), "sort": "name"})),
        ("cut", json!({"cursor": cursor[..cursor.len() - 4], "sort": "name"})),
        ("empty", json!({"cursor": "", "sort": "name"})),
        ("made up", json!({"cursor": "eyJpZCI6MX0", "sort": "name"})),
        ("endless", json!({"cursor": "A".repeat(50_000), "sort": "name"})),
        ("of another order", json!({"cursor": cursor, "sort": "-name"})),
        ("of another filter", json!({"cursor": cursor, "sort": "name", "role": "viewer"})),
        ("of no order", json!({"cursor": cursor})),
    ] {
        let answer = list(input).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"), "{what}");
        assert_eq!(answer.fields(), ["cursor"], "{what}");
    }
    let input = json!({"cursor": cursor, "sort": "name"});
    let other = server.key.token(Role::Administrator);
    assert_eq!(server.service.query(&other, "users.list", input.clone()).await.code(), "BAD_REQUEST", "another caller");
    assert_eq!(server.query("posts.list", json!({"cursor": cursor})).await.code(), "BAD_REQUEST", "another list");
    let another = TestServer::open().await;
    assert_eq!(another.query("users.list", input.clone()).await.code(), "BAD_REQUEST", "another service");
    assert_eq!(list(input).await.code(), "OK", "it was good all along");
}

#[tokio::test]
async fn a_page_has_a_size() {
    let server = TestServer::open().await;
    for place in 0..25 {
        server.user(&format!("user{place}")).await;
    }
    let count = async |input: Value| {
        let page = server.query("users.list", input).await.data();
        (page["items"].as_array().unwrap().len(), page["next"].is_null())
    };
    assert_eq!(count(Value::Null).await, (20, false), "20 if nothing is asked");
    assert_eq!(count(json!({"limit": 1})).await, (1, false));
    assert_eq!(count(json!({"limit": 24})).await, (24, false));
    assert_eq!(count(json!({"limit": 25})).await, (25, true), "the end is known at once");
    assert_eq!(count(json!({"limit": 100})).await, (25, true));

    // Page by page it is the same list as at once, and turned round it is the same list.
    let walk = async |sort: &str, limit: u32| {
        ids(&pages(&server.service, &server.admin, &json!({"sort": sort, "limit": limit})).await)
    };
    let mut at_once = walk("createdAt", 100).await;
    assert_eq!(walk("createdAt", 1).await, at_once);
    assert_eq!(walk("createdAt", 7).await, at_once);
    at_once.reverse();
    assert_eq!(walk("-createdAt", 5).await, at_once);
    for refused in [json!(0), json!(101), json!(-1), json!(1.5), json!("10"), json!(4_294_967_297_u64)] {
        let answer = server.query("users.list", json!({"limit": refused})).await;
        assert_eq!((answer.code().as_str(), answer.fields()), ("BAD_REQUEST", vec!["limit".to_owned()]), "{refused}");
    }
}

#[tokio::test]
async fn filters_and_orders_are_those_that_were_asked_for() {
    let server = TestServer::open().await;
    for (name, age, verified, role) in [
        ("Ada", Some(36), true, "administrator"),
        ("bob", Some(40), false, "employee"),
        ("Carl", None, true, "viewer"),
        ("dora", Some(9), true, "employee"),
    ] {
        let email = format!("{name}@example.com");
        let input = json!({"email": email, "name": name, "age": age, "isVerified": verified, "role": role});
        server.mutation("users.create", input).await.data();
    }
    for (input, expected) in [
        (json!({}), "dora Carl bob Ada"),
        (json!({"sort": "createdAt"}), "Ada bob Carl dora"),
        (json!({"sort": "name"}), "Ada bob Carl dora"),
        (json!({"sort": "-name"}), "dora Carl bob Ada"),
        (json!({"sort": "-email"}), "dora Carl bob Ada"),
        (json!({"sort": "age"}), "Carl dora Ada bob"),
        (json!({"sort": "-age"}), "bob Ada dora Carl"),
        (json!({"sort": "age", "ageMin": 10}), "Ada bob"),
        (json!({"sort": "-age", "ageMax": 36}), "Ada dora"),
        (json!({"sort": "age", "ageMin": 40, "ageMax": 10}), ""),
        (json!({"age": 36}), "Ada"),
        (json!({"ageMin": 9, "ageMax": 36, "sort": "name"}), "Ada dora"),
        (json!({"isVerified": false}), "bob"),
        (json!({"isVerified": true, "role": "employee"}), "dora"),
        (json!({"role": "viewer", "age": 36}), ""),
    ] {
        let page = server.query("users.list", input.clone()).await.data();
        let names: Vec<_> =
            page["items"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
        assert_eq!(names.join(" "), expected, "{input}");
        assert_eq!(page["next"], Value::Null);
    }
}
