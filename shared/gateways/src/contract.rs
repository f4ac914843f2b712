//! The contract, as gateways read it: `contract.json`.

use std::collections::HashMap;

use protocol::{Cause, Code, ErrorFormat, Kind, RestAnswer, contract::capitalized};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A service.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contract {
    /// The service's name.
    pub service: String,
    /// What the npm package of its client is called.
    #[serde(default)]
    pub npm_package: String,
    /// The role of those who run the service.
    pub operator_role: Option<String>,
    /// What its package says of it.
    #[serde(default)]
    pub about: About,
    /// What the first words of the procedures' names stand for.
    #[serde(default)]
    pub domains: Vec<Domain>,
    /// Its procedures, by name.
    pub procedures: Vec<Procedure>,
    /// What can be fetched by ids.
    #[serde(default)]
    pub entities: Vec<Entity>,
    /// The named types that outputs and failures refer to (`#/outputTypes/User`), as JSON Schema 2020-12.
    pub output_types: Map<String, Value>,
    /// The named types that inputs refer to (`#/inputTypes/UserId`).
    pub input_types: Map<String, Value>,
    /// How somebody is signed in who gives a name and a password with the call.
    pub password_sign_in: Option<PasswordSignIn>,
    /// Whether callers sign in with a password and stay so by a cookie.
    #[serde(default, rename = "session", deserialize_with = "is_stated")]
    pub has_sessions: bool,
    /// How applications of others are let in (OAuth 2.1).
    pub authorization_server: Option<AuthorizationServer>,
    #[serde(skip)]
    places: HashMap<String, usize>,
    /// What has a form of its own and is in no style: told of, and not called.
    #[serde(skip)]
    pub own_forms: Vec<Procedure>,
}

/// What a service's package says of it; what is empty is not stated.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct About {
    /// The service's own version.
    pub version: String,
    /// What it is, in a sentence.
    pub description: String,
    /// An SPDX expression.
    pub license: String,
    /// Whom to ask.
    pub contact: String,
    /// Where to read on.
    pub homepage: String,
}

/// A domain: `orders` of `orders.get`.
#[derive(Clone, Debug, Deserialize)]
pub struct Domain {
    /// The word.
    pub name: String,
    /// What it is about; may be empty.
    pub docs: String,
}

/// Something that is kept, and that others may name by its id.
#[derive(Clone, Debug, Deserialize)]
pub struct Entity {
    /// The entity's name.
    pub name: String,
    /// The type of its id, such as `UserId`.
    pub id: String,
    /// The procedure that fetches many by id: it takes `ids`, and answers a list of those that exist.
    pub loader: String,
}

/// How somebody is signed in for one call, see `protocol::PasswordSignIn`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordSignIn {
    /// The procedure that takes name and password.
    pub sign_in: String,
    /// The field of its input that takes the name.
    pub name_field: String,
    /// The field that takes the password.
    pub password_field: String,
    /// What its input holds besides: fields and their texts.
    pub with: Vec<(String, String)>,
    /// Where its output has the access token, as a JSON Pointer.
    pub access_token: String,
    /// Where its output has what ends the sign-in.
    pub refresh_token: String,
    /// The procedure that ends it.
    pub sign_out: String,
    /// The field of its input that takes what was at `refresh_token`.
    pub refresh_token_field: String,
}

/// The procedures of an authorization server, see `protocol::AuthorizationServer`.
#[derive(Clone, Debug, Deserialize)]
pub struct AuthorizationServer {
    /// The procedure at the authorization endpoint.
    pub authorize: String,
    /// The procedure at the token endpoint.
    pub token: String,
}

/// Whether there is anything but null.
fn is_stated<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<serde::de::IgnoredAny>::deserialize(deserializer)?.is_some())
}

