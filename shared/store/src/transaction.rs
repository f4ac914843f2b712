//! Carries changes out, each exactly once as far as can be known.
//!
//! # Lost answers
//!
//! When a connection breaks or an answer is late, the change may have been made. The store tries again, and the
//! second attempt must tell its own earlier write from a write by another caller.
//!
//! **Transactions** carry a `ClientRequestToken`: for ten minutes DynamoDB answers a repeated one as it
//! answered the first.
//!
//! **A single put** has no such token. Each put therefore leaves a random mark (`writeId`) in the item, and DynamoDB
//! answers a refused condition with the stored item:
//!
//! ```text
//! we:     put v2 (mark A) ──> stored ──✗ answer lost         put v2 (mark A) ──> refused, there is …
//! others:                              └─ (perhaps) put v3 …
//! ```
//!
//! - … mark A: the write is ours. It succeeded.
//! - … another mark, no version above ours: another caller wrote first. The result is stale, or exists.
//! - … a version above ours, or nothing: it is unknown whether our write came in between. Neither success nor
//!   conflict would be true: the result is unavailable.
//!
//! **A single delete** leaves no trace. When the second attempt finds nothing, the entity is gone, deleted by us or
//! by another caller at the same time: the caller wanted it gone, so the delete succeeds. When it finds another
//! version, another caller changed the entity before us: the result is stale.
//!
//! One case remains: a request that outlives its connection, and that the database carries out only after its second
//! attempt *and* a deletion by another caller, would bring a created entity back.

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::SdkError,
    operation::{delete_item::DeleteItemError, put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{
        AttributeValue, Delete, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
        Update,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use futures_util::future::{BoxFuture, FutureExt as _};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::{
    StoreError, StoreSession,
    action::{Action, Condition, Expected, merge},
    item::{COUNT, Item, WRITE_ID, keyed, number, text, version},
    keys::Key,
    retry::{AttemptError, persist},
    sdk_error::{cancelled, classify},
};

/// The maximum number of actions in one DynamoDB transaction.
const MAX_ACTIONS: usize = 100;

/// One change that has not been made yet. [`Create::creating`](crate::Create::creating),
/// [`Update::replacing`](crate::Update::replacing) and [`Delete::deleting`](crate::Delete::deleting) create it;
/// [`transaction`] carries it out.
#[must_use = "a change is made by `transaction`"]
pub struct Operation {
    pub(crate) session: StoreSession,
    pub(crate) actions: Result<Vec<Action>, StoreError>,
}

/// Makes all changes or none.
///
/// The operations belong to one call. They may take at most 100 actions together: one for each entity,
/// and one for each unique value and each tally that changes.
///
/// # Errors
/// The error of the first operation that could not be carried out: [`StoreError::Stale`], [`StoreError::Exists`],
/// [`StoreError::Taken`], [`StoreError::TooFew`]; otherwise as [`Read::get`](crate::Read::get).
#[inline(never)]
pub fn transaction(operations: Vec<Operation>) -> BoxFuture<'static, Result<(), StoreError>> {
    async move {
        let Some(first) = operations.first() else { return Ok(()) };
        let session = first.session.clone();
        let actions: Result<Vec<_>, _> = operations.into_iter().map(|operation| operation.actions).collect();
        let actions = merge(actions?.into_iter().flatten().collect())?;
        let mark = random_mark()?;
        let now = session.now_unix_ms();
        if actions.len() > MAX_ACTIONS {
            let message = format!("a transaction of {} actions; at most {MAX_ACTIONS} are possible", actions.len());
            return Err(StoreError::broken(message));
        }
        match <[Action; 1]>::try_from(actions) {
            Ok([action @ Action::Put { .. }]) => put(&session, action, &mark, now).await,
            Ok([action @ Action::Delete { .. }]) => delete(&session, &action, now).await,
            Ok([action]) => transact(&session, vec![action], mark, now).await,
            Err(actions) => transact(&session, actions, mark, now).await,
        }
    }
    .boxed()
}

/// 128 random bits as 22 characters: a mark, and a `ClientRequestToken` (at most 36).
fn random_mark() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| StoreError::broken("the system has no randomness"))?;
    Ok(BASE64.encode(bytes))
}

async fn put(session: &StoreSession, action: Action, mark: &str, now_unix_ms: i64) -> Result<(), StoreError> {
    let Some(Condition { expression, names, values }) = action.condition(now_unix_ms) else { return Ok(()) };
    let Action::Put { item, expected, .. } = action else { return Ok(()) };
    let store = session.store();
    let request = store
        .client
        .put_item()
        .table_name(&*store.table)
        .set_item(Some(marked(item, mark)))
        .condition_expression(expression)
        .set_expression_attribute_names(Some(names))
        .set_expression_attribute_values(Some(values))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let turn = session.begin_operation().await;
    persist(session.store(), turn.deadline, |outcome_unknown| {
        let sent = Box::pin(request.clone().send());
        async move {
            match sent.await {
                Ok(answer) => {
                    session.meter().count_write(answer.consumed_capacity());
                    Ok(())
                }
                Err(SdkError::ServiceError(refusal)) if refusal.err().is_conditional_check_failed_exception() => {
                    let stored = match refusal.err() {
                        PutItemError::ConditionalCheckFailedException(failed) => failed.item(),
                        _ => None,
                    };
                    resolve_put(outcome_unknown, stored, mark, expected)
                }
                Err(error) => Err(classify(error)),
            }
        }
    })
    .await
}

