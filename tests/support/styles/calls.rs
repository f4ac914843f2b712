//! What is called: the procedures of a contract, and made-up inputs that sometimes hit what there is.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value};

use crate::values::{
    near_miss::near_miss,
    sample::{resolve, sample},
};

/// A contract, as its file has it.
pub struct Contract(Value);

/// One procedure of it.
#[derive(Clone, Copy)]
pub struct Procedure<'a> {
    /// Where references begin.
    pub document: &'a Value,
    own: &'a Value,
}

impl Contract {
    pub fn new(mut contract: Value) -> Self {
        // Whoever may say how long a call takes says a moment.
        for procedure in contract["procedures"].as_array_mut().unwrap() {
            if let Some(ms) = procedure.pointer_mut("/input/properties/ms") {
                ms["maximum"] = 20.into();
            }
        }
        Self(contract)
    }

    /// The testbed's.
    pub fn of_the_testbed() -> Self {
        Self::new(serde_json::from_str(include_str!("../../testbed/bindings/contract.json")).unwrap())
    }

    pub fn service(&self) -> &str {
        self.0["service"].as_str().unwrap()
    }

    /// Whatever is in a style: what has a form of its own is in none.
    pub fn procedures(&self) -> impl Iterator<Item = Procedure<'_>> {
        let all = self.0["procedures"].as_array().unwrap().iter().filter(|own| own["http"].is_null());
        all.map(|own| Procedure { document: &self.0, own })
    }

    pub fn find(&self, name: &str) -> Option<Procedure<'_>> {
        self.procedures().find(|procedure| procedure.name() == name)
    }
}

impl<'a> Procedure<'a> {
    pub fn name(&self) -> &'a str {
        self.own["name"].as_str().unwrap()
    }

    /// `usersGet`.
    pub fn camel_case_name(&self) -> String {
        let mut words = self.name().split(['.', '_']);
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
    }

    pub fn is_query(&self) -> bool {
        self.own["kind"] == "query"
    }

    /// Method and path of its route.
    pub fn rest(&self) -> Option<(&'a str, &'a str)> {
        self.own["rest"].as_str()?.split_once(' ')
    }

    pub fn input(&self) -> Option<&'a Value> {
        Some(&self.own["input"]).filter(|schema| !schema.is_null())
    }

    /// The names of the input's fields, in the order of their declaration.
    pub fn input_fields(&self) -> impl Iterator<Item = &'a str> {
        self.own["inputFields"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    pub fn output(&self) -> Option<&'a Value> {
        Some(&self.own["output"]).filter(|schema| !schema.is_null())
    }

    pub fn failures(&self) -> &'a [Value] {
        self.own["failures"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The types that inputs have.
    pub fn types(&self) -> &'a Value {
        &self.document["inputTypes"]
    }

    pub fn resolve(&self, schema: &'a Value) -> &'a Value {
        resolve(self.document, schema)
    }
}

/// What calls gave, by the name of the type, or of the field where the type has none.
#[derive(Default)]
pub struct Pool(BTreeMap<String, Vec<Value>>);

/// How many of each there are; older ones go.
const MOST: usize = 12;

impl Pool {
    /// Takes in a value, with what its schema calls its parts.
    pub fn take_in(&mut self, document: &Value, schema: &Value, value: &Value, field: &str) {
        let name = type_name(schema).unwrap_or(field);
        let resolved = resolve(document, schema);
        match value {
            Value::Object(fields) => {
                let schema = branch(document, resolved, value);
                for (name, value) in fields {
                    self.take_in(document, &schema["properties"][name], value, name);
                }
            }
            Value::Array(entries) => {
                let items = branch(document, resolved, value)["items"].clone();
                entries.iter().for_each(|entry| self.take_in(document, &items, entry, field));
            }
            Value::Null | Value::Bool(_) => {}
            leaf => match branch(document, resolved, value) {
                // `null` or a named type.
                named if type_name(named).is_some() => self.keep(type_name(named).unwrap_or(name), leaf),
                _ => self.keep(name, leaf),
            },
        }
    }

    /// Takes in a value of this name.
    pub fn keep(&mut self, name: &str, value: &Value) {
        let known = self.0.entry(name.to_owned()).or_default();
        known.retain(|other| other != value);
        known.push(value.clone());
        if known.len() > MOST {
            known.remove(0);
        }
    }

