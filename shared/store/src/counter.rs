//! Counters that expire: one item each, incremented in place.

use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, UpdateItemOutput, builders::UpdateItemFluentBuilder},
    types::{ReturnConsumedCapacity, ReturnValue},
};
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::Instant;

use crate::{
    StoreError, StoreSession,
    item::{COUNT, EXPIRES, keyed, number},
    keys::{self, Key},
    retry::persist,
    sdk_error::classify,
    table::TABLE,
};

/// The prefix of the counters' partition keys.
pub const PREFIX: &str = "limit";

/// Increments a counter and returns its new value. A missing counter begins at zero; it expires some time after
/// `ends_s` (seconds since 1970). An increment whose answer was lost may be counted twice.
///
/// # Errors
/// [`StoreError::Unavailable`], [`StoreError::Denied`], [`StoreError::Broken`].
#[inline(never)]
pub fn add(session: StoreSession, id: String, ends_s: i64) -> BoxFuture<'static, Result<i64, StoreError>> {
    async move {
        let turn = session.begin_operation().await;
        add_within(session.clone(), keys::count(PREFIX, &id), 1, ends_s, turn.deadline).await
    }
    .boxed()
}

/// [`add`] by any number, within an operation that has its slot.
#[inline(never)]
pub(crate) fn add_within(
    session: StoreSession,
    key: Key,
    by: i64,
    ends_s: i64,
    deadline: Instant,
) -> BoxFuture<'static, Result<i64, StoreError>> {
    async move {
        let ends = [(":ends", number(ends_s)), (":expires", number(ends_s.saturating_mul(1_000)))];
        let request = counting(&session, &key, by)
            .update_expression("ADD #count :by SET #ttl = :ends, #expires = :expires")
            .expression_attribute_names("#ttl", TABLE.time_to_live)
            .expression_attribute_names("#expires", EXPIRES);
        let request =
            ends.into_iter().fold(request, |request, (name, value)| request.expression_attribute_values(name, value));
        let answer = send(&session, deadline, request).await?;
        let count = answer.as_ref().and_then(UpdateItemOutput::attributes).and_then(|item| item.get(COUNT));
        count
            .and_then(|count| count.as_n().ok())
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| StoreError::broken("a count was answered without its number"))
    }
    .boxed()
}

/// Takes one increment back. A counter at zero, or one that has expired, stays as it is: below zero it would admit
/// more than the limit allows.
///
/// # Errors
/// As [`add`].
#[inline(never)]
pub fn take_back(session: StoreSession, id: String) -> BoxFuture<'static, Result<(), StoreError>> {
    async move {
        let turn = session.begin_operation().await;
        let request = counting(&session, &keys::count(PREFIX, &id), -1)
            .update_expression("ADD #count :by")
            .condition_expression("#count >= :one")
            .expression_attribute_values(":one", number(1));
        send(&session, turn.deadline, request).await.map(drop)
    }
    .boxed()
}

/// The update that adds `by` to a counter.
fn counting(session: &StoreSession, key: &Key, by: i64) -> UpdateItemFluentBuilder {
    let store = session.store();
    let request = store.client.update_item().table_name(&*store.table);
    request
        .set_key(Some(keyed(key)))
        .expression_attribute_names("#count", COUNT)
        .expression_attribute_values(":by", number(by))
        .return_values(ReturnValue::UpdatedNew)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
}

/// The counter's new value; none if the update's condition failed.
async fn send(
    session: &StoreSession,
    deadline: Instant,
    request: UpdateItemFluentBuilder,
) -> Result<Option<UpdateItemOutput>, StoreError> {
    let answer = persist(session.store(), deadline, |_| {
        let sent = Box::pin(request.clone().send());
        async move {
            match sent.await {
                Err(error)
                    if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
                {
                    Ok(None)
                }
                answer => answer.map(Some).map_err(classify),
            }
        }
    })
    .await?;
    session.meter().count_write(answer.as_ref().and_then(UpdateItemOutput::consumed_capacity));
    Ok(answer)
}
