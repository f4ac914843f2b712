//! Limits the cost of a document before it is executed. Fragments count wherever they are used: a few that repeat
//! each other stand for millions of fields.

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet},
};

use super::{
    fault::Fault,
    types::{Kind, MUTATION, QUERY, Source, Types},
};

/// The maximum depth of fields.
pub(super) const MAX_DEPTH: usize = 15;
/// The maximum depth of introspection fields: clients ask for types of types.
const MAX_INTROSPECTION_DEPTH: usize = 20;
/// The maximum nesting of introspection fields that return lists.
const MAX_INTROSPECTION_LISTS: usize = 2;
/// The maximum number of introspection fields in one request, including those in fragments wherever they are used:
/// each is answered for every type, or every field of every type. The usual introspection query has some 150.
pub(super) const MAX_INTROSPECTION_FIELDS: usize = 400;
/// The maximum number of aliases in one request.
pub(super) const MAX_ALIASES: usize = 30;
/// The maximum number of fields of `Query` and `Mutation` in one request: each is a call.
pub(super) const MAX_ROOT_FIELDS: usize = 20;
/// The maximum number of directives in one request, including those in fragments.
const MAX_DIRECTIVES: usize = 30;
/// The maximum nesting of fragments.
const MAX_FRAGMENTS: usize = 20;
/// The maximum number of fields, including those in fragments, each counted once.
const MAX_FIELDS: usize = 5_000;
/// The maximum cost of one request: a field costs 1, for each entry of its list, and a call costs [`CALL_COST`].
pub(super) const MAX_COST: usize = 20_000;
/// The cost of a procedure call.
const CALL_COST: usize = 10;
/// The assumed number of entries of a list that is no page.
const LIST_COST: usize = 10;
/// The assumed number of entries of a page without an explicit size: the default size.
const PAGE_COST: usize = 20;
/// The maximum number of entries of a page.
const MAX_PAGE: usize = 100;

/// The cost of one request so far; its operations count together.
#[derive(Debug, Default)]
pub(super) struct Measure {
    aliases: usize,
    root_fields: usize,
    directives: usize,
    fields: usize,
    introspection_fields: usize,
    cost: usize,
}

/// A document that is being measured.
struct Document<'a> {
    types: &'a Types,
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    /// The fragments that enclose the current position.
    within: Vec<&'a Name>,
}

/// The current position.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The type of its fields; none in introspection.
    object: Option<&'a str>,
    depth: usize,
    /// How many times the field is answered.
    times: usize,
    /// The size of the enclosing page.
    page: usize,
    /// The number of enclosing introspection lists.
    lists: usize,
}

impl<'a> Place<'a> {
    /// The same position inside of a fragment on a type. Within introspection it stays there, whatever the type's
    /// name.
    fn narrowed(self, condition: Option<&'a str>) -> Self {
        Self { object: self.object.map(|object| condition.unwrap_or(object)), ..self }
    }
}

impl Measure {
    /// Adds all operations of a document: those that are not executed count as well.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub(super) fn add(
        &mut self,
        types: &Types,
        document: &ExecutableDocument,
        variables: &Variables,
    ) -> Result<(), Fault> {
        let mut measured = Document { types, document, variables, within: Vec::new() };
        for (_, operation) in document.operations.iter() {
            let OperationDefinition { ty, directives, selection_set, .. } = &operation.node;
            self.directives += directives.len();
            let object = Some(if *ty == OperationType::Mutation { MUTATION } else { QUERY });
            self.set(&mut measured, selection_set, Place { object, depth: 1, times: 1, page: PAGE_COST, lists: 0 })?;
        }
        Ok(())
    }

    fn set<'a>(
        &mut self,
        measured: &mut Document<'a>,
        set: &'a Positioned<SelectionSet>,
        place: Place<'a>,
    ) -> Result<(), Fault> {
        for selection in &set.node.items {
            self.directives += selection.node.directives().len();
            match &selection.node {
                Selection::Field(field) => self.field(measured, field, place).map_err(|fault| fault.at(field.pos))?,
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let inside = place.narrowed(condition.map(|condition| condition.node.on.node.as_str()));
                    self.set(measured, &fragment.node.selection_set, inside)?;
                }
                Selection::FragmentSpread(spread) => {
                    let Some((name, fragment)) =
                        measured.document.fragments.get_key_value(&spread.node.fragment_name.node)
                    else {
                        continue;
                    };
                    if measured.within.contains(&name) {
                        return Err(Fault::invalid(format!("The fragment `{name}` contains itself.")).at(spread.pos));
                    }
                    if measured.within.len() == MAX_FRAGMENTS {
                        return Err(Fault::limit(format!(
                            "Fragments use each other more than {MAX_FRAGMENTS} levels deep."
                        )));
                    }
                    // A fragment of nothing but fragments counts as well.
                    self.count_field()?;
                    measured.within.push(name);
                    let inside = place.narrowed(Some(&fragment.node.type_condition.node.on.node));
                    self.set(measured, &fragment.node.selection_set, inside)?;
                    measured.within.pop();
                }
            }
        }
        if self.directives > MAX_DIRECTIVES {
            return Err(Fault::limit(format!("The request has more than {MAX_DIRECTIVES} directives.")));
        }
        Ok(())
    }

    fn count_field(&mut self) -> Result<(), Fault> {
        self.fields += 1;
        match self.fields > MAX_FIELDS {
            true => Err(Fault::limit(format!("The request asks for more than {MAX_FIELDS} fields."))),
            false => Ok(()),
        }
    }

    fn field<'a>(
        &mut self,
        measured: &mut Document<'a>,
        field: &'a Positioned<Field>,
        place: Place<'a>,
    ) -> Result<(), Fault> {
        self.count_field()?;
        self.aliases += usize::from(field.node.alias.is_some());
        if self.aliases > MAX_ALIASES {
            return Err(Fault::limit(format!("The request has more than {MAX_ALIASES} aliases.")));
        }
        let name = field.node.name.node.as_str();
        let is_root = place.depth == 1 && matches!(place.object, Some(QUERY | MUTATION)) && name != "__typename";
        self.root_fields += usize::from(is_root);
        if self.root_fields > MAX_ROOT_FIELDS {
            return Err(Fault::limit(format!("The request has more than {MAX_ROOT_FIELDS} fields of the root.")));
        }
        let (cost, inside) = match place.object {
            Some(object) if !name.starts_with("__") => data(measured, field, object, place),
            _ => introspection(name, place)?,
        };
        let is_introspection = place.object.is_none() || matches!(name, "__schema" | "__type");
        self.introspection_fields += usize::from(is_introspection);
        if self.introspection_fields > MAX_INTROSPECTION_FIELDS {
            let message = format!("The request has more than {MAX_INTROSPECTION_FIELDS} fields of introspection.");
            return Err(Fault::limit(message));
        }
        self.cost = self.cost.saturating_add(cost);
        if self.cost > MAX_COST {
            return Err(Fault::limit(format!("The request costs more than {MAX_COST}: ask for shorter lists.")));
        }
        let most = if inside.object.is_some() { MAX_DEPTH } else { MAX_INTROSPECTION_DEPTH };
        if place.depth > most {
            return Err(Fault::limit(format!("The request asks for fields more than {most} levels deep.")));
        }
        match field.node.selection_set.node.items.is_empty() {
            true => Ok(()),
            false => self.set(measured, &field.node.selection_set, inside),
        }
    }
}