    /// The newest text of this name.
    pub fn last(&self, name: &str) -> Option<String> {
        self.0.get(name)?.last()?.as_str().map(str::to_owned)
    }

    /// One of this name.
    pub fn draw(&self, rng: &mut Rng, name: &str) -> Option<Value> {
        rng.choice(self.0.get(name)?).cloned()
    }
}

fn type_name(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// The branch of a union that has values like this one.
fn branch<'a>(document: &'a Value, schema: &'a Value, value: &Value) -> &'a Value {
    let branches = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    let fits = |branch: &&Value| match resolve(document, branch) {
        object if value.is_object() => object["properties"]["type"]["const"] == value["type"],
        other => other["type"] != "null" && !value.is_null(),
    };
    branches.and_then(|branches| branches.iter().find(fits)).unwrap_or(schema)
}

/// The longest input of a query, in bytes: one that an address has room for, percent-encoded, wherever the service is.
const MAX_QUERY_BYTES: usize = 2_500;

/// An input of a procedure: a valid one, or one that misses narrowly. None where it takes none.
pub fn made_up(rng: &mut Rng, procedure: Procedure<'_>, pool: &Pool, spoilt: bool) -> Option<Value> {
    let schema = procedure.input()?;
    let document = procedure.document;
    loop {
        let value = sample(rng, document, schema);
        let value = hitting(rng, document, schema, value, pool, "");
        let miss = if spoilt { near_miss(rng, document, schema, &value) } else { None };
        let value = miss.map_or(value, |miss| miss.value);
        if !procedure.is_query() || value.to_string().len() <= MAX_QUERY_BYTES {
            return Some(value);
        }
    }
}

/// The value with some of its parts taken from the pool.
fn hitting(rng: &mut Rng, document: &Value, schema: &Value, value: Value, pool: &Pool, field: &str) -> Value {
    let resolved = resolve(document, schema);
    let schema = if value.is_null() { schema } else { branch_or_self(document, schema, resolved, &value) };
    match value {
        Value::Object(fields) => {
            let resolved = resolve(document, schema);
            let mut through = |(name, value): (String, Value)| {
                let value = hitting(rng, document, &resolved["properties"][&name], value, pool, &name);
                (name, value)
            };
            Value::Object(fields.into_iter().map(&mut through).collect::<Map<_, _>>())
        }
        Value::String(text) => {
            let name = type_name(schema).unwrap_or(field);
            let is_word = resolve(document, schema).get("enum").is_some();
            // Limits count by address: so few calls are about the same one.
            let often = if name == "EmailAddress" { 1 } else { 4 };
            match pool.draw(rng, name).filter(|drawn| drawn.is_string() && !is_word && rng.u8(..6) < often) {
                Some(drawn) => drawn,
                None if name == "EmailAddress" => format!("{}{text}", rng.u16(100..)).into(),
                None => text.into(),
            }
        }
        Value::Number(number) => match type_name(schema).and_then(|name| pool.draw(rng, name)) {
            Some(drawn) if drawn.is_number() && rng.bool() => drawn,
            _ => Value::Number(number),
        },
        other => other,
    }
}

/// Of `Cursor or null`, the cursor with its name.
fn branch_or_self<'a>(document: &'a Value, schema: &'a Value, resolved: &'a Value, value: &Value) -> &'a Value {
    if type_name(schema).is_some() { schema } else { branch(document, resolved, value) }
}

/// An input that every style can say, and that does nothing: it has what it must have, and empties in their forms.
pub fn hollow(document: &Value, schema: &Value) -> Value {
    let schema = resolve(document, schema);
    if let Some(branches) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        return hollow(document, &branches[0]);
    }
    if let Some(word) = schema.get("const").or_else(|| schema["enum"].get(0)) {
        return word.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).unwrap_or_default();
    match kind {
        "object" => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let one = |name: &str| (name.to_owned(), hollow(document, &schema["properties"][name]));
            required.map(one).collect::<Map<_, _>>().into()
        }
        "array" => Value::Array(vec![hollow(document, &schema["items"])]),
        "boolean" => false.into(),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| 0.into()),
        _ if schema["format"] == "uuid" => "00000000-0000-7000-8000-000000000000".into(),
        _ => "-".into(),
    }
}
