//! The contract, as gateways read it: `bindings/contract.json`.

use std::collections::HashMap;

use protocol::{Cause, Code, ErrorFormat, Kind, RestAnswer};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A service.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contract {
    /// The service's name.
    pub service: String,
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
    /// How callers sign in at the service itself.
    #[serde(skip)]
    pub sign_in: SignIn,
    #[serde(skip)]
    places: HashMap<String, usize>,
    /// What has a form of its own and is in no style: told of, and not called.
    #[serde(skip)]
    pub own_forms: Vec<Procedure>,
}

/// What a service's package says of it; what is empty is not stated.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct About {
    /// What it is, in a sentence.
    pub description: String,
    /// An SPDX expression.
    pub license: String,
    /// Whom to ask.
    pub contact: String,
    /// Where to read on.
    pub homepage: String,
}

/// A domain: `users` of `users.get`.
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

/// How callers sign in at a service, other than with a token that somebody else gave them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignIn {
    /// With a password, to stay so by a cookie.
    pub by_cookie: bool,
    /// As applications: the service is an authorization server (OAuth 2.1).
    pub by_oauth: bool,
}

/// One procedure.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Procedure {
    /// `users.get`.
    pub name: String,
    /// Whether it changes anything.
    pub kind: Kind,
    /// The doc comment.
    pub docs: String,
    /// Who may call it.
    pub auth: Auth,
    /// Whether applications of others may.
    #[serde(default)]
    pub for_applications: bool,
    /// `GET /v1/users/{id}`.
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
    /// `auth.change_password` as `authChangePassword`: its name where neither points nor underscores may stand.
    pub fn camel_case_name(&self) -> String {
        let mut name = String::with_capacity(self.name.len());
        let mut upper = false;
        for letter in self.name.chars() {
            match letter {
                '.' | '_' => upper = true,
                letter if upper => {
                    name.extend(letter.to_uppercase());
                    upper = false;
                }
                letter => name.push(letter),
            }
        }
        name
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
        let has = |name: &str| contract.procedures.iter().any(|procedure| procedure.name == name);
        let at = |http: &str| contract.procedures.iter().any(|procedure| procedure.http.as_deref() == Some(http));
        contract.sign_in = SignIn {
            by_cookie: has("auth.login") && has("auth.refresh"),
            by_oauth: at("GET /oauth/authorize") && at("POST /oauth/token"),
        };
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
