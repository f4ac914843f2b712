//! Variables: of which types they are, whether those fit where they stand (specification, section 5.8.5), and whether
//! what is given fits them (section 6.1.2).

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{
        BaseType, Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
        Type, VariableDefinition,
    },
};
use async_graphql_value::Value as Given;

use super::{
    fault::Fault,
    types::{Kind, MUTATION, Of, QUERY, Source, Types},
};
use crate::respond::shortened;

/// The values of an operation's variables: what was given, else the default.
///
/// # Errors
/// Which variable has to be given, or does not fit its type.
pub(super) fn values(types: &Types, operation: &OperationDefinition, mut given: Variables) -> Result<Variables, Fault> {
    let mut values = Variables::default();
    for definition in &operation.variable_definitions {
        let of = type_of(types, definition)?;
        let VariableDefinition { name, var_type, default_value, .. } = &definition.node;
        let name = &name.node;
        let default = default_value.as_ref().map(|value| value.node.clone());
        let refused = |message: String| Fault::invalid(message).at(definition.pos);
        // What stands in the document is a literal, of which each has one type; in JSON there are numbers only.
        let given = given.remove(name).map(|value| in_json(types, &of, value));
        match given.or(default) {
            Some(Value::Null) if !of.nullable => {
                return Err(refused(format!("The variable `${name}` cannot be null.")));
            }
            Some(value) => {
                let mut path = format!("${name}");
                fits(types, &of, &value, &mut path).map_err(|reason| {
                    refused(format!(
                        "The variable `${name}` does not fit its type `{}`: `{path}` {reason}.",
                        var_type.node
                    ))
                })?;
                values.insert(name.clone(), value);
            }
            None if !of.nullable => return Err(refused(format!("The variable `${name}` has to be given."))),
            None => {}
        }
    }
    Ok(values)
}

/// A value of JSON, in which a number without a fraction is an `Int`, however it is written (specification, section
/// 3.5.1, "Input Coercion").
fn in_json(types: &Types, of: &Of, value: Value) -> Value {
    match (&of.kind, value) {
        (Kind::List(item), Value::List(items)) => {
            Value::List(items.into_iter().map(|value| in_json(types, item, value)).collect())
        }
        (Kind::List(item), one) => in_json(types, item, one),
        (Kind::Input(name), Value::Object(members)) => {
            let fields = types.inputs.get(name).map_or(&[][..], |known| &known.fields);
            let member = |(name, value): (Name, Value)| match fields.iter().find(|field| field.name == name.as_str()) {
                Some(field) => (name, in_json(types, &field.of, value)),
                None => (name, value),
            };
            Value::Object(members.into_iter().map(member).collect())
        }
        (Kind::Scalar(name), Value::Number(number)) if ["Int", "ID"].contains(&name.as_str()) => {
            let whole = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
            // 32 bits, or what every number of JSON holds exactly: no digit is lost. Zero has no sign.
            let whole = whole.filter(|float| float.abs() <= MAX_EXACT).map(|float| format!("{:.0}", float + 0.0));
            Value::Number(whole.and_then(|digits| digits.parse().ok()).unwrap_or(number))
        }
        (_, value) => value,
    }
}

/// The greatest integer that every number of JSON holds exactly: 2^53 - 1.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// The type that a variable says.
fn type_of(types: &Types, definition: &Positioned<VariableDefinition>) -> Result<Of, Fault> {
    let said = &definition.node.var_type.node;
    said_type(types, said).ok_or_else(|| {
        let name = &definition.node.name.node;
        Fault::invalid(format!("The variable `${name}` has a type that no input has: `{said}`.")).at(definition.pos)
    })
}

fn said_type(types: &Types, said: &Type) -> Option<Of> {
    let kind = match &said.base {
        BaseType::List(item) => Kind::list(said_type(types, item)?),
        BaseType::Named(name) => {
            let name = name.as_str();
            if types.enums.contains_key(name) {
                Kind::Enum(name.to_owned())
            } else if types.inputs.contains_key(name) {
                Kind::Input(name.to_owned())
            } else if types.scalars.contains_key(name) || ["Int", "Float", "String", "Boolean", "ID"].contains(&name) {
                Kind::scalar(name)
            } else {
                return None;
            }
        }
    };
    Some(kind.nullable(said.nullable))
}

