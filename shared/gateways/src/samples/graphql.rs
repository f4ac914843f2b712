//! Samples of procedures as GraphQL fields.

use protocol::{
    Kind, case,
    contract::{Contract, ProcedureContract},
};
use serde_json::{Map, Value, json};

use crate::{
    names::{Names, enum_value},
    rest::{ParameterForm, without_null},
};

/// The maximum number of selected fields.
const MAX_FIELDS: usize = 6;

/// The body of a request: the operation selects the plain fields of the output and of failures.
pub fn request(contract: &Contract, procedure: &ProcedureContract, input: Option<&Value>) -> String {
    let kind = if procedure.kind == Kind::Query { "query" } else { "mutation" };
    let is_page = page(contract, procedure).is_some();
    let arguments = arguments(contract, procedure, input, is_page);
    let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
    let name = case::camel_case(&procedure.name);
    let operation = format!("{kind} {{ {name}{arguments}{} }}", selection(contract, procedure));
    json!({ "query": operation }).to_string()
}

/// The arguments: one for each field in a query, one for the whole input in a mutation.
fn arguments(contract: &Contract, procedure: &ProcedureContract, input: Option<&Value>, is_page: bool) -> String {
    let schema = procedure.input.as_ref();
    let filled = input.filter(|input| input.as_object().is_some_and(|fields| !fields.is_empty()));
    match (procedure.kind, filled) {
        (Kind::Mutation, Some(input)) => format!("input: {}", literal(contract, input, schema)),
        (Kind::Query, Some(input)) => {
            let object = literal(contract, input, schema);
            object.trim_start_matches('{').trim_end_matches('}').to_owned()
        }
        (Kind::Query, None) if is_page => "first: 20".to_owned(),
        (_, None) => String::new(),
    }
}

/// The selection of the result.
fn selection(contract: &Contract, procedure: &ProcedureContract) -> String {
    let fails = !procedure.failures.is_empty();
    let Some(output) = &procedure.output else {
        return if fails { " { __typename ... on Failure { message } }".to_owned() } else { " { ok }".to_owned() };
    };
    if let Some(entry) = page(contract, procedure)
        && !fails
    {
        return format!(" {{ nodes {{ {} }} pageInfo {{ hasNextPage endCursor }} }}", fields(contract, entry));
    }
    let names = Names::of(contract);
    let name = output.get("$ref").and_then(Value::as_str).and_then(|reference| names.get(reference));
    let entry = entry_of(contract, output);
    match (fails, name) {
        (true, Some(name)) if is_object(contract, output) => {
            format!(" {{ ... on {name} {{ {} }} ... on Failure {{ message }} }}", fields(contract, output))
        }
        (true, _) => " { __typename ... on Failure { message } }".to_owned(),
        (false, _) if is_object(contract, entry) => format!(" {{ {} }}", fields(contract, entry)),
        (false, _) if is_tagged(contract, entry) => " { __typename }".to_owned(),
        (false, _) => String::new(),
    }
}

/// Whether the schema is a tagged union: an enum has no members.
fn is_tagged(contract: &Contract, schema: &Value) -> bool {
    let variants = contract.resolve(without_null(contract, schema)).get("oneOf").and_then(Value::as_array);
    variants.into_iter().flatten().any(|variant| variant["properties"]["type"].get("const").is_some())
}

/// The names of an object's plain fields.
fn fields(contract: &Contract, schema: &Value) -> String {
    let properties = contract.resolve(schema).get("properties").and_then(Value::as_object);
    let is_plain = |field: &Value| {
        let field = contract.resolve(without_null(contract, field));
        let entry = entry_of(contract, field);
        !is_object(contract, entry) && ParameterForm::of(contract, entry) == ParameterForm::Plain
    };
    let plain = properties.into_iter().flatten().filter(|(_, field)| is_plain(field)).map(|(name, _)| name.as_str());
    let plain: Vec<&str> = plain.take(MAX_FIELDS).collect();
    if plain.is_empty() { "__typename".to_owned() } else { plain.join(" ") }
}

/// The items of a page.
fn page<'a>(contract: &'a Contract, procedure: &'a ProcedureContract) -> Option<&'a Value> {
    let properties = contract.resolve(procedure.output.as_ref()?).get("properties")?.as_object()?;
    let is_page = properties.len() == 2 && properties.contains_key("next");
    properties.get("items").filter(|_| is_page)?.get("items")
}

fn entry_of<'a>(contract: &'a Contract, schema: &'a Value) -> &'a Value {
    contract.resolve(schema).get("items").unwrap_or(schema)
}

fn is_object(contract: &Contract, schema: &Value) -> bool {
    contract.resolve(schema).get("properties").is_some()
}

/// A value as a GraphQL literal. Values of enums are names there.
fn literal(contract: &Contract, value: &Value, schema: Option<&Value>) -> String {
    let schema = schema.map(|schema| contract.resolve(without_null(contract, schema)));
    let is_enum = schema.is_some_and(|schema| schema.get("oneOf").is_some() || schema.get("enum").is_some());
    let is_union = schema.is_some_and(|schema| schema.get("oneOf").is_some());
    match value {
        Value::String(text) if is_enum => enum_value(text),
        Value::Array(entries) => {
            let items = schema.and_then(|schema| schema.get("items"));
            let entries: Vec<String> = entries.iter().map(|entry| literal(contract, entry, items)).collect();
            format!("[{}]", entries.join(", "))
        }
        // A tagged union is an object with one field, the variant's.
        Value::Object(fields) if is_union => {
            let tag = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            let variants = schema.and_then(|schema| schema.get("oneOf")?.as_array()).into_iter().flatten();
            let mut tagged = variants.filter(|variant| variant["properties"]["type"]["const"] == tag);
            let mut rest = fields.clone();
            rest.remove("type");
            let variant = tagged.next();
            // A variant without fields has the value `true`.
            let members = variant.and_then(|variant| variant.get("properties")?.as_object()).map_or(0, Map::len);
            let is_bare = members == 1 && variant.is_some_and(|variant| variant.get("$ref").is_none());
            let inner = if is_bare { "true".to_owned() } else { literal(contract, &Value::Object(rest), variant) };
            format!("{{{tag}: {inner}}}")
        }
        Value::Object(fields) => {
            let inner = |name: &str| schema.and_then(|schema| schema.get("properties")?.get(name));
            let fields =
                fields.iter().map(|(name, value)| format!("{name}: {}", literal(contract, value, inner(name))));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
