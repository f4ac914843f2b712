//! Checks variables: their types, their positions (specification, section 5.8.5), and their values (section 6.1.2).

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, HashSet},
};

use async_graphql::{
    Name, Pos, Positioned, Value, Variables,
    parser::types::{
        BaseType, Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
        Type, VariableDefinition,
    },
};
use async_graphql_value::Value as GraphQlValue;

use super::{
    MAX_FAULTS,
    fault::Fault,
    fits::{self, From},
    types::{Arguments, FieldType, Kind, MUTATION, QUERY, Source, Types},
};

/// The values of an operation's variables: the request's, else the defaults.
///
/// # Errors
/// The variables that are missing or do not fit their types, each with all of its faults.
pub(super) fn values(
    types: &Types,
    operation: &OperationDefinition,
    mut input_value: Variables,
) -> Result<Variables, Vec<Fault>> {
    let (mut values, mut faults) = (Variables::default(), Vec::new());
    for definition in &operation.variable_definitions {
        let of = type_of(types, definition).map_err(|fault| vec![fault])?;
        let VariableDefinition { name, var_type, default_value, .. } = &definition.node;
        let name = &name.node;
        // A literal in a document has exactly one type; JSON has only one kind of number.
        let input_value = input_value.remove(name).map(|value| (From::Json, in_json(types, &of, value)));
        let default = || Some((From::Document, default_value.as_ref()?.node.clone()));
        let fault = match input_value.or_else(default) {
            Some((_, Value::Null)) if !of.nullable => {
                Some(Fault::invalid(format!("The variable `${name}` cannot be null.")))
            }
            Some((from, value)) => {
                let found = fits::faults(types, &of, &value.clone().into_value(), from, format!("${name}"));
                values.insert(name.clone(), value);
                Fault::misfit(&format!("The variable `${name}`"), &var_type.node, found)
            }
            None if !of.nullable => Some(Fault::invalid(format!("The variable `${name}` has to be given."))),
            None => None,
        };
        faults.extend(fault.map(|fault| fault.at(definition.pos)));
    }
    faults.truncate(MAX_FAULTS);
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// A value of JSON, in which a number without a fraction is an `Int`, in any notation (specification, section 3.5.1,
/// "Input Coercion").
fn in_json(types: &Types, of: &FieldType, value: Value) -> Value {
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
            // Up to 32 bits, or the range that every JSON number holds exactly, no digit is lost. Zero has no sign.
            let whole = whole.filter(|float| float.abs() <= MAX_EXACT).map(|float| format!("{:.0}", float + 0.0));
            Value::Number(whole.and_then(|digits| digits.parse().ok()).unwrap_or(number))
        }
        (_, value) => value,
    }
}

/// The greatest integer that every JSON number holds exactly: 2^53 - 1.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// The type that a variable declares.
fn type_of(types: &Types, definition: &Positioned<VariableDefinition>) -> Result<FieldType, Fault> {
    let said = &definition.node.var_type.node;
    said_type(types, said).ok_or_else(|| {
        let name = &definition.node.name.node;
        Fault::invalid(format!("The variable `${name}` has a type that no input has: `{said}`.")).at(definition.pos)
    })
}

fn said_type(types: &Types, said: &Type) -> Option<FieldType> {
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

/// A declared variable of an operation.
struct Declared<'d> {
    of: FieldType,
    definition: &'d Positioned<VariableDefinition>,
}

/// The traversal of an operation in search of variables.
struct Places<'d> {
    types: &'d Types,
    document: &'d ExecutableDocument,
    declared: HashMap<&'d str, Declared<'d>>,
    /// The fragments visited so far: a fragment gives the same result each time.
    seen: HashSet<&'d str>,
    /// Values that do not fit their position, by their location in the document.
    misfits: &'d RefCell<BTreeMap<Pos, Fault>>,
}

