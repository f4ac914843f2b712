//! The builder of the contract: [`ContractBuilder`] collects what procedures describe.
//!
//! [`Describe`] holds what only the build needs, and no Lambda function reaches it: a constant that held both would
//! link schemas and TypeScript into every function. The build's part stands beside the contract ([`Build`]), never in
//! it.

use std::{
    any::TypeId,
    collections::{BTreeMap, BTreeSet},
};

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};
use ts_rs::{TS, TypeVisitor};

use super::{
    AuthContract, EntityContract, FailureContract, GrantContract, ProcedureContract,
    schema::{plain, titled},
};
use crate::{
    Auth, Code, ConfigNeed, Grant, Kind, Needs, Reauthenticate, Spec, WireInput, WireType,
    case::{capitalized, function_name, type_name},
};

/// The description of a procedure: its contract, and the part that only the build needs.
#[derive(Debug)]
pub struct Described {
    /// The procedure's part of the contract.
    pub contract: ProcedureContract,
    /// The part for the build.
    pub build: ProcedureBuild,
}

/// The part of a procedure's description that only the build needs.
#[derive(Debug)]
pub struct ProcedureBuild {
    /// The TypeScript of input, output and failures, and functions that rewrite values of the types.
    pub types: ProcedureTypes,
    /// By failure: the members beside `type`, with functions that rewrite values of their types.
    pub failures: BTreeMap<String, Vec<(String, Rewrite)>>,
    /// Its rights to stored entities.
    pub grants: Vec<Grant>,
}

/// The description of a failure.
#[derive(Debug)]
pub struct DescribedFailure {
    /// The failure's part of the contract.
    pub contract: FailureContract,
    /// The members beside `type`, with functions that rewrite values of their types.
    pub rewrites: Vec<(String, Rewrite)>,
}

/// The descriptions of a service's procedures, merged.
#[derive(Debug)]
pub struct DescribedService {
    /// All procedures, by name.
    pub procedures: Vec<ProcedureContract>,
    /// The entities with a loader, by name.
    pub entities: Vec<EntityContract>,
    /// The named types that outputs and failures refer to.
    pub output_types: Map<String, Value>,
    /// The named types that inputs refer to.
    pub input_types: Map<String, Value>,
    /// The part for the build.
    pub build: Build,
}

/// The part of a service's description that only the build needs.
#[derive(Debug)]
pub struct Build {
    /// The declared TypeScript types, by name.
    pub declarations: BTreeMap<String, Declaration>,
    /// The parts of the procedures, by name.
    pub procedures: BTreeMap<String, ProcedureBuild>,
}

/// The schemas and types of one procedure.
#[doc(hidden)]
pub struct ProcedureSchemas {
    pub input: Option<Value>,
    pub output: Option<Value>,
    pub failures: Vec<DescribedFailure>,
    pub typescript: ProcedureTypes,
}

/// Reads a value as its Rust type does, with validation for an input, and serializes it again.
///
/// Tests compare serde, JSON Schema and TypeScript with it, for all types of the procedures.
pub type Rewrite = fn(&[u8]) -> Result<Vec<u8>, String>;

/// The [`Rewrite`] of an input.
///
/// # Errors
/// The message that a caller would get.
pub fn rewrite_input<T: WireInput>(json: &[u8]) -> Result<Vec<u8>, String> {
    let input: T = crate::input::decode(Some(json)).map_err(|fault| fault.message)?;
    serde_json::to_vec(&input).map_err(|error| error.to_string())
}

/// The [`Rewrite`] of an output or of a failure's member.
///
/// # Errors
/// Why the text is not a value of the type.
pub fn rewrite<T: WireType>(json: &[u8]) -> Result<Vec<u8>, String> {
    let value: T = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    serde_json::to_vec(&value).map_err(|error| error.to_string())
}

/// The TypeScript expressions of one procedure, and functions that rewrite values of its types.
#[derive(Debug, Default)]
pub struct ProcedureTypes {
    /// `undefined` when there is no input.
    pub input: String,
    /// `undefined` when there is no output.
    pub output: String,
    /// `never` when there are no failures.
    pub failure: String,
    /// None when there is no input.
    pub rewrite_input: Option<Rewrite>,
    /// None when there is no output.
    pub rewrite_output: Option<Rewrite>,
}

/// A procedure that describes itself for the contract. `#[procedure]` implements it.
pub trait Describe {
    /// The needs of the procedure: the union of its capabilities' rights.
    fn needs() -> Needs;
    /// The procedure's contract under its name in the index; named types go to the builder. `spec` is its
    /// specification, resolved among the other procedures; `needs` are [`Describe::needs`] and those that its entry
    /// adds.
    fn describe(builder: &mut ContractBuilder, name: &str, spec: Spec, needs: Needs) -> Described;
}

/// A failure type that describes itself for the contract. `#[derive(Failure)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of failures",
    label = "not a set of failures",
    note = "put `#[derive(Failure)]` on the enum and `#[failure(CODE)]` on each variant, or use `NoFailure`"
)]
pub trait DescribeFailures {
    /// All variants.
    fn failures(builder: &mut ContractBuilder) -> Vec<DescribedFailure>;
    /// The union in TypeScript.
    fn typescript(builder: &mut ContractBuilder) -> String;
}

