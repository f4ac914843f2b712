//! A cursor works only for the caller and the query that it was made for.

use protocol::{Clock, Cursor, CursorScope, PageSize, SortKey};
use store::{Read, StoreError, StoreSession};

use crate::fixtures::{Note, TestDatabase};

fn notes_of(world: &TestDatabase, procedure: &'static str, caller: Option<&str>, input: &'static str) -> Read<Note> {
    let scope = CursorScope { procedure, caller: caller.map(str::to_owned), input: input.into() };
    Read::new(StoreSession::new(world.store.clone(), scope, Clock::System))
}

#[tokio::test]
async fn a_cursor_serves_its_caller_and_its_query_only() {
    let world = TestDatabase::new().await;
    for rank in 0..5 {
        world.write::<Note>().create(Note::new("a", rank)).await.expect("created");
    }
    let ada = notes_of(&world, "notes.list", Some("ada"), r#"{"topic":"a","limit":2}"#);
    let first = ada.list(Note::BY_TOPIC).of("a").page(PageSize(2), None).await.expect("a page");
    let cursor = first.next.expect("a cursor");
    assert!(!cursor.0.contains("note"), "it shows no key");

    let serves = |notes: Read<Note>| {
        let cursor = cursor.clone();
        async move { notes.list(Note::BY_TOPIC).of("a").page(PageSize(3), Some(&cursor)).await }
    };
    let again = serves(notes_of(&world, "notes.list", Some("ada"), r#"{"limit":3,"cursor":"…","topic":"a","x":null}"#));
    assert_eq!(again.await.expect("the next page").items.iter().map(|n| n.rank).collect::<Vec<_>>(), [2, 3, 4]);

    for foreign in [
        notes_of(&world, "notes.list", Some("eve"), r#"{"topic":"a"}"#),
        notes_of(&world, "notes.list", None, r#"{"topic":"a"}"#),
        notes_of(&world, "notes.list", Some("ada"), r#"{"topic":"b"}"#),
        notes_of(&world, "notes.find", Some("ada"), r#"{"topic":"a"}"#),
    ] {
        assert!(matches!(serves(foreign).await, Err(StoreError::BadCursor)));
    }

    let list = || ada.list(Note::BY_TOPIC).page(PageSize(2), Some(&cursor));
    for foreign in [
        list(),
        list().of("b"),
        list().of("a").descending(),
        list().of("a").from(SortKey::number(0)),
        list().of("a").to(SortKey::number(9)),
        ada.list(Note::SPREAD).of("a").page(PageSize(2), Some(&cursor)),
    ] {
        assert!(matches!(foreign.await, Err(StoreError::BadCursor)));
    }
}

#[tokio::test]
async fn a_forged_cursor_is_refused() {
    let world = TestDatabase::new().await;
    let notes = world.read::<Note>();
    for forged in ["", "AAAA", "%", &"A".repeat(60), &"A".repeat(10_000)] {
        let cursor = Cursor(forged.to_owned());
        let page = notes.list(Note::BY_TOPIC).of("a").page(PageSize(2), Some(&cursor)).await;
        assert!(matches!(page, Err(StoreError::BadCursor)), "{forged:.10}");
    }
}