/// Checks that the values of all operations fit their positions, and that variables may be used where they are. The
/// document's fragments must not contain themselves.
///
/// # Errors
/// All values that do not fit, and the first variable in a wrong position.
pub(super) fn check(types: &Types, document: &ExecutableDocument) -> Result<(), Vec<Fault>> {
    let misfits = RefCell::default();
    let misplaced = document.operations.iter().try_for_each(|(_, operation)| {
        let operation = &operation.node;
        let mut declared = HashMap::new();
        for definition in &operation.variable_definitions {
            let of = type_of(types, definition)?;
            // A variable with a default is not null unless the default is (`hasNonNullVariableDefaultValue`).
            let default = definition.node.default_value.as_ref().is_some_and(|value| value.node != Value::Null);
            let of = FieldType { nullable: of.nullable && !default, ..of };
            declared.insert(definition.node.name.node.as_str(), Declared { of, definition });
        }
        let root = if operation.ty == OperationType::Mutation { MUTATION } else { QUERY };
        let mut places = Places { types, document, declared, seen: HashSet::new(), misfits: &misfits };
        for definition in &operation.variable_definitions {
            if let Some(default) = &definition.node.default_value {
                let (of, input_value) = (type_of(types, definition)?, default.node.clone().into_value());
                let name = &definition.node.name.node;
                let what = format!("The default of `${name}`");
                places.fits(&of, &what, format!("${name}"), &Positioned::new(input_value, default.pos));
            }
        }
        places.directives(&operation.directives)?;
        places.set(Some(root), &operation.selection_set.node)
    });
    let mut faults: Vec<Fault> = misfits.into_inner().into_values().chain(misplaced.err()).collect();
    faults.truncate(MAX_FAULTS);
    if faults.is_empty() { Ok(()) } else { Err(faults) }
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
        for (argument, input_value) in &field.node.arguments {
            let argument = argument.node.as_str();
            let ours = call.and_then(|call| call.arguments.fields().iter().find(|known| known.name == argument));
            // The one argument of an input is the input itself, in which paths begin as in every style.
            let is_whole = call.is_some_and(|call| matches!(call.arguments, Arguments::Input(_)));
            let root = if is_whole { "" } else { argument };
            match (ours, name, argument) {
                (Some(known), ..) => self.value(&known.of, argument, root, input_value)?,
                (None, "__type", "name") => {
                    self.value(&Kind::scalar("String").nullable(false), argument, root, input_value)?;
                }
                (None, _, "includeDeprecated") => {
                    self.value(&Kind::scalar("Boolean").nullable(true), argument, root, input_value)?;
                }
                _ => {}
            }
        }
        let below = parent.and_then(|parent| types.field_of(parent, name)).map(|of| of.kind.name());
        self.set(below, &field.node.selection_set.node)
    }

    fn directives(&self, directives: &'d [Positioned<Directive>]) -> Result<(), Fault> {
        let condition = Kind::scalar("Boolean").nullable(false);
        let mut arguments = directives.iter().filter_map(|directive| directive.node.get_argument("if"));
        arguments.try_for_each(|input_value| self.value(&condition, "if", "if", input_value))
    }

    fn value(
        &self,
        of: &FieldType,
        argument: &str,
        root: &str,
        input_value: &Positioned<GraphQlValue>,
    ) -> Result<(), Fault> {
        self.fits(of, &format!("The argument `{argument}`"), root.to_owned(), input_value);
        self.part(of, &input_value.node).map_err(|fault| {
            let mut locations = fault.locations;
            locations.push(input_value.pos);
            Fault { locations, ..fault }
        })
    }

    /// Records a value that does not fit.
    fn fits(&self, of: &FieldType, what: &str, root: String, input_value: &Positioned<GraphQlValue>) {
        let found = fits::faults(self.types, of, &input_value.node, From::Document, root);
        if let Some(fault) = Fault::misfit(what, &text(of), found) {
            self.misfits.borrow_mut().insert(input_value.pos, fault.at(input_value.pos));
        }
    }

    /// Checks the variables in a value in a position of this type, or in a part of one.
    fn part(&self, of: &FieldType, input_value: &GraphQlValue) -> Result<(), Fault> {
        match (input_value, &of.kind) {
            (GraphQlValue::Variable(name), _) => self.variable(of, name),
            (GraphQlValue::List(items), Kind::List(item)) => {
                items.iter().try_for_each(|input_value| self.part(item, input_value))
            }
            (input_value, Kind::List(item)) => self.part(item, input_value),
            (GraphQlValue::Object(members), Kind::Input(name)) => {
                let Some(known) = self.types.inputs.get(name) else { return Ok(()) };
                for (member, input_value) in members {
                    let Some(field) = known.fields.iter().find(|field| field.name == member.as_str()) else { continue };
                    // The one member that is present must not be null (section 5.8.5, `IsNonNullPosition`).
                    let nullable = field.of.nullable && !known.one_of;
                    self.part(&FieldType { nullable, ..field.of.clone() }, input_value)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn variable(&self, of: &FieldType, name: &Name) -> Result<(), Fault> {
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

/// `AreTypesCompatible` of the specification.
fn stands_for(variable: &FieldType, place: &FieldType) -> bool {
    (place.nullable || !variable.nullable)
        && match (&variable.kind, &place.kind) {
            (Kind::List(variable), Kind::List(place)) => stands_for(variable, place),
            (variable, place) => variable == place,
        }
}

/// A type as GraphQL writes it.
fn text(of: &FieldType) -> String {
    let plain = match &of.kind {
        Kind::List(item) => format!("[{}]", text(item)),
        kind => kind.name().to_owned(),
    };
    if of.nullable { plain } else { plain + "!" }
}
