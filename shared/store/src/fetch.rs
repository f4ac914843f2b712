//! The read requests to DynamoDB, each instantiated once.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use futures_util::future::{BoxFuture, FutureExt as _};
use protocol::TableIndex;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    StoreError, StoreSession,
    item::{Item, OWNER, keyed, live_document, text},
    keys::Key,
    retry::{pause, persist},
    sdk_error::classify,
    table::TABLE,
};

/// The maximum number of keys in one BatchGetItem.
const MAX_BATCH_KEYS: usize = 100;

/// The document of an entity, strongly consistent; `None` when it does not exist or has expired.
#[inline(never)]
pub(crate) fn get(session: StoreSession, key: Key) -> BoxFuture<'static, Result<Option<Value>, StoreError>> {
    async move {
        let store = session.store();
        let request = store
            .client
            .get_item()
            .table_name(&*store.table)
            .key(TABLE.partition_key, AttributeValue::S(key.pk))
            .key(TABLE.sort_key, AttributeValue::S(key.sk.to_owned()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let turn = session.begin_operation().await;
        let answer = persist(session.store(), turn.deadline, |_| {
            let sent = Box::pin(request.clone().send());
            async move { sent.await.map_err(classify) }
        })
        .await?;
        session.meter().count_read(answer.consumed_capacity());
        match answer.item {
            Some(item) => live_document(item, session.now_unix_ms()),
            None => Ok(None),
        }
    }
    .boxed()
}

/// The id of the entity that has a unique value, strongly consistent.
#[inline(never)]
pub(crate) fn owner(session: StoreSession, guard: Key) -> BoxFuture<'static, Result<Option<String>, StoreError>> {
    async move {
        let store = session.store();
        let request = store
            .client
            .get_item()
            .table_name(&*store.table)
            .set_key(Some(keyed(&guard)))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let turn = session.begin_operation().await;
        let answer = persist(session.store(), turn.deadline, |_| {
            let sent = Box::pin(request.clone().send());
            async move { sent.await.map_err(classify) }
        })
        .await?;
        session.meter().count_read(answer.consumed_capacity());
        Ok(answer.item.as_ref().and_then(|item| text(item, OWNER)).map(str::to_owned))
    }
    .boxed()
}

/// The documents of many entities, each strongly consistent, in the order of the keys.
#[inline(never)]
pub(crate) fn get_many(
    session: StoreSession,
    keys: Vec<Key>,
) -> BoxFuture<'static, Result<Vec<Option<Value>>, StoreError>> {
    async move {
        let turn = session.begin_operation().await;
        // The caller may name a key twice; a batch may not.
        let mut positions: HashMap<&str, Vec<usize>> = HashMap::with_capacity(keys.len());
        for (position, key) in keys.iter().enumerate() {
            positions.entry(&key.pk).or_default().push(position);
        }
        let wanted: Vec<&Key> = positions.values().map(|positions| &keys[positions[0]]).collect();
        // Each key costs at least one unit.
        session.charge_within(turn.deadline, wanted.len()).await?;
        let mut documents = vec![None; keys.len()];
        for chunk in wanted.chunks(MAX_BATCH_KEYS) {
            for item in batch(&session, turn.deadline, chunk.iter().map(|key| keyed(key)).collect()).await? {
                let places = text(&item, TABLE.partition_key).and_then(|pk| positions.get(pk));
                let places = places.ok_or_else(|| StoreError::broken("an item was answered that was not asked for"))?;
                if let Some(document) = live_document(item, session.now_unix_ms())? {
                    for place in places {
                        documents[*place] = Some(document.clone());
                    }
                }
            }
        }
        Ok(documents)
    }
    .boxed()
}

/// One batch. DynamoDB may leave keys unprocessed when it is busy; the next request asks for them again.
async fn batch(session: &StoreSession, deadline: Instant, mut keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
    let store = session.store();
    let mut items = Vec::with_capacity(keys.len());
    let mut round = 1;
    loop {
        let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let request = store
            .client
            .batch_get_item()
            .request_items(&*store.table, request.map_err(StoreError::broken)?)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = persist(session.store(), deadline, |_| {
            let sent = Box::pin(request.clone().send());
            async move { sent.await.map_err(classify) }
        })
        .await?;
        session.meter().count_read(answer.consumed_capacity().first());
        items.extend(answer.responses.into_iter().flat_map(HashMap::into_values).flatten());
        keys = answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values).flat_map(|rest| rest.keys).collect();
        if keys.is_empty() {
            return Ok(items);
        }
        pause(session.store(), deadline, round, "the database left keys unprocessed").await?;
        round += 1;
    }
}

/// A range of sort keys in one partition of an index.
pub(crate) struct KeyRange<'a> {
    pub(crate) index: &'a TableIndex,
    pub(crate) partition: &'a str,
    /// The first and the last place, both included.
    pub(crate) range: (&'a str, &'a str),
    pub(crate) descending: bool,
    pub(crate) limit: usize,
    /// The last key of the page before.
    pub(crate) after: Option<Item>,
}

/// One page of a range.
pub(crate) struct QueryPage {
    pub(crate) items: Vec<Item>,
    /// The last key of this page; `None` at the end of the range.
    pub(crate) after: Option<Item>,
}

/// Reads the next page of a range.
#[inline(never)]
pub(crate) fn query<'a>(
    session: &'a StoreSession,
    deadline: Instant,
    range_of_keys: KeyRange<'a>,
) -> BoxFuture<'a, Result<QueryPage, StoreError>> {
    async move {
        session.charge_within(deadline, 0).await?;
        let store = session.store();
        let request = store
            .client
            .query()
            .table_name(&*store.table)
            .index_name(range_of_keys.index.name)
            .key_condition_expression("#partition = :partition AND #place BETWEEN :first AND :last")
            .expression_attribute_names("#partition", range_of_keys.index.partition_key)
            .expression_attribute_names("#place", range_of_keys.index.sort_key)
            .expression_attribute_values(":partition", AttributeValue::S(range_of_keys.partition.to_owned()))
            .expression_attribute_values(":first", AttributeValue::S(range_of_keys.range.0.to_owned()))
            .expression_attribute_values(":last", AttributeValue::S(range_of_keys.range.1.to_owned()))
            .scan_index_forward(!range_of_keys.descending)
            .limit(i32::try_from(range_of_keys.limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(range_of_keys.after)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = persist(session.store(), deadline, |_| {
            let sent = Box::pin(request.clone().send());
            async move { sent.await.map_err(classify) }
        })
        .await?;
        session.meter().count_read(answer.consumed_capacity());
        Ok(QueryPage { items: answer.items.unwrap_or_default(), after: answer.last_evaluated_key })
    }
    .boxed()
}