/// One procedure.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Procedure {
    /// What it is called on the wire: `orders.markPaid`.
    pub name: String,
    /// What its function is called in a stage: `orders-mark-paid`.
    pub function: String,
    /// Whether it changes anything.
    pub kind: Kind,
    /// The doc comment.
    pub docs: String,
    /// Who may call it.
    pub auth: Auth,
    /// Whether applications of others may.
    #[serde(default)]
    pub for_applications: bool,
    /// `GET /v1/orders/{id}`.
    pub rest: Option<String>,
    /// What the answers of this route say besides the output.
    pub rest_answer: Option<RestAnswer>,
    /// The input's schema, or none when there is no input.
    pub input: Option<Value>,
    /// The names of the input's fields, in the order of their declaration.
    pub input_fields: Vec<String>,
    /// Whether the input may be left out.
    pub input_optional: bool,
    /// The output's schema, or none when there is no output.
    pub output: Option<Value>,
    /// The procedure's own failures.
    pub failures: Vec<Failure>,
    /// Its own method and path. Such a procedure is in no style.
    pub http: Option<String>,
    /// How it answers there when a call does not succeed.
    #[serde(default)]
    pub errors: Option<ErrorFormat>,
    /// How long one call may take, in milliseconds.
    pub timeout_ms: u32,
}

/// Who may call.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Auth {
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

/// One failure of a procedure.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The `type` in the payload.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code.
    pub code: Code,
    /// The doc comment.
    pub docs: String,
    /// The payload's schema, with `type` in it.
    pub schema: Value,
}

impl Procedure {
    /// `orders.markPaid` as `ordersMarkPaid`: its name where no point may stand.
    pub fn camel_case_name(&self) -> String {
        let mut words = self.name.split('.');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |name, word| name + &capitalized(word))
    }
}

/// What is said of one value of an enumeration.
pub fn docs_of_value<'a>(schema: &'a Value, value: &str) -> Option<&'a str> {
    schema.get("x-enumDescriptions")?.get(value)?.as_str()
}

impl Contract {
    /// Reads a contract.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(json: &str) -> Result<Self, Cause> {
        let mut contract: Self = serde_json::from_str(json)?;
        // What has a form of its own is reached where it is, and in no other way.
        let (usual, own_forms) = contract.procedures.into_iter().partition(|procedure| procedure.http.is_none());
        (contract.procedures, contract.own_forms) = (usual, own_forms);
        contract.places =
            contract.procedures.iter().enumerate().map(|(place, procedure)| (procedure.name.clone(), place)).collect();
        Ok(contract)
    }

    /// The procedure of this name.
    pub fn find(&self, name: &str) -> Option<&Procedure> {
        self.places.get(name).map(|&place| &self.procedures[place])
    }

    /// The paths of the authorization server's two endpoints, if applications of others are let in.
    pub fn authorization_endpoints(&self) -> Option<(&str, &str)> {
        let server = self.authorization_server.as_ref()?;
        let path = |name: &str| {
            let procedure = self.own_forms.iter().find(|procedure| procedure.name == name)?;
            procedure.http.as_deref()?.split_once(' ').map(|(_, path)| path)
        };
        path(&server.authorize).zip(path(&server.token))
    }

    /// The documents' licence (OpenAPI 3.1 and OpenRPC), if it is stated.
    pub fn license(&self) -> Option<Value> {
        let license = &self.about.license;
        (!license.is_empty()).then(|| serde_json::json!({"name": license, "identifier": license}))
    }

    /// What the service is, and then how it is called.
    pub fn described(&self, how: &str) -> String {
        format!("{}\n\n{how}", self.about.description).trim().to_owned()
    }

    /// Whom the documents name to be asked, if that is stated.
    pub fn contact(&self) -> Option<Value> {
        let named = [("name", &self.about.contact), ("url", &self.about.homepage)];
        let stated = named.into_iter().filter(|(_, text)| !text.is_empty());
        let contact: Map<String, Value> = stated.map(|(name, text)| (name.into(), text.as_str().into())).collect();
        (!contact.is_empty()).then(|| contact.into())
    }

    /// What a domain is about; empty where that is not said.
    pub fn domain_docs(&self, name: &str) -> &str {
        self.domains.iter().find(|domain| domain.name == name).map_or("", |domain| &domain.docs)
    }

    /// What a schema says, after references: `#/outputTypes/User` and `#/inputTypes/UserId` are followed.
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
