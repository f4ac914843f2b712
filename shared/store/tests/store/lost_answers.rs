//! A change whose answer is lost is reported neither as another caller's nor as done when it was not.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use local::testing::fake_server::FakeServer;
use protocol::Version;
use store::StoreError;

use crate::fixtures::{Member, Note, TestDatabase, forward};

/// The fate of the first request.
#[derive(Clone, Copy)]
enum First {
    /// The database does it; the answer is lost.
    Done,
    /// It never arrives.
    Lost,
}

type Meanwhile = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A server before the database that cuts the connection of the first request. `meanwhile` happens before
/// the second.
async fn lossy(world: &TestDatabase, first: First, meanwhile: Meanwhile) -> FakeServer {
    let endpoint = world.database.endpoint().to_owned();
    FakeServer::new(move |number, request| {
        let (endpoint, meanwhile) = (endpoint.clone(), Arc::clone(&meanwhile));
        async move {
            if number > 0 {
                return Some(forward(&endpoint, &request).await);
            }
            if matches!(first, First::Done) {
                forward(&endpoint, &request).await;
            }
            meanwhile().await;
            None
        }
    })
    .await
}

fn nothing() -> Meanwhile {
    Arc::new(|| Box::pin(async {}))
}

/// Another caller replaces the note, several times.
fn others_replace(world: &TestDatabase, note: &Note, times: u32) -> Meanwhile {
    let (notes, id) = (world.write::<Note>(), note.id);
    Arc::new(move || {
        let notes = notes.clone();
        Box::pin(async move {
            for _ in 0..times {
                let current = notes.get(&id).await.expect("read").expect("there");
                notes.replace(&current, Note { rank: 99, ..current.clone() }).await.expect("replaced");
            }
        })
    })
}

#[tokio::test]
async fn own_writes_are_recognised() {
    let world = TestDatabase::new().await;

    let server = lossy(&world, First::Done, nothing()).await;
    let note = world.write_through::<Note>(&server).create(Note::new("a", 1)).await.expect("created");
    assert_eq!(server.requests(), 2);

    let server = lossy(&world, First::Done, nothing()).await;
    let next = Note { rank: 2, ..note.clone() };
    let next = world.write_through::<Note>(&server).replace(&note, next).await.expect("replaced");
    assert_eq!((server.requests(), next.version), (2, Version(2)));
    assert_eq!(world.read::<Note>().get(&note.id).await.expect("read"), Some(next.clone()));

    let server = lossy(&world, First::Done, nothing()).await;
    world.write_through::<Note>(&server).delete(&next).await.expect("deleted");
    assert_eq!(server.requests(), 2);
    assert_eq!(world.read::<Note>().get(&note.id).await.expect("read"), None);
}

#[tokio::test]
async fn a_transaction_is_carried_out_once() {
    let world = TestDatabase::new().await;
    let server = lossy(&world, First::Done, nothing()).await;
    let ada = Member::administrator("ada@example.org");
    let ada = world.write_through::<Member>(&server).create(ada).await.expect("created");
    assert_eq!(server.requests(), 2);
    // Counted once: she is the only one.
    assert!(matches!(world.write::<Member>().delete(&ada).await, Err(StoreError::TooFew { .. })));
}

#[tokio::test]
async fn somebody_who_was_first_is_recognised() {
    let world = TestDatabase::new().await;
    let note = world.write::<Note>().create(Note::new("a", 1)).await.expect("created");

    let server = lossy(&world, First::Lost, others_replace(&world, &note, 1)).await;
    let outcome = world.write_through::<Note>(&server).replace(&note, Note { rank: 2, ..note.clone() }).await;
    assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");

    let server = lossy(&world, First::Lost, nothing()).await;
    let outcome = world.write_through::<Note>(&server).delete(&note).await;
    assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");

    let server = lossy(&world, First::Lost, nothing()).await;
    let taken = Note { id: world.write::<Note>().create(Note::new("a", 1)).await.expect("created").id, ..note };
    let outcome = world.write_through::<Note>(&server).create(taken).await;
    assert!(matches!(outcome, Err(StoreError::Exists)), "{outcome:?}");
}

/// Ours may have been the version in between, or not: neither "done" nor "conflict" would be known to be
/// true.
#[tokio::test]
async fn an_outcome_that_cannot_be_known_is_neither_success_nor_conflict() {
    let world = TestDatabase::new().await;
    for (first, times) in [(First::Done, 1), (First::Lost, 2)] {
        let note = world.write::<Note>().create(Note::new("a", 1)).await.expect("created");
        let server = lossy(&world, first, others_replace(&world, &note, times)).await;
        let outcome = world.write_through::<Note>(&server).replace(&note, Note { rank: 2, ..note.clone() }).await;
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    }
}
