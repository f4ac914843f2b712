//! Executes operations (specification, section 6).
//!
//! The library validates documents and answers introspection. Execution is simpler here than in the library, and
//! stricter: equal fields are one call, a response has the order of its document, and a failed field is null and not
//! missing. Procedures' outputs are completed at once; entities of ids are left open, loaded for the whole operation
//! with one call for each type, and filled in, repeatedly until nothing is open.

mod complete;

use async_graphql::{
    Name, PathSegment, Positioned, Value, Variables,
    indexmap::IndexMap,
    parser::types::{
        Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
    },
};
use futures_util::future::join_all;
use protocol::{Code, Cursor, Kind as Operation};
use serde_json::{Value as Json, value::RawValue};

use super::{
    fault::Fault,
    input,
    load::Loads,
    run::Run,
    types::{Call, Source, Types},
};
use crate::{
    Outcome, Refusal,
    respond::{MAX_WEIGHT, weight},
};

/// The weight around a value: two brackets or quotes in a JSON text, and a comma.
const AROUND: usize = 5;

/// An additional member of a page: whether the request had a cursor.
const CONTINUES: &str = "continues";

/// The fields under one response name: they are merged.
type Fields<'d> = Vec<&'d Positioned<Field>>;

/// A position in the response.
type Path = Vec<PathSegment>;

/// The result of an operation: data unless it was too large, and errors.
#[derive(Debug, Default)]
pub(super) struct Executed {
    pub data: Value,
    pub faults: Vec<Fault>,
}

/// An entity that is still to be loaded.
struct PendingLoad<'d> {
    loader: usize,
    /// The id, or several.
    ids: Json,
    fields: Fields<'d>,
    path: Path,
}