/// Whether a value fits a type. What a scalar of ours holds is judged by the procedure. `path` ends where it does not.
fn fits(types: &Types, of: &Of, value: &Value, path: &mut String) -> Result<(), String> {
    let right = match (&of.kind, value) {
        (_, Value::Null) if of.nullable => true,
        (_, Value::Null) => return Err("cannot be null".into()),
        (Kind::List(item), Value::List(items)) => {
            for (place, value) in items.iter().enumerate() {
                within(path, &format!("[{place}]"), |path| fits(types, item, value, path))?;
            }
            true
        }
        // One value is a list of one (specification, section 3.11).
        (Kind::List(item), one) => return fits(types, item, one, path),
        (Kind::Enum(name), Value::Enum(value)) => types.enums.get(name).is_some_and(|known| known.names(value)),
        (Kind::Enum(name), Value::String(value)) => types.enums.get(name).is_some_and(|known| known.names(value)),
        (Kind::Input(name), Value::Object(members)) => return fit(types, name, members.iter(), path),
        (Kind::Scalar(name), value) => match (name.as_str(), value) {
            ("Int", Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            ("ID", Value::Number(number)) => number.is_i64() || number.is_u64(),
            ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => true,
            (name, _) => !["Int", "Float", "String", "Boolean", "ID"].contains(&name),
        },
        _ => false,
    };
    if right { Ok(()) } else { Err(format!("is no `{}`", of.kind.name())) }
}

fn fit<'v>(
    types: &Types,
    name: &str,
    members: impl ExactSizeIterator<Item = (&'v Name, &'v Value)> + Clone,
    path: &mut String,
) -> Result<(), String> {
    let Some(known) = types.inputs.get(name) else { return Ok(()) };
    if known.one_of && (members.len() != 1 || members.clone().any(|(_, value)| *value == Value::Null)) {
        return Err("has to have exactly one member, and not null".into());
    }
    let mut given = HashSet::new();
    for (member, value) in members {
        let Some(field) = known.fields.iter().find(|field| field.name == member.as_str()) else {
            return Err(format!("has no member `{}`", shortened(member)));
        };
        within(path, &format!(".{member}"), |path| fits(types, &field.of, value, path))?;
        given.insert(member.as_str());
    }
    match known.fields.iter().find(|field| !field.of.nullable && !given.contains(field.name.as_str())) {
        Some(missing) => Err(format!("has to have `{}`", missing.name)),
        None => Ok(()),
    }
}

/// What does not fit stays in the path.
fn within(path: &mut String, step: &str, check: impl FnOnce(&mut String) -> Result<(), String>) -> Result<(), String> {
    let length = path.len();
    path.push_str(step);
    check(path)?;
    path.truncate(length);
    Ok(())
}

/// A variable that an operation has.
struct Declared<'d> {
    of: Of,
    definition: &'d Positioned<VariableDefinition>,
}

/// An operation whose variables are looked for.
struct Places<'d> {
    types: &'d Types,
    document: &'d ExecutableDocument,
    declared: HashMap<&'d str, Declared<'d>>,
    /// The fragments that were looked at: they are the same each time.
    seen: HashSet<&'d str>,
}

/// Whether the variables of all operations may stand where they do. The document's fragments do not contain
/// themselves.
///
/// # Errors
/// Which one may not.
pub(super) fn check(types: &Types, document: &ExecutableDocument) -> Result<(), Fault> {
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        let mut declared = HashMap::new();
        for definition in &operation.variable_definitions {
            let of = type_of(types, definition)?;
            // What has a default is not null unless that is said (`hasNonNullVariableDefaultValue`).
            let default = definition.node.default_value.as_ref().is_some_and(|value| value.node != Value::Null);
            let of = Of { nullable: of.nullable && !default, ..of };
            declared.insert(definition.node.name.node.as_str(), Declared { of, definition });
        }
        let root = if operation.ty == OperationType::Mutation { MUTATION } else { QUERY };
        let mut places = Places { types, document, declared, seen: HashSet::new() };
        for definition in &operation.variable_definitions {
            if let Some(default) = &definition.node.default_value {
                let (of, given) = (type_of(types, definition)?, default.node.clone().into_value());
                places.part(&of, &given).map_err(|fault| fault.at(default.pos))?;
            }
        }
        places.directives(&operation.directives)?;
        places.set(Some(root), &operation.selection_set.node)?;
    }
    Ok(())
}

