//! The contract: everything generic is made from it, and never from the code.
//!
//! [`Press`] collects it. What only the press needs hangs on [`Describe`], which no Lambda function
//! reaches: a constant that held both would link schemas and TypeScript into every function.

use std::{
    any::TypeId,
    collections::{BTreeMap, BTreeSet},
};

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use ts_rs::{TS, TypeVisitor};

use crate::{
    Access, Auth, AuthorizationServer, Code, ErrorFormat, Grant, Kind, Layout, PasswordSignIn, Reauthenticate,
    RestAnswer, SessionSignIn, Spec, WireInput, WireType,
};

/// The version of the contract's own format.
pub const FORMAT: u32 = 1;

/// A service, whole.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contract {
    /// [`FORMAT`].
    pub format: u32,
    /// The service's name.
    pub service: String,
    /// The module of the index, such as `functions`: the path under which the generated programs find the procedures.
    pub index: &'static str,
    /// What the npm package is called.
    pub npm_package: &'static str,
    /// Whose it is, and what it is for.
    pub about: About,
    /// Where its files are, or null when nothing is generated for it.
    pub layout: Option<Layout>,
    /// The role of those who run the service, or null.
    pub operator_role: Option<&'static str>,
    /// What the first words of the procedures' names stand for, in the index's order.
    pub domains: Vec<Domain>,
    /// All procedures, by name.
    pub procedures: Vec<ProcedureContract>,
    /// What can be fetched by ids, by name.
    pub entities: Vec<EntityContract>,
    /// The named types that outputs and failures refer to, as JSON Schema 2020-12.
    pub output_types: serde_json::Map<String, serde_json::Value>,
    /// The named types that inputs refer to.
    pub input_types: serde_json::Map<String, serde_json::Value>,
    /// How a gateway signs somebody in who gives a name and a password with the call, or null.
    pub password_sign_in: Option<PasswordSignIn>,
    /// How a client signs in and stays signed in, or null.
    pub session: Option<SessionSignIn>,
    /// How applications of others are let in, or null.
    pub authorization_server: Option<AuthorizationServer>,
}

/// What a service's documents and its npm package say of it. What is empty is not stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct About {
    /// The service's own version (semver).
    pub version: &'static str,
    /// What it is, in a sentence.
    pub description: &'static str,
    /// An SPDX expression.
    pub license: &'static str,
    /// Whom to ask.
    pub contact: &'static str,
    /// Where to read on.
    pub homepage: &'static str,
}

/// A domain: `orders` of `orders.get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Domain {
    /// The word.
    pub name: &'static str,
    /// The doc comment of the index.
    pub docs: &'static str,
}

/// One procedure.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcedureContract {
    /// What it is called on the wire: `orders.markPaid`.
    pub name: String,
    /// What its function is called in a stage, and the program of it: `orders-mark-paid`.
    pub function: String,
    /// Query or mutation.
    pub kind: Kind,
    /// The doc comment.
    pub docs: String,
    /// Who may call it.
    pub auth: AuthContract,
    /// Whether applications of others may, in somebody's name or for themselves.
    pub for_applications: bool,
    /// `GET /v1/orders/{id}`.
    pub rest: Option<String>,
    /// What the answers of this route say besides the output; null without `rest`.
    pub rest_answer: Option<RestAnswer>,
    /// What it may do to what is stored.
    pub grants: Vec<GrantContract>,
    /// How long one call may take, in milliseconds.
    pub timeout_ms: u32,
    /// The function's memory, in MiB.
    pub memory_mb: u32,
    /// How many calls may run at once (Lambda's reserved concurrency), or null when it is not stated.
    pub reserved_concurrency: Option<u32>,
    /// For how many seconds a shared cache may keep a result, or null when none may. Public queries only.
    pub cache_seconds: Option<u32>,
    /// Its own method and path, such as `POST /webhooks/payments`, or null. Such a procedure is in no generated client.
    pub http: Option<String>,
    /// How it answers there when a call does not succeed; null without `http`.
    pub errors: Option<ErrorFormat>,
    /// Whether a token's session is looked at in each call.
    pub sensitive: bool,
    /// Why not, of a mutation that is not public and does not; else null.
    pub session: Option<&'static str>,
    /// For how many seconds after signing in, or authenticating again, it may be called, or may with some inputs; null
    /// when it is not stated.
    pub fresh_seconds: Option<u32>,
    /// The secrets that it reads, by name.
    pub secrets: Vec<&'static str>,
    /// What it calls outside the service, in words.
    pub outbound: Vec<&'static str>,
    /// Whether it sends mail.
    pub mail: bool,
    /// The input, or null when there is none.
    pub input: Option<serde_json::Value>,
    /// Whether the input may be left out.
    pub input_optional: bool,
    /// The names of the input's fields, in the order of their declaration: what is given by position is meant so.
    pub input_fields: Vec<&'static str>,
    /// The output, or null when there is none.
    pub output: Option<serde_json::Value>,
    /// The procedure's own failures, and the framework's that it can have (`reauthenticate`).
    pub failures: Vec<FailureContract>,
    /// The TypeScript of input, output and failures; written to the npm package.
    #[serde(skip)]
    pub typescript: ProcedureTypes,
    /// The entities that it may touch, each with its loader.
    #[serde(skip)]
    pub loaders: Vec<(&'static str, &'static str)>,
}

