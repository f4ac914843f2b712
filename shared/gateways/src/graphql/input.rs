//! Converts arguments and variables to a procedure's input. Absent stays absent, and null stays null.

use async_graphql::{
    Positioned, Value, Variables,
    parser::types::{Field, OperationDefinition},
};
use async_graphql_value::Value as GraphQlValue;
use serde_json::{Map, Value as Json};

use super::{
    fault::Fault,
    types::{Arguments, FieldType, InputField, Kind, Types},
};
use crate::paths::{self, Step};

/// The variables for the library, which does not distinguish absent from null.
pub(super) fn without_absent(operation: &OperationDefinition, values: &Variables) -> Variables {
    let mut all = values.clone();
    for definition in &operation.variable_definitions {
        all.entry(definition.node.name.node.clone()).or_insert(Value::Null);
    }
    all
}

/// A value of a document, with its variables replaced; none for a variable that is absent.
pub(super) fn value(input_value: &GraphQlValue, variables: &Variables) -> Option<Value> {
    Some(match input_value {
        GraphQlValue::Variable(name) => variables.get(name)?.clone(),
        GraphQlValue::Null => Value::Null,
        GraphQlValue::Number(number) => Value::Number(number.clone()),
        GraphQlValue::String(text) => Value::String(text.clone()),
        GraphQlValue::Boolean(boolean) => Value::Boolean(*boolean),
        GraphQlValue::Binary(bytes) => Value::Binary(bytes.clone()),
        GraphQlValue::Enum(name) => Value::Enum(name.clone()),
        GraphQlValue::List(items) => {
            Value::List(items.iter().map(|item| value(item, variables).unwrap_or_default()).collect())
        }
        GraphQlValue::Object(members) => {
            let member = |(name, input_value)| Some((async_graphql::Name::clone(name), value(input_value, variables)?));
            Value::Object(members.iter().filter_map(member).collect())
        }
    })
}

/// The input of a procedure; none if it has none.
///
/// # Errors
/// Why a value does not fit its type.
pub(super) fn input(
    types: &Types,
    arguments: &Arguments,
    field: &Positioned<Field>,
    variables: &Variables,
) -> Result<Option<Json>, Fault> {
    let input_value = |known: &InputField| value(&field.node.get_argument(&known.name)?.node, variables);
    let wire = |known: &InputField, input_value| {
        wire(types, &known.of, input_value).map_err(|reason| Fault::invalid(format!("{}: {reason}", known.name)))
    };
    match arguments {
        Arguments::None => Ok(None),
        Arguments::Input(known) => input_value(known).map(|input_value| wire(known, input_value)).transpose(),
        Arguments::Fields(fields) => {
            let mut input = Map::new();
            for known in fields {
                if let Some(input_value) = input_value(known) {
                    input.insert(known.wire.clone(), wire(known, input_value)?);
                }
            }
            Ok(Some(Json::Object(input)))
        }
    }
}

/// The path of a member of a procedure's input, in the names of the arguments.
pub(super) fn spelled(types: &Types, arguments: &Arguments, input: Option<&Json>, path: &str) -> String {
    let input = input.unwrap_or(&Json::Null);
    match arguments {
        Arguments::None => path.to_owned(),
        // The argument is the input itself, in which paths begin as in every style.
        Arguments::Input(known) => {
            paths::spelled(path, input, known.of.clone(), |of: FieldType, step, value| into(types, &of, step, value))
        }
        Arguments::Fields(fields) => paths::spelled(path, input, None, |of: Option<FieldType>, step, value| {
            match (of, step) {
                (None, Step::Member(name)) => member(fields, name),
                (of, step) => into(types, &of?, step, value),
            }
            .map(|(name, of)| (name, Some(of)))
        }),
    }
}

/// The name of a member where a type is expected, and the type of its value.
fn into(types: &Types, of: &FieldType, step: Step<'_>, value: &Json) -> Option<(String, FieldType)> {
    match (&of.kind, step) {
        (Kind::List(item), Step::Item(place)) => Some((format!("[{place}]"), FieldType::clone(item))),
        (Kind::Input(name), Step::Member(wire)) => {
            let known = types.inputs.get(name)?;
            if !known.one_of {
                return member(&known.fields, wire);
            }
            let (variant, of) = member(&known.fields, paths::tag(value)?)?;
            let (name, of) = into(types, &of, step, value)?;
            Some((format!("{variant}.{name}"), of))
        }
        _ => None,
    }
}

fn member(fields: &[InputField], wire: &str) -> Option<(String, FieldType)> {
    let known = fields.iter().find(|known| known.wire == wire)?;
    Some((known.name.clone(), known.of.clone()))
}

/// A value in its form on the wire.
fn wire(types: &Types, of: &FieldType, input_value: Value) -> Result<Json, String> {
    match (&of.kind, input_value) {
        (_, Value::Null) => Ok(Json::Null),
        (Kind::List(of), Value::List(items)) => items.into_iter().map(|item| wire(types, of, item)).collect(),
        // A single value counts as a list of one (specification, section 3.11).
        (Kind::List(of), one) => Ok(Json::Array(vec![wire(types, of, one)?])),
        (Kind::Enum(name), Value::Enum(value)) => enum_value(types, name, &value),
        (Kind::Enum(name), Value::String(value)) => enum_value(types, name, &value),
        (Kind::Input(name), Value::Object(members)) => {
            let Some(known) = types.inputs.get(name) else { return Err(format!("`{name}` is no input")) };
            let mut object = Map::new();
            for (member, input_value) in members {
                let field = known.fields.iter().find(|field| field.name == member.as_str());
                let field = field.ok_or_else(|| format!("`{name}` has no field `{member}`"))?;
                let value = match input_value {
                    // Null means absent.
                    Value::Boolean(true) if field.bare => Json::Object(Map::new()),
                    Value::Boolean(false) if field.bare => return Err(format!("`{member}` {IS_TRUE}")),
                    input_value => wire(types, &field.of, input_value)?,
                };
                object.insert(field.wire.clone(), value);
            }
            if known.one_of { tagged(name, object) } else { Ok(Json::Object(object)) }
        }
        (Kind::Input(name), _) => Err(format!("not an object, as `{name}` is")),
        (_, input_value) => input_value.into_json().map_err(|_| "not a value".to_owned()),
    }
}

/// The message about a variant without fields that is false.
pub(super) const IS_TRUE: &str = "is `true`, where it is given";

/// The one field that is present becomes the `type`.
fn tagged(name: &str, object: Map<String, Json>) -> Result<Json, String> {
    let mut members = object.into_iter();
    match (members.next(), members.next()) {
        (Some((tag, Json::Object(mut value))), None) => {
            value.insert("type".to_owned(), Json::String(tag));
            Ok(Json::Object(value))
        }
        _ => Err(format!("exactly one field of `{name}` has to be given, and not null")),
    }
}

fn enum_value(types: &Types, name: &str, value: &str) -> Result<Json, String> {
    let known = types.enums.get(name).and_then(|known| known.values.iter().find(|known| known.name == value));
    known.map(|known| Json::String(known.wire.clone())).ok_or_else(|| format!("`{value}` is no value of `{name}`"))
}
