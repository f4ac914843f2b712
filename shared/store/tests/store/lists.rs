//! Pages: filled, in order, without gaps or repetitions.

use std::{collections::HashSet, time::Duration};

use futures_util::{StreamExt as _, future::join_all, stream};
use protocol::{Cursor, Listing, PageSize, SortKey};
use store::{Read, Store, StoreLimits};

use crate::fixtures::{Id, Note, TestDatabase, session, settings};

/// Scatters 0..1009 (a prime) without repetition, so that entries are not written in their order.
fn scattered(number: u32) -> u32 {
    number * 389 % 1009
}

async fn seed(world: &TestDatabase, topic: &str, count: u32) -> Vec<Note> {
    let created = stream::iter(0..count).map(|number| {
        let notes = world.write::<Note>();
        let note = Note::new(topic, scattered(number));
        async move { notes.create(note).await.expect("created") }
    });
    created.buffer_unordered(32).collect().await
}

/// Reads all pages of a list; the pages' lengths and the entries.
async fn pages(
    notes: &Read<Note>,
    listing: &'static Listing<Note>,
    topic: &str,
    size: u32,
    descending: bool,
) -> (Vec<usize>, Vec<Note>) {
    let (mut lengths, mut all, mut cursor) = (Vec::new(), Vec::new(), None::<Cursor>);
    loop {
        let list = notes.list(listing).of(topic).page(PageSize(size), cursor.as_ref());
        let page = if descending { list.descending().await } else { list.await }.expect("a page");
        lengths.push(page.items.len());
        all.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return (lengths, all),
        }
        assert!(lengths.len() < 1_000, "the list does not end");
    }
}

fn ranks(notes: &[Note]) -> Vec<u32> {
    notes.iter().map(|note| note.rank).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_full_and_the_last_has_no_cursor() {
    let world = TestDatabase::new().await;
    seed(&world, "a", 40).await;
    seed(&world, "another list", 5).await;
    let (lengths, all) = pages(&world.read(), Note::BY_TOPIC, "a", 20, false).await;
    // Exactly two: the second is known to be the last although it is full.
    assert_eq!(lengths, [20, 20]);
    assert!(ranks(&all).is_sorted());
    let (lengths, _) = pages(&world.read(), Note::BY_TOPIC, "a", 13, false).await;
    assert_eq!(lengths, [13, 13, 13, 1]);
    let (lengths, _) = pages(&world.read(), Note::BY_TOPIC, "nothing here", 13, false).await;
    assert_eq!(lengths, [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_are_merged_in_order_both_ways() {
    let world = TestDatabase::new().await;
    seed(&world, "a", 120).await;
    let mut wanted: Vec<_> = (0..120).map(scattered).collect();
    wanted.sort_unstable();
    for size in [1, 7, 100] {
        let (_, up) = pages(&world.read(), Note::SPREAD, "", size, false).await;
        assert_eq!(ranks(&up), wanted, "pages of {size}");
    }
    let (_, down) = pages(&world.read(), Note::SPREAD, "", 7, true).await;
    assert_eq!(ranks(&down), wanted.into_iter().rev().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_are_inclusive_and_survive_the_cursor() {
    let world = TestDatabase::new().await;
    for rank in [1, 2, 2, 2, 3, 4] {
        world.write::<Note>().create(Note::new("a", rank)).await.expect("created");
    }
    let notes = world.read::<Note>();
    let list = |from, to| notes.list(Note::BY_TOPIC).of("a").from(SortKey::number(from)).to(SortKey::number(to));
    assert_eq!(ranks(&list(2, 3).await.expect("a page").items), [2, 2, 2, 3]);
    assert_eq!(ranks(&list(2, 2).descending().await.expect("a page").items), [2, 2, 2]);
    assert_eq!(ranks(&list(4, 2).await.expect("a page").items), Vec::<u32>::new());

    let first = list(2, 3).page(PageSize(2), None).await.expect("a page");
    let second = list(2, 3).page(PageSize(2), first.next.as_ref()).await.expect("a page");
    assert_eq!((ranks(&first.items), ranks(&second.items)), (vec![2, 2], vec![2, 3]));
    assert_eq!(second.next, None);
    let ids: HashSet<Id> = first.items.iter().chain(&second.items).map(|note| note.id).collect();
    assert_eq!(ids.len(), 4);
}

/// Given 1,000 entries, of which a filter keeps a third. While others are inserted all over the list, each
/// one of the first is on exactly one page, and the pages are in order.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_or_repeated_while_others_insert() {
    let world = TestDatabase::new().await;
    let seeded = seed(&world, "a", 1_000).await;
    let notes = world.read::<Note>();
    for listing in [Note::BY_TOPIC, Note::SPREAD] {
        let topic = if listing.index().name == "topic" { "a" } else { "" };
        let inserting = world.write::<Note>();
        let inserts = tokio::spawn(async move {
            for number in 0.. {
                inserting.create(Note::new("a", number * 31 % 1_009)).await.expect("inserted");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let (mut seen, mut cursor) = (Vec::new(), None::<Cursor>);
        loop {
            let list = notes.list(listing).of(topic).keep(|note| note.rank % 3 == 0);
            let page = list.page(PageSize(25), cursor.as_ref()).await.expect("a page");
            assert!(page.items.len() == 25 || page.next.is_none(), "{} entries and a cursor", page.items.len());
            seen.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        inserts.abort();
        assert!(ranks(&seen).is_sorted());
        let times = |id| seen.iter().filter(|note| note.id == id).count();
        for note in seeded.iter().filter(|note| note.rank % 3 == 0) {
            assert_eq!(times(note.id), 1, "rank {}", note.rank);
        }
        let distinct: HashSet<Id> = seen.iter().map(|note| note.id).collect();
        assert_eq!(distinct.len(), seen.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_drops_everything_ends_within_its_bound() {
    let world = TestDatabase::new().await;
    seed(&world, "a", 60).await;
    let mut bounded = settings(world.database.endpoint());
    bounded.access.access_key_id = world.database.administrator().access_key_id.clone();
    bounded.limits = StoreLimits { max_examined: 25, ..bounded.limits };
    let notes = Read::<Note>::new(session(&Store::new(bounded).expect("a store")));

    let (mut examined, mut cursor) = (Vec::new(), None::<Cursor>);
    for _ in 0..3 {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let count = std::sync::Arc::clone(&seen);
        let list = notes.list(Note::BY_TOPIC).of("a").keep(move |note| {
            count.lock().expect("a lock").push(note.rank);
            false
        });
        let page = list.page(PageSize(10), cursor.as_ref()).await.expect("a page");
        assert!(page.items.is_empty());
        examined.push(std::mem::take(&mut *seen.lock().expect("a lock")));
        cursor = page.next;
    }
    assert_eq!(cursor, None);
    assert_eq!(examined.iter().map(Vec::len).collect::<Vec<_>>(), [25, 25, 10]);
    assert!(examined.concat().is_sorted());
}

#[tokio::test]
async fn an_entry_follows_its_entity() {
    let world = TestDatabase::new().await;
    let notes = world.write::<Note>();
    let note = notes.create(Note::new("a", 1)).await.expect("created");
    let moved = notes.replace(&note, Note { topic: "b".into(), ..note.clone() }).await.expect("moved");
    let found =
        join_all(["a", "b"].map(|topic| world.read::<Note>().list(Note::BY_TOPIC).of(topic).into_future())).await;
    let found: Vec<_> = found.into_iter().map(|page| page.expect("a page").items).collect();
    assert_eq!(found, [vec![], vec![moved]]);
}