/// Something that is kept, and that others may name by its id.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityContract {
    /// The entity's name.
    pub name: String,
    /// The type of its id, such as `UserId`.
    pub id: String,
    /// The procedure that fetches many by id: it takes `ids`, and answers a list of those that exist.
    pub loader: String,
}

/// What the types of one procedure look like.
#[doc(hidden)]
pub struct ProcedureSchemas {
    pub input: Option<serde_json::Value>,
    pub output: Option<serde_json::Value>,
    pub failures: Vec<FailureContract>,
    pub typescript: ProcedureTypes,
}

/// Reads a value as its Rust type does, with validation where it is an input, and writes it again.
///
/// A test holds serde, JSON Schema and TypeScript against each other with it, for whatever types the
/// procedures have.
pub type Rewrite = fn(&[u8]) -> Result<Vec<u8>, String>;

/// The [`Rewrite`] of an input.
///
/// # Errors
/// What a caller would be told.
pub fn rewrite_input<T: WireInput>(json: &[u8]) -> Result<Vec<u8>, String> {
    let input: T = crate::input::decode(Some(json)).map_err(|fault| fault.message)?;
    serde_json::to_vec(&input).map_err(|error| error.to_string())
}

/// The [`Rewrite`] of an output or of a failure's member.
///
/// # Errors
/// Why it is no value of the type.
pub fn rewrite<T: WireType>(json: &[u8]) -> Result<Vec<u8>, String> {
    let value: T = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    serde_json::to_vec(&value).map_err(|error| error.to_string())
}

/// The TypeScript expressions of one procedure, and its types at work.
#[derive(Debug, Default)]
pub struct ProcedureTypes {
    /// `undefined` when there is none.
    pub input: String,
    /// `undefined` when there is none.
    pub output: String,
    /// `never` when there are none.
    pub failure: String,
    /// None when there is no input.
    pub rewrite_input: Option<Rewrite>,
    /// None when there is no output.
    pub rewrite_output: Option<Rewrite>,
}

/// Who may call, as data.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum AuthContract {
    /// Anybody.
    Public,
    /// Anybody who is signed in.
    SignedIn,
    /// Callers with a permission.
    Permission {
        /// Which one.
        permission: String,
        /// Whether `<permission>:own` suffices, for the caller's own items.
        own: bool,
    },
}

/// A grant, with the IAM actions and the condition that it stands for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantContract {
    /// The entity's name.
    pub entity: String,
    /// What its partition keys begin with.
    pub prefix: String,
    /// Which right.
    pub access: Access,
    /// The IAM actions. `dynamodb:Query` is meant for the indexes, and every other one for the table.
    pub actions: Vec<&'static str>,
    /// The indexes that may be queried: those in which the entity stands.
    pub indexes: Vec<&'static str>,
    /// The value of `dynamodb:LeadingKeys` (`ForAllValues:StringLike`).
    pub leading_keys: String,
    /// The type that is kept there.
    #[serde(skip)]
    pub kept: TypeId,
}

