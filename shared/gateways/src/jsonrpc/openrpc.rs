//! The OpenRPC 1.3 document of a service.

use std::collections::BTreeMap;

use protocol::{
    Code,
    case::{capitalized, type_name},
    contract::{AuthContract, Contract, FailureContract, ProcedureContract},
};
use serde_json::{Map, Value, json};

use super::{INVALID_PARAMS, PATH, number};
use crate::{example, names::Names, names::titled, words};

const TYPES: &str = "#/components/schemas/";

/// The errors that procedures share: name, number, message, code.
const SHARED: [(&str, i32, &str, Code); 5] = [
    ("InvalidParams", INVALID_PARAMS, "The parameters are malformed or invalid.", Code::BadRequest),
    ("InternalError", -32603, "Something went wrong on our side.", Code::InternalServerError),
    ("Unauthorized", -32001, "Nobody is signed in, or what was presented is not valid.", Code::Unauthorized),
    ("Forbidden", -32003, "The caller is known and may not do this.", Code::Forbidden),
    ("TooManyRequests", -32029, "The caller calls too often.", Code::TooManyRequests),
];

/// The OpenRPC 1.3 document of a service at `url`, without a slash at the end; with a relative address if that is
/// empty.
pub fn openrpc(contract: &Contract, url: &str) -> Value {
    let contract = &words::worded(contract, |procedure| procedure.name.clone());
    let names = Names::of(contract);
    let methods: Vec<_> = contract.in_styles().map(|procedure| method(contract, &names, procedure)).collect();
    let errors: Map<_, _> = SHARED
        .iter()
        .map(|&(name, number, message, code)| (name.to_owned(), shared(name, number, message, code)))
        .collect();
    let mut document = json!({
        "openrpc": "1.3.2",
        "info": {
            "title": contract.service,
            "description": words::introduced(contract, DESCRIPTION),
            "version": contract.about.version,
        },
        "servers": [{"name": contract.service, "url": format!("{url}{PATH}")}],
        "methods": methods,
        "components": {"schemas": names.types(contract, TYPES), "errors": errors},
    });
    let license = words::license(contract).map(|license| json!({"name": license["name"]}));
    for (member, value) in [("license", license), ("contact", words::contact(contract))] {
        if let Some(value) = value {
            document["info"][member] = value;
        }
    }
    document
}

const DESCRIPTION: &str = "\
JSON-RPC 2.0 over HTTP POST. A procedure's name is a method's; batches and notifications are answered.";

/// A tag, with the description of its domain.
fn tag(contract: &Contract, procedure: &ProcedureContract) -> Value {
    let name = procedure.name.split('.').next().unwrap_or_default();
    match words::domain_docs(contract, name) {
        "" => json!({"name": name}),
        docs => json!({"name": name, "description": docs}),
    }
}

fn method(contract: &Contract, names: &Names, procedure: &ProcedureContract) -> Value {
    let parameters = parameters(contract, procedure);
    let title = type_name(&procedure.name);
    let params: Vec<_> = parameters.iter().map(|parameter| parameter.describe(names, &title)).collect();
    // Optional parameters must come last, so that positions have the same meaning with and without them. If the input
    // has another order, the document allows names only.
    let is_ordered = parameters.is_sorted_by_key(|parameter| !parameter.required);
    let by_name = !is_ordered || (procedure.input_fields.is_empty() && !parameters.is_empty());
    let (summary, description) = words::summary(&procedure.docs);
    let result =
        procedure.output.as_ref().map_or_else(|| json!({"type": "null"}), |output| names.rewrite(output, TYPES));
    let result = titled(&format!("{title}Result"), result);
    let mut method = json!({
        "name": procedure.name,
        "summary": summary,
        "tags": [tag(contract, procedure)],
        "paramStructure": if by_name { "by-name" } else { "either" },
        "params": params,
        "result": {"name": "result", "schema": result},
        "errors": errors(names, procedure),
        "examples": [pairing(contract, procedure, &parameters)],
    });
    if let (Some(description), Value::Object(method)) = (description, &mut method) {
        method.insert("description".to_owned(), description.into());
    }
    if !is_ordered && let Some(params) = method.pointer_mut("/params").and_then(Value::as_array_mut) {
        params.sort_by_key(|param| param["required"] != true);
    }
    method
}

/// One parameter: a field of an input.
struct Parameter<'a> {
    name: &'a str,
    required: bool,
    schema: &'a Value,
}

impl Parameter<'_> {
    fn describe(&self, names: &Names, method: &str) -> Value {
        let schema = titled(&format!("{method}{}", capitalized(self.name)), names.rewrite(self.schema, TYPES));
        let mut descriptor = json!({"name": self.name, "required": self.required, "schema": schema});
        if let Some(docs) = self.schema.get("description").and_then(Value::as_str) {
            descriptor["description"] = docs.into();
        }
        descriptor
    }
}