/// The cost of a field, and the position of its selection.
fn data<'a>(
    measured: &Document<'a>,
    field: &'a Positioned<Field>,
    object: &'a str,
    place: Place<'a>,
) -> (usize, Place<'a>) {
    let deeper = Place { depth: place.depth + 1, page: PAGE_COST, ..place };
    let Some(known) = measured.types.field(object, &field.node.name.node) else {
        return (place.times, deeper);
    };
    let inside = Place { object: Some(known.of.kind.name()), ..deeper };
    match &known.source {
        Source::Call(call) => {
            let call = &measured.types.calls[*call];
            let page = if call.is_paged { page_size(field, measured.variables) } else { PAGE_COST };
            let times = if is_list(&call.success.kind) { place.times.saturating_mul(LIST_COST) } else { place.times };
            (CALL_COST, Place { page, times, ..inside })
        }
        source => {
            let is_page = matches!(source, Source::Edges)
                || matches!(source, Source::Member(_)) && measured.types.field(object, "pageInfo").is_some();
            let times = match (is_list(&known.of.kind), is_page) {
                (false, _) => 1,
                (true, true) => place.page,
                (true, false) => LIST_COST,
            };
            let times = place.times.saturating_mul(times);
            (times, Place { times, ..inside })
        }
    }
}

const fn is_list(kind: &Kind) -> bool {
    matches!(kind, Kind::List(_))
}

/// The value of `first`.
fn page_size(field: &Positioned<Field>, variables: &Variables) -> usize {
    let Some(first) = field.node.get_argument("first") else { return PAGE_COST };
    let said = first.node.clone().into_const_with(|name| variables.get(&name).cloned().ok_or(()));
    match said {
        Ok(Value::Number(number)) => number
            .as_u64()
            .and_then(|number| number.try_into().ok())
            .map_or(MAX_PAGE, |number: usize| number.min(MAX_PAGE)),
        Ok(Value::Null) | Err(()) => PAGE_COST,
        Ok(_) => MAX_PAGE,
    }
}

fn introspection<'a>(name: &str, place: Place<'a>) -> Result<(usize, Place<'a>), Fault> {
    let is_list = ["fields", "interfaces", "possibleTypes", "inputFields"].contains(&name);
    let lists = place.lists + usize::from(is_list);
    if lists > MAX_INTROSPECTION_LISTS {
        return Err(Fault::limit("The request asks for types of types of types."));
    }
    let cost = if name == "__schema" { MAX_COST / 20 } else { 1 };
    Ok((cost, Place { object: None, depth: place.depth + 1, lists, ..place }))
}

/// Whether a document asks for the schema anywhere.
pub(super) fn asks_for_schema(document: &ExecutableDocument) -> bool {
    fn asks(set: &SelectionSet) -> bool {
        set.items.iter().any(|selection| match &selection.node {
            Selection::Field(field) => {
                matches!(field.node.name.node.as_str(), "__schema" | "__type") || asks(&field.node.selection_set.node)
            }
            Selection::InlineFragment(fragment) => asks(&fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => false,
        })
    }
    let mut sets = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    sets.any(asks) || document.fragments.values().any(|fragment| asks(&fragment.node.selection_set.node))
}
