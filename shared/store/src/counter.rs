//! Counts that forget themselves: one item each, counted up in place.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValue};
use futures_util::future::{BoxFuture, FutureExt as _};

use tokio::time::Instant;

use crate::{
    Session, StoreError,
    item::{COUNT, EXPIRES, keyed, number},
    keys,
    retry::persist,
    table::TABLE,
    trouble::trouble,
};

/// What the partition keys of counts begin with.
pub const PREFIX: &str = "limit";

/// Adds to a count and answers what it is then. A count that nobody made begins at zero; it is forgotten some
/// time after `ends_s` (seconds since 1970). An answer that was lost may be counted twice.
///
/// # Errors
/// [`StoreError::Unavailable`], [`StoreError::Denied`], [`StoreError::Broken`].
#[inline(never)]
pub fn add(session: Session, id: String, by: i64, ends_s: i64) -> BoxFuture<'static, Result<i64, StoreError>> {
    async move {
        let turn = session.turn().await;
        add_within(session.clone(), (PREFIX, id), by, ends_s, turn.deadline).await
    }
    .boxed()
}

/// The same within an operation that has its turn, for a count under a prefix of its own.
#[inline(never)]
pub(crate) fn add_within(
    session: Session,
    (prefix, id): (&'static str, String),
    by: i64,
    ends_s: i64,
    deadline: Instant,
) -> BoxFuture<'static, Result<i64, StoreError>> {
    async move {
        let store = session.store();
        let request = store
            .client
            .update_item()
            .table_name(&*store.table)
            .set_key(Some(keyed(&keys::count(prefix, &id))))
            .update_expression("ADD #count :by SET #ttl = :ends, #expires = :expires")
            .expression_attribute_names("#count", COUNT)
            .expression_attribute_names("#ttl", TABLE.time_to_live)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":by", number(by))
            .expression_attribute_values(":ends", number(ends_s))
            .expression_attribute_values(":expires", number(ends_s.saturating_mul(1_000)))
            .return_values(ReturnValue::UpdatedNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = persist(session.limits(), deadline, |_| {
            let sent = Box::pin(request.clone().send());
            async move { sent.await.map_err(trouble) }
        })
        .await?;
        session.meter().count_write(answer.consumed_capacity());
        let count = answer.attributes().and_then(|item| item.get(COUNT)).map(AttributeValue::as_n);
        count
            .and_then(|count| count.ok())
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| StoreError::broken("a count was answered without its number"))
    }
    .boxed()
}
