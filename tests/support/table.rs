//! The whole table, as somebody sees it who got hold of a dump.

use std::collections::BTreeSet;

use local::data::Running;
use serde_json::{Value, json};

use super::{Answer, Connection, Request};

/// Asks the database of a running service, in the name of whoever has the key.
async fn send(running: &Running, action: &str, input: &Value) -> Answer {
    let address = running.database_endpoint.strip_prefix("http://").unwrap().parse().unwrap();
    // The local database takes the name of the key as proof.
    let credential = format!("{}/20260101/local/dynamodb/aws4_request", running.access_key_id);
    let request = Request::new("POST", "/")
        .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
        .header("x-amz-date", "20260101T000000Z")
        .header("content-type", "application/x-amz-json-1.0")
        .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"))
        .body(input.to_string());
    Connection::open(address).await.unwrap().send(&request).await.unwrap()
}

/// What the database answers to what it does.
pub async fn ask(running: &Running, action: &str, input: &Value) -> Value {
    let answer = send(running, action, input).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Why the database does not do it.
pub async fn refused(running: &Running, action: &str, input: &Value) -> String {
    let answer = send(running, action, input).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    answer.text()
}

/// All items, as DynamoDB writes them in JSON.
pub async fn dump(running: &Running) -> Vec<Value> {
    let mut items = Vec::new();
    let mut input = json!({"TableName": "testbed", "ConsistentRead": true});
    loop {
        let mut page = ask(running, "Scan", &input).await;
        items.append(page["Items"].as_array_mut().unwrap());
        match page["LastEvaluatedKey"].take() {
            Value::Null => return items,
            key => input["ExclusiveStartKey"] = key,
        }
    }
}

/// Every text in it: keys and values, and the parts of those that are made of several.
pub fn texts(items: &[Value]) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for item in items {
        collect(item, &mut texts);
    }
    texts
}

fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            // A text may be JSON itself.
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                collect(&inner, texts);
            }
            texts.extend(text.split(['#', '$', ',', ' ']).filter(|part| !part.is_empty()).map(str::to_owned));
            texts.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            texts.insert(name.clone());
            collect(value, texts);
        }),
        _ => {}
    }
}