/// One failure of a procedure.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureContract {
    /// The `type` in the payload.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code's key.
    pub code: Code,
    /// The HTTP status.
    pub http_status: u16,
    /// The doc comment.
    pub docs: String,
    /// The payload, as JSON Schema.
    pub schema: serde_json::Value,
    /// The types of the members beside `type`, at work.
    #[serde(skip)]
    pub rewrites: Vec<(String, Rewrite)>,
}

/// What a procedure needs from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Rights to what is stored.
    pub grants: Vec<Grant>,
    /// Secrets, by name.
    pub secrets: Vec<&'static str>,
    /// What is called outside the service, in words.
    pub outbound: Vec<&'static str>,
    /// Whether mail is sent.
    pub mail: bool,
}

/// What the press asks of a procedure.
pub trait Describe {
    /// What the procedure needs from outside: the sum of its capabilities.
    fn needs() -> Needs;
    /// The procedure's contract under its name in the index; named types are left with the press. `spec` is what it states,
    /// among the other procedures; `needs` are [`Describe::needs`], and what it takes to know the caller.
    fn describe(press: &mut Press, name: &str, spec: Spec, needs: Needs) -> ProcedureContract;
}

/// What the press asks of a procedure's failures.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of failures",
    label = "not a set of failures",
    note = "put `#[derive(Failure)]` on the enum and `#[failure(CODE)]` on each variant, or use `NoFailure`"
)]
pub trait DescribeFailures {
    /// All variants.
    fn failures(press: &mut Press) -> Vec<FailureContract>;
    /// The union in TypeScript.
    fn typescript(press: &mut Press) -> String;
}

