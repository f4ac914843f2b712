//! The form of an entity as a DynamoDB item.
//!
//! The entity's JSON stands under one attribute, `doc`, so that none of its fields can collide with what
//! the store keeps beside it: the keys, the version that conditions test, the time of expiry and the
//! mark of the last write.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use protocol::{Entity, IndexEntry, Timestamp};
use serde_json::{Map, Number, Value};

use crate::{StoreError, keys, table::TABLE};

/// The attributes of one item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The entity's JSON.
const DOC: &str = "doc";
/// The entity's version, a number.
pub(crate) const VERSION: &str = "version";
/// The random mark of the write that made the item; a writer recognises its own by it (see `transaction`).
pub(crate) const WRITE_ID: &str = "writeId";
/// The time of expiry, in milliseconds of the Unix epoch. DynamoDB's own attribute (`ttl`) counts in seconds, which
/// would hide items up to a second early or late.
pub(crate) const EXPIRES: &str = "expires";
/// In a guard: the id of the entity that has the value.
pub(crate) const OWNER: &str = "owner";
/// In a tally: the number of members.
pub(crate) const COUNT: &str = "count";

/// What a change must know of an entity, without its type.
pub(crate) struct Record {
    pub(crate) prefix: &'static str,
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) unique: Vec<UniqueValue>,
    pub(crate) tallies: Vec<Membership>,
    pub(crate) expires: Option<Timestamp>,
}

/// A value that no other entity of the type may have.
#[derive(PartialEq, Eq)]
pub(crate) struct UniqueValue {
    /// The name of the rule.
    pub(crate) name: &'static str,
    /// The value in its compared form.
    pub(crate) value: String,
}

/// A group that counts the entity.
pub(crate) struct Membership {
    pub(crate) name: &'static str,
    pub(crate) at_least: u32,
}

/// The position of an entity in one index of the table.
pub(crate) struct Placement {
    slot: usize,
    index: &'static str,
    shards: u16,
    entry: IndexEntry,
}

impl Record {
    pub(crate) fn of<T: Entity>(entity: &T) -> Self {
        Self {
            prefix: T::PREFIX,
            id: entity.id().to_string(),
            version: entity.version().0,
            unique: unique_values(entity).collect(),
            tallies: memberships(entity).collect(),
            expires: entity.expires_at(),
        }
    }
}

/// The values of an entity that no other one may have.
pub(crate) fn unique_values<T: Entity>(entity: &T) -> impl Iterator<Item = UniqueValue> {
    T::UNIQUE
        .iter()
        .flat_map(|rule| (rule.values)(entity).into_iter().map(|value| UniqueValue { name: rule.name, value }))
}

/// The groups that count an entity.
fn memberships<T: Entity>(entity: &T) -> impl Iterator<Item = Membership> {
    let counting = T::TALLIES.iter().filter(|tally| (tally.has)(entity));
    counting.map(|tally| Membership { name: tally.name, at_least: tally.at_least })
}

/// The entity's JSON and its places in the indexes.
pub(crate) fn content<T: Entity>(entity: &T) -> Result<(Value, Vec<Placement>), StoreError> {
    let value = serde_json::to_value(entity).map_err(StoreError::broken)?;
    let places = T::INDEXES.iter().enumerate().filter_map(|(slot, index)| {
        let entry = (index.entry)(entity)?;
        Some(Placement { slot, index: index.name, shards: index.shards, entry })
    });
    Ok((value, places.collect()))
}

/// The entity that a stored document holds.
pub(crate) fn decode<T: Entity>(document: Value) -> Result<T, StoreError> {
    serde_json::from_value(document).map_err(|error| malformed(T::NAME, &error))
}

/// Reports the error without the value: serde quotes the value that it did not expect, and stored data must not reach
/// the log.
#[inline(never)]
fn malformed(name: &str, error: &serde_json::Error) -> StoreError {
    let message = error.to_string();
    let message = match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) => format!("{}…{}", &message[..first], &message[last + 1..]),
        _ => message,
    };
    StoreError::broken(format!("a stored {name} does not have the shape of its type: {message}"))
}

/// The item of an entity.
#[inline(never)]
pub(crate) fn entity_item(record: &Record, document: Value, places: Vec<Placement>) -> Result<Item, StoreError> {
    let mut item = keyed(&keys::entity(record.prefix, &record.id));
    for Placement { slot, index, shards, entry } in places {
        let names = TABLE.indexes.get(slot).ok_or_else(|| {
            StoreError::broken(format!("index `{index}` of `{}` has no place in the table", record.prefix))
        })?;
        let shard = keys::shard(&record.id, shards);
        let partition = keys::index_partition(record.prefix, index, &entry.list, shard);
        item.insert(names.partition_key.to_owned(), AttributeValue::S(partition));
        item.insert(names.sort_key.to_owned(), AttributeValue::S(keys::index_place(&entry.sort, &record.id)));
    }
    item.insert(DOC.to_owned(), to_attribute(document));
    item.insert(VERSION.to_owned(), number(record.version));
    put_expiry(&mut item, record.expires);
    Ok(item)
}

