//! A database that is away, slow, busy or closed: an error of its own, in bounded time, never a hang.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use aws::RetryPolicy;
use local::testing::fake_server::FakeServer;
use store::{Read, Settings, Store, StoreError, StoreLimits, Write};
use tokio::net::TcpListener;

use crate::fixtures::{Note, TestDatabase, forward, id, refusal, session, settings};

const LIMITS: StoreLimits = StoreLimits {
    retries: RetryPolicy {
        attempt_timeout: Duration::from_millis(100),
        total_timeout: Duration::from_secs(2),
        max_attempts: 4,
    },
    max_parallel: 32,
    max_examined: 100,
    read_units_a_minute: 3_000,
};

fn store(endpoint: &str) -> Store {
    Store::new(Settings { limits: LIMITS, ..settings(endpoint) }).expect("a store")
}

/// Every kind of request ends as unavailable.
async fn all_are_unavailable(store: &Store) {
    let (notes, changes) = (Read::<Note>::new(session(store)), Write::<Note>::new(session(store)));
    let note = Note::new("a", 1);
    let unavailable =
        |error: Option<StoreError>| assert!(matches!(error, Some(StoreError::Unavailable(_))), "{error:?}");
    unavailable(notes.get(&note.id).await.err());
    unavailable(notes.get_many(&[note.id]).await.err());
    unavailable(notes.list(Note::BY_TOPIC).of("a").await.err());
    unavailable(notes.list(Note::SPREAD).await.err());
    unavailable(changes.create(note.clone()).await.err());
    unavailable(changes.delete(&note).await.err());
    let two = vec![changes.creating(&mut note.clone()), changes.creating(&mut Note::new("a", 2))];
    unavailable(store::transaction(two).await.err());
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    all_are_unavailable(&store(&endpoint)).await;
}

#[tokio::test]
async fn it_never_answers() {
    let server = FakeServer::new(|_, _| pending()).await;
    let begun = Instant::now();
    let outcome = Read::<Note>::new(session(&store(&server.endpoint))).get(&id()).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert_eq!(server.requests(), 4);
    // Four attempts of 100 ms and three pauses of at most 25, 50 and 100 ms, and some room.
    assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
    all_are_unavailable(&store(&server.endpoint)).await;
}

#[tokio::test]
async fn the_total_time_bounds_the_attempts() {
    let server = FakeServer::new(|_, _| pending()).await;
    let total_timeout = Duration::from_millis(250);
    let retries = RetryPolicy { total_timeout, max_attempts: 1_000, ..LIMITS.retries };
    let limits = StoreLimits { retries, ..LIMITS };
    let store = Store::new(Settings { limits, ..settings(&server.endpoint) }).expect("a store");
    let begun = Instant::now();
    let outcome = Read::<Note>::new(session(&store)).get(&id()).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_millis(1_000), "{:?}", begun.elapsed());
    assert!(server.requests() <= 3, "{}", server.requests());
}

#[tokio::test]
async fn it_is_always_too_busy() {
    let server = FakeServer::new(|_, _| async { Some(refusal(400, "ThrottlingException")) }).await;
    let outcome = Read::<Note>::new(session(&store(&server.endpoint))).get(&id()).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert_eq!(server.requests(), 4);
    all_are_unavailable(&store(&server.endpoint)).await;
}

#[tokio::test]
async fn it_fails_itself() {
    let server = FakeServer::new(|_, _| async { Some(refusal(500, "InternalServerError")) }).await;
    all_are_unavailable(&store(&server.endpoint)).await;
    let proxy = FakeServer::new(|_, _| async {
        Some(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 9\r\n\r\n<html>no\n".to_vec())
    });
    all_are_unavailable(&store(&proxy.await.endpoint)).await;
}

#[tokio::test]
async fn a_short_trouble_passes_unnoticed() {
    let world = TestDatabase::new().await;
    let endpoint = world.database.endpoint().to_owned();
    let server = FakeServer::new(move |number, request| {
        let endpoint = endpoint.clone();
        async move {
            match number {
                0 => Some(refusal(400, "ProvisionedThroughputExceededException")),
                1 => Some(refusal(503, "ServiceUnavailable")),
                2 => None,
                _ => Some(forward(&endpoint, &request).await),
            }
        }
    })
    .await;
    let note = world.write_through::<Note>(&server).create(Note::new("a", 1)).await.expect("created");
    assert_eq!(world.read::<Note>().get(&note.id).await.expect("read"), Some(note));
    assert_eq!(server.requests(), 4);
}

#[tokio::test]
async fn a_missing_right_is_not_tried_again() {
    for code in ["AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"] {
        let server = FakeServer::new(move |_, _| async move { Some(refusal(400, code)) }).await;
        let outcome = Read::<Note>::new(session(&store(&server.endpoint))).get(&id()).await;
        assert!(matches!(outcome, Err(StoreError::Denied(_))), "{code}: {outcome:?}");
        assert_eq!(server.requests(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_request_that_is_refused_for_good_is_not_tried_again() {
    let server = FakeServer::new(|_, _| async { Some(refusal(400, "ValidationException")) }).await;
    let outcome = Read::<Note>::new(session(&store(&server.endpoint))).get(&id()).await;
    assert!(matches!(outcome, Err(StoreError::Broken(_))), "{outcome:?}");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_table_that_is_there_is_left_as_it_is() {
    let world = TestDatabase::new().await;
    let note = world.write::<Note>().create(Note::new("a", 1)).await.expect("created");
    world.store.create_table_if_missing().await.expect("there already");
    assert_eq!(world.read::<Note>().get(&note.id).await.expect("read"), Some(note));
}
