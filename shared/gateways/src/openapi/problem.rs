//! Describes error responses: problems (RFC 9457).

use std::collections::BTreeMap;

use protocol::{
    Code,
    case::{capitalized, type_name},
    contract::{AuthContract, FailureContract},
    media_type,
};
use serde_json::{Map, Value, json};

use super::components::Components;
use crate::{example, names::titled, rest::Route, samples};

/// Faults that are not a procedure's own: the name of the component, the code, and when it occurs.
const COMMON: [(&str, Code, &str); 13] = [
    ("BadRequest", Code::BadRequest, "The request is malformed, or its input is not valid."),
    ("Unauthorized", Code::Unauthorized, "Nobody is signed in, or what was presented is not valid."),
    ("Forbidden", Code::Forbidden, "The caller is known and may not do this."),
    ("NotAcceptable", Code::NotAcceptable, "`Accept` leaves JSON out."),
    ("Conflict", Code::Conflict, "Somebody else was first."),
    ("PreconditionFailed", Code::PreconditionFailed, "What `If-Match` names is not stored any more."),
    ("PayloadTooLarge", Code::PayloadTooLarge, "The input is larger than 1 MiB."),
    ("UnsupportedMediaType", Code::UnsupportedMediaType, "The body is not JSON."),
    ("RequestTimeout", Code::Timeout, "The body did not arrive in time."),
    ("TooManyRequests", Code::TooManyRequests, "The caller calls too often."),
    (
        "InternalServerError",
        Code::InternalServerError,
        "A fault of the service's; the log knows more, by the request's id.",
    ),
    ("ServiceUnavailable", Code::ServiceUnavailable, "What the procedure needs is overloaded or away."),
    ("GatewayTimeout", Code::GatewayTimeout, "The procedure did not answer in its time."),
];

/// The schema of all problems.
pub fn schema() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.key()).collect();
    json!({
        "description": "Why a call did not succeed (RFC 9457).",
        "type": "object",
        "required": ["type", "title", "status", "detail", "instance", "code", "requestId"],
        "properties": {
            "type": {
                "type": "string",
                "format": "uri-reference",
                "description": "Leads to the documentation of a procedure's own failure; else `about:blank`.",
            },
            "title": {"type": "string", "description": "The status in words."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
            "detail": {"type": "string", "description": "One sentence for a person."},
            "instance": {"type": "string", "format": "uri-reference", "description": "The path that was asked for."},
            "code": {"enum": codes, "type": "string", "description": "What kind of fault it is, in all styles of API."},
            "requestId": {"type": "string", "description": "What the log is searched by."},
            "errors": {
                "type": "array",
                "description": "What is wrong with the input, field by field.",
                "items": {
                    "type": "object",
                    "required": ["path", "message"],
                    "properties": {
                        "path": {
                            "type": "string",
                            "description": "Such as `lines[2].amount`; empty for the input as a whole.",
                        },
                        "message": {"type": "string", "description": "One sentence for a person."},
                    },
                },
            },
            "retryAfterS": {
                "type": "integer",
                "minimum": 1,
                "description": "After how many seconds it is worth trying again.",
            },
        },
    })
}

/// The responses that many operations share.
pub fn responses() -> Value {
    let response = |(name, code, docs): &(&str, Code, &str)| {
        let response = response(*code, docs, &json!({"$ref": "#/components/schemas/Problem"}), &example(*code, docs));
        ((*name).to_owned(), response)
    };
    COMMON.iter().map(response).collect::<Map<_, _>>().into()
}

/// An example of a problem of this code.
fn example(code: Code, docs: &str) -> Value {
    let status = code.http_status();
    let title = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    json!({
        "type": "about:blank",
        "title": title.unwrap_or("Error"),
        "status": status,
        "detail": docs,
        "instance": "/",
        "code": code.key(),
        "requestId": "01999b5c-7a10-7c3e-8f21-000000000001",
    })
}

fn response(code: Code, docs: &str, schema: &Value, example: &Value) -> Value {
    let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    let mut headers = Map::from_iter([("X-Request-Id".to_owned(), header("X-Request-Id"))]);
    match code {
        Code::Unauthorized => drop(headers.insert("WWW-Authenticate".into(), header("WWW-Authenticate"))),
        Code::TooManyRequests | Code::ServiceUnavailable => {
            headers.insert("Retry-After".into(), header("Retry-After"));
        }
        _ => {}
    }
    json!({
        "description": docs,
        "headers": headers,
        "content": {(media_type::PROBLEM_JSON): {"schema": schema, "example": example}},
    })
}

