//! Parses requests (GraphQL over HTTP, section 5).

use std::fmt;

use async_graphql::{Value, Variables};
use bytes::Bytes;
use http::{Method, request::Parts};
use protocol::{Code, input, media_type, trpc};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

use super::fault::Fault;

/// The maximum number of operations in one request.
pub(super) const MAX_OPERATIONS: usize = 10;
/// The maximum size of the variables, in bytes of the request.
const MAX_VARIABLES_BYTES: usize = 512 * 1024;

/// One operation of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    pub query: Option<String>,
    pub operation_name: Option<String>,
    #[serde(default, deserialize_with = "members")]
    pub variables: Variables,
    #[serde(default)]
    pub extensions: Option<Extensions>,
}

/// The extensions of a request. Unknown ones are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extensions {
    pub persisted_query: Option<PersistedQuery>,
}

/// The hash of a query that may be cached.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersistedQuery {
    pub version: u32,
    pub sha256_hash: String,
}

/// One operation, or several.
#[derive(Debug)]
pub(super) enum RequestBody {
    One(Box<Request>),
    Many(Vec<Request>),
}

/// Parses a request.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read(parts: &Parts, body: &Bytes) -> Result<RequestBody, Fault> {
    match parts.method {
        Method::GET | Method::HEAD => {
            from_address(parts.uri.query().unwrap_or_default()).map(|one| RequestBody::One(Box::new(one)))
        }
        Method::POST => from_body(parts, body),
        _ => Err(Fault::request(Code::MethodNotSupported, "GraphQL is asked by GET, HEAD or POST.")),
    }
}

fn from_body(parts: &Parts, body: &Bytes) -> Result<RequestBody, Fault> {
    if !media_type::is_utf8(&parts.headers, media_type::JSON) {
        let message = "The body has to be JSON in UTF-8, and say so: `content-type: application/json`.";
        return Err(Fault::request(Code::UnsupportedMediaType, message));
    }
    let text = std::str::from_utf8(body).map_err(|_| bad("The body is not UTF-8."))?;
    expect_once(THE_BODY, "", text)?;
    if text.trim_start().starts_with('[') {
        let many: Operations = serde_json::from_str(text).map_err(|error| malformed(THE_BODY, &error))?;
        return match many.0.is_empty() {
            true => Err(bad("The list of operations is empty.")),
            false => Ok(RequestBody::Many(many.0)),
        };
    }
    serde_json::from_str(text).map(|one| RequestBody::One(Box::new(one))).map_err(|error| malformed(THE_BODY, &error))
}

fn from_address(query: &str) -> Result<Request, Fault> {
    let mut request = Request::default();
    let mut seen = Vec::new();
    let decoded =
        |text| trpc::percent_decode(text, true).ok_or_else(|| bad("The address is not percent-encoded UTF-8."));
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        if !["query", "operationName", "variables", "extensions"].contains(&&*name) {
            continue;
        }
        if seen.contains(&name) {
            return Err(bad(format!("`{name}` is given more than once.")));
        }
        match &*name {
            "query" => request.query = Some(value.into_owned()),
            "operationName" => request.operation_name = Some(value.into_owned()),
            "variables" => request.variables = json::<Members>(&name, &value)?.unwrap_or_default().0,
            _ => request.extensions = json(&name, &value)?,
        }
        seen.push(name);
    }
    Ok(request)
}

fn json<'v, T: Deserialize<'v>>(name: &str, value: &'v str) -> Result<Option<T>, Fault> {
    if value.is_empty() {
        return Ok(None);
    }
    let what = format!("`{name}`");
    expect_once(&what, name, value)?;
    serde_json::from_str(value).map_err(|error| malformed(&what, &error))
}

/// Refuses duplicate members: it would be ambiguous which one counts.
fn expect_once(what: &str, around: &str, text: &str) -> Result<(), Fault> {
    match input::duplicate_member(text.as_bytes()).map_err(|error| malformed(what, &error))? {
        None => Ok(()),
        Some(path) => {
            let separator = if around.is_empty() || path.starts_with('[') { "" } else { "." };
            Err(bad(format!("`{around}{separator}{path}` is given more than once.")))
        }
    }
}

fn bad(message: impl Into<String>) -> Fault {
    Fault::request(Code::BadRequest, message)
}

fn malformed(what: &str, error: &serde_json::Error) -> Fault {
    let form = if what == THE_BODY && error.is_syntax() { FORM } else { "" };
    bad(format!("{what} {}{form}", reason(error)))
}

const THE_BODY: &str = "The body";
/// A hint for clients that send the document itself as body.
const FORM: &str = " A body is an object such as {\"query\": \"{ … }\", \"variables\": {}}.";

/// The reason of a JSON error, without the content.
fn reason(error: &serde_json::Error) -> String {
    let place = format!("at line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            let message = error.to_string();
            let said = OWN_WORDS.iter().find(|words| message.starts_with(**words));
            said.map_or_else(|| format!("has a value of a wrong type {place}."), |words| format!("{words} ({place})."))
        }
        _ => format!("is not JSON {place}: it may be cut off, or nested too deep."),
    }
}

const TOO_MANY: &str = "has more than 10 operations";
const TOO_LARGE: &str = "has variables of more than 512 KiB";

const OWN_WORDS: [&str; 2] = [TOO_MANY, TOO_LARGE];

/// Operations, up to the limit: the rest is not read.
struct Operations(Vec<Request>);

impl<'de> Deserialize<'de> for Operations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Operations;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("operations")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Operations, A::Error> {
                let mut operations = Vec::new();
                while let Some(operation) = list.next_element()? {
                    if operations.len() == MAX_OPERATIONS {
                        return Err(A::Error::custom(TOO_MANY));
                    }
                    operations.push(operation);
                }
                Ok(Operations(operations))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// The values of variables, or null.
#[derive(Default)]
struct Members(Variables);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        members(deserializer).map(Self)
    }
}

fn members<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Variables, D::Error> {
    let raw: Option<&'de serde_json::value::RawValue> = Deserialize::deserialize(deserializer)?;
    let Some(raw) = raw else { return Ok(Variables::default()) };
    if raw.get().len() > MAX_VARIABLES_BYTES {
        return Err(D::Error::custom(TOO_LARGE));
    }
    match serde_json::from_str(raw.get()).map_err(D::Error::custom)? {
        Value::Null => Ok(Variables::default()),
        value @ Value::Object(_) => Ok(Variables::from_value(value)),
        _ => Err(D::Error::custom("not an object")),
    }
}
