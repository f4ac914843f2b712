//! The partition keys that a DynamoDB request touches, and the action on each.
//!
//! Only the fields that decide this are read; `dynoxide` validates the rest. `serde` refuses a field that occurs twice,
//! so that the guard and the engine cannot read different values.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The table's partition key attribute. The index `gsi1` has `gsi1pk`, and so on.
const TABLE_PARTITION_KEY: &str = "pk";

/// One partition key and the action that needs a grant on it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// IAM's name of the action: `dynamodb:GetItem`.
    pub(super) action: &'static str,
    /// The index that a query goes to; `None` for the table itself.
    pub(super) index: Option<String>,
    /// The partition key of the table, or of the index.
    pub(super) partition_key: String,
}

impl Access {
    /// The key up to its first `#`; empty without one. What follows may be an e-mail address.
    pub(super) fn prefix(&self) -> &str {
        self.partition_key.split_once('#').map_or("", |(prefix, _)| prefix)
    }
}

/// Why the accesses of a request are not clear.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AccessError {
    /// The body is no JSON, or not of the operation's shape.
    Malformed,
    /// The operation names no keys: scans, tables, PartiQL, streams and whatever else there is.
    Administrative,
    /// The operation names keys, but this request does not, or not plainly.
    Shape(&'static str),
}

impl From<serde_json::Error> for AccessError {
    fn from(_: serde_json::Error) -> Self {
        Self::Malformed
    }
}

/// Whether the body is JSON at all.
pub(super) fn check_json(body: &[u8]) -> Result<(), AccessError> {
    serde_json::from_slice::<IgnoredAny>(body)?;
    Ok(())
}

/// Reads the accesses of one request. There is at least one in every `Ok`.
pub(super) fn accesses(operation: &str, body: &[u8]) -> Result<Vec<Access>, AccessError> {
    let accesses = match operation {
        "GetItem" => vec![single("dynamodb:GetItem", body)?],
        "PutItem" => vec![single("dynamodb:PutItem", body)?],
        "UpdateItem" => vec![single("dynamodb:UpdateItem", body)?],
        "DeleteItem" => vec![single("dynamodb:DeleteItem", body)?],
        "Query" => vec![query(serde_json::from_slice(body)?)?],
        "BatchGetItem" => batch_get(serde_json::from_slice(body)?)?,
        "BatchWriteItem" => batch_write(serde_json::from_slice(body)?)?,
        "TransactGetItems" | "TransactWriteItems" => transaction(serde_json::from_slice(body)?)?,
        _ => return Err(AccessError::Administrative),
    };
    if accesses.is_empty() {
        return Err(AccessError::Shape("it names no item"));
    }
    Ok(accesses)
}

/// `{"S": "user#1"}`; other types leave `s` empty, which no rule covers.
#[derive(Deserialize)]
struct Value {
    #[serde(rename = "S")]
    s: Option<String>,
}

/// A key or an item: both have the partition key attribute among others.
#[derive(Deserialize)]
struct Keyed {
    pk: Option<Value>,
}

impl Keyed {
    fn access(self, action: &'static str) -> Result<Access, AccessError> {
        let partition_key =
            self.pk.and_then(|value| value.s).ok_or(AccessError::Shape("`pk` is missing or not a string"))?;
        Ok(Access { action, index: None, partition_key })
    }
}

/// One element of a request: `Key` for most actions, `Item` for puts.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Element {
    key: Option<Keyed>,
    item: Option<Keyed>,
}

impl Element {
    fn access(self, action: &'static str) -> Result<Access, AccessError> {
        match (self.key, self.item) {
            (Some(keyed), None) | (None, Some(keyed)) => keyed.access(action),
            _ => Err(AccessError::Shape("it has not exactly one of `Key` and `Item`")),
        }
    }
}