impl DescribeFailures for crate::NoFailure {
    fn failures(_: &mut Press) -> Vec<FailureContract> {
        Vec::new()
    }
    fn typescript(_: &mut Press) -> String {
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
pub struct Press {
    inputs: SchemaGenerator,
    outputs: SchemaGenerator,
    config: ts_rs::Config,
    declarations: BTreeMap<String, Declaration>,
    clashes: Vec<String>,
}

impl Default for Press {
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

impl Press {
    /// The schema of an input, written out where it stands.
    pub fn input<T: WireInput>(&mut self) -> serde_json::Value {
        plain(T::json_schema(&mut self.inputs).into())
    }

    /// The schema of an output; named types are referred to.
    pub fn output<T: WireType>(&mut self) -> serde_json::Value {
        plain(self.outputs.subschema_for::<T>().into())
    }

    /// The TypeScript of a type, by name if it has one.
    pub fn typescript<T: WireType>(&mut self) -> String {
        Declare(self).visit::<T>();
        T::name(&self.config)
    }

    /// The TypeScript of an input, written out: every procedure may call its own `Input`.
    pub fn typescript_inline<T: WireType>(&mut self) -> String {
        T::visit_dependencies(&mut Declare(self));
        T::inline(&self.config)
    }

    /// Ends the collection.
    ///
    /// # Errors
    /// Names that two different types have: in TypeScript there is one room for all. Loaders that are none.
    pub fn finish(
        mut self,
        service: &str,
        password_sign_in: Option<PasswordSignIn>,
        mut procedures: Vec<ProcedureContract>,
    ) -> Result<(Contract, BTreeMap<String, Declaration>), Vec<String>> {
        if !self.clashes.is_empty() {
            return Err(self.clashes);
        }
        procedures.sort_by(|a, b| a.name.cmp(&b.name));
        let entities = entities(&procedures)?;
        let contract = Contract {
            format: FORMAT,
            service: service.to_owned(),
            index: "",
            npm_package: "",
            about: About::default(),
            layout: None,
            operator_role: None,
            domains: Vec::new(),
            procedures,
            entities,
            output_types: self.outputs.take_definitions(true).into_iter().map(named).collect(),
            input_types: self.inputs.take_definitions(true).into_iter().map(named).collect(),
            password_sign_in,
            session: None,
            authorization_server: None,
        };
        Ok((contract, self.declarations))
    }
}

/// The entities that have a loader. The type of the id is what the loader takes.
fn entities(procedures: &[ProcedureContract]) -> Result<Vec<EntityContract>, Vec<String>> {
    let loaders: BTreeSet<_> = procedures.iter().flat_map(|procedure| &procedure.loaders).collect();
    let entity = |(name, loader): &(&str, &str)| {
        let found = procedures.iter().find(|procedure| procedure.name == *loader);
        let found = found.filter(|procedure| procedure.kind == Kind::Query);
        let input = found.and_then(|procedure| procedure.input.as_ref());
        let id = input.and_then(|input| input.pointer("/properties/ids/items/$ref")?.as_str()?.rsplit('/').next());
        let items = found.and_then(|procedure| procedure.output.as_ref()?.pointer("/items/$ref")?.as_str());
        match (id, items) {
            (Some(id), Some(items)) if items.ends_with(&format!("/{name}")) => {
                Ok(EntityContract { name: (*name).to_owned(), id: id.to_owned(), loader: (*loader).to_owned() })
            }
            _ => Err(vec![format!(
                "`{loader}` is to load {name} by ids: a query that takes `ids` and answers `Vec<{name}>`"
            )]),
        }
    };
    loaders.into_iter().map(entity).collect()
}

/// A named type, with its name as the title.
fn named((name, schema): (String, serde_json::Value)) -> (String, serde_json::Value) {
    let schema = titled(&name, plain(schema));
    (name, schema)
}

/// A schema with a title: generators of code name types after it.
fn titled(title: &str, mut schema: serde_json::Value) -> serde_json::Value {
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".into(), title.into());
    }
    schema
}

/// `orders.byIds` as `OrdersByIds`: the first part of what its types are called.
pub fn type_name(procedure: &str) -> String {
    procedure.split('.').map(capitalized).collect()
}

/// `ordersGet` to `OrdersGet`.
pub fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A schema in the forms that most readers of JSON Schema know, of those that say the same. Integers of 32 bits have
/// their range, which schemars leaves to `format`, and no validator knows that. A choice between texts is an `enum`
/// with a `type`, where schemars has a union of constants; what is said of each stands in `x-enumDescriptions`. A
/// constant has a `type`.
#[must_use]
pub fn plain(mut schema: serde_json::Value) -> serde_json::Value {
    match &mut schema {
        serde_json::Value::Object(members) => {
            let range: Option<(i64, i64)> = match members.get("format").and_then(serde_json::Value::as_str) {
                Some("uint32") => Some((0, u32::MAX.into())),
                Some("int32") => Some((i32::MIN.into(), i32::MAX.into())),
                _ => None,
            };
            if let Some((least, most)) = range {
                members.entry("minimum").or_insert(least.into());
                members.entry("maximum").or_insert(most.into());
            }
            if members.get("const").is_some_and(serde_json::Value::is_string) {
                members.entry("type").or_insert("string".into());
            }
            if let Some(choice) = members.get("oneOf").and_then(choice) {
                members.remove("oneOf");
                members.extend(choice);
            }
            for member in members.values_mut() {
                *member = plain(member.take());
            }
        }
        serde_json::Value::Array(members) => members.iter_mut().for_each(|member| *member = plain(member.take())),
        _ => {}
    }
    schema
}

/// What takes the place of `oneOf` where all its branches are texts.
fn choice(branches: &serde_json::Value) -> Option<serde_json::Map<String, serde_json::Value>> {
    let mut values = Vec::new();
    let mut docs = serde_json::Map::new();
    for branch in branches.as_array()? {
        match (branch.get("const"), branch.get("enum")) {
            (Some(serde_json::Value::String(value)), None) => {
                values.push(serde_json::Value::from(value.as_str()));
                if let Some(said) = branch.get("description") {
                    docs.insert(value.clone(), said.clone());
                }
            }
            (None, Some(serde_json::Value::Array(several))) if several.iter().all(serde_json::Value::is_string) => {
                values.extend(several.iter().cloned());
            }
            _ => return None,
        }
    }
    let mut choice = serde_json::Map::from_iter([
        ("type".to_owned(), serde_json::Value::from("string")),
        ("enum".to_owned(), values.into()),
    ]);
    if !docs.is_empty() {
        choice.insert("x-enumDescriptions".to_owned(), docs.into());
    }
    Some(choice)
}

struct Declare<'a>(&'a mut Press);

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

/// Puts a procedure's contract together from its parts.
#[doc(hidden)]
pub fn procedure(name: &str, spec: Spec, docs: &str, needs: Needs, schemas: ProcedureSchemas) -> ProcedureContract {
    let Needs { mut grants, mut secrets, mut outbound, mail } = needs;
    secrets.sort_unstable();
    secrets.dedup();
    outbound.sort_unstable();
    outbound.dedup();
    let ProcedureSchemas { input, output, mut failures, mut typescript } = schemas;
    if spec.fresh_s.is_some() {
        failures.push(Reauthenticate::contract());
        typescript.failure = Reauthenticate::beside(&typescript.failure);
    }
    let input = input.map(|input| titled(&format!("{}Input", type_name(name)), input));
    for failure in &mut failures {
        let title = format!("{}{}", type_name(name), capitalized(&failure.kind));
        failure.schema = titled(&title, failure.schema.take());
    }
    let input_optional =
        input.as_ref().is_none_or(|schema| schema.get("required").and_then(|r| r.as_array()).is_none_or(Vec::is_empty));
    grants.sort_unstable();
    grants.dedup();
    ProcedureContract {
        name: name.to_owned(),
        function: crate::procedure::function_name(name),
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
        loaders: grants.iter().filter_map(|grant| Some((grant.entity, grant.loader?))).collect(),
        grants: grants.into_iter().map(GrantContract::from).collect(),
        timeout_ms: spec.timeout_ms,
        memory_mb: spec.memory_mb,
        reserved_concurrency: spec.concurrency,
        cache_seconds: spec.cache_s,
        http: spec.http.map(str::to_owned),
        errors: spec.http.map(|_| spec.errors),
        sensitive: spec.looks_at_session(),
        session: spec.session,
        fresh_seconds: spec.fresh_s,
        secrets,
        outbound,
        mail,
        input,
        input_optional,
        input_fields: spec.fields.iter().map(|field| field.name).collect(),
        output,
        failures,
        typescript,
    }
}

impl From<Grant> for GrantContract {
    fn from(grant: Grant) -> Self {
        let mut actions = grant.access.table_actions().to_vec();
        if !grant.indexes.is_empty() {
            actions.extend(grant.access.index_actions());
        }
        Self {
            entity: grant.entity.to_owned(),
            prefix: grant.prefix.to_owned(),
            access: grant.access,
            actions,
            indexes: grant.indexes.to_vec(),
            leading_keys: format!("{}#*", grant.prefix),
            kept: grant.kept,
        }
    }
}

/// One failure's contract from its parts: `fields` are the payload's members beside `type`.
#[doc(hidden)]
pub fn failure(kind: &str, code: Code, docs: &str, fields: Vec<(&str, serde_json::Value, Rewrite)>) -> FailureContract {
    let mut required = vec![serde_json::json!("type")];
    let mut properties = serde_json::Map::new();
    properties.insert("type".into(), serde_json::json!({"const": kind, "type": "string"}));
    let mut rewrites = Vec::new();
    for (name, schema, rewrite) in fields {
        required.push(name.into());
        properties.insert(name.to_owned(), schema);
        rewrites.push((name.to_owned(), rewrite));
    }
    FailureContract {
        kind: kind.to_owned(),
        code,
        http_status: code.http_status(),
        docs: docs.to_owned(),
        schema: serde_json::json!({"type": "object", "properties": properties, "required": required}),
        rewrites,
    }
}