/// The fields of an input in their order; for a tagged union, those of all variants.
fn parameters<'a>(contract: &'a Contract, procedure: &'a ProcedureContract) -> Vec<Parameter<'a>> {
    let Some(input) = &procedure.input else { return Vec::new() };
    let input = contract.resolve(input);
    let variants = input.get("oneOf").and_then(Value::as_array);
    let variants: Vec<&Value> = match variants {
        Some(variants) => variants.iter().map(|variant| contract.resolve(variant)).collect(),
        None => vec![input],
    };
    let mut fields: BTreeMap<(usize, &str), &Value> = BTreeMap::new();
    for variant in &variants {
        for (name, schema) in variant.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let known = procedure.input_fields.iter().position(|field| field == name);
            fields.entry((known.unwrap_or(usize::MAX), name)).or_insert(schema);
        }
    }
    let requires = |variant: &&Value, name: &str| {
        variant.get("required").and_then(Value::as_array).is_some_and(|all| all.iter().any(|one| one == name))
    };
    let parameter = |((_, name), schema)| Parameter {
        name,
        required: variants.iter().all(|variant| requires(variant, name)),
        schema,
    };
    fields.into_iter().map(parameter).collect()
}

fn shared(name: &str, number: i32, message: &str, code: Code) -> Value {
    json!({"code": number, "message": message, "data": titled(name, data(code, None))})
}

/// The schema of an error's `data`.
fn data(code: Code, failure: Option<Value>) -> Value {
    let mut properties = json!({
        "code": {"const": code.key(), "type": "string"},
        "httpStatus": {"const": code.http_status(), "type": "integer"},
        "requestId": {"type": "string", "description": "Names the call in the service's log."},
    });
    let mut required = vec!["code", "httpStatus", "requestId"];
    if code == Code::BadRequest {
        let field = json!({"path": {"type": "string"}, "message": {"type": "string"}});
        properties["fields"] = json!({
            "type": "array",
            "description": "What is wrong with the parameters, field by field.",
            "items": {"type": "object", "properties": field, "required": ["path", "message"]},
        });
    }
    if code == Code::TooManyRequests {
        properties["retryAfterS"] = json!({"type": "integer", "description": "After how many seconds to try again."});
    }
    if let Some(failure) = failure {
        properties["failure"] = failure;
        // An error that every procedure may have keeps its shared number, and is no failure.
        if SHARED.iter().all(|(.., shared)| *shared != code) {
            required.push("failure");
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

/// A method's errors. Numbers are unique within it, so that failures with one code become one error.
fn errors(names: &Names, procedure: &ProcedureContract) -> Vec<Value> {
    let mut own: BTreeMap<i32, Vec<&FailureContract>> = BTreeMap::new();
    for failure in &procedure.failures {
        own.entry(number(failure.code)).or_default().push(failure);
    }
    let applies = |name: &str| match name {
        "InvalidParams" => procedure.input.is_some(),
        "Unauthorized" => !matches!(procedure.auth, AuthContract::Public),
        "Forbidden" => matches!(procedure.auth, AuthContract::Permission { .. }),
        _ => true,
    };
    let common = SHARED.iter().filter(|(name, number, ..)| applies(name) && !own.contains_key(number));
    let common: Vec<_> = common.map(|(name, ..)| json!({"$ref": format!("#/components/errors/{name}")})).collect();
    let own = own.into_iter().map(|(number, failures)| {
        let message: Vec<_> = failures.iter().map(|failure| failure.docs.replace('\n', " ")).collect();
        let described = failures.iter().map(|failure| {
            let mut schema = names.rewrite(&failure.schema, TYPES);
            schema["description"] = failure.docs.as_str().into();
            schema
        });
        let described: Vec<_> = described.collect();
        let mut data = data(failures[0].code, Some(json!({ "oneOf": described })));
        if failures.iter().any(|failure| failure.code != failures[0].code) {
            data["properties"]["code"] = json!({"type": "string", "enum": failures.iter().map(|one| one.code.key()).collect::<Vec<_>>()});
            data["properties"]["httpStatus"] =
                json!({"type": "integer", "enum": failures.iter().map(|one| one.code.http_status()).collect::<Vec<_>>()});
        }
        let title = format!("{}{}", type_name(&procedure.name), capitalized(&failures[0].kind));
        json!({"code": number, "message": message.join(" "), "data": titled(&format!("{title}Error"), data)})
    });
    own.chain(common).collect()
}

fn pairing(contract: &Contract, procedure: &ProcedureContract, parameters: &[Parameter<'_>]) -> Value {
    let input = procedure.input.as_ref().map(|input| example::of(contract, input)).unwrap_or_default();
    let example_params = parameters
        .iter()
        .filter_map(|parameter| Some(json!({"name": parameter.name, "value": input.get(parameter.name)?})));
    let example_params: Vec<_> = example_params.collect();
    let result = procedure.output.as_ref().map(|output| example::of(contract, output)).unwrap_or_default();
    json!({
        "name": procedure.name,
        "params": example_params,
        "result": {"name": "result", "value": result},
    })
}
