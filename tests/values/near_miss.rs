//! Values that a schema nearly accepts: a valid one, spoilt in one place. (Some are valid still.)

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::sample::{entries_of, resolve, sample};

/// A spoilt value.
pub struct NearMiss {
    pub value: Value,
    /// What was done.
    pub what: String,
    /// Whether the shape is wrong, so that TypeScript must see it: not the size of a number or the
    /// form of a text.
    pub is_misshapen: bool,
}

impl NearMiss {
    fn shape(value: Value, what: &str) -> Self {
        Self { value, what: what.to_owned(), is_misshapen: true }
    }
    fn size(value: impl Into<Value>) -> Self {
        Self { value: value.into(), what: "another size or form".into(), is_misshapen: false }
    }
}

/// Texts that some form refuses.
const TEXTS: [&str; 34] = [
    "",
    " ",
    "ada",
    "ada@",
    "@example.com",
    "ada@localhost",
    "Ada <ada@example.com>",
    "a b@example.com",
    "a@[127.0.0.1]",
    "a\u{1}@example.com",
    "a@b@example.com",
    "a..b@example.com",
    "\"a b\"@example.com",
    "a@-example.com",
    "01890a5dac96774bbcceb302099a8057",
    "{01890a5d-ac96-774b-bcce-b302099a8057}",
    "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057",
    "01890a5d-ac96-774b-bcce-b302099a805",
    "01890a5d-ac96-774b-bcce-b302099a805g",
    " 01890a5d-ac96-774b-bcce-b302099a8057",
    "2026-01-31",
    "2026-01-31T12:00:00",
    "2026-01-31 12:00:00Z",
    "2026-02-30T12:00:00Z",
    "2026-01-31T25:00:00Z",
    "2026-01-31T12:00Z",
    "+02026-01-31T12:00:00Z",
    "-",
    "1.",
    ".5",
    "1e5",
    "+1",
    "AA=",
    "AB==",
];

/// Spoils a valid value in one place. `None` when there is nothing to spoil.
pub fn near_miss(rng: &mut Rng, document: &Value, schema: &Value, value: &Value) -> Option<NearMiss> {
    let schema = resolve(document, schema);
    if schema["enum"].is_array() {
        let unknown = || NearMiss::shape("unheardOf".into(), "an unknown word");
        return Some(other_kind(rng, schema, value).unwrap_or_else(unknown));
    }
    if let Some(branches) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        let member = branches.iter().find(|member| fits(document, member, value))?;
        return near_miss(rng, document, member, value);
    }
    if rng.u8(..4) == 0
        && let Some(miss) = other_kind(rng, schema, value)
    {
        return Some(miss);
    }
    match value {
        Value::Object(fields) => in_object(rng, document, schema, fields),
        Value::Array(entries) if !entries.is_empty() => {
            match (rng.u8(..4), schema["maxItems"].as_u64().and_then(|most| usize::try_from(most).ok())) {
                (0, _) => return Some(NearMiss::size(Vec::<Value>::new())),
                (1, Some(most)) => {
                    return Some(NearMiss::size(entries.iter().cycle().take(most + 1).cloned().collect::<Vec<_>>()));
                }
                _ => {}
            }
            let place = rng.usize(..entries.len());
            let miss = near_miss(rng, document, &schema["items"], &entries[place])?;
            let mut entries = entries.clone();
            entries[place] = miss.value;
            Some(NearMiss { value: entries.into(), ..miss })
        }
        Value::String(text) => Some(match rng.u8(..3) {
            0 => NearMiss::size(text.repeat(2) + "x"),
            _ if schema.get("const").is_some() => NearMiss::shape("unheardOf".into(), "an unknown word"),
            _ => NearMiss::size(*rng.choice(&TEXTS)?),
        }),
        Value::Number(_) => {
            let beyond = schema["maximum"].as_i64().map_or(1 << 53, |most| most + 1);
            let below = schema["minimum"].as_i64().map_or(-1, |least| least - 1);
            let numbers = [json!(beyond), json!(below), json!(0), json!(-1), json!(1.5), json!(u64::MAX), json!(1e300)];
            Some(NearMiss::size(rng.choice(&numbers)?.clone()))
        }
        _ => other_kind(rng, schema, value),
    }
}

/// Whether a value is of this member of a union, by its tag or its kind.
fn fits(document: &Value, member: &Value, value: &Value) -> bool {
    if let (Value::String(tag), Value::Object(_)) = (&member["properties"]["type"]["const"], value) {
        return value["type"] == *tag;
    }
    let member = resolve(document, member);
    is_of_type(&member["type"], value) || member["oneOf"].is_array() && !value.is_null()
}

fn is_of_type(expected: &Value, value: &Value) -> bool {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match expected {
        Value::String(one) => one == name || one == "number" && name == "integer",
        Value::Array(several) => several.iter().any(|one| is_of_type(one, value)),
        _ => false,
    }
}

/// A value of a type that the schema does not have.
fn other_kind(rng: &mut Rng, schema: &Value, value: &Value) -> Option<NearMiss> {
    let mut kinds = vec![Value::Null, json!(true), json!(7), json!("7"), json!([]), json!({})];
    let has_words = schema["oneOf"].is_array();
    kinds.retain(|kind| {
        let same = std::mem::discriminant(kind) == std::mem::discriminant(value);
        !(same || is_of_type(&schema["type"], kind) || has_words && kind.is_string())
    });
    // An empty list is an object without fields to TypeScript where all fields may be absent.
    kinds.retain(|kind| !(kind.is_array() && value.is_object()));
    let kind = rng.choice(&kinds)?.clone();
    Some(NearMiss::shape(kind, "a value of another kind"))
}

fn in_object(rng: &mut Rng, document: &Value, schema: &Value, fields: &Map<String, Value>) -> Option<NearMiss> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut spoilt = fields.clone();
    match rng.u8(..5) {
        0 if !required.is_empty() => {
            let name = *rng.choice(&required)?;
            spoilt.remove(name);
            Some(NearMiss::shape(spoilt.into(), &format!("without {name}")))
        }
        1 if schema.get("properties").is_some() => {
            spoilt.insert("unheardOf".into(), 1.into());
            Some(NearMiss::shape(spoilt.into(), "an unknown field"))
        }
        2 if entries_of(schema).is_some() => {
            let (_, entry) = entries_of(schema)?;
            let entry = sample(rng, document, entry);
            spoilt.insert((*rng.choice(&TEXTS)?).to_owned(), entry);
            Some(NearMiss::size(Value::Object(spoilt)))
        }
        _ => {
            let names: Vec<&String> = fields.keys().collect();
            let name = *rng.choice(&names)?;
            let field = match &schema["properties"][name] {
                Value::Null => entries_of(schema)?.1,
                field => field,
            };
            let miss = near_miss(rng, document, field, &fields[name])?;
            spoilt.insert(name.clone(), miss.value);
            Some(NearMiss { value: spoilt.into(), what: format!("{name}: {}", miss.what), ..miss })
        }
    }
}
