//! Renders the REST routes as a Postman collection.

use protocol::{
    PathPattern,
    contract::{AuthContract, Contract},
};
use serde_json::{Map, Value, json};

use super::body;
use crate::{
    example,
    rest::{InputField, Route},
};

/// `postman.json`: the REST routes as a Postman collection, format 2.1. Its variables `url` and `token` hold the
/// address and the access token.
pub fn collection(contract: &Contract, url: &str, header: &str) -> String {
    let mut folders: Vec<(String, Vec<Value>)> = Vec::new();
    for route in Route::all(contract) {
        let domain = route.procedure.name.split('.').next().unwrap_or_default().to_owned();
        let request = request(contract, &route);
        match folders.last_mut().filter(|(name, _)| *name == domain) {
            Some((_, requests)) => requests.push(request),
            None => folders.push((domain, vec![request])),
        }
    }
    let folders: Vec<Value> = folders.into_iter().map(|(name, item)| json!({"name": name, "item": item})).collect();
    let collection = json!({
        "info": {
            "name": contract.service,
            "description": header,
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [{"key": "url", "value": url}, {"key": "token", "value": ""}],
        "item": folders,
    });
    serde_json::to_string_pretty(&collection).unwrap_or_default() + "\n"
}

fn request(contract: &Contract, route: &Route<'_>) -> Value {
    let path = PathPattern(route.path).filled(|name| Some(format!(":{name}"))).unwrap_or_default();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let plain = |schema: &Value| {
        let value = example::of(contract, schema);
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    };
    let described = |field: InputField<'_>| {
        let docs = field.schema.get("description").cloned().unwrap_or_default();
        json!({"key": field.name, "value": plain(field.schema), "description": docs})
    };
    let mut url = json!({
        "raw": format!("{{{{url}}}}/{}", segments.join("/")),
        "host": ["{{url}}"],
        "path": segments,
        "variable": route.path_fields().map(described).collect::<Vec<_>>(),
    });
    if !route.has_body() {
        let parameter = |field: InputField<'_>| {
            let mut parameter = described(field);
            parameter["disabled"] = (!field.is_required).into();
            parameter
        };
        // A list is a repeated parameter.
        let parameters = |field: InputField<'_>| match example::of(contract, field.schema) {
            Value::Array(values) => {
                let one = |value: Value| {
                    let mut one = parameter(field);
                    one["value"] = value.as_str().map_or_else(|| value.to_string(), str::to_owned).into();
                    one
                };
                values.into_iter().map(one).collect()
            }
            _ => vec![parameter(field)],
        };
        url["query"] = route.other_fields().flat_map(parameters).collect();
    }
    let mut request = Map::from_iter([
        ("method".to_owned(), route.method.into()),
        ("description".to_owned(), route.procedure.docs.as_str().into()),
        ("url".to_owned(), url),
        ("header".to_owned(), Value::Array(Vec::new())),
    ]);
    if matches!(route.procedure.auth, AuthContract::Public) {
        request.insert("auth".to_owned(), json!({"type": "noauth"}));
    }
    if let Some(body) = body(contract, route) {
        let raw = serde_json::to_string_pretty(&body).unwrap_or_default();
        let body = json!({"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}});
        request.insert("body".to_owned(), body);
    }
    json!({"name": route.procedure.name, "request": request})
}
