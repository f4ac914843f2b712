//! The configurations of a service: their schemas, and what cannot be one.

use std::collections::BTreeMap;

use protocol::{ConfigNeed, contract::Contract};
use runtime::Service;
use serde_json::{Map, Value};

use crate::{ignores_unknown_fields, is_write_only};

/// The schemas, by name.
pub fn schemas(service: &Service) -> Map<String, Value> {
    needs(service).map(|need| (need.name().to_owned(), need.schema())).collect()
}

/// The names that two types have.
pub fn clashes(service: &Service) -> Vec<String> {
    let mut known = BTreeMap::new();
    let mut faults: Vec<_> = needs(service)
        .filter(|need| *known.entry(need.name()).or_insert(need.kind) != need.kind)
        .map(|need| format!("two configurations are named `{}`: rename one of them", need.name()))
        .collect();
    faults.dedup();
    faults
}

/// All faults of the configurations.
pub fn faults(contract: &Contract) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, schema) in &contract.configs {
        if !is_name(name) {
            faults.push(format!("the configuration `{name}` has no name of small letters, digits and hyphens"));
        }
        if schema["type"] != "object" {
            faults.push(format!("the configuration `{name}` is no struct with named fields"));
        }
        if any(schema, &ignores_unknown_fields) {
            faults.push(format!(
                "the configuration `{name}` ignores unknown members: mark each of its types `#[wire(input)]`"
            ));
        }
        if is_write_only(schema) {
            faults.push(format!("the configuration `{name}` holds a secret: make a `SecretKind` of that"));
        }
    }
    faults
}

fn needs(service: &Service) -> impl Iterator<Item = ConfigNeed> {
    service.procedures.iter().flat_map(|procedure| procedure.needs().configs)
}

/// Whether a name can be a part of a variable's.
fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() < 64 && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_letter)
}

/// Whether a schema, or one of its parts, is of a kind.
fn any(schema: &Value, is: &impl Fn(&Value) -> bool) -> bool {
    let in_parts = match schema {
        Value::Object(members) => members.values().any(|part| any(part, is)),
        Value::Array(parts) => parts.iter().any(|part| any(part, is)),
        _ => false,
    };
    in_parts || is(schema)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_a_configuration_is_refused_with_its_name() {
        let said = |name: &str, schema: Value| {
            let contract = json!({
                "format": 1, "service": "s", "procedures": [], "inputTypes": {}, "outputTypes": {}, "gateways": [],
                "table": {"partitionKey": "pk", "sortKey": "sk", "indexes": [], "timeToLive": "ttl", "streamView": null},
                "configs": {name: schema},
            });
            faults(&Contract::parse(&contract.to_string()).unwrap()).join("\n")
        };
        let part = json!({"type": "object", "properties": {"day": {"type": "string"}}, "additionalProperties": false});
        let good = json!({"type": "object", "properties": {"opens": {"items": part}}, "additionalProperties": false});
        assert_eq!(said("shop-floor", good.clone()), "");
        assert!(said("shopFloor", good.clone()).contains("`shopFloor` has no name of small letters"));
        assert!(said("shop", json!({"type": "string"})).contains("`shop` is no struct with named fields"));
        let mut open = good.clone();
        open["properties"]["opens"]["items"]["additionalProperties"] = Value::Null;
        assert!(said("shop", open).contains("`shop` ignores unknown members: mark each of its types `#[wire(input)]`"));
        let mut secret = good;
        secret["properties"]["key"] = json!({"type": "string", "writeOnly": true});
        assert!(said("shop", secret).contains("`shop` holds a secret: make a `SecretKind` of that"));
    }
}
