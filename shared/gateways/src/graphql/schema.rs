//! Builds the schema's types from the contract.

mod inputs;
mod outputs;
mod values;

use std::collections::{BTreeMap, HashMap};

use protocol::{
    Cause, Code, Cursor, Kind as Operation, PageSize,
    case::{self, capitalized},
    contract::{Contract, FailureContract, ProcedureContract},
};
use serde_json::Value;

use super::{
    names::check,
    shape::{self, Shape, docs, shape, without_null},
    types::{
        Arguments, CONNECTION, Call, EDGE, ERROR_CODE, Enum, EnumValue, FAILURE, Field, FieldType, InputField, Kind,
        Loader, MUTATION, Member, Object, PAGE_INFO, QUERY, Source, Types, Union,
    },
};
use crate::words;

/// Type names that every schema has, and that no type of a contract may have.
const TAKEN: [&str; 12] =
    [QUERY, MUTATION, "Subscription", CONNECTION, EDGE, FAILURE, PAGE_INFO, "Int", "Float", "String", "Boolean", "ID"];

/// Builds the schema's types.
///
/// # Errors
/// What GraphQL cannot express: two types of one name, a malformed name.
pub(super) fn build(contract: &Contract) -> Result<Types, Cause> {
    let contract = &words::worded(contract, |procedure| case::camel_case(&procedure.name));
    let mut builder = Builder { contract, types: Types::default(), origins: HashMap::new() };
    for name in TAKEN {
        builder.take(name, "GraphQL's own")?;
    }
    builder.every_schema()?;
    builder.loaders()?;
    let mut procedures: Vec<&ProcedureContract> = contract.in_styles().collect();
    procedures.sort_by(|a, b| a.name.cmp(&b.name));
    for procedure in procedures {
        builder.procedure(procedure)?;
    }
    builder.edges()?;
    let mut types = builder.types;
    // A type that nothing refers to is not in introspection, and so not in the schema.
    let implement = |types: &Types, name| types.objects.values().any(|object| object.implements == Some(name));
    if !implement(&types, CONNECTION) {
        types.objects.remove(PAGE_INFO);
    }
    if !implement(&types, FAILURE) {
        types.enums.remove(ERROR_CODE);
    }
    Ok(types)
}

struct Builder<'c> {
    contract: &'c Contract,
    types: Types,
    /// The origin of each name.
    origins: HashMap<String, String>,
}

impl<'c> Builder<'c> {
    /// Reserves a type name. Returns whether it is new: the same origin may ask again.
    fn take(&mut self, name: &str, origin: &str) -> Result<bool, Cause> {
        check(name, origin)?;
        match self.origins.get(name) {
            None => {
                self.origins.insert(name.to_owned(), origin.to_owned());
                Ok(true)
            }
            Some(known) if known == origin => Ok(false),
            Some(known) => Err(format!("`{name}` would stand for two types in GraphQL: {known}, and {origin}").into()),
        }
    }

    /// Adds the types of pages and error codes.
    fn every_schema(&mut self) -> Result<(), Cause> {
        self.take(ERROR_CODE, "GraphQL's own")?;
        let value = |code: &Code| {
            let (name, wire) = (code.key().to_owned(), code.key().to_owned());
            EnumValue { name, wire, docs: String::new() }
        };
        let codes = Enum { docs: "Why a call did not succeed.".into(), values: Code::ALL.iter().map(value).collect() };
        self.types.enums.insert(ERROR_CODE.into(), codes);
        let (flag, cursor) = (Kind::scalar("Boolean").nullable(false), Kind::scalar("String").nullable(true));
        let previous = "Whether the list has entries before this page: it has when the page is asked for by `after`.";
        let start = "The cursor of the first edge; null where that is not known.";
        let end = "Where the list goes on: `after` of the next page; null at the end of the list and only there.";
        let fields = vec![
            field("hasNextPage", "Whether the list goes on.", flag.clone(), Source::HasNext),
            field("hasPreviousPage", previous, flag, Source::HasPrevious),
            field("startCursor", start, cursor.clone(), Source::Start),
            field("endCursor", end, cursor, Source::Member("next".into())),
        ];
        let docs = "Where a page stands in its list (Relay, Cursor Connections).";
        let object = Object { docs: docs.into(), implements: None, fields };
        self.types.objects.insert(PAGE_INFO.into(), object);
        for (root, docs) in [(QUERY, "What is asked for."), (MUTATION, "What changes something.")] {
            let object = Object { docs: docs.into(), ..Object::default() };
            self.types.objects.insert(root.into(), object);
        }
        Ok(())
    }

