//! Names the contract's types for documents in which inputs and outputs share one namespace.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{case::capitalized, contract::Contract};
use serde_json::{Map, Value, json};

/// Readable names of all types: an input's type that differs from the output's of the same name ends in `Input`.
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Names the types of a contract.
    pub fn of(contract: &Contract) -> Self {
        let same = same_in_both(contract);
        let mut names = BTreeMap::new();
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for name in contract.output_types.keys() {
            taken.insert(name.clone());
            names.insert(format!("#/outputTypes/{name}"), name.clone());
        }
        for name in contract.input_types.keys() {
            let mut readable = name.clone();
            while !same.contains(name.as_str()) && !taken.insert(readable.clone()) {
                readable.push_str("Input");
            }
            names.insert(format!("#/inputTypes/{name}"), readable);
        }
        Self(names)
    }

    /// The readable name of a reference's target.
    pub fn get(&self, reference: &str) -> Option<&str> {
        self.0.get(reference).map(String::as_str)
    }

    /// All readable names.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// All types by their readable names, with references that begin like `#/components/schemas/`.
    pub fn types(&self, contract: &Contract, start: &str) -> Map<String, Value> {
        let groups = [("#/outputTypes/", &contract.output_types), ("#/inputTypes/", &contract.input_types)];
        let all = groups.into_iter().flat_map(|(at, types)| types.iter().map(move |(name, schema)| (at, name, schema)));
        let named = all.filter_map(|(at, name, schema)| {
            let readable = self.0.get(&format!("{at}{name}"))?;
            Some((readable.clone(), titled(readable, self.rewrite(schema, start))))
        });
        // In alphabetical order, like everything in a document.
        named.collect::<BTreeMap<_, _>>().into_iter().collect()
    }

    /// A schema with its references renamed. JSON Schema before 2019-09 ignores members beside a reference, so these
    /// move around it.
    pub fn rewrite(&self, schema: &Value, start: &str) -> Value {
        match schema {
            Value::Array(members) => members.iter().map(|member| self.rewrite(member, start)).collect(),
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str).and_then(|at| self.0.get(at));
                let rest = members.iter().filter(|(key, _)| reference.is_none() || *key != "$ref");
                let mut rest: Map<_, _> = rest.map(|(key, value)| (key.clone(), self.rewrite(value, start))).collect();
                let Some(name) = reference else { return rest.into() };
                let reference = json!({"$ref": format!("{start}{name}")});
                if rest.is_empty() {
                    return reference;
                }
                rest.insert("allOf".to_owned(), json!([reference]));
                rest.into()
            }
            other => other.clone(),
        }
    }
}

/// The types whose input and output forms are equal.
fn same_in_both(contract: &Contract) -> BTreeSet<&str> {
    let as_output = |schema: &Value| schema.to_string().replace("\"#/inputTypes/", "\"#/outputTypes/");
    let alike = contract.input_types.iter().filter_map(|(name, schema)| {
        let output = contract.output_types.get(name)?.to_string();
        (as_output(schema) == output).then_some(name.as_str())
    });
    let mut same: BTreeSet<&str> = alike.collect();
    // A type differs if one that it refers to does.
    loop {
        let refers = |schema: &Value, name: &str| schema.to_string().contains(&format!("\"#/inputTypes/{name}\""));
        let others = || contract.input_types.keys().filter(|other| !same.contains(other.as_str()));
        let differs = |name: &str| others().any(|other| refers(&contract.input_types[name], other));
        let Some(differing) = same.iter().copied().find(|name| differs(name)) else { return same };
        same.remove(differing);
    }
}

