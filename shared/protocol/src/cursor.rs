//! What the cursor of a list is bound to: one caller's one query of one procedure.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::{Cursor, PageSize};

/// What a cursor is bound to, in addition to the list: the call.
#[derive(Clone, Debug, Default)]
pub struct CursorScope {
    /// The procedure, such as `orders.list`.
    pub procedure: &'static str,
    /// The subject of the caller; `None` when nobody is signed in.
    pub caller: Option<String>,
    /// The call's input, as JSON. It is read only when a cursor is sealed or opened.
    pub input: Bytes,
}

impl CursorScope {
    /// The text that a cursor is bound to. `query` tells the lists of one procedure apart.
    #[must_use]
    pub fn binding(&self, query: &Value) -> String {
        // An input that is not JSON is bound as it is. A missing input equals `{}`: callers often ask for the first
        // page without an input, and for the next page with only a cursor.
        let mut input = match serde_json::from_slice(&self.input) {
            Ok(Value::Null) => Value::Object(Map::new()),
            Err(_) if self.input.is_empty() => Value::Object(Map::new()),
            Ok(input) => input,
            Err(_) => Value::String(String::from_utf8_lossy(&self.input).into_owned()),
        };
        if let Value::Object(fields) = &mut input {
            // These differ from page to page of one list.
            fields.retain(|name, _| ![Cursor::FIELD, PageSize::FIELD].contains(&name.as_str()));
        }
        let parts = [
            Value::from("cursor 1"),
            Value::from(self.procedure),
            Value::from(self.caller.clone()),
            canonical(input),
            query.clone(),
        ];
        Value::Array(parts.into()).to_string()
    }
}

/// The same JSON for inputs that mean the same: fields in order, without those that are null.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(fields.into_iter().map(|(name, value)| (name, canonical(value))).collect::<Map<_, _>>())
        }
        Value::Array(values) => values.into_iter().map(canonical).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope(caller: Option<&str>, input: &'static str) -> CursorScope {
        CursorScope { procedure: "orders.list", caller: caller.map(str::to_owned), input: input.into() }
    }

    #[test]
    fn inputs_that_mean_the_same_bind_the_same() {
        let query = json!(["user", "age"]);
        let first = scope(None, r#"{"age":3,"where":{"b":1,"a":null},"limit":10}"#).binding(&query);
        let next = r#"{"where": {"b": 1}, "cursor": "x", "limit": 20, "age": 3, "role": null}"#;
        assert_eq!(first, scope(None, next).binding(&query));
        let next = scope(None, r#"{"cursor":"x"}"#).binding(&query);
        for first in ["", "null", "{}"] {
            assert_eq!(scope(None, first).binding(&query), next, "a first page of {first:?}");
        }
    }

    #[test]
    fn another_caller_input_procedure_or_list_binds_differently() {
        let base = scope(None, r#"{"age":3}"#).binding(&json!("age"));
        assert_ne!(base, scope(Some(""), r#"{"age":3}"#).binding(&json!("age")));
        assert_ne!(base, scope(None, r#"{"age":4}"#).binding(&json!("age")));
        assert_ne!(base, scope(None, r#"{"age":[null]}"#).binding(&json!("age")));
        assert_ne!(base, scope(None, r#"{"age":3}"#).binding(&json!("name")));
        let other = CursorScope { procedure: "orders.count", ..scope(None, r#"{"age":3}"#) };
        assert_ne!(base, other.binding(&json!("age")));
    }
}
