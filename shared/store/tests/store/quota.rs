//! The read quota: a caller who has used up a minute waits for the next one, and others do not.

use protocol::{Clock, CursorScope, PageSize, Timestamp};
use store::{Read, Store, StoreError, StoreLimits, StoreSession};

use crate::fixtures::{Note, TestDatabase, settings};

/// A process with a quota of this many units in a minute.
fn process(world: &TestDatabase, read_units_a_minute: u32) -> Store {
    let mut own = settings(world.database.endpoint());
    own.access.access_key_id = world.database.administrator().access_key_id.clone();
    own.limits = StoreLimits { read_units_a_minute, max_examined: 500, ..own.limits };
    Store::new(own).expect("a store")
}

/// A query at this second.
fn call(store: &Store, payer: &str, second: i64) -> StoreSession {
    mutation(store, payer, second).bounded()
}

/// A mutation at this second.
fn mutation(store: &Store, payer: &str, second: i64) -> StoreSession {
    let clock = Clock::Fixed(Timestamp::from_unix_ms(second * 1_000));
    StoreSession::new(store.clone(), CursorScope::default(), clock).charged_to(payer)
}

/// Reads all notes to the end of a page, with a filter that drops them all: the units read, or the error.
async fn drop_all(session: &StoreSession) -> Result<f64, StoreError> {
    session.charge().await?;
    Read::<Note>::new(session.clone()).list(Note::BY_TOPIC).of("a").keep(|_| false).page(PageSize(1), None).await?;
    // The call's reads are counted when it ends; an exceeded quota refuses the next one.
    match session.charge().await {
        Ok(()) | Err(StoreError::QuotaExceeded { .. }) => Ok(session.meter().read_units()),
        Err(error) => Err(error),
    }
}

/// The number of calls in a row that succeed, and the wait that the next one is told.
async fn until_spent(store: &Store, payer: &str, second: i64) -> (usize, u32) {
    for answered in 0..1_000 {
        match drop_all(&call(store, payer, second)).await {
            Ok(_) => {}
            Err(StoreError::QuotaExceeded { wait_s }) => return (answered, wait_s),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("nothing stops them");
}

async fn seeded(count: u32) -> TestDatabase {
    let world = TestDatabase::new().await;
    for rank in 0..count {
        world.write::<Note>().create(Note::new("a", rank)).await.expect("created");
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_used_up_a_minute_waits_for_the_next_one_and_others_do_not() {
    let world = seeded(300).await;
    let store = process(&world, 100);
    let cost = drop_all(&call(&process(&world, 1_000_000), "somebody", 0)).await.expect("within the limit");
    let (answered, wait_s) = until_spent(&store, "ada", 70).await;
    assert_eq!(wait_s, 50, "the minute ends at the 120th second");
    // Reads that are not worth a write yet exceed the quota.
    let within = (100.0 / cost).floor() as usize..=(116.0 / cost).ceil() as usize + 1;
    assert!(within.contains(&answered), "{answered} calls of {cost} units, and 100 are allowed");

    assert!(drop_all(&call(&store, "bob", 70)).await.is_ok(), "another payer");
    assert!(drop_all(&call(&store, "ada", 120)).await.is_ok(), "the next minute");
    // Processes know of each other by the table's count.
    let (elsewhere, _) = until_spent(&process(&world, 100), "ada", 71).await;
    assert!(elsewhere as f64 * cost <= 16.0 + cost, "{elsewhere} calls more");
    // A call without a payer is not charged.
    let free = StoreSession::new(store, CursorScope::default(), Clock::Fixed(Timestamp::from_unix_ms(70_000)));
    assert!(drop_all(&free).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dear_asks_before_it_reads_on_so_that_many_at_once_do_not_pass_together() {
    let world = seeded(500).await;
    let store = process(&world, 40);
    let cost = drop_all(&call(&process(&world, 1_000_000), "somebody", 0)).await.expect("within the limit");
    let read = futures_util::future::join_all((0..30).map(|_| {
        let session = call(&store, "ada", 0);
        async move {
            let _ = drop_all(&session).await;
            session.meter().read_units()
        }
    }));
    let read: f64 = read.await.iter().sum();
    assert!(read < 30.0 * cost * 0.8, "{read} units of {}, and 40 are allowed", 30.0 * cost);
}

/// A mutation's changes stay, whatever it reads afterwards; the next call is refused.
#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_is_refused_when_it_begins_and_no_more() {
    let world = seeded(300).await;
    let store = process(&world, 1);
    let session = mutation(&store, "ada", 0);
    let notes = Read::<Note>::new(session.clone());
    session.charge().await.expect("nothing was read yet");
    while session.meter().read_units() < 40.0 {
        notes.list(Note::BY_TOPIC).of("a").page(PageSize(100), None).await.expect("a page");
        notes.get_many(&[Note::new("a", 1).id]).await.expect("many");
    }
    assert!(matches!(session.charge().await, Err(StoreError::QuotaExceeded { .. })), "it is counted when it ends");
    assert!(
        matches!(mutation(&store, "ada", 0).charge().await, Err(StoreError::QuotaExceeded { .. })),
        "the next one begins"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cheap_costs_no_write() {
    let world = seeded(30).await;
    let store = process(&world, 100);
    let session = call(&store, "ada", 0);
    let reading = Read::<Note>::new(session.clone());
    reading.list(Note::BY_TOPIC).of("a").await.expect("a page");
    session.charge().await.expect("within the limit");
    assert!(session.meter().read_units() > 0.0);
    assert!(session.meter().write_units() < f64::EPSILON);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_no_index_serves_reads_at_most_five_hundred_entries_a_page() {
    let world = seeded(700).await;
    let limits = StoreLimits::default();
    let store = process(&world, limits.read_units_a_minute);
    let all = call(&store, "somebody", 0);
    let notes = Read::<Note>::new(all.clone());
    notes.list(Note::BY_TOPIC).of("a").page(PageSize(100), None).await.expect("a page");
    let hundred = all.meter().read_units();
    let session = call(&store, "ada", 0);
    let page = Read::<Note>::new(session.clone()).list(Note::BY_TOPIC).of("a").keep(|_| false).await.expect("a page");
    assert!(page.items.is_empty() && page.next.is_some());
    assert_eq!(limits.max_examined, 500);
    let read = session.meter().read_units();
    assert!(read <= 5.0 * hundred + 5.0, "{read} units, and a hundred entries are {hundred}");
}
