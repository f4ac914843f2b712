//! The contract: what a service offers, as data. All documents, clients and templates are made from it, never from
//! the code.
//!
//! There is one type of it. The build writes it to `contract.json` ([`ContractBuilder`]), and gateways, documents and
//! infrastructure read it from there ([`Contract::parse`]).
//!
//! A member that is added later is an `Option` or has a default, so that older contracts can be read; a change of a
//! member's meaning needs another [`FORMAT`].

mod builder;
mod schema;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

pub use builder::{
    Build, ContractBuilder, Declaration, Describe, DescribeFailures, Described, DescribedFailure, DescribedService,
    ProcedureBuild, ProcedureSchemas, ProcedureTypes, Rewrite, declarations, failure, procedure, rewrite,
    rewrite_input,
};
pub use schema::plain;

use crate::{
    About, Access, AuthorizationServer, Cause, Code, ErrorFormat, Kind, Layout, PasswordSignIn, RestAnswer,
    SessionSignIn, Table, TableIndex,
};

/// The version of the contract's own format.
pub const FORMAT: u32 = 1;

/// A service, whole.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Contract {
    /// The version of the format that it is in: [`FORMAT`].
    pub format: u32,
    /// The service's name.
    pub service: String,
    /// The module of the index, such as `functions`: the path under which the generated programs find the procedures.
    #[serde(default)]
    pub index: String,
    /// What the npm package is called.
    #[serde(default)]
    pub npm_package: String,
    /// Whose it is, and what it is for.
    #[serde(default)]
    pub about: About<String>,
    /// Where its files are, or null when nothing is generated for it.
    pub layout: Option<Layout<String>>,
    /// The role of those who run the service, or null.
    pub operator_role: Option<String>,
    /// What the first words of the procedures' names stand for, in the index's order.
    #[serde(default)]
    pub domains: Vec<Domain>,
    /// All procedures, by name.
    pub procedures: Vec<ProcedureContract>,
    /// What can be fetched by ids, by name.
    #[serde(default)]
    pub entities: Vec<EntityContract>,
    /// The named types that outputs and failures refer to (`#/outputTypes/Order`), as JSON Schema 2020-12.
    #[ts(type = "Record<string, unknown>")]
    pub output_types: Map<String, Value>,
    /// The named types that inputs refer to (`#/inputTypes/OrderId`).
    #[ts(type = "Record<string, unknown>")]
    pub input_types: Map<String, Value>,
    /// The JSON Schemas of the configurations that procedures take, by name. A stage states a value of each.
    #[serde(default)]
    #[ts(type = "Record<string, unknown>")]
    pub configs: Map<String, Value>,
    /// How a gateway signs in a user who gives a name and a password with the call, or null.
    pub password_sign_in: Option<PasswordSignInContract>,
    /// How a client signs in and stays signed in, or null.
    pub session: Option<SessionSignIn<String>>,
    /// How applications of others are let in, or null.
    pub authorization_server: Option<AuthorizationServer<String>>,
    /// The table in which the service keeps what it stores.
    pub table: Table<String, Vec<TableIndex<String>>>,
    /// What answers in the styles of API that span procedures.
    pub gateways: Vec<GatewayContract>,
}

/// How a gateway signs a user in, as the contract has it.
pub type PasswordSignInContract = PasswordSignIn<String, Vec<(String, String)>>;

/// A domain: `orders` of `orders.get`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Domain {
    /// The word.
    pub name: String,
    /// The doc comment of the index.
    pub docs: String,
}

/// One procedure.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
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
    /// Whether applications of others may, in a user's name or for themselves.
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
    pub session: Option<String>,
    /// For how many seconds after signing in, or authenticating again, it may be called, or may with some inputs; null
    /// when it is not stated.
    pub fresh_seconds: Option<u32>,
    /// The secrets that it reads, by name.
    pub secrets: Vec<String>,
    /// The configurations that it takes, by name.
    #[serde(default)]
    pub configs: Vec<String>,
    /// What it calls outside the service, in words.
    pub outbound: Vec<String>,
    /// Whether it sends mail.
    pub mail: bool,
    /// The input's schema, or null when there is none.
    #[ts(type = "unknown")]
    pub input: Option<Value>,
    /// Whether the input may be left out.
    pub input_optional: bool,
    /// The names of the input's fields, in the order of their declaration: what is given by position is meant so.
    pub input_fields: Vec<String>,
    /// The output's schema, or null when there is none.
    #[ts(type = "unknown")]
    pub output: Option<Value>,
    /// The procedure's own failures, and the framework's that it can have (`reauthenticate`).
    pub failures: Vec<FailureContract>,
}

/// Something that is kept, and that others may name by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EntityContract {
    /// The entity's name.
    pub name: String,
    /// The type of its id, such as `OrderId`.
    pub id: String,
    /// The procedure that fetches many by id: it takes `ids`, and answers a list of those that exist.
    pub loader: String,
}

