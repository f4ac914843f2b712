//! Checks whether a value fits its type, in a document (specification, section 5.6.1) or as a variable's (section
//! 6.1.2), and collects all faults. The procedure checks the content of custom scalars.

use async_graphql::{Name, indexmap::IndexMap};
use async_graphql_value::Value as GraphQlValue;
use protocol::{FieldFault, input::MAX_FAULTS};

use super::{
    input::IS_TRUE,
    types::{FieldType, Kind, Types},
};
use crate::respond::shortened;

/// The source of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// A document, in which each literal has one type.
    Document,
    /// JSON, which has texts in place of names.
    Json,
}

/// The faults of a value, by their paths below `root`. Variables in a document are checked by their declared types
/// instead.
pub(super) fn faults(
    types: &Types,
    of: &FieldType,
    input_value: &GraphQlValue,
    from: From,
    root: String,
) -> Vec<FieldFault> {
    let mut fitting = Fitting { types, from, path: root, found: Vec::new() };
    fitting.value(of, input_value);
    fitting.found
}

struct Fitting<'t> {
    types: &'t Types,
    from: From,
    path: String,
    found: Vec<FieldFault>,
}

impl Fitting<'_> {
    fn push(&mut self, message: impl Into<String>) {
        if self.found.len() < MAX_FAULTS {
            self.found.push(FieldFault { path: self.path.clone(), message: message.into() });
        }
    }

    fn within(&mut self, step: &str, look: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(step);
        look(self);
        self.path.truncate(length);
    }

    fn below(&mut self, member: &str, look: impl FnOnce(&mut Self)) {
        let separator = if self.path.is_empty() { "" } else { "." };
        self.within(&format!("{separator}{}", shortened(member)), look);
    }

    fn value(&mut self, of: &FieldType, input_value: &GraphQlValue) {
        if self.found.len() >= MAX_FAULTS {
            return;
        }
        let is_right = match (&of.kind, input_value) {
            (_, GraphQlValue::Variable(_)) => true,
            (_, GraphQlValue::Null) if of.nullable => true,
            (_, GraphQlValue::Null) => return self.push("cannot be null"),
            (Kind::List(item), GraphQlValue::List(items)) => {
                for (place, input_value) in items.iter().enumerate() {
                    self.within(&format!("[{place}]"), |fitting| fitting.value(item, input_value));
                }
                true
            }
            // A single value counts as a list of one (specification, section 3.11).
            (Kind::List(item), one) => return self.value(item, one),
            (Kind::Enum(_), GraphQlValue::String(_)) if self.from == From::Document => {
                return self.push(format!("is a name of `{}`, without quotes", of.kind.name()));
            }
            (Kind::Enum(name), GraphQlValue::String(value)) => self.is_one_of(name, value),
            (Kind::Enum(name), GraphQlValue::Enum(value)) => self.is_one_of(name, value),
            (Kind::Input(name), GraphQlValue::Object(members)) => return self.members(name, members),
            (Kind::Scalar(name), input_value) => is_scalar(name, input_value),
            _ => false,
        };
        if !is_right {
            self.push(format!("is no `{}`", of.kind.name()));
        }
    }

    fn is_one_of(&self, name: &str, value: &str) -> bool {
        self.types.enums.get(name).is_some_and(|known| known.names(value))
    }

    fn members(&mut self, name: &str, members: &IndexMap<Name, GraphQlValue>) {
        let types = self.types;
        let Some(known) = types.inputs.get(name) else { return };
        if known.one_of
            && (members.len() != 1 || members.values().any(|input_value| *input_value == GraphQlValue::Null))
        {
            return self.push("has to have exactly one member, and not null");
        }
        for (member, value) in members {
            let field = known.fields.iter().find(|field| field.name == member.as_str());
            self.below(member, |fitting| match field {
                None => fitting.push(format!("is unknown: `{name}` has no member `{}`", shortened(member))),
                Some(field) if field.bare && *value == GraphQlValue::Boolean(false) => fitting.push(IS_TRUE),
                Some(field) => fitting.value(&field.of, value),
            });
        }
        for field in
            known.fields.iter().filter(|field| !field.of.nullable && !members.contains_key(field.name.as_str()))
        {
            self.below(&field.name, |fitting| {
                fitting.push(format!("is required: `{name}` has to have `{}`", field.name));
            });
        }
    }
}

fn is_scalar(name: &str, input_value: &GraphQlValue) -> bool {
    match (name, input_value) {
        ("Int", GraphQlValue::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        ("ID", GraphQlValue::Number(number)) => number.is_i64() || number.is_u64(),
        ("Float", GraphQlValue::Number(_))
        | ("String" | "ID", GraphQlValue::String(_))
        | ("Boolean", GraphQlValue::Boolean(_)) => true,
        (name, _) => !["Int", "Float", "String", "Boolean", "ID"].contains(&name),
    }
}
