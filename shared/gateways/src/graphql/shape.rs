//! Interprets a JSON Schema of the contract, for inputs and outputs alike.

use protocol::contract::Contract;
use serde_json::{Map, Value};

use crate::words::docs_of_value;

/// The form of a value.
pub(super) enum Shape<'a> {
    /// One of some texts, each with its docs.
    Enum(Vec<(&'a str, &'a str)>),
    /// A tagged union of objects, by their `type`.
    Tagged(Vec<(&'a str, &'a Value)>),
    /// An object with these members.
    Object(&'a Map<String, Value>),
    /// A list.
    List(&'a Value),
    /// A scalar with a name.
    Scalar(&'a str),
    /// A UUID: an id, by its title.
    Id(&'a str),
    /// Any other value.
    Json,
}

/// An unsigned integer, up to 2^32 - 1.
pub(super) const UNSIGNED_INT: &str = "UnsignedInt";
/// An integer that a JavaScript number holds.
pub(super) const SAFE_INTEGER: &str = "SafeInteger";
/// A time.
pub(super) const DATE_TIME: &str = "DateTime";
/// A decimal number as text.
pub(super) const DECIMAL: &str = "Decimal";
/// Bytes.
pub(super) const BASE64: &str = "Base64";
/// Any JSON.
pub(super) const JSON: &str = "JSON";
/// An id without a name of its own.
pub(super) const UUID: &str = "UUID";

/// The pattern of `protocol::Decimal`.
const DECIMAL_PATTERN: &str = r"^-?\d+(\.\d+)?$";

/// The schema without null, and whether it allowed null.
pub(super) fn without_null(schema: &Value) -> (&Value, bool) {
    let is_null = |schema: &Value| schema.get("type") == Some(&"null".into());
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array)
        && let [one, other] = choices.as_slice()
    {
        if is_null(other) {
            return (without_null(one).0, true);
        }
        if is_null(one) {
            return (without_null(other).0, true);
        }
    }
    let lists_null = schema.get("type").and_then(Value::as_array).is_some_and(|types| types.contains(&"null".into()));
    (schema, lists_null || is_null(schema))
}

/// The schema's description.
pub(super) fn docs(schema: &Value) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

/// Whether a field is required.
pub(super) fn requires(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|required| required.iter().any(|known| known == name))
}

/// A schema merged with the one that it refers to: a variant of a union may be a type of its own, with `type`.
pub(super) fn whole(contract: &Contract, schema: &Value) -> Value {
    let mut whole = schema.clone();
    if schema.get("$ref").is_none() {
        return whole;
    }
    let named = contract.resolve(schema);
    for key in ["properties", "required"] {
        match (whole.get_mut(key), named.get(key)) {
            (Some(Value::Object(members)), Some(Value::Object(more))) => members.extend(more.clone()),
            (Some(Value::Array(members)), Some(Value::Array(more))) => members.extend(more.clone()),
            (None, Some(more)) => whole[key] = more.clone(),
            _ => {}
        }
    }
    whole
}

/// The shape of a schema that is no reference and does not allow null.
pub(super) fn shape(schema: &Value) -> Shape<'_> {
    if let Some(variants) = schema.get("oneOf").and_then(Value::as_array) {
        return variants_of(variants);
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let docs = |value| docs_of_value(schema, value).unwrap_or_default();
        let values = values.iter().map(|value| value.as_str().map(|value| (value, docs(value))));
        let values: Option<Vec<_>> = values.collect();
        return values.map_or(Shape::Json, Shape::Enum);
    }
    if let Some(value) = schema.get("const").and_then(Value::as_str) {
        return Shape::Enum(vec![(value, docs(schema))]);
    }
    match type_of(schema) {
        Some("boolean") => Shape::Scalar("Boolean"),
        Some("number") => Shape::Scalar("Float"),
        Some("integer") => Shape::Scalar(integer(schema)),
        Some("string") => text(schema),
        Some("array") => schema.get("items").filter(|items| items.is_object()).map_or(Shape::Json, Shape::List),
        Some("object") => match schema.get("properties").and_then(Value::as_object) {
            Some(properties) if !properties.is_empty() => Shape::Object(properties),
            _ => Shape::Json,
        },
        _ => Shape::Json,
    }
}

fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

fn variants_of(variants: &[Value]) -> Shape<'_> {
    let tag = |variant| Some((Value::pointer(variant, "/properties/type/const")?.as_str()?, variant));
    variants.iter().map(tag).collect::<Option<_>>().map_or(Shape::Json, Shape::Tagged)
}

/// `Int` has 32 bits and a sign.
fn integer(schema: &Value) -> &'static str {
    let bound = |name| schema.get(name).and_then(Value::as_i64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) if least >= i32::MIN.into() && most <= i32::MAX.into() => "Int",
        (Some(0..), Some(most)) if most <= u32::MAX.into() => UNSIGNED_INT,
        _ => SAFE_INTEGER,
    }
}

fn text(schema: &Value) -> Shape<'_> {
    let says = |name| schema.get(name).and_then(Value::as_str);
    match (says("format"), says("pattern")) {
        (Some("uuid"), _) => Shape::Id(says("title").unwrap_or(UUID)),
        (Some("date-time"), _) => Shape::Scalar(DATE_TIME),
        (_, Some(DECIMAL_PATTERN)) => Shape::Scalar(DECIMAL),
        _ if says("contentEncoding") == Some("base64") => Shape::Scalar(BASE64),
        _ => Shape::Scalar("String"),
    }
}
