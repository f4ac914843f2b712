//! The parts of a contract that a comparison relies on.

use std::collections::BTreeMap;

use protocol::contract::expect_format;
use serde_json::{Map, Value};

use super::code;

/// A contract whose outline is valid: procedures have names, and all references have a target.
pub(super) struct Document<'a> {
    pub root: &'a Map<String, Value>,
    pub procedures: BTreeMap<String, &'a Value>,
}

impl<'a> Document<'a> {
    pub fn read(contract: &'a Value) -> Result<Self, String> {
        let root = contract.as_object().ok_or("is no JSON object")?;
        expect_format(root.get("format"))?;
        let listed = root.get("procedures").and_then(Value::as_array).ok_or("has no list `procedures`")?;
        let mut procedures = BTreeMap::new();
        for procedure in listed {
            let name = procedure["name"].as_str().ok_or("has a procedure without a `name`")?;
            if procedures.insert(name.to_owned(), procedure).is_some() {
                return Err(format!("has two procedures named `{name}`"));
            }
        }
        let document = Self { root, procedures };
        match document.dangling(contract) {
            None => Ok(document),
            Some(reference) => Err(format!("refers to {reference}, which is not in it")),
        }
    }

    /// A reference without a target.
    fn dangling(&self, value: &Value) -> Option<String> {
        match value {
            Value::Array(members) => members.iter().find_map(|member| self.dangling(member)),
            Value::Object(members) => match members.get("$ref") {
                Some(Value::String(reference)) if self.named(reference).is_none() => Some(code(reference)),
                _ => members.values().find_map(|member| self.dangling(member)),
            },
            _ => None,
        }
    }

    /// The type of a reference such as `#/outputTypes/User`.
    pub fn named(&self, reference: &str) -> Option<&'a Value> {
        let (room, name) = reference.strip_prefix("#/")?.split_once('/')?;
        self.root.get(room).filter(|_| ["inputTypes", "outputTypes"].contains(&room))?.get(name)
    }

    /// The names of all types, which clients may import.
    pub fn type_names(&self) -> BTreeMap<String, ()> {
        let rooms = ["inputTypes", "outputTypes"].into_iter().filter_map(|room| self.root.get(room)?.as_object());
        rooms.flat_map(Map::keys).map(|name| (name.clone(), ())).collect()
    }
}
