//! Normalizes JSON Schemas to the form of the contract.

use serde_json::{Map, Value};

/// Adds a title to a schema: code generators name types after it.
pub(super) fn titled(title: &str, mut schema: Value) -> Value {
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".into(), title.into());
    }
    schema
}

/// A schema in the forms that most readers of JSON Schema know. Integers of 32 bits get their range, which schemars
/// leaves to `format`, and validators do not know that. A choice between texts becomes an `enum` with a `type`, where
/// schemars has a union of constants; the descriptions of the values stand in `x-enumDescriptions`. A constant gets a
/// `type`.
/// constant has a `type`.
#[must_use]
pub fn plain(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(members) => {
            let range: Option<(i64, i64)> = match members.get("format").and_then(Value::as_str) {
                Some("uint32") => Some((0, u32::MAX.into())),
                Some("int32") => Some((i32::MIN.into(), i32::MAX.into())),
                _ => None,
            };
            if let Some((least, most)) = range {
                members.entry("minimum").or_insert(least.into());
                members.entry("maximum").or_insert(most.into());
            }
            if members.get("const").is_some_and(Value::is_string) {
                members.entry("type").or_insert("string".into());
            }
            if let Some(choice) = members.get("oneOf").and_then(choice) {
                members.remove("oneOf");
                members.extend(choice);
            }
            for member in members.values_mut() {
                *member = plain(member.take());
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| *member = plain(member.take())),
        _ => {}
    }
    schema
}

/// The replacement of `oneOf` if all its branches are texts.
fn choice(branches: &Value) -> Option<Map<String, Value>> {
    let mut values = Vec::new();
    let mut docs = Map::new();
    for branch in branches.as_array()? {
        match (branch.get("const"), branch.get("enum")) {
            (Some(Value::String(value)), None) => {
                values.push(Value::from(value.as_str()));
                if let Some(said) = branch.get("description") {
                    docs.insert(value.clone(), said.clone());
                }
            }
            (None, Some(Value::Array(several))) if several.iter().all(Value::is_string) => {
                values.extend(several.iter().cloned());
            }
            _ => return None,
        }
    }
    let mut choice = Map::from_iter([("type".to_owned(), Value::from("string")), ("enum".to_owned(), values.into())]);
    if !docs.is_empty() {
        choice.insert("x-enumDescriptions".to_owned(), docs.into());
    }
    Some(choice)
}
