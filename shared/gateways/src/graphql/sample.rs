//! An operation that calls one procedure, as somebody would type it.

use serde_json::Value as Json;

use super::types::{Arguments, InputField, Kind, Of, Source, Types};
use crate::{Contract, Procedure};

/// The operation with this input; none when the contract has no schema. It asks for the kind of the answer: every
/// answer has one that is no single value.
pub fn sample(contract: &Contract, procedure: &Procedure, input: Option<&Json>) -> Option<String> {
    let types = super::schema::build(contract).ok()?;
    let name = procedure.camel_case_name();
    let field = types.field(Types::root(procedure.kind), &name)?;
    let Source::Call(call) = field.source else { return None };
    let arguments: Vec<String> = match (&types.calls.get(call)?.arguments, input) {
        (Arguments::Fields(fields), Some(Json::Object(given))) => {
            let argument = |field: &InputField| Some(named(&types, field, given.get(&field.wire)?));
            fields.iter().filter_map(argument).collect()
        }
        (Arguments::Input(field), Some(given)) => vec![named(&types, field, given)],
        _ => Vec::new(),
    };
    let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
    let selection = if has_fields(&field.of) { " { __typename }" } else { "" };
    let kind = if procedure.kind == protocol::Kind::Query { "query" } else { "mutation" };
    Some(format!("{kind} {{ {name}{arguments}{selection} }}"))
}

fn has_fields(of: &Of) -> bool {
    match &of.kind {
        Kind::Object(_) | Kind::Union(_) => true,
        Kind::List(item) => has_fields(item),
        Kind::Scalar(_) | Kind::Enum(_) | Kind::Input(_) => false,
    }
}

fn named(types: &Types, field: &InputField, value: &Json) -> String {
    format!("{}: {}", field.name, literal(types, &field.of, value))
}

/// A value as GraphQL writes it.
fn literal(types: &Types, of: &Of, value: &Json) -> String {
    match (&of.kind, value) {
        (Kind::Enum(name), Json::String(wire)) => {
            let known = types.enums.get(name).and_then(|known| known.values.iter().find(|value| value.wire == *wire));
            known.map_or_else(|| value.to_string(), |known| known.name.clone())
        }
        (Kind::List(item), Json::Array(entries)) => {
            let entries: Vec<String> = entries.iter().map(|entry| literal(types, item, entry)).collect();
            format!("[{}]", entries.join(", "))
        }
        (Kind::Input(name), Json::Object(members)) => {
            let Some(known) = types.inputs.get(name) else { return value.to_string() };
            if known.one_of {
                let tag = members.get("type").and_then(Json::as_str).unwrap_or_default();
                let variant = known.fields.iter().find(|field| field.wire == tag);
                let inside =
                    |field: &InputField| if field.bare { "true".into() } else { literal(types, &field.of, value) };
                return variant.map_or_else(String::new, |field| format!("{{{}: {}}}", field.name, inside(field)));
            }
            let member = |field: &InputField| Some(named(types, field, members.get(&field.wire)?));
            let members: Vec<String> = known.fields.iter().filter_map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        (_, Json::Object(members)) => {
            let member = |(name, value): (&String, &Json)| format!("{name}: {}", literal(types, of, value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        (_, Json::Array(entries)) => {
            let entries: Vec<String> = entries.iter().map(|entry| literal(types, of, entry)).collect();
            format!("[{}]", entries.join(", "))
        }
        (_, value) => value.to_string(),
    }
}