/// The source of a field's value.
#[derive(Clone, Copy)]
enum Node<'v> {
    /// A procedure's output, or a part of it.
    Answer(&'v Json),
    /// An entry of a list, and the cursor after it.
    Edge(&'v Json, &'v Json),
    /// The failure of a procedure.
    Failure(&'v Refusal),
}

/// An operation in execution.
pub(super) struct Execution<'r, 'd> {
    run: &'r Run<'r>,
    document: &'d ExecutableDocument,
    variables: &'d Variables,
    executed: Executed,
    open: Vec<PendingLoad<'d>>,
    /// This operation's share of the response's weight so far.
    weight: usize,
}

/// The response is too large.
struct ResponseTooLarge;

impl<'r, 'd> Execution<'r, 'd> {
    pub(super) fn new(run: &'r Run<'r>, document: &'d ExecutableDocument, variables: &'d Variables) -> Self {
        Self { run, document, variables, executed: Executed::default(), open: Vec::new(), weight: 0 }
    }

    /// Executes an operation. `introspected` is the library's result for introspection fields.
    pub(super) async fn execute(mut self, operation: &'d OperationDefinition, introspected: &Value) -> Executed {
        let kind = if operation.ty == OperationType::Mutation { Operation::Mutation } else { Operation::Query };
        let root = Types::root(kind);
        let fields = self.collect(root, [&operation.selection_set.node]);
        self.executed.data = Value::Object(fields.keys().map(|key| (Name::new(key), Value::Null)).collect());
        let (mut calls, mut too_much) = (Vec::new(), false);
        for (key, fields) in fields {
            match self.called(root, &fields) {
                Some(call) => calls.push((key, fields, call)),
                None => {
                    let value = match fields[0].node.name.node.as_str() {
                        "__typename" => Value::String(root.to_owned()),
                        _ => introspected_value(introspected, key),
                    };
                    too_much |= self.count(weight(&serde_json::to_vec(&value).unwrap_or_default())).is_err();
                    self.put(&[PathSegment::Field(key.to_owned())], value);
                }
            }
        }
        let finished = match kind {
            _ if too_much => Err(ResponseTooLarge),
            Operation::Query => self.run_queries(calls).await,
            Operation::Mutation => self.run_mutations(calls).await,
        };
        if finished.is_err() {
            // The other operations of the request may use the weight.
            self.run.release(self.weight);
            let message = format!("The answers would be larger than {MAX_WEIGHT} bytes together: ask for less.");
            let faults = vec![Fault::request(Code::PayloadTooLarge, message)];
            self.executed = Executed { data: Value::Null, faults };
        }
        self.executed
    }

    fn called(&self, root: &str, fields: &Fields<'d>) -> Option<&'r Call> {
        match self.run.types.field(root, &fields[0].node.name.node)?.source {
            Source::Call(call) => self.run.types.calls.get(call),
            _ => None,
        }
    }

    /// Runs queries in parallel.
    async fn run_queries(&mut self, calls: Vec<(&'d str, Fields<'d>, &'r Call)>) -> Result<(), ResponseTooLarge> {
        let answers = calls.iter().map(|(_, fields, call)| self.ask(call, fields[0]));
        let answers = join_all(answers).await;
        let loads = Loads::default();
        for ((key, fields, call), answer) in calls.into_iter().zip(answers) {
            self.answered(key, &fields, call, answer)?;
        }
        self.fill(&loads).await
    }

    /// Runs mutations one after the other, each with its selection.
    async fn run_mutations(&mut self, calls: Vec<(&'d str, Fields<'d>, &'r Call)>) -> Result<(), ResponseTooLarge> {
        for (key, fields, call) in calls {
            let answer = self.ask(call, fields[0]).await;
            self.answered(key, &fields, call, answer)?;
            self.fill(&Loads::default()).await?;
        }
        Ok(())
    }

    /// The result of a procedure, and whether the call had a cursor.
    async fn ask(&self, call: &Call, field: &Positioned<Field>) -> Result<(Outcome, bool), Fault> {
        let (types, arguments) = (self.run.types, &call.arguments);
        let input = input::input(types, arguments, field, self.variables)?;
        let outcome = self.run.call(&call.procedure, input.as_ref()).await;
        let spell = |path: &str| input::spelled(types, arguments, input.as_ref(), path);
        let continues = call.is_paged && input.as_ref().is_some_and(|input| !input[Cursor::FIELD].is_null());
        Ok((outcome.map_err(|refusal| refusal.spelled(spell)), continues))
    }

    /// Puts a procedure's result into its position.
    fn answered(
        &mut self,
        key: &str,
        fields: &Fields<'d>,
        call: &Call,
        answer: Result<(Outcome, bool), Fault>,
    ) -> Result<(), ResponseTooLarge> {
        let mut path = vec![PathSegment::Field(key.to_owned())];
        let pos = fields[0].pos;
        let value = match answer {
            Err(fault) => {
                return self.fault(Fault { path, ..fault.at(pos) });
            }
            Ok((Ok(answer), continues)) => {
                let answer = answer.as_deref().map(RawValue::get).map_or(Ok(Json::Null), serde_json::from_str);
                let Ok(mut answer) = answer else { return self.fault(Fault::internal(pos, path)) };
                if let Json::Object(page) = &mut answer
                    && continues
                {
                    page.insert(CONTINUES.to_owned(), Json::Bool(true));
                }
                self.complete(&call.success, Node::Answer(&answer), fields, &mut path)?
            }
            Ok((Err(refusal), _)) => match failure_of(call, &refusal) {
                Some(object) => self.object(object, Node::Failure(&refusal), fields, &mut path)?,
                None => return self.fault(Fault::refused(&refusal, &call.procedure, pos, path)),
            },
        };
        self.put(&path, value);
        Ok(())
    }

    /// Loads open entities, until none is left.
    async fn fill(&mut self, loads: &Loads) -> Result<(), ResponseTooLarge> {
        while !self.open.is_empty() {
            let open = std::mem::take(&mut self.open);
            loads.fetch(self.run, open.iter().map(|open| (open.loader, &open.ids))).await;
            for PendingLoad { loader, ids, fields, mut path } in open {
                let object = &self.run.types.loaders[loader].object;
                let value = match &ids {
                    Json::Array(ids) => {
                        let mut values = Vec::with_capacity(ids.len());
                        for (place, id) in ids.iter().enumerate() {
                            self.count(0)?;
                            path.push(PathSegment::Index(place));
                            values.push(self.loaded(loads, loader, id, object, &fields, &mut path)?);
                            path.pop();
                        }
                        Value::List(values)
                    }
                    id => self.loaded(loads, loader, id, object, &fields, &mut path)?,
                };
                self.put(&path, value);
            }
        }
        Ok(())
    }

    fn loaded(
        &mut self,
        loads: &Loads,
        loader: usize,
        id: &Json,
        object: &str,
        fields: &Fields<'d>,
        path: &mut Path,
    ) -> Result<Value, ResponseTooLarge> {
        match loads.get(loader, id) {
            Ok(Some(found)) => self.object(object, Node::Answer(&found), fields, path),
            Ok(None) => Ok(Value::Null),
            Err(refusal) => {
                let procedure = &self.run.types.loaders[loader].procedure;
                self.fault(Fault::refused(&refusal, procedure, fields[0].pos, path.clone()))?;
                Ok(Value::Null)
            }
        }
    }

    /// Puts a value into an existing position.
    fn put(&mut self, path: &[PathSegment], value: Value) {
        let mut place = &mut self.executed.data;
        for segment in path {
            let next = match (place, segment) {
                (Value::Object(members), PathSegment::Field(name)) => members.get_mut(name.as_str()),
                (Value::List(items), PathSegment::Index(index)) => items.get_mut(*index),
                _ => None,
            };
            let Some(next) = next else { return };
            place = next;
        }
        *place = value;
    }

    /// Counts a part of the response.
    fn count(&mut self, weight: usize) -> Result<(), ResponseTooLarge> {
        let weight = weight.saturating_add(AROUND);
        self.weight = self.weight.saturating_add(weight);
        if self.run.reserve(weight) { Ok(()) } else { Err(ResponseTooLarge) }
    }

    /// Adds an error. It counts as well: a list may have one for each entry.
    fn fault(&mut self, fault: Fault) -> Result<(), ResponseTooLarge> {
        self.count(serde_json::to_vec(&fault).map_or(0, |text| weight(&text)))?;
        self.executed.faults.push(fault);
        Ok(())
    }

    /// `CollectFields` of the specification.
    fn collect(&self, object: &str, sets: impl IntoIterator<Item = &'d SelectionSet>) -> IndexMap<&'d str, Fields<'d>> {
        let mut fields = IndexMap::new();
        for set in sets {
            self.collect_set(object, set, &mut fields);
        }
        fields
    }

    fn collect_set(&self, object: &str, set: &'d SelectionSet, fields: &mut IndexMap<&'d str, Fields<'d>>) {
        for selection in &set.items {
            if !self.is_included(selection.node.directives()) {
                continue;
            }
            let (condition, set) = match &selection.node {
                Selection::Field(field) => {
                    fields.entry(field.node.response_key().node.as_str()).or_default().push(field);
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set)
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else { continue };
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set)
                }
            };
            if condition.is_none_or(|condition| self.run.types.is_a(object, &condition.node.on.node)) {
                self.collect_set(object, &set.node, fields);
            }
        }
    }

    fn is_included(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let wanted = match directive.node.name.node.as_str() {
                "skip" => false,
                "include" => true,
                _ => return true,
            };
            let said = directive.node.get_argument("if").and_then(|given| input::value(&given.node, self.variables));
            said == Some(Value::Boolean(wanted))
        })
    }
}

/// The object type of a failure that the procedure declares.
fn failure_of<'c>(call: &'c Call, refusal: &Refusal) -> Option<&'c str> {
    let kind = refusal.failure.as_ref()?.get("type")?.as_str()?;
    call.failures.get(kind).map(String::as_str)
}

fn introspected_value(introspected: &Value, key: &str) -> Value {
    match introspected {
        Value::Object(members) => members.get(key).cloned().unwrap_or_default(),
        _ => Value::Null,
    }
}
