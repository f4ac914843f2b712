//! The OpenRPC documents: what the specification's own schema says of them, and what it does not.

use std::collections::BTreeSet;

use gateways::jsonrpc::openrpc;
use protocol::contract::Contract;
use runtime::Service;
use serde_json::{Value, json};

use crate::examples::contract;

fn services() -> [Service; 3] {
    [functions::service(), crate::special::service(), crate::conformance::service()]
}

fn documents() -> Vec<(Contract, Value)> {
    let document = |service| {
        let contract = contract(&service);
        let document = openrpc(&contract, "http://127.0.0.1:9000");
        (contract, document)
    };
    services().into_iter().map(document).collect()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("no list {name} in {value}"))
}

/// The schema of OpenRPC 1.3 (package `@open-rpc/meta-schema` 1.14.9, Apache-2.0). It refers to the schema of JSON
/// Schema draft 7, which is put where it points to.
fn meta_schema() -> Value {
    let mut schema: Value = serde_json::from_str(include_str!("../fixtures/openrpc-1.3.json")).expect("JSON");
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["definitions"]["JSONSchema"] = json!({"$ref": "http://json-schema.org/draft-07/schema#"});
    schema["definitions"]["referenceObject"]["properties"]["$ref"] = json!({"type": "string"});
    schema
}

#[test]
fn the_documents_are_what_the_specification_says() {
    let schema = meta_schema();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    for (contract, document) in documents() {
        let faults: Vec<_> =
            validator.iter_errors(&document).map(|fault| format!("{}: {fault:.300}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", contract.service);
    }
    // It is no schema that takes everything.
    let (_, mut document) = documents().remove(0);
    document["methods"][0]["params"][0]["schema"] = json!({"type": "nonsense"});
    assert!(!validator.is_valid(&document));
    document["methods"][0]["params"] = json!([]);
    document["methods"][0]["other"] = json!(1);
    assert!(!validator.is_valid(&document));
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(members) => members.iter().for_each(|member| references(member, found)),
            _ => {}
        }
    }
    for (contract, document) in documents() {
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in found {
            let place = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(place).is_some(), "{}: {reference}", contract.service);
        }
    }
}

#[test]
fn methods_are_the_procedures_and_parameters_their_fields() {
    for (contract, document) in documents() {
        let methods = list(&document, "methods");
        let names: Vec<_> = methods.iter().map(|method| method["name"].as_str().unwrap()).collect();
        let known: Vec<_> = contract.in_styles().map(|procedure| procedure.name.as_str()).collect();
        assert_eq!(names, known);
        for (procedure, method) in contract.in_styles().zip(methods) {
            let params: Vec<_> = list(method, "params").iter().map(|param| param["name"].as_str().unwrap()).collect();
            let required: Vec<_> = list(method, "params").iter().map(|param| param["required"] == true).collect();
            assert!(required.is_sorted_by_key(|required| !required), "{names:?}: what is optional comes last");
            let unique: BTreeSet<_> = params.iter().collect();
            assert_eq!(unique.len(), params.len(), "{}", procedure.name);
            if method["paramStructure"] == "either" {
                assert_eq!(params, procedure.input_fields, "{}: positions are those of the fields", procedure.name);
            }
            let errors = list(method, "errors");
            let codes: BTreeSet<_> = errors
                .iter()
                .map(|error| error["code"].as_i64().map_or(error["$ref"].to_string(), |code| code.to_string()))
                .collect();
            assert_eq!(codes.len(), errors.len(), "{}: codes are unique", procedure.name);
            let text = json!(errors).to_string();
            for failure in &procedure.failures {
                assert!(
                    text.contains(&format!("{{\"const\":\"{}\",", failure.kind)),
                    "{}: {}",
                    procedure.name,
                    failure.kind
                );
            }
        }
    }
}

/// Against the document's own schemas, as a client reads them: draft 7.
#[test]
fn examples_and_schemas_of_a_document_agree() {
    for (_, document) in documents() {
        let validator = |schema: &Value| {
            let whole = json!({"allOf": [schema], "components": document["components"]});
            jsonschema::draft7::new(&whole).unwrap()
        };
        for method in list(&document, "methods") {
            let example = &method["examples"][0];
            for given in list(example, "params") {
                let param = list(method, "params").iter().find(|param| param["name"] == given["name"]).unwrap();
                let faults = validator(&param["schema"]);
                assert!(faults.is_valid(&given["value"]), "{}: {given}", method["name"]);
            }
            let result = &example["result"]["value"];
            assert!(validator(&method["result"]["schema"]).is_valid(result), "{}: {result}", method["name"]);
            for param in list(method, "params").iter().filter(|param| param["required"] == true) {
                let given = list(example, "params").iter().any(|given| given["name"] == param["name"]);
                assert!(given || method["paramStructure"] == "by-name", "{}: {}", method["name"], param["name"]);
            }
        }
    }
}

#[test]
fn names_are_readable() {
    let (_, document) = documents().remove(0);
    let types = &document["components"]["schemas"];
    assert!(types["UserPage"].is_object() && types["PostPage"].is_object());
    assert!(types.as_object().unwrap().keys().all(|name| !name.ends_with(|last: char| last.is_ascii_digit())));
    assert_eq!(document["openrpc"], "1.3.2");
    assert_eq!(document["servers"][0]["url"], "http://127.0.0.1:9000/jsonrpc");
}
