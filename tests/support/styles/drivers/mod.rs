//! Calls in the words of each style: a driver makes the request, and reads the answer. What is the same call has to
//! come to the same thing.

mod batch;
mod graphql;
mod jsonrpc;
mod rest;
mod soap;
mod trpc;
pub mod xml;

use serde_json::Value;

use super::calls::{Contract, Procedure};
use crate::support::{Answer, Request, Service};

/// What came of a call: the output, none where the procedure has none; or why there is none.
pub type Heard = Result<Option<Value>, Failed>;

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// `NOT_FOUND`.
    pub code: String,
    /// The procedure's own failure.
    pub failure: Option<Value>,
    /// The paths of the fields at fault, in order.
    pub fields: Vec<String>,
}

impl Failed {
    /// From the members that every style gives them as: `code`, `failure` and faults of fields.
    fn new(code: &Value, failure: &Value, fields: &Value) -> Self {
        let paths = fields.as_array().into_iter().flatten();
        let mut fields: Vec<_> = paths.map(|fault| fault["path"].as_str().unwrap_or("no text").to_owned()).collect();
        fields.sort();
        let code = code.as_str().unwrap_or("no code").to_owned();
        Self { code, failure: Some(failure.clone()).filter(|failure| !failure.is_null()), fields }
    }
}

/// The path of a member as the procedure has it, where the style has a member for each variant of a tagged union.
fn without_variants(procedure: Procedure<'_>, path: &str) -> String {
    let types = procedure.types().as_object().into_iter().flatten().map(|(_, schema)| schema);
    let variants = types.flat_map(|schema| schema["oneOf"].as_array().into_iter().flatten());
    let tags: Vec<_> = variants.filter_map(|variant| variant["properties"]["type"]["const"].as_str()).collect();
    path.split('.').filter(|step| !tags.contains(step)).collect::<Vec<_>>().join(".")
}

/// A style.
pub trait Driver: Send + Sync {
    /// For people.
    fn name(&self) -> &'static str;

    /// Whether a procedure can be called in it at all.
    fn has(&self, _: Procedure<'_>) -> bool {
        true
    }

    /// The call as this style has it, without credentials. None when the style has no words for the input: `7` instead
    /// of the fields, a text where an address has digits. No procedure would have taken it.
    fn say(&self, procedure: Procedure<'_>, input: Option<&Value>) -> Option<Request>;

    /// What the answer says.
    ///
    /// # Errors
    /// What is wrong with its form.
    fn hear(&self, procedure: Procedure<'_>, answer: &Answer) -> Result<Heard, String>;

    /// Whether the style has types of its own, so that it refuses by itself what is of another: then only the code
    /// says so for sure.
    fn is_typed(&self) -> bool {
        false
    }

    /// Whether the style cannot carry a text: it has no words for it in a call, and gives another one in an answer.
    fn spoils(&self, _text: &str) -> bool {
        false
    }
}

/// What the others are held against.
pub const fn first() -> impl Driver {
    trpc::Trpc
}

/// Every other style that a service has. The running one says what there is.
pub async fn others(contract: &Contract, service: &Service) -> Vec<Box<dyn Driver>> {
    let mut drivers: Vec<Box<dyn Driver>> = vec![Box::new(rest::Rest)];
    for style in gateways::SPECS.iter().filter(|spec| spec.calls) {
        drivers.push(match style.name {
            "trpc" => Box::new(batch::Batch),
            "graphql" => Box::new(graphql::GraphQl::of(service).await),
            "jsonrpc" => Box::new(jsonrpc::JsonRpc),
            "soap" => Box::new(soap::Soap { namespace: format!("urn:onefold:{}", contract.service()) }),
            other => panic!("{other} is a style of its own: say here how it is called"),
        });
    }
    drivers
}

/// The body of an answer as JSON, with what it is when it is none.
fn json(answer: &Answer) -> Result<Value, String> {
    serde_json::from_slice(&answer.body).map_err(|_| format!("{} and no JSON: {:.300}", answer.status, answer.text()))
}