    fn loaders(&mut self) -> Result<(), Cause> {
        for entity in &self.contract.entities {
            if self.contract.find_in_styles(&entity.loader).is_none() {
                return Err(format!("`{}` loads {} and is no procedure", entity.loader, entity.name).into());
            }
            let loader =
                Loader { procedure: entity.loader.clone(), id: entity.id.clone(), object: entity.name.clone() };
            self.types.loaders.push(loader);
        }
        Ok(())
    }

    /// Adds a field for the entity of each id.
    fn edges(&mut self) -> Result<(), Cause> {
        let loaders = &self.types.loaders;
        let known: Vec<bool> = loaders.iter().map(|loader| self.types.objects.contains_key(&loader.object)).collect();
        for (name, object) in &mut self.types.objects {
            let mut edges = Vec::new();
            for member in &object.fields {
                let Source::Member(wire) = &member.source else { continue };
                let (id, list) = match &member.of.kind {
                    Kind::Scalar(id) => (id, false),
                    Kind::List(item) => match &item.kind {
                        Kind::Scalar(id) => (id, true),
                        _ => continue,
                    },
                    _ => continue,
                };
                let loader = loaders.iter().position(|loader| loader.id == *id && loader.object != *name);
                let edge = member.name.strip_suffix(if list { "Ids" } else { "Id" });
                let (Some(loader), Some(edge)) = (loader.filter(|&place| known[place]), edge) else { continue };
                if edge.is_empty() || object.fields.iter().any(|field| field.name == edge) {
                    continue;
                }
                let target = Kind::Object(loaders[loader].object.clone()).nullable(true);
                let of = if list { Kind::list(target).nullable(true) } else { target };
                let docs = format!("What `{}` names; null when it does not exist.", member.name);
                edges.push(field(edge, &docs, of, Source::Loaded { member: wire.clone(), loader }));
            }
            object.fields.extend(edges);
        }
        Ok(())
    }

    fn procedure(&mut self, procedure: &ProcedureContract) -> Result<(), Cause> {
        let name = case::camel_case(&procedure.name);
        let titled = capitalized(&name);
        check(&name, &format!("`{}`", procedure.name))?;
        let page = page_items(self.contract, procedure);
        let success = match (&procedure.output, page) {
            (_, Some(items)) => self.connection(items, &titled)?,
            (Some(output), None) => self.output(output, &titled)?,
            (None, None) => self.done(&titled, None)?,
        };
        let arguments = self.arguments(procedure, &titled, page.is_some())?;
        let (success, result, failures) = self.result(procedure, &titled, success)?;
        let root = Types::root(procedure.kind);
        let place = self.types.calls.len();
        let fields = &mut self.types.objects.entry(root.into()).or_default().fields;
        if fields.iter().any(|field| field.name == name) {
            return Err(format!("two procedures are called `{name}` in GraphQL; one is {}", procedure.name).into());
        }
        let docs = if page.is_some() { of_pages(&procedure.docs) } else { procedure.docs.clone() };
        fields.push(field(&name, &docs, result, Source::Call(place)));
        let procedure = procedure.name.clone();
        self.types.calls.push(Call { procedure, arguments, success, failures, is_paged: page.is_some() });
        Ok(())
    }

