//! Classifies the SDK's errors.

use std::error::Error;

use aws::error::{ErrorClass, is_throttling};
use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::CancellationReason,
};

use crate::{StoreError, retry::AttemptError};

/// Codes of contention: another transaction holds the item at this moment.
const CONTENDED: &[&str] = &["ReplicatedWriteConflictException", "TransactionConflict", "TransactionConflictException"];

/// Classifies an error that has no special meaning for the operation.
pub(crate) fn classify<E>(error: SdkError<E, HttpResponse>) -> AttemptError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let class = ErrorClass::of(&error);
    if let SdkError::ServiceError(refusal) = &error {
        let (code, message) = (refusal.err().code().unwrap_or_default(), refusal.err().message());
        if CONTENDED.contains(&code) {
            return AttemptError::Retryable { cause: error.into(), outcome_unknown: false };
        }
        if class == ErrorClass::Refused && is_size(code, message) {
            return StoreError::TooLarge.into();
        }
        if class == ErrorClass::Denied {
            // This is logged as an error: a missing grant is a mistake in the program, and the caller cannot see it.
            let message = message.unwrap_or_default();
            tracing::error!(code, message, "the database denied access: is a capability missing?");
        }
    }
    AttemptError::of(class, error, StoreError::Denied, StoreError::Broken)
}

/// Why a transaction was cancelled, action by action. `failure` is the error of an action whose condition failed.
pub(crate) fn cancelled(reasons: &[CancellationReason], failure: impl Fn(usize) -> StoreError) -> AttemptError {
    let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
    if let Some(place) = reasons.iter().position(|reason| code(reason) == "ConditionalCheckFailed") {
        return failure(place).into();
    }
    if reasons.iter().any(|reason| is_size(&code(reason), reason.message())) {
        return StoreError::TooLarge.into();
    }
    let codes: Vec<_> = reasons.iter().map(code).filter(|code| code != "None").collect();
    let cause = format!("the transaction was cancelled: {}", codes.join(", "));
    let passing = |code: &String| is_throttling(code) || CONTENDED.contains(&code.as_str());
    if !codes.is_empty() && codes.iter().all(passing) {
        return AttemptError::Retryable { cause: cause.into(), outcome_unknown: false };
    }
    StoreError::broken(cause).into()
}

/// DynamoDB has no code for "too large". Its texts are "Item size has exceeded the maximum allowed size",
/// "Item size to update has exceeded …" and "Aggregated size of all items in … cannot exceed 4 MB".
fn is_size(code: &str, message: Option<&str>) -> bool {
    let message = message.unwrap_or_default();
    code == "ItemCollectionSizeLimitExceeded"
        || matches!(code, "ValidationError" | "ValidationException")
            && message.contains("size")
            && message.contains("exceed")
            && message.to_ascii_lowercase().contains("item")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: &str, message: &str) -> CancellationReason {
        CancellationReason::builder().code(code).message(message).build()
    }

    fn failure(place: usize) -> StoreError {
        StoreError::Taken { rule: ["none", "email", "name"][place] }
    }

    #[test]
    fn the_action_whose_condition_failed_is_blamed() {
        let reasons = [reason("None", ""), reason("ConditionalCheckFailed", ""), reason("TransactionConflict", "")];
        assert!(matches!(cancelled(&reasons, failure), AttemptError::Final(StoreError::Taken { rule: "email" })));
    }

    #[test]
    fn contention_and_throttling_pass() {
        let reasons = [reason("None", ""), reason("TransactionConflict", ""), reason("ThrottlingError", "")];
        assert!(matches!(cancelled(&reasons, failure), AttemptError::Retryable { outcome_unknown: false, .. }));
    }

    #[test]
    fn what_is_unknown_does_not_pass() {
        assert!(matches!(cancelled(&[], failure), AttemptError::Final(StoreError::Broken(_))));
        let reasons = [reason("TransactionConflict", ""), reason("ValidationError", "a bad key")];
        assert!(matches!(cancelled(&reasons, failure), AttemptError::Final(StoreError::Broken(_))));
        let large = [reason("ValidationError", "Item size has exceeded the maximum allowed size")];
        assert!(matches!(cancelled(&large, failure), AttemptError::Final(StoreError::TooLarge)));
    }
}