/// The item that holds a unique value for its owner. It expires with its owner.
pub(crate) fn guard_item(key: &keys::Key, record: &Record) -> Item {
    let mut item = keyed(key);
    item.insert(OWNER.to_owned(), AttributeValue::S(record.id.clone()));
    put_expiry(&mut item, record.expires);
    item
}

/// The attributes that make up a key.
pub(crate) fn keyed(key: &keys::Key) -> Item {
    HashMap::from([
        (TABLE.partition_key.to_owned(), AttributeValue::S(key.pk.clone())),
        (TABLE.sort_key.to_owned(), AttributeValue::S(key.sk.to_owned())),
    ])
}

/// A number as DynamoDB takes it.
pub(crate) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn put_expiry(item: &mut Item, expires: Option<Timestamp>) {
    if let Some(expires) = expires {
        let unix_ms = expires.unix_ms();
        // Rounded up, so that DynamoDB never deletes early.
        let unix_s = unix_ms.div_euclid(1_000) + i64::from(unix_ms.rem_euclid(1_000) > 0);
        item.insert(TABLE.time_to_live.to_owned(), number(unix_s));
        item.insert(EXPIRES.to_owned(), number(unix_ms));
    }
}

/// The document of an item, unless it has expired: DynamoDB may take days to delete it.
#[inline(never)]
pub(crate) fn live_document(mut item: Item, now_unix_ms: i64) -> Result<Option<Value>, StoreError> {
    let expires: Option<i64> = item.get(EXPIRES).and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok());
    if expires.is_some_and(|expires| expires <= now_unix_ms) {
        return Ok(None);
    }
    let document = item.remove(DOC).ok_or_else(|| StoreError::broken("an item has no `doc`"))?;
    to_value(document).map(Some)
}

/// The text of a string attribute.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

/// The version of an entity's item.
pub(crate) fn version(item: &Item) -> Option<u32> {
    item.get(VERSION).and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok())
}

fn to_attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(value),
        Value::Number(value) => number(value),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(to_attribute).collect()),
        Value::Object(fields) => {
            AttributeValue::M(fields.into_iter().map(|(name, value)| (name, to_attribute(value))).collect())
        }
    }
}

fn to_value(attribute: AttributeValue) -> Result<Value, StoreError> {
    Ok(match attribute {
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::Bool(value) => Value::Bool(value),
        AttributeValue::N(digits) => Value::Number(digits.parse::<Number>().map_err(StoreError::broken)?),
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::L(values) => Value::Array(values.into_iter().map(to_value).collect::<Result<_, _>>()?),
        AttributeValue::M(fields) => {
            let fields = fields.into_iter().map(|(name, value)| Ok((name, to_value(value)?)));
            Value::Object(fields.collect::<Result<Map<_, _>, StoreError>>()?)
        }
        _ => return Err(StoreError::broken("an item holds a type that JSON does not have")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_survives_the_way_there_and_back() {
        let value = json!({
            "text": "ä\u{0}", "empty": "", "none": null, "yes": true, "numbers": [0, -1, 4_294_967_295_u32, 1.5, 1e-7],
            "nested": {"list": [[], {}]}
        });
        assert_eq!(to_value(to_attribute(value.clone())).expect("a value"), value);
    }

    #[test]
    fn a_misshapen_item_does_not_show_its_content() {
        let error = serde_json::from_value::<u32>(json!("secret \"word\"")).expect_err("no number");
        let StoreError::Broken(cause) = malformed("Thing", &error) else { panic!("another error") };
        assert!(!cause.to_string().contains("secret"), "{cause}");
        assert!(!cause.to_string().contains("word"), "{cause}");
        assert!(cause.to_string().contains("expected u32"), "{cause}");
    }

    #[test]
    fn dynamodb_never_deletes_before_the_time() {
        let mut item = Item::new();
        put_expiry(&mut item, Some(Timestamp::from_unix_ms(1_500)));
        assert_eq!(item["ttl"], AttributeValue::N("2".to_owned()));
        item.insert(DOC.to_owned(), AttributeValue::Null(true));
        assert!(live_document(item.clone(), 1_499).expect("readable").is_some());
        assert!(live_document(item, 1_500).expect("readable").is_none());
    }
}