    /// The result type of a procedure: its success, and with failures a union of all outcomes.
    fn result(
        &mut self,
        procedure: &ProcedureContract,
        titled: &str,
        success: FieldType,
    ) -> Result<(FieldType, FieldType, BTreeMap<String, String>), Cause> {
        if procedure.failures.is_empty() {
            return Ok((success.clone(), success.kind.nullable(true), BTreeMap::new()));
        }
        let success = match &success.kind {
            Kind::Object(_) | Kind::Union(_) => success,
            _ => self.done(titled, Some(success))?,
        };
        let mut members = match &success.kind {
            Kind::Union(union) => self.types.unions.get(union).map(|union| union.members.clone()).unwrap_or_default(),
            object => vec![Member { tag: String::new(), object: object.name().to_owned() }],
        };
        let mut failures = BTreeMap::new();
        for failure in &procedure.failures {
            let object = self.failure(procedure, failure, titled)?;
            members.push(Member { tag: failure.kind.clone(), object: object.clone() });
            failures.insert(failure.kind.clone(), object);
        }
        let name = format!("{titled}Result");
        self.take(&name, &format!("what {} comes to", procedure.name))?;
        let docs = format!("What `{}` comes to.", case::camel_case(&procedure.name));
        self.types.unions.insert(name.clone(), Union { docs, members });
        Ok((success, Kind::Union(name).nullable(true), failures))
    }

    fn failure(
        &mut self,
        procedure: &ProcedureContract,
        failure: &FailureContract,
        titled: &str,
    ) -> Result<String, Cause> {
        let name = titled.to_owned() + &capitalized(&failure.kind);
        let origin = format!("the failure `{}` of {}", failure.kind, procedure.name);
        self.take(&name, &origin)?;
        let text = |name: &str, docs: &str, source| field(name, docs, Kind::scalar("String").nullable(false), source);
        let mut fields = vec![
            text("message", "One sentence for a person.", Source::Message),
            field("code", "What kind of failure it is.", Kind::Enum(ERROR_CODE.into()).nullable(false), Source::Code),
        ];
        let members = failure.schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        for (member, schema) in members {
            if member == "type" {
                fields.push(text(member, "Its name.", Source::Member(member.clone())));
                continue;
            }
            if fields.iter().any(|field| field.name == *member) {
                return Err(format!("{origin} has a member `{member}`, which every failure has in GraphQL").into());
            }
            check(member, &format!("a member of {origin}"))?;
            let of = self.output(schema, &(name.clone() + &capitalized(member)))?;
            fields.push(field(member, docs(schema), of, Source::Member(member.clone())));
        }
        let object = Object { docs: failure.docs.clone(), implements: Some(FAILURE), fields };
        self.types.objects.insert(name.clone(), object);
        Ok(name)
    }

    /// The object type of a success that is no object.
    fn done(&mut self, titled: &str, value: Option<FieldType>) -> Result<FieldType, Cause> {
        let name = format!("{titled}Done");
        self.take(&name, &format!("the success of `{titled}`"))?;
        let field = match value {
            None => field("ok", "It is done.", Kind::scalar("Boolean").nullable(false), Source::True),
            Some(of) => field("value", "What was answered.", of, Source::Whole),
        };
        let object = Object { docs: "It went well.".into(), implements: None, fields: vec![field] };
        self.types.objects.insert(name.clone(), object);
        Ok(Kind::Object(name).nullable(false))
    }

    /// The connection type of a list's items.
    fn connection(&mut self, items: &Value, titled: &str) -> Result<FieldType, Cause> {
        let item = self.output(items, &format!("{titled}Item"))?;
        let of = match &item.kind {
            Kind::List(_) => titled.to_owned(),
            kind => kind.name().to_owned(),
        };
        let origin = format!("pages of {of}");
        let (name, edge) = (format!("{of}Connection"), format!("{of}Edge"));
        if self.take(&name, &origin)? {
            self.take(&edge, &format!("an edge in {origin}"))?;
            let cursor = "Where the list goes on after this entry. It is known of a page's last entry only.";
            let fields = vec![
                field("node", "The entry.", item.clone(), Source::Entry),
                field("cursor", cursor, Kind::scalar("String").nullable(true), Source::Cursor),
            ];
            let object = Object { docs: "An entry of a list.".into(), implements: Some(EDGE), fields };
            self.types.objects.insert(edge.clone(), object);
            let nodes = Kind::list(item).nullable(false);
            let edges = Kind::list(Kind::Object(edge).nullable(false)).nullable(false);
            let info = Kind::Object(PAGE_INFO.into()).nullable(false);
            let fields = vec![
                field("nodes", "The entries, in the order that was asked for.", nodes, Source::Member("items".into())),
                field("edges", "The entries, each with its cursor.", edges, Source::Edges),
                field("pageInfo", "Where the page stands in its list.", info, Source::Whole),
            ];
            let object = Object { docs: "One page of a list.".into(), implements: Some(CONNECTION), fields };
            self.types.objects.insert(name.clone(), object);
        }
        Ok(Kind::Object(name).nullable(false))
    }