impl DescribeFailures for crate::NoFailure {
    fn failures(_: &mut ContractBuilder) -> Vec<DescribedFailure> {
        Vec::new()
    }
    fn typescript(_: &mut ContractBuilder) -> String {
        "never".into()
    }
}

/// One declared TypeScript type.
#[derive(Debug)]
pub struct Declaration {
    type_id: TypeId,
    /// `type User = { … }`.
    pub text: String,
    /// The doc comment, as JSDoc.
    pub docs: Option<String>,
}

/// Collects schemas and TypeScript declarations.
pub struct ContractBuilder {
    inputs: SchemaGenerator,
    outputs: SchemaGenerator,
    config: ts_rs::Config,
    declarations: BTreeMap<String, Declaration>,
    clashes: Vec<String>,
}

impl Default for ContractBuilder {
    fn default() -> Self {
        let settings = |at: &str, settings: SchemaSettings| {
            settings.with(|s| {
                s.definitions_path = format!("/{at}").into();
                s.meta_schema = None;
            })
        };
        Self {
            inputs: settings("inputTypes", SchemaSettings::draft2020_12().for_deserialize()).into_generator(),
            outputs: settings("outputTypes", SchemaSettings::draft2020_12().for_serialize()).into_generator(),
            config: ts_rs::Config::new(),
            declarations: BTreeMap::new(),
            clashes: Vec::new(),
        }
    }
}

impl ContractBuilder {
    /// The schema of an input, inlined.
    pub fn input<T: WireInput>(&mut self) -> Value {
        plain(T::json_schema(&mut self.inputs).into())
    }

    /// The schema of an output; it refers to named types.
    pub fn output<T: WireType>(&mut self) -> Value {
        plain(self.outputs.subschema_for::<T>().into())
    }

    /// The TypeScript of a type, by name if it has one.
    pub fn typescript<T: WireType>(&mut self) -> String {
        Declare(self).visit::<T>();
        T::name(&self.config)
    }

    /// The TypeScript of an input, inlined: every procedure may call its own type `Input`.
    pub fn typescript_inline<T: WireType>(&mut self) -> String {
        T::visit_dependencies(&mut Declare(self));
        T::inline(&self.config)
    }

    /// Merges the descriptions.
    ///
    /// # Errors
    /// All names that two different types have, since TypeScript has one namespace for all, and all loaders that are
    /// invalid.
    pub fn finish(mut self, described: Vec<Described>) -> Result<DescribedService, Vec<String>> {
        if !self.clashes.is_empty() {
            return Err(self.clashes);
        }
        let builds = described.iter().map(|one| &one.build);
        let loaders: BTreeSet<_> = builds.flat_map(ProcedureBuild::loaders).collect();
        let (mut procedures, mut builds) = (Vec::with_capacity(described.len()), BTreeMap::new());
        for Described { contract, build } in described {
            builds.insert(contract.name.clone(), build);
            procedures.push(contract);
        }
        procedures.sort_by(|a, b| a.name.cmp(&b.name));
        let entity = |(name, loader)| entity(&procedures, name, loader);
        let entities = loaders.into_iter().map(entity).collect::<Result<_, _>>().map_err(|fault| vec![fault])?;
        Ok(DescribedService {
            procedures,
            entities,
            output_types: self.outputs.take_definitions(true).into_iter().map(named).collect(),
            input_types: self.inputs.take_definitions(true).into_iter().map(named).collect(),
            build: Build { declarations: self.declarations, procedures: builds },
        })
    }
}

impl ProcedureBuild {
    /// The entities that it may access and that have a loader, with the loader.
    fn loaders(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.grants.iter().filter_map(|grant| Some((grant.entity, grant.loader?)))
    }
}

/// An entity with its loader. The loader's input determines the type of the id.
fn entity(procedures: &[ProcedureContract], name: &str, loader: &str) -> Result<EntityContract, String> {
    let found = procedures.iter().find(|procedure| procedure.name == loader);
    let found = found.filter(|procedure| procedure.kind == Kind::Query);
    let input = found.and_then(|procedure| procedure.input.as_ref());
    let id = input.and_then(|input| input.pointer("/properties/ids/items/$ref")?.as_str()?.rsplit('/').next());
    let items = found.and_then(|procedure| procedure.output.as_ref()?.pointer("/items/$ref")?.as_str());
    match (id, items) {
        (Some(id), Some(items)) if items.ends_with(&format!("/{name}")) => {
            Ok(EntityContract { name: name.to_owned(), id: id.to_owned(), loader: loader.to_owned() })
        }
        _ => Err(format!("`{loader}` is to load {name} by ids: a query that takes `ids` and answers `Vec<{name}>`")),
    }
}

/// A named type, with its name as title.
fn named((name, schema): (String, Value)) -> (String, Value) {
    let schema = titled(&name, plain(schema));
    (name, schema)
}

struct Declare<'a>(&'a mut ContractBuilder);