/// Adds a title to a schema and to all inlined schemas in it: code generators name types after titles, and give
/// others a number or a hash. The type's own name comes first: `User`, `UserEmail`.
pub fn titled(title: &str, mut schema: Value) -> Value {
    if schema == json!({"type": "null"}) {
        return json!({"type": "null", "title": "Null"});
    }
    let Some(members) = schema.as_object_mut().filter(|members| !is_reference(members)) else { return schema };
    let named = |part: &str| format!("{title}{}", capitalized(part));
    for (name, member) in members.iter_mut() {
        match (name.as_str(), member) {
            ("properties", Value::Object(fields)) => {
                fields.iter_mut().for_each(|(name, field)| *field = titled(&named(&letters(name)), field.take()));
            }
            ("patternProperties", Value::Object(entries)) => {
                entries.values_mut().for_each(|entry| *entry = titled(&named("value"), entry.take()));
            }
            ("additionalProperties", entry) => *entry = titled(&named("value"), entry.take()),
            ("items", entry) => *entry = titled(&named("item"), entry.take()),
            ("oneOf" | "anyOf" | "prefixItems", Value::Array(branches)) => {
                for (place, branch) in branches.iter_mut().enumerate() {
                    let tag = branch.pointer("/properties/type/const").and_then(Value::as_str);
                    let part = tag.map_or_else(|| format!("Option{}", place + 1), letters);
                    *branch = titled(&named(&part), branch.take());
                }
            }
            ("allOf", Value::Array(parts)) => {
                for (place, part) in parts.iter_mut().enumerate() {
                    *part = titled(&named(&format!("Part{}", place + 1)), part.take());
                }
            }
            _ => {}
        }
    }
    members.insert("title".to_owned(), title.into());
    schema
}

/// Whether the schema is only a reference.
fn is_reference(members: &Map<String, Value>) -> bool {
    members.contains_key("$ref") && !members.contains_key("properties")
}

/// The letters and digits of a name, in the case of types.
fn letters(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric()).map(capitalized).collect()
}

/// The GraphQL name of an enum's value: `createdAt` to `CREATED_AT`, `-createdAt` to `CREATED_AT_DESC`.
pub fn enum_value(wire: &str) -> String {
    let (plain, ending) = wire.strip_prefix('-').map_or((wire, ""), |plain| (plain, "_DESC"));
    let mut name = String::with_capacity(wire.len() + 8);
    let mut before = '_';
    for letter in plain.chars() {
        if letter.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            name.push('_');
        }
        match letter.is_ascii_alphanumeric() {
            true => name.push(letter.to_ascii_uppercase()),
            false => name.push('_'),
        }
        before = letter;
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name + ending
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stub::contract_of;

    #[test]
    fn everything_that_is_written_out_has_a_title() {
        let variant = |tag: &str| json!({"properties": {"type": {"const": tag}, "of": {"$ref": "#/Shape"}}});
        let schema = json!({
            "oneOf": [variant("a-b"), {"type": "null"}],
            "properties": {"title": {"type": "string"}, "all": {"items": {"enum": ["x"]}}},
            "additionalProperties": false,
        });
        let written = titled("Shape", schema);
        let title = |pointer: &str| written.pointer(pointer).unwrap()["title"].clone();
        assert_eq!(title(""), "Shape");
        assert_eq!(title("/oneOf/0"), "ShapeAB");
        assert_eq!(title("/oneOf/0/properties/type"), "ShapeABType");
        assert_eq!(title("/oneOf/1"), "Null");
        assert_eq!(title("/properties/title"), "ShapeTitle");
        assert_eq!(title("/properties/all/items"), "ShapeAllItem");
        assert_eq!(written.pointer("/oneOf/0/properties/of"), Some(&json!({"$ref": "#/Shape"})));
        assert_eq!(written["additionalProperties"], false);
    }

    #[test]
    fn names_are_readable_and_each_names_one_type() {
        let contract = json!({
            "outputTypes": {
                "Poem": {"type": "object"},
                "Id": {"type": "string"},
                "Box": {"properties": {"user": {"$ref": "#/outputTypes/Unit"}}},
                "Unit": {"properties": {"id": {"$ref": "#/outputTypes/Id", "description": "Whose."}}},
            },
            "inputTypes": {
                "Id": {"type": "string"},
                "Box": {"properties": {"user": {"$ref": "#/inputTypes/Unit"}}},
                "Unit": {"properties": {"id": {"$ref": "#/inputTypes/Id"}}},
                "Given": {"type": "string"},
            },
        });
        let contract = contract_of(contract);
        let names = Names::of(&contract);
        let types = names.types(&contract, "#/t/");
        let listed: Vec<_> = types.keys().map(String::as_str).collect();
        assert_eq!(listed, ["Box", "BoxInput", "Given", "Id", "Poem", "Unit", "UnitInput"]);
        assert_eq!(types["BoxInput"], json!({"title": "BoxInput", "properties": {"user": {"$ref": "#/t/UnitInput"}}}));
        let id = json!({"title": "UnitId", "allOf": [{"$ref": "#/t/Id"}], "description": "Whose."});
        assert_eq!(types["Unit"], json!({"title": "Unit", "properties": {"id": id}}));
    }
}
