//! The components of the document, mostly types.

use std::collections::BTreeMap;

use protocol::contract::Contract;
use serde_json::{Map, Value, json};

use super::problem;
use crate::names::{Names, titled};

/// The components that operations refer to.
pub struct Components<'a> {
    pub contract: &'a Contract,
    pub url: &'a str,
    schemas: BTreeMap<String, Value>,
    names: Names,
}

impl<'a> Components<'a> {
    pub fn new(contract: &'a Contract, url: &'a str) -> Self {
        let names = Names::of(contract);
        let mut components = Self { contract, url, schemas: BTreeMap::new(), names };
        components.schemas.insert("Problem".into(), titled("Problem", problem::schema()));
        components
    }

    /// A schema of the contract for the document; the types that it refers to are added.
    pub fn schema(&mut self, schema: &Value) -> Value {
        match schema {
            Value::Object(members) => {
                let mut written = Map::new();
                for (key, value) in members {
                    match (key.as_str(), value) {
                        ("$ref", Value::String(reference)) => {
                            written.insert(key.clone(), self.reference(reference).into());
                        }
                        // `required` states that a field may be left out. Code generators treat a field with a
                        // default as always present.
                        ("default", Value::Null) => {}
                        _ => drop(written.insert(key.clone(), self.schema(value))),
                    }
                }
                written.into()
            }
            Value::Array(members) => members.iter().map(|member| self.schema(member)).collect(),
            other => other.clone(),
        }
    }

    fn reference(&mut self, reference: &str) -> String {
        let Some(name) = self.names.get(reference).map(str::to_owned) else { return reference.to_owned() };
        if !self.schemas.contains_key(&name) {
            self.schemas.insert(name.clone(), Value::Null);
            let target = json!({"$ref": reference});
            let schema = titled(&name, self.schema(self.contract.resolve(&target)));
            self.schemas.insert(name.clone(), schema);
        }
        format!("#/components/schemas/{name}")
    }

    /// Adds a schema under a name, and returns the reference to it. If a type has the name already, it gets an
    /// underscore.
    pub fn add(&mut self, name: &str, schema: Value) -> Value {
        let mut name = name.to_owned();
        let is_taken = |name: &str| {
            let schema = || titled(name, schema.clone());
            self.names.all().any(|known| known == name)
                || self.schemas.get(name).is_some_and(|known| *known != schema())
        };
        while is_taken(&name) {
            name.push('_');
        }
        let reference = json!({"$ref": format!("#/components/schemas/{name}")});
        let schema = titled(&name, schema);
        self.schemas.insert(name, schema);
        reference
    }

    pub fn finish(self) -> Value {
        json!({
            "schemas": self.schemas,
            "responses": problem::responses(),
            "headers": headers(),
            "parameters": parameters(),
        })
    }
}

fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "ETag": {
            "description": "The version of what is answered, for `If-Match` and `If-None-Match`.",
            "schema": {"type": "string", "pattern": "^\"\\d+\"$"},
            "example": "\"3\"",
        },
        "Link": text("Where the next page is, unless this is the last one (RFC 8288)."),
        "Location": {
            "description": "Where it is from now on.",
            "schema": {"type": "string", "format": "uri-reference"},
        },
        "Retry-After": {
            "description": "After how many seconds it is worth trying again.",
            "schema": {"type": "integer", "minimum": 0},
        },
        "X-Request-Id": text("Names the call in the log."),
        "WWW-Authenticate": text("How to say who is calling (RFC 6750)."),
    })
}

fn parameters() -> Value {
    json!({
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": "The `version` that was seen, as the answer's `ETag` had it, or several. When none of them is the stored one, \
                            nothing is done, and the answer is 412. It stands for the input's `version`: only one of them may be there.",
            // No example: "try it out" would send it, and a made-up version is never the stored one.
            "schema": {"type": "string", "pattern": "^(\\*|\"\\d{1,10}\"(, ?\"\\d{1,10}\"){0,9})$"},
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of what is known already: if it is still the same, the answer is 304.",
            "schema": {"type": "string"},
        },
    })
}
