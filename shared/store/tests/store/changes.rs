//! Creating, replacing, deleting; lost updates, unique values, tallies, expiry.

use futures_util::future::join_all;
use protocol::{Clock, Timestamp, Version};
use store::{Read, StoreError, Write};

use crate::fixtures::{Member, Note, TestDatabase, id, session, session_at};

#[tokio::test]
async fn an_entity_is_created_read_replaced_and_deleted() {
    let world = TestDatabase::new().await;
    let notes = world.write::<Note>();

    let created = notes.create(Note::new("a", 1)).await.expect("created");
    assert_eq!(created.version, Version(1));
    assert_eq!(world.read::<Note>().get(&created.id).await.expect("read"), Some(created.clone()));

    let replaced = notes.replace(&created, Note { rank: 2, ..created.clone() }).await.expect("replaced");
    assert_eq!((replaced.version, replaced.rank), (Version(2), 2));
    assert_eq!(notes.get(&created.id).await.expect("read"), Some(replaced.clone()));

    notes.delete(&replaced).await.expect("deleted");
    assert_eq!(notes.get(&created.id).await.expect("read"), None);
}

#[tokio::test]
async fn what_is_stale_is_refused() {
    let world = TestDatabase::new().await;
    let notes = world.write::<Note>();
    let first = notes.create(Note::new("a", 1)).await.expect("created");
    assert!(matches!(notes.create(first.clone()).await, Err(StoreError::Exists)));

    let second = notes.replace(&first, Note { rank: 2, ..first.clone() }).await.expect("replaced");
    assert!(matches!(notes.replace(&first, Note { rank: 3, ..first.clone() }).await, Err(StoreError::Stale)));
    assert!(matches!(notes.delete(&first).await, Err(StoreError::Stale)));
    assert_eq!(notes.get(&first.id).await.expect("read"), Some(second.clone()));

    notes.delete(&second).await.expect("deleted");
    assert!(matches!(notes.replace(&second, second.clone()).await, Err(StoreError::Stale)));
    assert!(matches!(notes.delete(&second).await, Err(StoreError::Stale)));

    let other = Note { id: id(), ..second.clone() };
    assert!(matches!(notes.replace(&second, other).await, Err(StoreError::Broken(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_writers_none_loses_an_update() {
    const WRITERS: u32 = 100;
    let world = TestDatabase::new().await;
    let note = world.write::<Note>().create(Note::new("count", 0)).await.expect("created");

    let at_once = (0..WRITERS).map(|rank| {
        let (notes, note) = (world.write::<Note>(), note.clone());
        async move { notes.replace(&note, Note { rank, ..note.clone() }).await }
    });
    let outcomes = join_all(at_once).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Stale))).count(), 99);

    let start = world.read::<Note>().get(&note.id).await.expect("read").expect("there").rank;
    let until_done = (0..WRITERS).map(|_| {
        let (notes, id) = (world.write::<Note>(), note.id);
        tokio::spawn(async move {
            loop {
                let current = notes.get(&id).await.expect("read").expect("there");
                match notes.replace(&current, Note { rank: current.rank + 1, ..current.clone() }).await {
                    Ok(_) => return,
                    Err(StoreError::Stale) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        })
    });
    for done in join_all(until_done).await {
        done.expect("a writer");
    }
    let end = world.read::<Note>().get(&note.id).await.expect("read").expect("there");
    assert_eq!(end.rank, start + WRITERS);
    assert_eq!(end.version, Version(2 + WRITERS));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_one_value_exactly_one_gets_it() {
    let world = TestDatabase::new().await;
    let at_once = (0..200).map(|_| {
        let members = world.write::<Member>();
        tokio::spawn(async move { members.create(Member::new("Ada@example.org")).await })
    });
    let outcomes: Vec<_> = join_all(at_once).await.into_iter().map(|joined| joined.expect("a task")).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let taken = |outcome: &&Result<_, _>| matches!(outcome, Err(StoreError::Taken { rule: "email" }));
    assert_eq!(outcomes.iter().filter(taken).count(), 199);
}

#[tokio::test]
async fn a_unique_value_is_free_again_when_it_is_changed_or_deleted() {
    let world = TestDatabase::new().await;
    let members = world.write::<Member>();
    let ada = members.create(Member::new("ada@example.org")).await.expect("created");
    let ben = members.create(Member::new("ben@example.org")).await.expect("created");

    let clash = members.replace(&ben, Member { email: "ADA@example.org".into(), ..ben.clone() }).await;
    assert!(matches!(clash, Err(StoreError::Taken { rule: "email" })));
    assert_eq!(members.get(&ben.id).await.expect("read"), Some(ben.clone()));

    let ada = members.replace(&ada, Member { email: "ada@new.example".into(), ..ada.clone() }).await.expect("moved");
    let ben = members.replace(&ben, Member { email: "ada@example.org".into(), ..ben.clone() }).await.expect("free");
    members.delete(&ada).await.expect("deleted");
    members.create(Member::new("ada@new.example")).await.expect("free");
    assert!(matches!(members.create(Member::new(&ben.email)).await, Err(StoreError::Taken { rule: "email" })));
}

#[tokio::test]
async fn the_last_of_a_group_stays() {
    let world = TestDatabase::new().await;
    let members = world.write::<Member>();
    let ada = members.create(Member::administrator("ada@example.org")).await.expect("created");
    let few = StoreError::TooFew { tally: "administrators" }.to_string();

    assert_eq!(members.delete(&ada).await.expect_err("refused").to_string(), few);
    let plain = Member { administrator: false, ..ada.clone() };
    assert_eq!(members.replace(&ada, plain.clone()).await.expect_err("refused").to_string(), few);
    assert_eq!(members.get(&ada.id).await.expect("read"), Some(ada.clone()));

    let ben = members.create(Member::administrator("ben@example.org")).await.expect("created");
    members.replace(&ada, plain).await.expect("ben is left");
    assert_eq!(members.delete(&ben).await.expect_err("refused").to_string(), few);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_a_group_stays_when_all_leave_at_once() {
    let world = TestDatabase::new().await;
    let mut all = Vec::new();
    for number in 0..20 {
        let member = Member::administrator(&format!("{number}@example.org"));
        all.push(world.write::<Member>().create(member).await.expect("created"));
    }
    let leaving = all.into_iter().map(|member| {
        let members = world.write::<Member>();
        tokio::spawn(async move { members.delete(&member).await })
    });
    let outcomes: Vec<_> = join_all(leaving).await.into_iter().map(|joined| joined.expect("a task")).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 19);
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(StoreError::TooFew { tally: "administrators" }))));
}

#[tokio::test]
async fn what_has_expired_is_hidden_and_blocks_nothing() {
    let world = TestDatabase::new().await;
    let (before, after) = (session_at(&world.store, 1_000), session_at(&world.store, 1_500));
    let expires = Some(Timestamp::from_unix_ms(1_500));

    let note = Note { expires, ..Note::new("a", 1) };
    let note = Write::<Note>::new(before.clone()).create(note).await.expect("created");
    let sees = |session| {
        let notes = Read::<Note>::new(session);
        async move {
            let page = notes.list(Note::BY_TOPIC).of("a").await.expect("a page");
            let many = notes.get_many(&[note.id]).await.expect("read");
            (notes.get(&note.id).await.expect("read").is_some(), many[0].is_some(), page.items.len())
        }
    };
    assert_eq!(sees(before.clone()).await, (true, true, 1));
    assert_eq!(sees(after.clone()).await, (false, false, 0));

    let notes = Write::<Note>::new(after.clone());
    assert!(matches!(notes.replace(&note, note.clone()).await, Err(StoreError::Stale)));
    assert!(matches!(notes.delete(&note).await, Err(StoreError::Stale)));
    notes.create(Note { expires: None, ..note.clone() }).await.expect("the place is free");

    let member = Member { expires, ..Member::new("ada@example.org") };
    let members = Write::<Member>::new(before);
    members.create(member).await.expect("created");
    assert!(matches!(members.create(Member::new("ada@example.org")).await, Err(StoreError::Taken { .. })));
    Write::<Member>::new(after).create(Member::new("ada@example.org")).await.expect("the value is free");
}

#[tokio::test]
async fn a_guard_lives_as_long_as_its_owner() {
    let world = TestDatabase::new().await;
    let at = |unix_ms| Write::<Member>::new(session_at(&world.store, unix_ms));
    let until = |unix_ms| Some(Timestamp::from_unix_ms(unix_ms));
    let ada = Member { expires: until(1_500), ..Member::new("ada@example.org") };
    let ada = at(1_000).create(ada).await.expect("created");
    at(1_000).replace(&ada, Member { expires: until(9_000), ..ada.clone() }).await.expect("prolonged");
    assert!(matches!(at(2_000).create(Member::new("ada@example.org")).await, Err(StoreError::Taken { .. })));
}

#[tokio::test]
async fn what_expires_cannot_be_tallied() {
    let world = TestDatabase::new().await;
    let expires = Some(Clock::System.now().plus_ms(60_000));
    let member = Member { expires, ..Member::administrator("ada@example.org") };
    assert!(matches!(world.write::<Member>().create(member).await, Err(StoreError::Broken(_))));
}

#[tokio::test]
async fn what_is_too_large_is_said_to_be() {
    let world = TestDatabase::new().await;
    let text = "x".repeat(410_000);
    let member = Member::new(&text);
    assert!(matches!(world.write::<Member>().create(member).await, Err(StoreError::TooLarge)));
    let note = Note::new("a", 1);
    let notes = world.write::<Note>();
    let note = notes.create(note).await.expect("created");
    assert!(matches!(notes.replace(&note, Note { topic: text, ..note.clone() }).await, Err(StoreError::TooLarge)));
}

#[tokio::test]
async fn the_meter_counts_what_a_call_consumes() {
    let world = TestDatabase::new().await;
    let call = session(&world.store);
    let note = Write::<Note>::new(call.clone()).create(Note::new("a", 1)).await.expect("created");
    // The item and its two index entries, each below 1 KB.
    assert!((call.meter().write_units() - 3.0).abs() < 0.001, "{}", call.meter().write_units());
    assert!(call.meter().read_units() < 0.001);
    Read::<Note>::new(call.clone()).get(&note.id).await.expect("read");
    // Strongly consistent, below 4 KB.
    assert!((call.meter().read_units() - 1.0).abs() < 0.001, "{}", call.meter().read_units());
    Read::<Note>::new(call.clone()).get_many(&[note.id]).await.expect("read");
    assert!((call.meter().read_units() - 2.0).abs() < 0.001, "{}", call.meter().read_units());
    Read::<Note>::new(call.clone()).list(Note::BY_TOPIC).of("a").await.expect("a page");
    assert!((call.meter().read_units() - 2.5).abs() < 0.001, "{}", call.meter().read_units());
    assert!(session(&world.store).meter().read_units() < 0.001);
}

#[tokio::test]
async fn many_are_read_in_the_order_of_their_ids() {
    let world = TestDatabase::new().await;
    let notes = join_all((0..120).map(|rank| world.write::<Note>().create(Note::new("a", rank)))).await;
    let mut ids: Vec<_> = notes.iter().map(|note| note.as_ref().expect("created").id).collect();
    ids.push(id());
    ids.push(ids[0]);
    let found = world.read::<Note>().get_many(&ids).await.expect("read");
    let ranks: Vec<_> = found.iter().map(|note| note.as_ref().map(|note| note.rank)).collect();
    assert_eq!(ranks[..120], (0..120).map(Some).collect::<Vec<_>>());
    assert_eq!(ranks[120..], [None, Some(0)]);
    assert_eq!(world.read::<Note>().get_many(&[]).await.expect("read"), []);
}

#[tokio::test]
async fn those_that_exist_come_once_and_in_the_order_that_was_asked_for() {
    let world = TestDatabase::new().await;
    let mut kept = Vec::new();
    for rank in 0..3 {
        kept.push(world.write::<Note>().create(Note::new("a", rank)).await.expect("created"));
    }
    let ids = vec![kept[2].id, Note::new("missing", 1).id, kept[0].id, kept[2].id];
    let found = world.read::<Note>().by_ids(ids).await.expect("read");
    assert_eq!(found, [kept[2].clone(), kept[0].clone()]);
}
