//! Generates sample values that a schema of the contract accepts, the same each time.

use protocol::contract::Contract;
use serde_json::{Map, Number, Value, json};

/// A minimal value that the schema accepts: an input's fields with defaults are left out, so that readers first see
/// what they must send.
pub fn of(contract: &Contract, schema: &Value) -> Value {
    Sampler { contract, whole: false }.value(schema, "text", 0)
}

/// A value with every field.
pub fn whole(contract: &Contract, schema: &Value) -> Value {
    Sampler { contract, whole: true }.value(schema, "text", 0)
}

/// Whether the sample of a text would be a guess: it has a pattern that is known to its author alone, and no example.
pub fn is_guessed(schema: &Value) -> bool {
    let pattern = schema.get("pattern").and_then(Value::as_str);
    let is_known = ["format", "contentEncoding", "examples"].iter().any(|key| schema.get(key).is_some());
    !is_known && pattern.is_some_and(|pattern| !is_decimal(pattern))
}

/// Whether a text is a decimal number.
fn is_decimal(pattern: &str) -> bool {
    pattern.starts_with("^-?\\d+")
}

/// The depth from which nullable values are null and lists are empty, where allowed.
const MAX_DEPTH: usize = 6;
/// A hard limit of the depth: no finite type nests deeper.
const MAX_STACK: usize = 64;
/// A number that suits ages as well as page sizes.
const NUMBER: i64 = 20;

struct Sampler<'a> {
    contract: &'a Contract,
    whole: bool,
}

impl Sampler<'_> {
    /// `name` is the name of the value in its object.
    fn value(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth > MAX_STACK {
            return Value::Null;
        }
        if let Some(stated) = schema.get("examples").and_then(|examples| examples.get(0)) {
            return stated.clone();
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.contract.resolve(schema);
            let type_name = reference.rsplit('/').next().unwrap_or_default();
            let mut value = match target.get("format").and_then(Value::as_str) {
                Some("uuid") => uuid(type_name).into(),
                _ => self.value(target, name, depth + 1),
            };
            // A variant that holds a named type: the tag stands beside the type's fields.
            if let (Value::Object(all), Some(_)) = (&mut value, schema.get("properties")) {
                all.extend(self.object(schema, depth));
            }
            return value;
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
            return first.clone();
        }
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            let parts = all.iter().map(|part| self.value(part, name, depth + 1));
            return parts.reduce(merged).unwrap_or_default();
        }
        if let Some(branches) = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array()) {
            return self.branch(branches, name, depth);
        }
        self.typed(schema, name, depth)
    }

    fn branch(&self, branches: &[Value], name: &str, depth: usize) -> Value {
        let is_null = |branch: &&Value| branch.get("type") == Some(&json!("null"));
        if depth >= MAX_DEPTH && branches.iter().any(|branch| is_null(&branch)) {
            return Value::Null;
        }
        // Below the maximum depth, the shortest branch is taken, which ends the recursion.
        let mut branches = branches.iter().filter(|branch| !is_null(branch));
        let branch = if depth >= MAX_DEPTH {
            branches.min_by_key(|branch| self.contract.resolve(branch).to_string().len())
        } else {
            branches.next()
        };
        branch.map_or(Value::Null, |branch| self.value(branch, name, depth + 1))
    }

    fn typed(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let mut kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ if schema.get("properties").is_some() => vec!["object"],
            _ => vec![],
        };
        if depth >= MAX_DEPTH && kinds.contains(&"null") {
            return Value::Null;
        }
        kinds.retain(|kind| *kind != "null");
        match kinds.first() {
            Some(&"boolean") => true.into(),
            Some(&"integer") => integer(schema).into(),
            Some(&"number") => number(schema),
            Some(&"string") => text(schema, name).into(),
            Some(&"array") => self.list(schema, name, depth),
            Some(&"object") => self.object(schema, depth).into(),
            _ => Value::Null,
        }
    }

    fn list(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if let Some(places) = schema.get("prefixItems").and_then(Value::as_array) {
            return places.iter().map(|place| self.value(place, name, depth + 1)).collect();
        }
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        let least = bound("minItems").unwrap_or(0);
        let count = if depth >= MAX_DEPTH { least } else { least.max(1).min(bound("maxItems").unwrap_or(u64::MAX)) };
        let entry = schema.get("items").unwrap_or(&Value::Null);
        // The items of `tags` are named `tag`.
        let name = name.strip_suffix('s').filter(|one| one.len() > 1).unwrap_or(name);
        (0..count).map(|_| self.value(entry, name, depth + 1)).collect()
    }

    fn object(&self, schema: &Value, depth: usize) -> Map<String, Value> {
        let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut object = Map::new();
        for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let optional = !required.iter().any(|required| required == name);
            // A field of a merge patch has no default: it is what the call is about.
            let left_out = optional && (depth >= MAX_DEPTH || (!self.whole && field.get("default").is_some()));
            if !left_out {
                object.insert(name.clone(), self.value(field, name, depth + 1));
            }
        }
        if depth < MAX_DEPTH
            && let Some((key, entry)) = entries(schema)
        {
            object.insert(key, self.value(entry, "text", depth + 1));
        }
        object
    }
}

/// A sample key of a map and the schema of its values, if the object is a map.
fn entries(schema: &Value) -> Option<(String, &Value)> {
    if let Some((pattern, entry)) =
        schema.get("patternProperties").and_then(|patterns| patterns.as_object()?.iter().next())
    {
        // The only keys with a format of their own are ids.
        return Some((text(&json!({"format": "uuid", "pattern": pattern}), "key"), entry));
    }
    let entry = schema.get("additionalProperties").filter(|entry| entry.is_object())?;
    let key = schema.get("propertyNames").map_or_else(|| "key".to_owned(), |names| text(names, "key"));
    Some((key, entry))
}

