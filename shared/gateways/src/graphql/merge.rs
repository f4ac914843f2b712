//! Checks that all fields under one response name can be merged (specification, section 5.3.2). Otherwise one of two
//! fields would silently be left out.
//!
//! The check descends through the fields of one name together. It groups them by the object types that they apply to,
//! so that its time grows with the fields and not with the pairs of fields.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Positioned,
    indexmap::IndexMap,
    parser::types::{ExecutableDocument, Field, OperationType, Selection, SelectionSet},
};

use super::{
    fault::Fault,
    types::{FieldType, Kind, MUTATION, QUERY, Types},
};

/// The maximum number of fields examined. A field counts again for each object type it is compared for.
const MAX_LOOKS: usize = 50_000;

/// A field, and its parent type; none in introspection.
#[derive(Clone, Copy)]
struct SelectedField<'d> {
    parent: Option<&'d str>,
    field: &'d Positioned<Field>,
}

/// Fields by their response name.
type Named<'d> = IndexMap<&'d str, Vec<SelectedField<'d>>>;

struct Check<'d> {
    types: &'d Types,
    document: &'d ExecutableDocument,
    looks: usize,
}

/// Checks a document's operations. Its fragments must not contain themselves.
///
/// # Errors
/// Two fields that conflict.
pub(super) fn check(types: &Types, document: &ExecutableDocument) -> Result<(), Fault> {
    let mut check = Check { types, document, looks: 0 };
    for (_, operation) in document.operations.iter() {
        let root = if operation.node.ty == OperationType::Mutation { MUTATION } else { QUERY };
        let named = check.collect([(Some(root), &operation.node.selection_set.node)])?;
        check.shapes(&named)?;
        check.fields(&named)?;
    }
    Ok(())
}

impl<'d> Check<'d> {
    /// All fields of these selection sets, including those in fragments.
    fn collect(
        &mut self,
        sets: impl IntoIterator<Item = (Option<&'d str>, &'d SelectionSet)>,
    ) -> Result<Named<'d>, Fault> {
        let mut named = Named::new();
        let mut spread = HashSet::new();
        for (parent, set) in sets {
            self.collect_set(parent, set, &mut named, &mut spread)?;
        }
        Ok(named)
    }

    fn collect_set(
        &mut self,
        parent: Option<&'d str>,
        set: &'d SelectionSet,
        named: &mut Named<'d>,
        spread: &mut HashSet<&'d str>,
    ) -> Result<(), Fault> {
        for selection in &set.items {
            self.looks += 1;
            if self.looks > MAX_LOOKS {
                return Err(Fault::limit("The request has too many fields that may be in conflict."));
            }
            match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    named.entry(key).or_default().push(SelectedField { parent, field });
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |condition| self.known(&condition.node.on.node));
                    self.collect_set(parent, &fragment.node.selection_set.node, named, spread)?;
                }
                Selection::FragmentSpread(named_by) => {
                    let name = &named_by.node.fragment_name.node;
                    let Some(fragment) = self.document.fragments.get(name) else { continue };
                    if spread.insert(name.as_str()) {
                        let parent = self.known(&fragment.node.type_condition.node.on.node);
                        self.collect_set(parent, &fragment.node.selection_set.node, named, spread)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The merged selections of these fields.
    fn below(&mut self, fields: &[SelectedField<'d>]) -> Result<Named<'d>, Fault> {
        let types = self.types;
        let inside = |selected: &SelectedField<'d>| {
            let of = selected.parent.and_then(|parent| types.field_of(parent, &selected.field.node.name.node));
            (of.map(|of| of.kind.name()), &selected.field.node.selection_set.node)
        };
        self.collect(fields.iter().map(inside))
    }

    /// The name of a type; none if it belongs to introspection or is unknown.
    fn known(&self, name: &'d str) -> Option<&'d str> {
        (!name.starts_with("__")).then_some(name)
    }

    /// For any two objects: the values have the same shape (`SameResponseShape`).
    fn shapes(&mut self, named: &Named<'d>) -> Result<(), Fault> {
        for (key, fields) in named {
            let mut known: Option<(&SelectedField<'d>, &FieldType)> = None;
            for selected in fields {
                let name = selected.field.node.name.node.as_str();
                let Some(of) = selected.parent.and_then(|parent| self.types.field_of(parent, name)) else { continue };
                match known {
                    Some((first, shape)) if !same_shape(shape, of) => {
                        return Err(conflict(key, first, selected, "they have different types"));
                    }
                    Some(_) => {}
                    None => known = Some((selected, of)),
                }
            }
            let below = self.below(fields)?;
            self.shapes(&below)?;
        }
        Ok(())
    }

    /// For the same object: the same field with the same arguments (`FieldsInSetCanMerge`).
    fn fields(&mut self, named: &Named<'d>) -> Result<(), Fault> {
        for (key, fields) in named {
            for together in self.by_object(fields) {
                if let [first, others @ ..] = together.as_slice() {
                    same_call(key, first, others)?;
                }
                let below = self.below(&together)?;
                self.fields(&below)?;
            }
        }
        Ok(())
    }

    /// The fields by object type: those of the type itself, and with them those of its interfaces.
    fn by_object(&self, fields: &[SelectedField<'d>]) -> Vec<Vec<SelectedField<'d>>> {
        let mut objects: IndexMap<Option<&str>, Vec<SelectedField<'d>>> = IndexMap::new();
        let mut anywhere = Vec::new();
        for selected in fields {
            match selected.parent {
                Some(parent) if !self.types.objects.contains_key(parent) => anywhere.push(*selected),
                parent => objects.entry(parent).or_default().push(*selected),
            }
        }
        if objects.is_empty() {
            return vec![anywhere];
        }
        let with = |(_, mut together): (_, Vec<SelectedField<'d>>)| {
            together.extend_from_slice(&anywhere);
            together
        };
        objects.into_iter().map(with).collect()
    }
}

fn same_call(key: &str, first: &SelectedField<'_>, others: &[SelectedField<'_>]) -> Result<(), Fault> {
    if others.is_empty() {
        return Ok(());
    }
    let name = &first.field.node.name.node;
    let arguments: HashMap<&str, _> =
        first.field.node.arguments.iter().map(|(name, value)| (name.node.as_str(), &value.node)).collect();
    for other in others {
        if other.field.node.name.node != *name {
            return Err(conflict(key, first, other, "they are different fields"));
        }
        let theirs = &other.field.node.arguments;
        let same = theirs.len() == first.field.node.arguments.len()
            && theirs.iter().all(|(name, value)| arguments.get(name.node.as_str()) == Some(&&value.node));
        if !same {
            return Err(conflict(key, first, other, "they have different arguments"));
        }
    }
    Ok(())
}

fn conflict(key: &str, one: &SelectedField<'_>, other: &SelectedField<'_>, why: &str) -> Fault {
    let message = format!("The fields called `{key}` conflict: {why}. Give one of them another name (an alias).");
    Fault { locations: vec![one.field.pos, other.field.pos], ..Fault::invalid(message) }
}

fn same_shape(one: &FieldType, other: &FieldType) -> bool {
    one.nullable == other.nullable
        && match (&one.kind, &other.kind) {
            (Kind::List(one), Kind::List(other)) => same_shape(one, other),
            (Kind::List(_), _) | (_, Kind::List(_)) => false,
            // Types with fields are compared field by field.
            (Kind::Object(_) | Kind::Union(_), Kind::Object(_) | Kind::Union(_)) => true,
            (one, other) => one == other,
        }
}