/// The error responses of an operation, by status.
pub fn of(components: &mut Components<'_>, route: &Route<'_>) -> BTreeMap<String, Value> {
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    for (name, code, _) in COMMON.iter().filter(|(_, code, _)| is_possible(*code, route)) {
        answers.insert(code.http_status().to_string(), json!({"$ref": format!("#/components/responses/{name}")}));
    }
    let mut by_code: BTreeMap<u16, Vec<&FailureContract>> = BTreeMap::new();
    for failure in &route.procedure.failures {
        by_code.entry(failure.code.http_status()).or_default().push(failure);
        if is_late(failure, route) {
            by_code.entry(412).or_default().push(failure);
        }
    }
    for (status, failures) in by_code {
        let answer = typed(components, route, status, &failures);
        answers.insert(status.to_string(), answer);
    }
    answers
}

/// Whether the failure is a failed precondition for callers with `If-Match`.
fn is_late(failure: &FailureContract, route: &Route<'_>) -> bool {
    let has_version = failure.schema.get("properties").is_some_and(|properties| properties.get("version").is_some());
    failure.code == Code::Conflict && has_version && route.answer.if_match
}

fn is_possible(code: Code, route: &Route<'_>) -> bool {
    let is_public = matches!(route.procedure.auth, AuthContract::Public);
    let reads = route.method == "GET";
    match code {
        // Public mutations may identify the caller; queries that do so need a sign-in.
        Code::Unauthorized | Code::Forbidden => !is_public || !reads,
        Code::Conflict => !reads,
        Code::PreconditionFailed => route.answer.if_match,
        // A response without a body is never unacceptable.
        Code::NotAcceptable => route.procedure.output.is_some(),
        Code::PayloadTooLarge | Code::UnsupportedMediaType | Code::Timeout => route.has_body(),
        _ => true,
    }
}

/// The procedure's own failures of one status. If the status has another reason as well, `failure` may be absent.
fn typed(components: &mut Components<'_>, route: &Route<'_>, status: u16, failures: &[&FailureContract]) -> Value {
    let name = type_name(&route.procedure.name);
    let mut mapping = Map::new();
    let mut variants = Vec::new();
    for failure in failures {
        let mut schema = components.schema(&failure.schema);
        schema["description"] = failure.docs.clone().into();
        let variant = components.add(&format!("{name}{}", capitalized(&failure.kind)), schema);
        mapping.insert(failure.kind.clone(), variant["$ref"].clone());
        variants.push(variant);
    }
    let union = match &variants[..] {
        [one] => one.clone(),
        _ => json!({"oneOf": variants, "discriminator": {"propertyName": "type", "mapping": mapping}}),
    };
    let code = failures.first().map_or(Code::InternalServerError, |failure| failure.code);
    let code = if status == 412 { Code::PreconditionFailed } else { code };
    let has_other_reason = COMMON.iter().any(|(_, common, _)| *common == code && is_possible(*common, route));
    let mut own = json!({"type": "object", "properties": {"failure": union}});
    if !has_other_reason {
        own["required"] = json!(["failure"]);
    }
    let schema = json!({"allOf": [{"$ref": "#/components/schemas/Problem"}, own]});
    let schema = titled(&format!("{name}Problem{status}"), schema);
    let docs: Vec<String> = failures.iter().map(|failure| format!("- `{}`: {}", failure.kind, failure.docs)).collect();
    let common = COMMON.iter().find(|(_, common, _)| has_other_reason && *common == code);
    let docs: Vec<String> = common.map(|(_, _, docs)| (*docs).to_owned()).into_iter().chain(docs).collect();
    let mut example = example(code, "");
    if let Some(failure) = failures.first() {
        let place = format!("{}/docs#{}:{}", components.url, route.procedure.name, failure.kind);
        example["type"] = place.into();
        example["detail"] = failure.docs.clone().into();
        let address = samples::address(components.contract, route);
        example["instance"] = address.split('?').next().unwrap_or_default().into();
        example["failure"] = example::of(components.contract, &failure.schema);
    }
    response(code, &docs.join("\n"), &schema, &example)
}
