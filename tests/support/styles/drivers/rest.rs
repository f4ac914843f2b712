//! REST: each procedure's own route.

use serde_json::{Map, Value};

use super::{Driver, Failed, Heard, json};
use crate::{
    support::styles::calls::Procedure,
    support::{Answer, Request, http::percent_encode},
};

pub struct Rest;

impl Driver for Rest {
    fn name(&self) -> &'static str {
        "rest"
    }

    fn has(&self, procedure: Procedure<'_>) -> bool {
        procedure.rest().is_some()
    }

    fn say(&self, procedure: Procedure<'_>, input: Option<&Value>) -> Option<Request> {
        let (method, pattern) = procedure.rest()?;
        let mut fields = match input {
            None => Map::new(),
            Some(input) => input.as_object()?.clone(),
        };
        let mut path = String::new();
        for (at, part) in pattern.split('/').enumerate() {
            let slash = if at == 0 { "" } else { "/" };
            path.push_str(slash);
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                None => path.push_str(part),
                Some(name) => match fields.remove(name)? {
                    Value::String(text) if !self.spoils(&text) => {
                        path.push_str(&percent_encode(text.as_bytes()));
                    }
                    _ => return None,
                },
            }
        }
        if ["POST", "PUT", "PATCH"].contains(&method) {
            let request = Request::new(method, path);
            let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
            let is_said = input.is_some() && !(fields.is_empty() && pattern.contains('{'));
            let body = Value::Object(fields).to_string();
            return Some(if is_said { request.header("content-type", kind).body(body) } else { request });
        }
        let mut pairs = Vec::new();
        for (name, value) in &fields {
            let texts = texts(procedure, name, value)?;
            pairs.extend(
                texts
                    .iter()
                    .map(|text| format!("{}={}", percent_encode(name.as_bytes()), percent_encode(text.as_bytes()))),
            );
        }
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        Some(Request::new(method, path + &query))
    }

    fn hear(&self, procedure: Procedure<'_>, answer: &Answer) -> Result<Heard, String> {
        let kind = answer.header("content-type").unwrap_or_default();
        match answer.status {
            204 if procedure.output().is_none() => Ok(Ok(None)),
            200 | 201 if kind == "application/json" => Ok(Ok(Some(json(answer)?))),
            400.. if kind == "application/problem+json" => {
                let problem = json(answer)?;
                if problem["status"] != answer.status || problem["requestId"].as_str() != answer.header("x-request-id")
                {
                    return Err(format!("{}: {problem}", answer.status));
                }
                Ok(Err(Failed::new(&problem["code"], &problem["failure"], &problem["errors"])))
            }
            status => Err(format!("{status} of {kind}: {:.300}", answer.text())),
        }
    }

    /// An address without its last part is another address; so is one with dots in its place.
    fn spoils(&self, text: &str) -> bool {
        ["", ".", ".."].contains(&text)
    }
}

/// A value of an address's query: texts, of which a list has one for each entry. None when the texts would say
/// something else.
fn texts(procedure: Procedure<'_>, name: &str, value: &Value) -> Option<Vec<String>> {
    let schema = procedure.input().map(|input| &input["properties"][name])?;
    let form = forms(procedure, schema);
    match value {
        // Leaving it out says the same, where null may be said.
        Value::Null if form.contains(&"null") => Some(Vec::new()),
        Value::Array(entries) if form.contains(&"array") && !entries.is_empty() => {
            let items = branch_of(procedure, schema, "array")?;
            let form = forms(procedure, &items["items"]);
            entries.iter().map(|entry| text(&form, entry)).collect()
        }
        value => Some(vec![text(&form, value)?]),
    }
}

fn text(form: &[&str], value: &Value) -> Option<String> {
    let is = |name: &str| form.contains(&name);
    match value {
        Value::String(text) => {
            let reads_otherwise = is("boolean") && ["true", "false"].contains(&text.as_str())
                || (is("integer") || is("number")) && text.parse::<f64>().is_ok()
                || is("object") && serde_json::from_str::<Value>(text).is_ok();
            (!reads_otherwise && !is("array")).then(|| text.clone())
        }
        Value::Number(number) if is("integer") || is("number") => Some(number.to_string()),
        Value::Bool(flag) if is("boolean") => Some(flag.to_string()),
        other if is("object") => Some(other.to_string()),
        _ => None,
    }
}

/// The kinds of JSON that a schema takes.
fn forms<'a>(procedure: Procedure<'a>, schema: &'a Value) -> Vec<&'a str> {
    let schema = procedure.resolve(schema);
    let branches = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    match (&schema["type"], branches) {
        (Value::String(one), _) => vec![one],
        (Value::Array(several), _) => several.iter().filter_map(Value::as_str).collect(),
        (_, Some(branches)) => branches.iter().flat_map(|branch| forms(procedure, branch)).collect(),
        _ => Vec::new(),
    }
}

/// The branch of a schema that is of a kind.
fn branch_of<'a>(procedure: Procedure<'a>, schema: &'a Value, kind: &str) -> Option<&'a Value> {
    let schema = procedure.resolve(schema);
    match schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        Some(branches) => branches.iter().find_map(|branch| branch_of(procedure, branch, kind)),
        None => forms(procedure, schema).contains(&kind).then_some(schema),
    }
}
