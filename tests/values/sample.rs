//! Values that a schema accepts, with a liking for the edges of what it accepts.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// How many entries a list or a map has at most.
const MAX_ENTRIES: usize = 3;

/// Texts that are easily spoilt on the way.
const TEXTS: [&str; 8] =
    ["Ada", "Gruß 🍰", "\"\\/\u{8}\u{0}\n", "e\u{301}", "日本", "\u{202e}ab", "\u{2028}", "</script>"];
const EMAILS: [&str; 5] =
    ["ada@example.com", "a.b+c@mail.example.co.uk", "ida@müller.example", "x@y.zz", "O'Neil_1@ex-ample.org"];
const TIMES: [&str; 5] = [
    "2026-01-31T12:00:00.000Z",
    "0000-01-01T00:00:00.000Z",
    "9999-12-30T21:59:59.999Z",
    "2024-02-29T23:59:59.999+01:00",
    "1969-12-31t23:59:59.5z",
];
const DECIMALS: [&str; 5] =
    ["0", "-12.50", "007", "-0.0", "1234567890123456789012345678901234567890.000000000000000001"];
const NAMES: [&str; 5] = ["Ada", "a", "読書 \u{a0} 🍰", "Müller & Söhne", "\\ \"'<>"];
const BASE64: [&str; 4] = ["", "AA==", "/+8=", "T25lZm9sZA=="];

/// What a reference stands for.
pub fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        None => schema,
        Some(reference) => {
            let pointer = reference.trim_start_matches('#');
            resolve(document, document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere")))
        }
    }
}

/// A value that the schema accepts.
pub fn sample(rng: &mut Rng, document: &Value, schema: &Value) -> Value {
    if schema.get("$ref").is_some() && schema.get("properties").is_some() {
        // A variant that holds a type of its own: the tag stands beside its fields.
        let (mut value, tag) = (sample(rng, document, resolve(document, schema)), object(rng, document, schema));
        if let (Value::Object(all), Value::Object(tag)) = (&mut value, tag) {
            all.extend(tag);
        }
        return value;
    }
    let schema = resolve(document, schema);
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    if let Some(values) = schema["enum"].as_array() {
        return rng.choice(values).cloned().unwrap_or_default();
    }
    if let Some(branches) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        let branch = rng.choice(branches).expect("a union has members");
        return sample(rng, document, branch);
    }
    match kind(rng, schema) {
        "null" => Value::Null,
        "boolean" => rng.bool().into(),
        "integer" => integer(rng, schema),
        "number" => json!(*rng.choice(&[0.0, -0.5, 1e-300, 1.797e308, 3.0, -273.15]).expect("some")),
        "string" => text(rng, schema).into(),
        "array" => {
            let bound = |key: &str| schema[key].as_u64().and_then(|count| usize::try_from(count).ok());
            let least = bound("minItems").unwrap_or(0);
            let most = bound("maxItems").unwrap_or(usize::MAX).min(least + MAX_ENTRIES);
            (0..rng.usize(least..=most)).map(|_| sample(rng, document, &schema["items"])).collect()
        }
        "object" => object(rng, document, schema),
        other => panic!("the generator does not know the type {other:?}: {schema}"),
    }
}

fn kind<'a>(rng: &mut Rng, schema: &'a Value) -> &'a str {
    match &schema["type"] {
        Value::String(one) => one,
        Value::Array(several) => rng.choice(several).and_then(Value::as_str).unwrap_or_default(),
        _ => panic!("the generator does not know what to make of {schema}"),
    }
}

fn integer(rng: &mut Rng, schema: &Value) -> Value {
    let bound = |key: &str| schema[key].as_i64().unwrap_or_else(|| panic!("an integer has no {key}: {schema}"));
    let (least, most) = (bound("minimum"), bound("maximum"));
    match rng.u8(..4) {
        0 => least.into(),
        1 => most.into(),
        _ => rng.i64(least..=most).into(),
    }
}

fn text(rng: &mut Rng, schema: &Value) -> String {
    let one_of = |rng: &mut Rng, texts: &[&str]| (*rng.choice(texts).expect("some")).to_owned();
    match (schema["format"].as_str(), schema["pattern"].as_str()) {
        (Some("uuid"), _) => {
            let id = uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid().to_string();
            if rng.bool() { id } else { id.to_uppercase() }
        }
        (Some("date-time"), _) => one_of(rng, &TIMES),
        (None, _) if schema["contentEncoding"] == "base64" => one_of(rng, &BASE64),
        (None, Some(pattern)) if pattern.contains('@') => one_of(rng, &EMAILS),
        (None, Some(pattern)) if pattern.starts_with("^-?") => one_of(rng, &DECIMALS),
        (None, Some(pattern)) if pattern.starts_with("^[^\\u0000") => one_of(rng, &NAMES),
        (None, Some(pattern)) => match schema["examples"].as_array().and_then(|examples| rng.choice(examples)) {
            Some(example) => example.as_str().expect("the example of a text is a text").to_owned(),
            None => panic!("no text of the pattern {pattern} is known: state one, `#[schemars(example = &\"…\")]`"),
        },
        (None | Some("password"), None) => {
            let least = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).expect("short");
            let most = schema["maxLength"].as_u64().map_or(least + 40, |most| usize::try_from(most).expect("short"));
            match rng.u8(..4) {
                0 => "🍰".repeat(least),
                1 => "🍰".repeat(most),
                _ => one_of(rng, &TEXTS).chars().cycle().take(rng.usize(least..=most.min(least + 40))).collect(),
            }
        }
        _ => panic!("the generator does not know this kind of text: {schema}"),
    }
}

fn object(rng: &mut Rng, document: &Value, schema: &Value) -> Value {
    let mut object = Map::new();
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if required.iter().any(|r| r == name) || rng.bool() {
            object.insert(name.clone(), sample(rng, document, schema));
        }
    }
    if let Some((key, entry)) = entries_of(schema) {
        for _ in 0..rng.usize(..=MAX_ENTRIES) {
            object.insert(text(rng, &key), sample(rng, document, entry));
        }
    }
    object.into()
}

/// The schemas of a map's keys and values, if it is one.
pub fn entries_of(schema: &Value) -> Option<(Value, &Value)> {
    if let Some(patterns) = schema["patternProperties"].as_object() {
        let (pattern, entry) = patterns.iter().next()?;
        // The only keys with a form of their own are ids.
        return Some((json!({"type": "string", "format": "uuid", "pattern": pattern}), entry));
    }
    let entry = &schema["additionalProperties"];
    entry.is_object().then(|| (json!({"type": "string"}), entry))
}
