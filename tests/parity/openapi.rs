//! The OpenAPI document holds together: what it refers to is there, and its examples are what its schemas say.

use std::collections::BTreeSet;

use gateways::openapi;
use serde_json::{Value, json};

use crate::examples::contract;

/// The documents of all services here.
fn documents() -> Vec<Value> {
    let services = [functions::service(), crate::special::service(), crate::conformance::service()];
    services.iter().map(|service| openapi::document(&contract(service), "https://api.example.com")).collect()
}

/// Visits every object in the document.
fn each(value: &Value, visit: &mut dyn FnMut(&Value)) {
    match value {
        Value::Object(members) => {
            visit(value);
            members.values().for_each(|member| each(member, visit));
        }
        Value::Array(members) => members.iter().for_each(|member| each(member, visit)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    for document in documents() {
        let mut used = BTreeSet::new();
        each(&document, &mut |object| {
            let mapped =
                object.get("mapping").and_then(Value::as_object).into_iter().flat_map(|mapping| mapping.values());
            for reference in object.get("$ref").into_iter().chain(mapped).filter_map(Value::as_str) {
                let pointer = reference.strip_prefix('#').expect("nothing from elsewhere");
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                used.insert(reference.to_owned());
            }
        });
        // A service without a type of its own, or without a REST route, needs none.
        for name in document["components"]["schemas"].as_object().into_iter().flat_map(serde_json::Map::keys) {
            assert!(used.contains(&format!("#/components/schemas/{name}")), "nothing refers to {name}");
        }
    }
}

#[test]
fn every_example_is_what_its_schema_says() {
    let mut count = 0;
    for document in documents() {
        each(&document, &mut |object| {
            let (Some(schema), Some(example)) = (object.get("schema"), object.get("example")) else { return };
            let whole = json!({"allOf": [schema], "components": document["components"]});
            let options = jsonschema::options().should_validate_formats(true);
            let validator = options.build(&whole).unwrap_or_else(|error| panic!("{schema}: {error}"));
            if let Err(error) = validator.validate(example) {
                panic!("{example}: {error}");
            }
            count += 1;
        });
    }
    assert!(count > 100, "{count} examples are too few to show anything");
}

#[test]
fn operations_are_named_once_and_every_route_is_there() {
    let service = functions::service();
    let contract = contract(&service);
    let document = openapi::document(&contract, "");
    let mut names = BTreeSet::new();
    for procedure in contract.in_styles() {
        let Some((method, path)) = procedure.rest.as_deref().and_then(|route| route.split_once(' ')) else { continue };
        let operation = &document["paths"][path][method.to_ascii_lowercase()];
        let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{} is missing", procedure.name));
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        for failure in &procedure.failures {
            let answer = &operation["responses"][failure.http_status.to_string()];
            let text = answer["description"].as_str().unwrap_or_default();
            assert!(text.contains(&format!("`{}`", failure.kind)), "{}: {} is not told", procedure.name, failure.kind);
        }
    }
    assert!(names.contains("authChangePassword"), "{names:?}");
    assert!(document["paths"].get("/oauth/token").is_none(), "what a standard dictates is in no style");
}

/// What HTTP adds to an output: each where `runtime` does it.
#[test]
fn answers_say_what_http_adds() {
    let document = openapi::document(&contract(&testbed::service()), "");
    let answer = |path: &str, method: &str, status: &str| document["paths"][path][method]["responses"][status].clone();
    assert!(answer("/v1/users", "post", "201")["headers"]["Location"].is_object());
    assert!(answer("/v1/users", "post", "200").is_null());
    assert!(answer("/v1/users/{id}", "get", "200")["headers"]["ETag"].is_object());
    assert!(answer("/v1/users/{id}", "get", "304").is_object());
    assert!(answer("/v1/users", "get", "200")["headers"]["Link"].is_object());
    assert!(answer("/v1/users", "get", "304").is_null());
    assert!(answer("/v1/users/{id}", "patch", "412").is_object());
    assert!(answer("/v1/auth/logout", "post", "204").is_object());
    assert_eq!(document["paths"]["/v1/health"]["get"]["security"], json!([]));
    let patch = &document["paths"]["/v1/users/{id}"]["patch"]["requestBody"]["content"];
    assert!(patch["application/merge-patch+json"].is_object());
    let names = document["components"]["schemas"].as_object().expect("schemas");
    assert!(names.contains_key("UserPage") && !names.keys().any(|name| name.starts_with("Page") && name != "PageSize"));
}