    fn arguments(&mut self, procedure: &ProcedureContract, titled: &str, paged: bool) -> Result<Arguments, Cause> {
        let Some(input) = &procedure.input else { return Ok(Arguments::None) };
        let (plain, _) = without_null(input);
        let plain = self.contract.resolve(plain);
        if procedure.kind == Operation::Query
            && let Shape::Object(properties) = shape(plain)
        {
            let mut fields = Vec::new();
            let mut names: Vec<&String> = properties.keys().collect();
            let place = |name: &String| procedure.input_fields.iter().position(|field| field == name);
            names.sort_by_key(|name| place(name).unwrap_or(usize::MAX));
            for wire in names {
                let name =
                    PAGES.iter().find(|(known, _)| known == wire).filter(|_| paged).map_or(&**wire, |(_, name)| name);
                if fields.iter().any(|field: &InputField| field.name == name) {
                    return Err(format!("{} takes `{name}`, which pages have in GraphQL", procedure.name).into());
                }
                let schema = &properties[wire];
                let hint = titled.to_owned() + &capitalized(wire);
                let mut field = self.input_field(plain, name, wire, schema, &hint)?;
                if paged {
                    field.docs = of_pages(&field.docs);
                }
                if name == "after" && paged {
                    field.docs = "Where to go on: `endCursor` of the page before; the beginning if left out.".into();
                }
                fields.push(field);
            }
            return Ok(Arguments::Fields(fields));
        }
        let mut of = self.input(input, titled)?;
        of.nullable |= procedure.input_optional;
        let name = "input".to_owned();
        let docs = docs(plain).to_owned();
        Ok(Arguments::Input(InputField { wire: name.clone(), name, docs, of, bare: false }))
    }

    fn input_field(
        &mut self,
        within: &Value,
        name: &str,
        wire: &str,
        schema: &Value,
        hint: &str,
    ) -> Result<InputField, Cause> {
        check(name, &format!("a field of {hint}"))?;
        let mut of = self.input(schema, hint)?;
        of.nullable |= !shape::requires(within, wire);
        Ok(InputField { name: name.into(), wire: wire.into(), docs: docs(schema).into(), of, bare: false })
    }
}

/// The members of pages in the contract, and in GraphQL.
const PAGES: [(&str, &str); 4] =
    [(PageSize::FIELD, "first"), (Cursor::FIELD, "after"), ("items", "nodes"), ("next", "endCursor")];

/// The description of a procedure with pages, in the names of GraphQL.
fn of_pages(docs: &str) -> String {
    let called = |word: &str| PAGES.iter().find(|(known, _)| *known == word).map(|(_, name)| (*name).to_owned());
    words::reworded(docs, called)
}

fn field(name: &str, docs: &str, of: FieldType, source: Source) -> Field {
    Field { name: name.to_owned(), docs: docs.to_owned(), of, source }
}

/// The schema of the items, if a procedure returns pages.
fn page_items<'c>(contract: &'c Contract, procedure: &'c ProcedureContract) -> Option<&'c Value> {
    let takes = |name: &str| procedure.input_fields.iter().any(|field| field == name);
    if procedure.kind != Operation::Query || !takes(PageSize::FIELD) || !takes(Cursor::FIELD) {
        return None;
    }
    let output = contract.resolve(procedure.output.as_ref()?);
    let properties = output.get("properties")?.as_object()?;
    let is_page = properties.len() == 2 && properties.contains_key("next");
    properties.get("items").filter(|_| is_page)?.get("items")
}