/// Who may call, as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
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
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GrantContract {
    /// The entity's name.
    pub entity: String,
    /// What its partition keys begin with.
    pub prefix: String,
    /// Which right.
    pub access: Access,
    /// The IAM actions. `dynamodb:Query` is meant for the indexes, and every other one for the table.
    pub actions: Vec<String>,
    /// The indexes that may be queried: those in which the entity stands.
    pub indexes: Vec<String>,
    /// The value of `dynamodb:LeadingKeys` (`ForAllValues:StringLike`).
    pub leading_keys: String,
}

/// One failure of a procedure.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
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
    /// The payload's schema, with `type` in it.
    #[ts(type = "unknown")]
    pub schema: Value,
}

/// A gateway: what answers in one style of API for many procedures.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct GatewayContract {
    /// `graphql`; the function is `gateway-graphql`.
    pub name: String,
    /// Where it is. `/docs/{proxy+}` is everything under `/docs/`.
    pub paths: Vec<String>,
    /// The methods that it takes.
    pub methods: Vec<String>,
    /// Whether it calls procedures; else it gives out documents only.
    pub calls: bool,
    /// The procedures that it may invoke, by name.
    pub invokes: Vec<String>,
    /// The function's memory, in MiB.
    pub memory_mb: u32,
    /// How long one request may take, with all its calls, in milliseconds.
    pub timeout_ms: u32,
}

impl ProcedureContract {
    /// Whether every API style calls it: it has no `http`.
    pub const fn is_in_styles(&self) -> bool {
        self.http.is_none()
    }
}

impl Contract {
    /// Parses a contract.
    ///
    /// # Errors
    /// When it has another [`FORMAT`], or is malformed.
    pub fn parse(json: &str) -> Result<Self, Cause> {
        /// The member that a contract of every format has.
        #[derive(Deserialize)]
        struct Outline {
            format: Option<Value>,
        }

        let Outline { format } =
            serde_json::from_str(json).map_err(|error| format!("the contract is no JSON object: {error}"))?;
        expect_format(format.as_ref()).map_err(|fault| format!("the contract {fault}"))?;
        serde_json::from_str(json).map_err(|error| format!("the contract is incomplete: {error}").into())
    }

    /// The procedure of this name.
    pub fn procedure(&self, name: &str) -> Option<&ProcedureContract> {
        self.procedures.iter().find(|procedure| procedure.name == name)
    }

    /// The procedures that every API style calls by name: all but those with `http`.
    pub fn in_styles(&self) -> impl Iterator<Item = &ProcedureContract> {
        self.procedures.iter().filter(|procedure| procedure.is_in_styles())
    }

    /// The procedure of this name that every API style calls.
    pub fn find_in_styles(&self, name: &str) -> Option<&ProcedureContract> {
        self.procedure(name).filter(|procedure| procedure.is_in_styles())
    }

    /// The procedures with `http`: documents describe them, and no style calls them.
    pub fn own_forms(&self) -> impl Iterator<Item = &ProcedureContract> {
        self.procedures.iter().filter(|procedure| !procedure.is_in_styles())
    }

    /// The paths of the authorization endpoint and the token endpoint, if the service is an authorization server.
    pub fn authorization_endpoints(&self) -> Option<(&str, &str)> {
        let server = self.authorization_server.as_ref()?;
        let path = |name: &str| self.procedure(name)?.http.as_deref()?.split_once(' ').map(|(_, path)| path);
        path(&server.authorize).zip(path(&server.token))
    }

    /// The schema itself, after references: `#/outputTypes/Order` and `#/inputTypes/OrderId` are resolved.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return schema };
        let found = match reference.split_once("Types/") {
            Some(("#/output", name)) => self.output_types.get(name),
            Some(("#/input", name)) => self.input_types.get(name),
            _ => None,
        };
        found.map_or(schema, |found| self.resolve(found))
    }
}

/// Checks that the `format` that a contract states is [`FORMAT`].
///
/// # Errors
/// The difference, such as `has format 2, and format 1 is understood here`.
pub fn expect_format(stated: Option<&Value>) -> Result<(), String> {
    match stated {
        None => Err("states no `format`".to_owned()),
        Some(format) if *format == FORMAT => Ok(()),
        Some(format) => Err(format!("has format {format}, and format {FORMAT} is understood here")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_contract_of_another_format_is_told_from_what_is_none() {
        let error = |json: Value| Contract::parse(&json.to_string()).unwrap_err().to_string();
        assert_eq!(error(json!({"format": 2})), "the contract has format 2, and format 1 is understood here");
        assert_eq!(error(json!({"format": "1"})), "the contract has format \"1\", and format 1 is understood here");
        assert_eq!(error(json!({"service": "s"})), "the contract states no `format`");
        assert!(error(json!({"format": 1})).starts_with("the contract is incomplete: missing field `service`"));
        assert!(error(json!([])).starts_with("the contract is no JSON object: "));
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let bare = json!({
            "format": 1, "service": "s", "procedures": [], "inputTypes": {}, "outputTypes": {}, "gateways": [],
            "table": {"partitionKey": "pk", "sortKey": "sk", "indexes": [], "timeToLive": "ttl", "streamView": null},
            "laterMember": true,
        });
        let read = Contract::parse(&bare.to_string()).unwrap();
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(written, serde_json::to_string(&Contract::parse(&written).unwrap()).unwrap());
        assert!(!written.contains("laterMember"));
    }
}