fn single(action: &'static str, body: &[u8]) -> Result<Access, AccessError> {
    serde_json::from_slice::<Element>(body)?.access(action)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGet {
    request_items: HashMap<String, BatchGetTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGetTable {
    keys: Vec<Keyed>,
}

fn batch_get(batch: BatchGet) -> Result<Vec<Access>, AccessError> {
    let keys = batch.request_items.into_values().flat_map(|table| table.keys);
    keys.map(|key| key.access("dynamodb:BatchGetItem")).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchWrite {
    request_items: HashMap<String, Vec<WriteRequest>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WriteRequest {
    put_request: Option<Element>,
    delete_request: Option<Element>,
}

fn batch_write(batch: BatchWrite) -> Result<Vec<Access>, AccessError> {
    let requests = batch.request_items.into_values().flatten();
    requests
        .map(|request| match (request.put_request, request.delete_request) {
            (Some(element), None) | (None, Some(element)) => element.access("dynamodb:BatchWriteItem"),
            _ => Err(AccessError::Shape("an element has not exactly one request")),
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transaction {
    transact_items: Vec<TransactItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TransactItem {
    get: Option<Element>,
    put: Option<Element>,
    update: Option<Element>,
    delete: Option<Element>,
    condition_check: Option<Element>,
}

/// Each element needs the action of its own kind; IAM has no action for the whole.
fn transaction(transaction: Transaction) -> Result<Vec<Access>, AccessError> {
    let mut accesses = Vec::with_capacity(transaction.transact_items.len());
    for item in transaction.transact_items {
        let before = accesses.len();
        for (element, action) in [
            (item.get, "dynamodb:GetItem"),
            (item.put, "dynamodb:PutItem"),
            (item.update, "dynamodb:UpdateItem"),
            (item.delete, "dynamodb:DeleteItem"),
            (item.condition_check, "dynamodb:ConditionCheckItem"),
        ] {
            if let Some(element) = element {
                accesses.push(element.access(action)?);
            }
        }
        if accesses.len() == before {
            return Err(AccessError::Shape("an element of the transaction is of an unknown kind"));
        }
    }
    Ok(accesses)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    index_name: Option<String>,
    key_condition_expression: Option<String>,
    key_conditions: Option<IgnoredAny>,
    #[serde(default)]
    expression_attribute_names: Option<HashMap<String, String>>,
    #[serde(default)]
    expression_attribute_values: Option<HashMap<String, Value>>,
}

impl Query {
    /// The attribute that a placeholder in an expression stands for.
    fn attribute<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        if name.starts_with('#') {
            self.expression_attribute_names.as_ref()?.get(name).map(String::as_str)
        } else {
            Some(name)
        }
    }
}

fn query(mut query: Query) -> Result<Access, AccessError> {
    if query.key_conditions.is_some() {
        return Err(AccessError::Shape("`KeyConditions` is a legacy form"));
    }
    let expression =
        query.key_condition_expression.take().ok_or(AccessError::Shape("`KeyConditionExpression` is missing"))?;
    let clause = first_clause(&expression)
        .ok_or(AccessError::Shape("`KeyConditionExpression` does not begin with `name = :value`"))?;
    let attribute = query.attribute(clause.name).ok_or(AccessError::Shape("a `#name` is not defined"))?;
    let is_partition_key = match &query.index_name {
        None => attribute == TABLE_PARTITION_KEY,
        Some(index) => attribute.strip_prefix(index.as_str()) == Some(TABLE_PARTITION_KEY),
    };
    if !is_partition_key {
        return Err(AccessError::Shape("`KeyConditionExpression` does not begin with the partition key"));
    }
    // A second condition on the same attribute could name another partition.
    if words(clause.rest).any(|word| query.attribute(word) == Some(attribute)) {
        return Err(AccessError::Shape("`KeyConditionExpression` names the partition key twice"));
    }
    let value = query.expression_attribute_values.as_ref().and_then(|values| values.get(clause.value));
    let partition_key =
        value.and_then(|value| value.s.clone()).ok_or(AccessError::Shape("the partition key's value is no string"))?;
    Ok(Access { action: "dynamodb:Query", index: query.index_name, partition_key })
}

struct Clause<'a> {
    name: &'a str,
    value: &'a str,
    rest: &'a str,
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '#' | ':' | '-' | '.')
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !is_word(character)).filter(|word| !word.is_empty())
}

/// Splits `name = :value` and `name = :value AND …`; nothing else is understood.
fn first_clause(expression: &str) -> Option<Clause<'_>> {
    let (name, rest) = word(expression)?;
    let rest = rest.trim_start().strip_prefix('=')?;
    let (value, rest) = word(rest)?;
    let followed_by_and = rest.trim_start().get(..3).is_some_and(|next| next.eq_ignore_ascii_case("and"));
    let ends = rest.trim().is_empty();
    (value.starts_with(':') && (ends || followed_by_and)).then_some(Clause { name, value, rest })
}

fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(|character| !is_word(character)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn query_of(expression: &str, index: Option<&str>) -> Result<Vec<Access>, AccessError> {
        let body = json!({
            "TableName": "t",
            "IndexName": index,
            "KeyConditionExpression": expression,
            "ExpressionAttributeNames": { "#p": "pk", "#g": "gsi1pk", "#s": "sk" },
            "ExpressionAttributeValues": { ":own": { "S": "user#1" }, ":foreign": { "S": "post#1" }, ":n": { "N": "1" } },
        });
        accesses("Query", &serde_json::to_vec(&body).expect("a literal serializes"))
    }

    #[test]
    fn a_query_is_read_when_it_begins_with_its_partition_key() {
        let expected = |index: Option<&str>| {
            let (index, partition_key) = (index.map(str::to_owned), "user#1".to_owned());
            Ok(vec![Access { action: "dynamodb:Query", index, partition_key }])
        };
        for expression in
            ["pk = :own", "#p=:own", " #p  =  :own AND begins_with(#s, :foreign)", "pk = :own and sk BETWEEN :n AND :n"]
        {
            assert_eq!(query_of(expression, None), expected(None), "{expression}");
        }
        assert_eq!(query_of("#g = :own", Some("gsi1")), expected(Some("gsi1")));
    }

    #[test]
    fn a_query_that_hides_its_partition_is_refused() {
        for (expression, index) in [
            ("sk = :own AND pk = :foreign", None),
            ("pk = :own AND pk = :foreign", None),
            ("pk = :own AND #p = :foreign", None),
            ("(pk = :own)", None),
            ("begins_with(pk, :own)", None),
            ("pk = :own OR pk = :foreign", None),
            ("pk = :n", None),
            ("pk = :missing", None),
            ("#missing = :own", None),
            ("gsi1pk = :own", None),
            ("pk = :own", Some("gsi1")),
            ("gsi1pk = :own", Some("gsi2")),
            ("", None),
        ] {
            assert!(matches!(query_of(expression, index), Err(AccessError::Shape(_))), "{expression}");
        }
    }

    #[test]
    fn a_key_given_twice_is_malformed_so_that_guard_and_engine_cannot_disagree() {
        let body = br#"{"TableName":"t","Key":{"pk":{"S":"user#1"},"pk":{"S":"post#1"},"sk":{"S":"a"}}}"#;
        assert_eq!(accesses("GetItem", body), Err(AccessError::Malformed));
    }

    #[test]
    fn each_element_of_a_transaction_has_its_own_action() {
        let body = json!({ "TransactItems": [
            { "Put": { "TableName": "t", "Item": { "pk": { "S": "a#1" } } } },
            { "ConditionCheck": { "TableName": "t", "Key": { "pk": { "S": "b#1" } } } },
        ] });
        let read = accesses("TransactWriteItems", &serde_json::to_vec(&body).expect("a literal serializes"));
        assert_eq!(
            read,
            Ok(vec![
                Access { action: "dynamodb:PutItem", index: None, partition_key: "a#1".to_owned() },
                Access { action: "dynamodb:ConditionCheckItem", index: None, partition_key: "b#1".to_owned() },
            ])
        );
    }
}