impl TypeVisitor for Declare<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        T::visit_generics(self);
        if T::output_path().is_none() {
            return T::visit_dependencies(self);
        }
        let name = T::ident(&self.0.config);
        let type_id = TypeId::of::<T::WithoutGenerics>();
        if let Some(known) = self.0.declarations.get(&name) {
            if known.type_id != type_id {
                self.0.clashes.push(format!("two wire types are named `{name}`: rename one of them"));
            }
            return;
        }
        let text = T::decl(&self.0.config);
        self.0.declarations.insert(name, Declaration { type_id, text, docs: T::docs() });
        T::visit_dependencies(self);
    }
}

/// The TypeScript declarations of a type and of the types that it refers to, by name.
pub fn declarations<T: TS + 'static>() -> BTreeMap<String, Declaration> {
    let mut builder = ContractBuilder::default();
    Declare(&mut builder).visit::<T>();
    builder.declarations
}

/// Assembles a procedure's description from its parts.
#[doc(hidden)]
pub fn procedure(name: &str, spec: Spec, docs: &str, needs: Needs, schemas: ProcedureSchemas) -> Described {
    let Needs { mut grants, secrets, configs, outbound, mail } = needs;
    let ProcedureSchemas { input, output, mut failures, typescript: mut types } = schemas;
    if spec.fresh_s.is_some() {
        failures.push(Reauthenticate::describe());
        types.failure = Reauthenticate::union_with(&types.failure);
    }
    let input = input.map(|input| titled(&format!("{}Input", type_name(name)), input));
    let (mut rewrites, mut failure_contracts) = (BTreeMap::new(), Vec::with_capacity(failures.len()));
    for DescribedFailure { mut contract, rewrites: own } in failures {
        let title = format!("{}{}", type_name(name), capitalized(&contract.kind));
        contract.schema = titled(&title, contract.schema.take());
        rewrites.insert(contract.kind.clone(), own);
        failure_contracts.push(contract);
    }
    let input_optional =
        input.as_ref().is_none_or(|schema| schema.get("required").and_then(|r| r.as_array()).is_none_or(Vec::is_empty));
    grants.sort_unstable();
    grants.dedup();
    let contract = ProcedureContract {
        name: name.to_owned(),
        function: function_name(name),
        kind: spec.kind,
        docs: docs.to_owned(),
        auth: match spec.auth {
            Auth::Public => AuthContract::Public,
            Auth::SignedIn => AuthContract::SignedIn,
            Auth::Permission { name, own } => AuthContract::Permission { permission: name.to_owned(), own },
        },
        for_applications: !matches!(spec.auth, Auth::SignedIn) && spec.always_fresh_s().is_none(),
        rest: spec.rest.map(str::to_owned),
        rest_answer: spec.rest.map(|_| spec.rest_answer),
        grants: grants.iter().map(GrantContract::from).collect(),
        timeout_ms: spec.timeout_ms,
        memory_mb: spec.memory_mb,
        reserved_concurrency: spec.concurrency,
        cache_seconds: spec.cache_s,
        http: spec.http.map(str::to_owned),
        errors: spec.http.map(|_| spec.errors),
        sensitive: spec.looks_at_session(),
        session: spec.session.map(str::to_owned),
        fresh_seconds: spec.fresh_s,
        secrets: texts(secrets),
        configs: texts(configs.iter().map(ConfigNeed::name).collect()),
        outbound: texts(outbound),
        mail,
        input,
        input_optional,
        input_fields: spec.fields.iter().map(|field| field.name.to_owned()).collect(),
        output,
        failures: failure_contracts,
    };
    Described { contract, build: ProcedureBuild { types, failures: rewrites, grants } }
}

/// The texts without duplicates, in order.
fn texts(stated: Vec<&'static str>) -> Vec<String> {
    stated.into_iter().collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
}

impl From<&Grant> for GrantContract {
    fn from(grant: &Grant) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Self {
            entity: grant.entity.to_owned(),
            prefix: grant.prefix.to_owned(),
            access: grant.access,
            actions: owned(&[grant.table_actions(), grant.index_actions()].concat()),
            indexes: owned(grant.indexes),
            leading_keys: format!("{}#*", grant.prefix),
        }
    }
}

/// Assembles a failure's description from its parts: `fields` are the payload's members beside `type`.
#[doc(hidden)]
pub fn failure(kind: &str, code: Code, docs: &str, fields: Vec<(&str, Value, Rewrite)>) -> DescribedFailure {
    let mut required = vec![serde_json::json!("type")];
    let mut properties = Map::new();
    properties.insert("type".into(), serde_json::json!({"const": kind, "type": "string"}));
    let mut rewrites = Vec::new();
    for (name, schema, rewrite) in fields {
        required.push(name.into());
        properties.insert(name.to_owned(), schema);
        rewrites.push((name.to_owned(), rewrite));
    }
    let contract = FailureContract {
        kind: kind.to_owned(),
        code,
        http_status: code.http_status(),
        docs: docs.to_owned(),
        schema: serde_json::json!({"type": "object", "properties": properties, "required": required}),
    };
    DescribedFailure { contract, rewrites }
}