fn merged(mut all: Value, part: Value) -> Value {
    match (&mut all, part) {
        (Value::Object(all), Value::Object(part)) => all.extend(part),
        (_, part) => return part,
    }
    all
}

fn integer(schema: &Value) -> i64 {
    let bound = |key: &str| schema.get(key).and_then(Value::as_i64);
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|bound| bound.saturating_add(1)));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|bound| bound.saturating_sub(1)));
    let number = NUMBER.min(most.unwrap_or(i64::MAX)).max(least.unwrap_or(i64::MIN));
    match bound("multipleOf") {
        Some(step) if step > 0 && number % step != 0 => number - number.rem_euclid(step),
        _ => number,
    }
}

fn number(schema: &Value) -> Value {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let mut number = 12.5_f64;
    number = number.min(bound("maximum").unwrap_or(f64::MAX));
    number = number.max(bound("minimum").unwrap_or(f64::MIN));
    let (above, below) = (bound("exclusiveMinimum"), bound("exclusiveMaximum"));
    number = match (above, below) {
        (Some(above), Some(below)) if number <= above || number >= below => f64::midpoint(above, below),
        (Some(above), _) if number <= above => above + 1.0,
        (_, Some(below)) if number >= below => below - 1.0,
        _ => number,
    };
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn text(schema: &Value, name: &str) -> String {
    let member = |key: &str| schema.get(key).and_then(Value::as_str);
    if member("contentEncoding") == Some("base64") {
        return "T25lZm9sZA==".to_owned();
    }
    let known = match member("format") {
        Some("uuid") => return uuid(name),
        Some("date-time") => "2026-01-31T12:00:00.000Z",
        Some("date") => "2026-01-31",
        Some("email" | "idn-email") => "ada@example.com",
        Some("uri" | "iri" | "uri-reference" | "iri-reference") => "https://example.com/",
        Some("hostname" | "idn-hostname") => "example.com",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        Some("password") => "mauve-otter-reads-maps",
        _ if member("pattern").is_some_and(is_decimal) => "12.50",
        _ => name,
    };
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
    let (least, most) = (bound("minLength").unwrap_or(0), bound("maxLength").unwrap_or(usize::MAX));
    let count = known.chars().count();
    known.chars().cycle().take(count.max(least).min(most)).collect()
}

/// An id for each name, so that ids of different types differ.
fn uuid(name: &str) -> String {
    // FNV-1a, of which the lower 48 bits are used.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("01999b5c-7a10-7c3e-8f21-{:012x}", hash & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stub::contract_of;

    fn contract(input_types: &Value) -> Contract {
        contract_of(json!({"inputTypes": input_types}))
    }

    fn sample(schema: &Value) -> Value {
        of(&contract(&json!({})), schema)
    }

    #[test]
    fn bounds_are_kept() {
        assert_eq!(sample(&json!({"type": "integer", "minimum": 21, "maximum": 99})), 21);
        assert_eq!(sample(&json!({"type": "integer", "exclusiveMaximum": 3})), 2);
        assert_eq!(sample(&json!({"type": "integer", "multipleOf": 7, "minimum": 0})), 14);
        assert_eq!(sample(&json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1})), 0.5);
        assert_eq!(sample(&json!({"type": "string", "minLength": 9})), "texttextt");
        assert_eq!(sample(&json!({"type": "string", "maxLength": 2})), "te");
        assert_eq!(sample(&json!({"type": "array", "items": {"type": "boolean"}, "minItems": 2})), json!([true, true]));
        assert_eq!(sample(&json!({"type": "array", "items": {"type": "boolean"}, "maxItems": 0})), json!([]));
    }

    #[test]
    fn what_has_a_default_is_left_out_unless_all_is_asked_for() {
        let schema = json!({"type": "object", "required": ["id"], "properties": {
            "id": {"type": "string"},
            "limit": {"type": ["integer", "null"], "default": null},
            "name": {"type": "string"},
        }});
        let contract = contract(&json!({}));
        assert_eq!(of(&contract, &schema), json!({"id": "id", "name": "name"}));
        assert_eq!(whole(&contract, &schema), json!({"id": "id", "limit": 20, "name": "name"}));
    }

    #[test]
    fn an_author_can_state_an_example() {
        let schema = json!({"type": "object", "properties": {"plate": {"type": "string", "examples": ["M-AX 12"]}}});
        assert_eq!(sample(&schema), json!({"plate": "M-AX 12"}));
    }

    #[test]
    fn what_holds_itself_ends() {
        let tree = json!({"type": "object", "required": ["left", "children", "byName"], "properties": {
            "left": {"anyOf": [{"$ref": "#/inputTypes/Tree"}, {"type": "null"}]},
            "children": {"type": "array", "items": {"$ref": "#/inputTypes/Tree"}},
            "byName": {"type": "object", "additionalProperties": {"$ref": "#/inputTypes/Tree"}},
        }});
        let expression = json!({"oneOf": [
            {"type": "object", "required": ["type", "of"], "properties": {"type": {"const": "not"}, "of": {"$ref": "#/inputTypes/Expression"}}},
            {"type": "object", "required": ["type"], "properties": {"type": {"const": "yes"}}},
        ]});
        let contract = contract(&json!({"Tree": tree, "Expression": expression}));
        let deep = of(&contract, &json!({"$ref": "#/inputTypes/Tree"}));
        assert_eq!(deep["left"]["left"]["left"]["left"], Value::Null, "{deep}");
        let deep = of(&contract, &json!({"$ref": "#/inputTypes/Expression"})).to_string();
        assert!(deep.contains(r#""type":"yes""#), "{deep}");
    }
}