/// Decides whether the item that a refused put has met is our own earlier write.
fn resolve_put(
    outcome_unknown: bool,
    stored: Option<&Item>,
    mark: &str,
    expected: Expected,
) -> Result<(), AttemptError> {
    let (written, refusal) = match expected {
        Expected::Absent => (1, StoreError::Exists),
        Expected::Version(version) => (version.saturating_add(1), StoreError::Stale),
    };
    if stored.and_then(|item| text(item, WRITE_ID)) == Some(mark) {
        return Ok(());
    }
    let written_by_another = stored.and_then(version).is_some_and(|version| version <= written);
    if !outcome_unknown || written_by_another {
        return Err(refusal.into());
    }
    Err(StoreError::unavailable("an answer was lost, and others wrote since: the outcome is unknown").into())
}

async fn delete(session: &StoreSession, action: &Action, now_unix_ms: i64) -> Result<(), StoreError> {
    let Some(Condition { expression, names, values }) = action.condition(now_unix_ms) else { return Ok(()) };
    let store = session.store();
    let request = store
        .client
        .delete_item()
        .table_name(&*store.table)
        .set_key(Some(keyed(action.key())))
        .condition_expression(expression)
        .set_expression_attribute_names(Some(names))
        .set_expression_attribute_values(Some(values))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let turn = session.begin_operation().await;
    persist(session.store(), turn.deadline, |outcome_unknown| {
        let sent = Box::pin(request.clone().send());
        async move {
            match sent.await {
                Ok(answer) => {
                    session.meter().count_write(answer.consumed_capacity());
                    Ok(())
                }
                Err(SdkError::ServiceError(refusal)) if refusal.err().is_conditional_check_failed_exception() => {
                    let gone = match refusal.err() {
                        DeleteItemError::ConditionalCheckFailedException(failed) => failed.item().is_none(),
                        _ => false,
                    };
                    if outcome_unknown && gone { Ok(()) } else { Err(StoreError::Stale.into()) }
                }
                Err(error) => Err(classify(error)),
            }
        }
    })
    .await
}

async fn transact(
    session: &StoreSession,
    mut actions: Vec<Action>,
    mark: String,
    now_unix_ms: i64,
) -> Result<(), StoreError> {
    let store = session.store();
    let mut items = Vec::with_capacity(actions.len());
    for action in &mut actions {
        items.push(element(&store.table, action, &mark, now_unix_ms)?);
    }
    let request = store
        .client
        .transact_write_items()
        .set_transact_items(Some(items))
        .client_request_token(mark)
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let actions = &actions;
    let turn = session.begin_operation().await;
    persist(session.store(), turn.deadline, |_| {
        let sent = Box::pin(request.clone().send());
        async move {
            match sent.await {
                Ok(answer) => {
                    answer.consumed_capacity().iter().for_each(|consumed| session.meter().count_write(Some(consumed)));
                    Ok(())
                }
                Err(error) => Err(refused(error, actions)),
            }
        }
    })
    .await
}

fn refused(error: SdkError<TransactWriteItemsError, HttpResponse>, actions: &[Action]) -> AttemptError {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(reasons)) => {
            cancelled(reasons.cancellation_reasons(), |place| {
                actions.get(place).map_or_else(
                    || StoreError::broken("the database blames an action that was not asked for"),
                    Action::failure,
                )
            })
        }
        _ => classify(error),
    }
}

/// One element of a transaction. It takes the action's item and leaves the rest, for [`Action::failure`].
fn element(table: &str, action: &mut Action, mark: &str, now_unix_ms: i64) -> Result<TransactWriteItem, StoreError> {
    let condition = action.condition(now_unix_ms);
    let (expression, names, values) = match condition {
        Some(Condition { expression, names, values }) => (Some(expression), Some(names), Some(values)),
        None => (None, None, None),
    };
    let put = |item: Item| {
        Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .set_condition_expression(expression.clone())
            .set_expression_attribute_names(names.clone())
            .set_expression_attribute_values(values.clone())
            .build()
            .map(|put| TransactWriteItem::builder().put(put).build())
    };
    let built = match action {
        Action::Put { item, .. } => put(marked(std::mem::take(item), mark)),
        Action::Claim { item, .. } => put(std::mem::take(item)),
        Action::Delete { key, .. } | Action::Release { key, .. } => Delete::builder()
            .table_name(table)
            .set_key(Some(keyed(key)))
            .set_condition_expression(expression)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .build()
            .map(|delete| TransactWriteItem::builder().delete(delete).build()),
        Action::Count { key, by, .. } => return counting(table, key, *by, expression, values),
    };
    built.map_err(StoreError::broken)
}

fn counting(
    table: &str,
    key: &Key,
    by: i64,
    condition: Option<String>,
    values: Option<std::collections::HashMap<String, AttributeValue>>,
) -> Result<TransactWriteItem, StoreError> {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(keyed(key)))
        .update_expression("ADD #count :by")
        .set_condition_expression(condition)
        .expression_attribute_names("#count", COUNT)
        .set_expression_attribute_values(values)
        .expression_attribute_values(":by", number(by))
        .build()
        .map_err(StoreError::broken)?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn marked(mut item: Item, mark: &str) -> Item {
    item.insert(WRITE_ID.to_owned(), AttributeValue::S(mark.to_owned()));
    item
}
