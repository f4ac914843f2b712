//! Describes one procedure as an operation.

use protocol::{
    RestAnswer,
    case::{self, capitalized, type_name},
    contract::{AuthContract, ProcedureContract},
    media_type,
};
use serde_json::{Map, Value, json};

use super::{components::Components, domain, problem, security};
use crate::{
    example,
    names::titled,
    rest::{InputField, ParameterForm, Route, without_null},
    words,
};

/// The operation of a route.
pub fn of(components: &mut Components<'_>, route: &Route<'_>) -> Value {
    let procedure = route.procedure;
    let (summary, rest) = words::summary(&procedure.docs);
    let rest = rest.map(|rest| format!("{rest}\n\n")).unwrap_or_default();
    let mut operation = json!({
        "operationId": case::camel_case(&procedure.name),
        "summary": summary.trim_end_matches('.'),
        "description": format!("{rest}{}", who(procedure)),
        "tags": [domain(&procedure.name)],
        "security": security(components.contract, route),
        "responses": responses(components, route),
    });
    let parameters = parameters(components, route);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if route.has_body()
        && let Some(body) = body(components, route)
    {
        operation["requestBody"] = body;
    }
    operation
}

fn who(procedure: &ProcedureContract) -> String {
    match &procedure.auth {
        AuthContract::Public => "For everybody.".to_owned(),
        AuthContract::SignedIn => "For everybody who is signed in.".to_owned(),
        AuthContract::Permission { permission, own: false } => {
            format!("For callers with the permission `{permission}`.")
        }
        AuthContract::Permission { permission, own: true } => {
            format!("For callers with the permission `{permission}`, or `{permission}:own` for what is their own.")
        }
    }
}

fn parameters(components: &mut Components<'_>, route: &Route<'_>) -> Vec<Value> {
    let mut parameters: Vec<Value> =
        route.path_fields().map(|field| parameter(components, route, "path", field)).collect();
    if !route.has_body() {
        parameters.extend(route.other_fields().map(|field| parameter(components, route, "query", field)));
    }
    if route.answer.if_match {
        parameters.push(json!({"$ref": "#/components/parameters/IfMatch"}));
    }
    if route.method == "GET" && route.answer.etag {
        parameters.push(json!({"$ref": "#/components/parameters/IfNoneMatch"}));
    }
    parameters
}

fn parameter(components: &mut Components<'_>, route: &Route<'_>, place: &str, field: InputField<'_>) -> Value {
    let contract = components.contract;
    let title = format!("{}{}", type_name(&route.procedure.name), capitalized(field.name));
    let mut schema = components.schema(without_null(contract, field.schema));
    let description = field.schema.get("description").cloned().unwrap_or_else(|| "".into());
    if let Some(schema) = schema.as_object_mut() {
        // A text in an address cannot be null, and the parameter holds the description.
        if let Some(Value::Array(kinds)) = schema.get_mut("type") {
            kinds.retain(|kind| kind != "null");
            if let [one] = &kinds[..] {
                let one = one.clone();
                schema.insert("type".into(), one);
            }
        }
        schema.remove("description");
        let is_free_text = schema.get("type") == Some(&json!("string")) && !schema.contains_key("format");
        if place == "path" && is_free_text && !schema.contains_key("minLength") {
            schema.insert("minLength".into(), 1.into());
        }
    }
    let schema = titled(&title, schema);
    let mut parameter = json!({"name": field.name, "in": place, "required": field.is_required});
    if description != "" {
        parameter["description"] = description;
    }
    if field.is_required {
        parameter["example"] = example::of(contract, field.schema);
    }
    match ParameterForm::of(contract, field.schema) {
        ParameterForm::Json => parameter["content"] = json!({(media_type::JSON): {"schema": schema}}),
        form => {
            if form == ParameterForm::Repeated {
                parameter["style"] = "form".into();
                parameter["explode"] = true.into();
            }
            parameter["schema"] = schema;
        }
    }
    parameter
}

fn body(components: &mut Components<'_>, route: &Route<'_>) -> Option<Value> {
    let contract = components.contract;
    let input = contract.resolve(route.procedure.input.as_ref()?);
    let mut schema = components.schema(input);
    let mut sample = example::of(contract, input);
    let names: Vec<&str> = route.names_in_path().collect();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !names.contains(&name.as_str()));
    }
    if let Some(sample) = sample.as_object_mut() {
        sample.retain(|name, _| !names.contains(&name.as_str()));
    }
    let mut is_required = false;
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !names.iter().any(|known| name == known));
        is_required = !required.is_empty();
    }
    if !is_required && let Some(schema) = schema.as_object_mut() {
        schema.remove("required");
    }
    let has_nothing = schema.get("properties").and_then(Value::as_object).is_some_and(Map::is_empty);
    if has_nothing {
        return None;
    }
    let reference = components.add(&format!("{}Body", type_name(&route.procedure.name)), schema);
    let media = json!({"schema": reference, "example": sample});
    let mut content = Map::from_iter([(media_type::JSON.to_owned(), media.clone())]);
    if route.method == "PATCH" {
        content.insert(media_type::MERGE_PATCH.into(), media);
    }
    Some(json!({"required": is_required, "content": content}))
}

fn responses(components: &mut Components<'_>, route: &Route<'_>) -> Value {
    let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    let mut headers = Map::from_iter([("X-Request-Id".to_owned(), header("X-Request-Id"))]);
    let RestAnswer { etag, link, location, .. } = route.answer;
    let named = [("ETag", etag), ("Link", link), ("Location", location)];
    for (name, _) in named.into_iter().filter(|(_, there)| *there) {
        headers.insert(name.to_owned(), header(name));
    }
    let mut responses: Map<String, Value> = problem::of(components, route).into_iter().collect();
    if route.method == "GET" && route.answer.etag {
        let description = "It is what `If-None-Match` names.";
        responses.insert("304".into(), json!({"description": description, "headers": headers.clone()}));
    }
    let mut done = json!({"description": said(route), "headers": headers});
    if let Some(output) = &route.procedure.output {
        let schema = titled(&format!("{}Output", type_name(&route.procedure.name)), components.schema(output));
        let sample = example::of(components.contract, output);
        done["content"] = json!({(media_type::JSON): {"schema": schema, "example": sample}});
    }
    responses.insert(route.status().to_string(), done);
    responses.into()
}

/// The description of the response, in one sentence.
fn said(route: &Route<'_>) -> &'static str {
    match (route.status(), route.answer.link) {
        (204, _) => "Done.",
        (201, _) => "What was created.",
        (_, true) => "One page.",
        _ => "The answer.",
    }
}
