//! The REST route of a procedure, for documents. `runtime` implements it.

use protocol::{
    PathPattern, RestAnswer,
    contract::{Contract, ProcedureContract},
};
use serde_json::{Map, Value};

/// A procedure's REST route.
#[derive(Debug)]
pub struct Route<'a> {
    /// The procedure.
    pub procedure: &'a ProcedureContract,
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The path, such as `/v1/orders/{id}`.
    pub path: &'a str,
    /// What its responses state in addition to the output.
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
    /// Whether it is required.
    pub is_required: bool,
}

impl<'a> Route<'a> {
    /// The route of a procedure, if it has one.
    pub fn of(contract: &'a Contract, procedure: &'a ProcedureContract) -> Option<Self> {
        let (method, path) = procedure.rest.as_deref()?.split_once(' ')?;
        Some(Self { procedure, method, path, answer: procedure.rest_answer.unwrap_or_default(), contract })
    }

    /// The routes of all procedures.
    pub fn all(contract: &'a Contract) -> impl Iterator<Item = Self> {
        contract.in_styles().filter_map(|procedure| Self::of(contract, procedure))
    }

    /// The names in the path's braces.
    pub fn names_in_path(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        PathPattern(self.path).names()
    }

    /// The path without its names: two routes with the same shape cannot be told apart.
    pub fn shape(&self) -> String {
        PathPattern(self.path).shape()
    }

    /// Whether the input is in the body; otherwise it is in the address.
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

    /// The fields in the path.
    pub fn path_fields(&self) -> impl Iterator<Item = InputField<'a>> + use<'a> {
        let fields: Vec<_> = self.fields().collect();
        self.names_in_path().filter_map(move |name| fields.iter().copied().find(|field| field.name == name))
    }

    /// The fields that are not in the path: those in the query or in the body.
    pub fn other_fields(&self) -> impl Iterator<Item = InputField<'a>> + use<'a> {
        let in_path: Vec<_> = self.names_in_path().collect();
        self.fields().filter(move |field| !in_path.contains(&field.name))
    }

    /// The status of a successful response.
    pub fn status(&self) -> u16 {
        self.answer.status(self.procedure.output.is_some())
    }
}

fn members(schema: Option<&Value>) -> Option<&Map<String, Value>> {
    schema?.get("properties")?.as_object()
}

/// The form of a field in an address, which consists of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterForm {
    /// The value as it is.
    Plain,
    /// Each entry by itself, in a repeated parameter.
    Repeated,
    /// As JSON.
    Json,
}

impl ParameterForm {
    /// The form of a schema's values.
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

/// The schema beside null, in a choice of the two.
pub fn without_null<'a>(contract: &'a Contract, schema: &'a Value) -> &'a Value {
    let is_null = |branch: &&Value| contract.resolve(branch).get("type").and_then(Value::as_str) == Some("null");
    let branches = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match branches {
        [one, null] if is_null(&null) => one,
        [null, one] if is_null(&null) => one,
        _ => schema,
    }
}
