//! What the REST route of a procedure says about its requests and answers, for documents. `runtime` answers so.

use protocol::{
    PathPattern, RestAnswer,
    contract::{Contract, ProcedureContract},
};
use serde_json::{Map, Value};

/// A procedure's place in REST.
#[derive(Debug)]
pub struct Route<'a> {
    /// What is there.
    pub procedure: &'a ProcedureContract,
    /// `GET`.
    pub method: &'a str,
    /// `/v1/orders/{id}`.
    pub path: &'a str,
    /// What its answers say besides the output.
    pub answer: RestAnswer,
    contract: &'a Contract,
}

/// A field of an input.
#[derive(Clone, Copy, Debug)]
pub struct InputField<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its schema.
    pub schema: &'a Value,
    /// Whether it has to be there.
    pub is_required: bool,
}

impl<'a> Route<'a> {
    /// The route of a procedure that has one.
    pub fn of(contract: &'a Contract, procedure: &'a ProcedureContract) -> Option<Self> {
        let (method, path) = procedure.rest.as_deref()?.split_once(' ')?;
        Some(Self { procedure, method, path, answer: procedure.rest_answer.unwrap_or_default(), contract })
    }

    /// Those of all procedures that have one.
    pub fn all(contract: &'a Contract) -> impl Iterator<Item = Self> {
        contract.in_styles().filter_map(|procedure| Self::of(contract, procedure))
    }

    /// The names in the path's braces.
    pub fn names_in_path(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        PathPattern(self.path).names()
    }

    /// The path without its names: two routes that share it cannot be told apart.
    pub fn shape(&self) -> String {
        PathPattern(self.path).shape()
    }

    /// Whether the input comes in a body; else in the address.
    pub fn has_body(&self) -> bool {
        !matches!(self.method, "GET" | "DELETE")
    }

    /// The input's fields.
    pub fn fields(&self) -> impl Iterator<Item = InputField<'a>> + use<'a> {
        let input = self.procedure.input.as_ref().map(|input| self.contract.resolve(input));
        let required = input.and_then(|input| input.get("required")?.as_array()).map(Vec::as_slice).unwrap_or_default();
        let order = &self.procedure.input_fields;
        let mut fields: Vec<InputField<'a>> = members(input)
            .into_iter()
            .flatten()
            .map(|(name, schema)| InputField { name, schema, is_required: required.iter().any(|known| known == name) })
            .collect();
        fields.sort_by_key(|field| order.iter().position(|name| name == field.name));
        fields.into_iter()
    }

    /// The fields that stand in the path.
    pub fn path_fields(&self) -> impl Iterator<Item = InputField<'a>> + use<'a> {
        let fields: Vec<_> = self.fields().collect();
        self.names_in_path().filter_map(move |name| fields.iter().copied().find(|field| field.name == name))
    }

    /// The fields that do not stand in the path: in the query, or in the body.
    pub fn other_fields(&self) -> impl Iterator<Item = InputField<'a>> + use<'a> {
        let in_path: Vec<_> = self.names_in_path().collect();
        self.fields().filter(move |field| !in_path.contains(&field.name))
    }

    /// The status of an answer that is as it should be.
    pub fn status(&self) -> u16 {
        self.answer.status(self.procedure.output.is_some())
    }
}

fn members(schema: Option<&Value>) -> Option<&Map<String, Value>> {
    schema?.get("properties")?.as_object()
}

/// How a field is written in an address, which knows texts only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// Each entry by itself, under the same name.
    Repeated,
    /// As JSON.
    Json,
}

impl Form {
    /// That of a schema.
    pub fn of(contract: &Contract, schema: &Value) -> Self {
        let schema = contract.resolve(without_null(contract, schema));
        if ["oneOf", "anyOf"].iter().any(|key| schema.get(key).is_some()) {
            return Self::Json;
        }
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().find_map(|kind| kind.as_str().filter(|kind| *kind != "null")),
            kind => kind.and_then(Value::as_str),
        };
        match kind {
            Some("array") if schema.get("prefixItems").is_none() => Self::Repeated,
            Some("string" | "integer" | "number" | "boolean") => Self::Plain,
            None if schema.get("enum").is_some() || schema.get("const").is_some() => Self::Plain,
            _ => Self::Json,
        }
    }
}

/// The schema that stands beside null, where there is such a choice.
pub fn without_null<'a>(contract: &'a Contract, schema: &'a Value) -> &'a Value {
    let is_null = |branch: &&Value| contract.resolve(branch).get("type").and_then(Value::as_str) == Some("null");
    let branches = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match branches {
        [one, null] if is_null(&null) => one,
        [null, one] if is_null(&null) => one,
        _ => schema,
    }
}
