//! DynamoDB's JSON protocol in front of `dynoxide`'s functions: from an operation and its body to a status and a body.

use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};

/// Performs one operation. It blocks until SQLite is done.
pub(super) fn answer(database: &Database, operation: &str, body: &[u8]) -> (StatusCode, Vec<u8>) {
    match perform(database, operation, body) {
        Ok(answer) => (StatusCode::OK, answer),
        Err(error) => {
            let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            if status.is_server_error() {
                tracing::error!(%error, operation, "the database failed");
            }
            (status, error.to_json().into_bytes())
        }
    }
}

/// Performs the operations of services and their administrator: no streams, PartiQL, tags or backups.
fn perform(database: &Database, operation: &str, body: &[u8]) -> Result<Vec<u8>, DynoxideError> {
    match operation {
        "GetItem" => with(body, |request| database.get_item(request)),
        "PutItem" => with(body, |request| database.put_item(request)),
        "UpdateItem" => with(body, |request| database.update_item(request)),
        "DeleteItem" => with(body, |request| database.delete_item(request)),
        "Query" => with(body, |request| database.query(request)),
        "Scan" => with(body, |request| database.scan(request)),
        "BatchGetItem" => with(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => with(body, |request| database.batch_write_item(request)),
        "TransactGetItems" => with(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => with(body, |request| database.transact_write_items(request)),
        "CreateTable" => with(body, |request| database.create_table(request)),
        "DescribeTable" => with(body, |request| database.describe_table(request)),
        "UpdateTable" => with(body, |request| database.update_table(request)),
        "DeleteTable" => with(body, |request| database.delete_table(request)),
        "ListTables" => with(body, |request| database.list_tables(request)),
        "UpdateTimeToLive" => with(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => with(body, |request| database.describe_time_to_live(request)),
        _ => Err(DynoxideError::ValidationException(format!("There is no operation {operation} here."))),
    }
}

fn with<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    perform: impl FnOnce(I) -> dynoxide::Result<O>,
) -> Result<Vec<u8>, DynoxideError> {
    let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let answer = perform(request)?;
    serde_json::to_vec(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// Maps a parse error: `dynoxide` marks values that DynamoDB refuses in the message; other errors are of type or shape.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let message = error.to_string();
    match message.split_once(':') {
        Some((mark, refused)) if mark.starts_with("VALIDATION") => {
            DynoxideError::ValidationException(refused.trim().to_owned())
        }
        _ => DynoxideError::SerializationException(message),
    }
}