impl<'d> Places<'d> {
    fn set(&mut self, parent: Option<&'d str>, set: &'d SelectionSet) -> Result<(), Fault> {
        for selection in &set.items {
            self.directives(selection.node.directives())?;
            match &selection.node {
                Selection::Field(field) => self.field(parent, field)?,
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |condition| Some(condition.node.on.node.as_str()));
                    self.set(parent, &fragment.node.selection_set.node)?;
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.document.fragments.get(name) else { continue };
                    if self.seen.insert(name.as_str()) {
                        self.directives(&fragment.node.directives)?;
                        let parent = fragment.node.type_condition.node.on.node.as_str();
                        self.set(Some(parent), &fragment.node.selection_set.node)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, parent: Option<&'d str>, field: &'d Positioned<Field>) -> Result<(), Fault> {
        let types = self.types;
        let name = field.node.name.node.as_str();
        let known = parent.and_then(|parent| types.field(parent, name));
        let call = known.and_then(|known| match known.source {
            Source::Call(call) => types.calls.get(call),
            _ => None,
        });
        for (argument, given) in &field.node.arguments {
            let argument = argument.node.as_str();
            let ours = call.and_then(|call| call.arguments.fields().iter().find(|known| known.name == argument));
            match (ours, name, argument) {
                (Some(known), ..) => self.value(&known.of, given)?,
                (None, "__type", "name") => self.value(&Kind::scalar("String").nullable(false), given)?,
                (None, _, "includeDeprecated") => self.value(&Kind::scalar("Boolean").nullable(true), given)?,
                _ => {}
            }
        }
        let below = parent.and_then(|parent| types.field_of(parent, name)).map(|of| of.kind.name());
        self.set(below, &field.node.selection_set.node)
    }

    fn directives(&self, directives: &'d [Positioned<Directive>]) -> Result<(), Fault> {
        let condition = Kind::scalar("Boolean").nullable(false);
        let mut arguments = directives.iter().filter_map(|directive| directive.node.get_argument("if"));
        arguments.try_for_each(|given| self.value(&condition, given))
    }

    fn value(&self, of: &Of, given: &Positioned<Given>) -> Result<(), Fault> {
        self.part(of, &given.node).map_err(|fault| {
            let mut locations = fault.locations;
            locations.push(given.pos);
            Fault { locations, ..fault }
        })
    }

    /// A value that stands where this type is expected, or a part of one.
    fn part(&self, of: &Of, given: &Given) -> Result<(), Fault> {
        match (given, &of.kind) {
            (Given::Variable(name), _) => self.variable(of, name),
            (Given::List(items), Kind::List(item)) => items.iter().try_for_each(|given| self.part(item, given)),
            (given, Kind::List(item)) => self.part(item, given),
            (Given::Object(members), Kind::Input(name)) => {
                let Some(known) = self.types.inputs.get(name) else { return Ok(()) };
                for (member, given) in members {
                    let Some(field) = known.fields.iter().find(|field| field.name == member.as_str()) else { continue };
                    // The one member that is given is given (section 5.8.5, `IsNonNullPosition`).
                    let nullable = field.of.nullable && !known.one_of;
                    self.part(&Of { nullable, ..field.of.clone() }, given)?;
                }
                Ok(())
            }
            // The library takes texts, which only JSON has in the place of names.
            (Given::String(_), Kind::Enum(name)) => {
                Err(Fault::invalid(format!("A value of `{name}` is a name, without quotes.")))
            }
            // The library takes what 64 bits hold.
            (Given::Number(number), Kind::Scalar(name)) if name == "Int" => {
                let is_int = number.as_i64().is_some_and(|number| i32::try_from(number).is_ok());
                if is_int { Ok(()) } else { Err(Fault::invalid(format!("`{number}` is no `Int`: it has 32 bits."))) }
            }
            _ => Ok(()),
        }
    }

    fn variable(&self, of: &Of, name: &Name) -> Result<(), Fault> {
        let Some(declared) = self.declared.get(name.as_str()) else { return Ok(()) };
        if stands_for(&declared.of, of) {
            return Ok(());
        }
        let definition = declared.definition;
        let (said, expected) = (&definition.node.var_type.node, text(of));
        let message = format!("The variable `${name}` of type `{said}` cannot stand where `{expected}` is expected.");
        Err(Fault::invalid(message).at(definition.pos))
    }
}

/// Specification, `AreTypesCompatible`.
fn stands_for(variable: &Of, place: &Of) -> bool {
    (place.nullable || !variable.nullable)
        && match (&variable.kind, &place.kind) {
            (Kind::List(variable), Kind::List(place)) => stands_for(variable, place),
            (variable, place) => variable == place,
        }
}

/// A type as GraphQL writes it.
fn text(of: &Of) -> String {
    let plain = match &of.kind {
        Kind::List(item) => format!("[{}]", text(item)),
        kind => kind.name().to_owned(),
    };
    if of.nullable { plain } else { plain + "!" }
}
