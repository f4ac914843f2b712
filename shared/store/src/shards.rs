//! Reads one page of a list: its shards in parallel, merged by place, filtered, and counted.

use std::collections::VecDeque;

use futures_util::future::{BoxFuture, FutureExt as _, try_join_all};
use protocol::{Cursor, SortKey, TableIndex};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    StoreError, StoreSession,
    fetch::{KeyRange, QueryPage, query},
    item::{Item, live_document, text},
    keys,
    table::TABLE,
};

/// The maximum number of entries of one read. Reads grow up to it while a filter drops much.
const MAX_READ: usize = 500;

/// The page to read, and the list that it belongs to.
pub(crate) struct Plan {
    pub(crate) prefix: &'static str,
    pub(crate) index: &'static str,
    /// The index's position in the table.
    pub(crate) slot: usize,
    pub(crate) shards: u16,
    pub(crate) list: String,
    pub(crate) from: Option<SortKey>,
    pub(crate) to: Option<SortKey>,
    pub(crate) descending: bool,
    /// The number of entries.
    pub(crate) size: usize,
    pub(crate) cursor: Option<Cursor>,
}

/// Offers a document to the page; returns whether it belongs there.
pub(crate) type Offer<'a> = &'a mut (dyn FnMut(Value) -> Result<bool, StoreError> + Send);

/// One shard of the list.
struct ShardReader {
    partition: String,
    entries: VecDeque<Entry>,
    /// The last key of the page before; `None` before the first read and after the last.
    after: Option<Item>,
    exhausted: bool,
}

struct Entry {
    place: String,
    item: Item,
}

/// Offers entries in order until `size` of them and one more were kept, or the list ends, or the page has examined
/// its maximum.
///
/// The one more is not part of the page: it shows that the list goes on. Returns the cursor of the next page, which
/// is `None` only at the end of the list.
#[inline(never)]
pub(crate) fn fill<'a>(
    session: &'a StoreSession,
    plan: Plan,
    offer: Offer<'a>,
) -> BoxFuture<'a, Result<Option<Cursor>, StoreError>> {
    async move {
        let position = plan.position(session)?;
        let index = plan.table_index()?;
        let Some(range) = plan.range(position.as_deref()) else { return Ok(None) };
        let turn = session.begin_operation().await;
        let max_examined = session.limits().max_examined.max(1);
        let mut readers = plan.readers();
        let mut last = position.clone();
        let (mut taken, mut examined) = (0, 0);
        let mut read = plan.size + 2;
        loop {
            // Two more than may be examined: the end of the page before, and the entry that shows that the list goes
            // on.
            let limit = read.min(max_examined - examined + 2).div_ceil(readers.len()) + usize::from(readers.len() > 1);
            if refill(session, turn.deadline, &mut readers, index, &range, plan.descending, limit).await? {
                read = (read * 2).min(MAX_READ);
            }
            let Some(entry) = next(&mut readers, plan.descending) else { return Ok(None) };
            // This is the end of the page before; a range in DynamoDB cannot exclude its bound.
            if position.as_ref() == Some(&entry.place) {
                continue;
            }
            if examined == max_examined {
                return plan.seal(session, last);
            }
            examined += 1;
            let document = live_document(entry.item, session.now_unix_ms())?;
            let kept = document.map_or(Ok(false), &mut *offer)?;
            if kept && taken == plan.size {
                return plan.seal(session, last);
            }
            taken += usize::from(kept);
            last = Some(entry.place);
        }
    }
    .boxed()
}

/// Reads on in every shard whose entries are used up. Returns whether it read anything.
async fn refill(
    session: &StoreSession,
    deadline: Instant,
    readers: &mut [ShardReader],
    index: &TableIndex,
    range: &(String, String),
    descending: bool,
    limit: usize,
) -> Result<bool, StoreError> {
    let empty = readers.iter_mut().filter(|reader| reader.entries.is_empty() && !reader.exhausted);
    let reads = empty.map(|reader| async move {
        // A page of the index may end before the first entry that fits.
        while reader.entries.is_empty() && !reader.exhausted {
            let range_of_keys = KeyRange {
                index,
                partition: &reader.partition,
                range: (&range.0, &range.1),
                descending,
                limit,
                after: reader.after.take(),
            };
            let QueryPage { items, after } = query(session, deadline, range_of_keys).await?;
            for item in items {
                let place = text(&item, index.sort_key).map(str::to_owned);
                let place = place.ok_or_else(|| StoreError::broken("an index entry has no place"))?;
                reader.entries.push_back(Entry { place, item });
            }
            reader.exhausted = after.is_none();
            reader.after = after;
        }
        Ok::<_, StoreError>(())
    });
    Ok(!try_join_all(reads).await?.is_empty())
}

/// The first of the shards' first entries. Places are unique: each ends with the id.
fn next(readers: &mut [ShardReader], descending: bool) -> Option<Entry> {
    let filled = readers.iter_mut().filter(|reader| !reader.entries.is_empty());
    let by_place = |a: &&mut ShardReader, b: &&mut ShardReader| a.entries[0].place.cmp(&b.entries[0].place);
    let reader = if descending { filled.max_by(by_place) } else { filled.min_by(by_place) };
    reader?.entries.pop_front()
}

impl Plan {
    fn table_index(&self) -> Result<&'static TableIndex, StoreError> {
        const INDEXES: &[TableIndex] = &TABLE.indexes;
        INDEXES.get(self.slot).ok_or_else(|| {
            StoreError::broken(format!("index `{}` of `{}` has no place in the table", self.index, self.prefix))
        })
    }

    fn readers(&self) -> Vec<ShardReader> {
        let shards = 0..self.shards.max(1);
        let reader = |shard| ShardReader {
            partition: keys::index_partition(self.prefix, self.index, &self.list, shard),
            entries: VecDeque::new(),
            after: None,
            exhausted: false,
        };
        shards.map(reader).collect()
    }

    /// The places still to be read, from the lowest to the highest; `None` when there are none: DynamoDB would refuse
    /// that as a malformed range.
    fn range(&self, position: Option<&str>) -> Option<(String, String)> {
        let (mut lower, mut upper) = keys::index_range(self.from.as_ref(), self.to.as_ref());
        if let Some(position) = position {
            *(if self.descending { &mut upper } else { &mut lower }) = position.to_owned();
        }
        (lower <= upper).then_some((lower, upper))
    }

    /// The end of the page before.
    fn position(&self, session: &StoreSession) -> Result<Option<String>, StoreError> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        session.store().cursor_key.open(cursor, &self.binding(session)).map(Some)
    }

    fn seal(&self, session: &StoreSession, last: Option<String>) -> Result<Option<Cursor>, StoreError> {
        let last = last.ok_or_else(|| StoreError::broken("a page ended before its first entry"))?;
        session.store().cursor_key.seal(&last, &self.binding(session)).map(Some)
    }

    fn binding(&self, session: &StoreSession) -> String {
        let [from, to] = [&self.from, &self.to].map(|bound| bound.as_ref().map(SortKey::as_str));
        let query = json!([self.prefix, self.index, self.list, from, to, self.descending]);
        session.scope().binding(&query)
    }
}
