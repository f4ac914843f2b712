//! Refuses a text whose pattern is a service's own and which states no example: documents would show a value that is
//! refused.

use gateways::example::is_guessed;
use protocol::contract::Contract;
use serde_json::Value;

/// The texts of inputs without an example.
pub fn faults(contract: &Contract) -> Vec<String> {
    let named = contract.input_types.iter().map(|(name, schema)| (name.clone(), schema));
    let own = contract.procedures.iter().filter_map(|procedure| {
        let schema = procedure.input.as_ref()?;
        Some((format!("{}: Input", procedure.name), schema))
    });
    let mut faults = Vec::new();
    for (name, schema) in own.chain(named) {
        visit(schema, &name, &mut faults);
    }
    faults
}

fn visit(schema: &Value, path: &str, faults: &mut Vec<String>) {
    if is_guessed(schema) {
        faults.push(format!(
            "{path} has a pattern and no example, which documents and tests need: `#[schemars(example = &\"…\")]`"
        ));
    }
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("properties", Value::Object(properties)) => {
                        properties
                            .iter()
                            .for_each(|(name, property)| visit(property, &format!("{path}.{name}"), faults));
                    }
                    // Nothing of what these hold is a sample's own form.
                    ("not" | "examples" | "default" | "const" | "enum", _) => {}
                    _ => visit(member, path, faults),
                }
            }
        }
        Value::Array(members) => members.iter().for_each(|member| visit(member, path, faults)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pattern_of_ones_own_asks_for_an_example() {
        let country = |more: Value| {
            let mut schema = json!({"type": "string", "pattern": "^[A-Z]{2}$"});
            schema
                .as_object_mut()
                .into_iter()
                .for_each(|schema| schema.extend(more.as_object().cloned().unwrap_or_default()));
            let mut faults = Vec::new();
            visit(&json!({"properties": {"places": {"type": "array", "items": schema}}}), "Input", &mut faults);
            faults
        };
        let refused = country(json!({}));
        assert!(
            refused.len() == 1 && refused[0].starts_with("Input.places has a pattern and no example"),
            "{refused:?}"
        );
        assert!(country(json!({"examples": ["CH"]})).is_empty() && country(json!({"format": "uuid"})).is_empty());
        assert!(country(json!({"pattern": "^-?\\d+(\\.\\d+)?$"})).is_empty(), "a decimal is known");
    }
}
