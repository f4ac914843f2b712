//! The examples that stand in documents are accepted by the types that they are examples of.

use gateways::example;
use protocol::contract::{Contract, ProcedureBuild, Rewrite};
use runtime::Service;
use serde_json::Value;

/// A service's contract.
pub fn contract(service: &Service) -> Contract {
    codegen::contract(service).expect("the service can be described").0
}

#[test]
fn the_examples_of_inputs_and_outputs_are_accepted() {
    for service in [functions::service(), crate::special::service(), crate::conformance::service()] {
        let (contract, build) = codegen::contract(&service).expect("the service can be described");
        for procedure in &contract.procedures {
            let ProcedureBuild { types, failures, .. } = &build.procedures[&procedure.name];
            let sides = [(&procedure.input, types.rewrite_input), (&procedure.output, types.rewrite_output)];
            for (schema, rewrite) in
                sides.into_iter().filter_map(|(schema, rewrite)| Some((schema.as_ref()?, rewrite?)))
            {
                accepted(&procedure.name, rewrite, &example::of(&contract, schema));
                accepted(&procedure.name, rewrite, &example::whole(&contract, schema));
            }
            for failure in &procedure.failures {
                let value = example::of(&contract, &failure.schema);
                assert_eq!(value["type"], *failure.kind);
                for (name, rewrite) in &failures[&failure.kind] {
                    accepted(&procedure.name, *rewrite, &value[name]);
                }
            }
        }
    }
}

#[test]
fn a_field_says_its_own_example() {
    let contract = contract(&crate::special::service());
    let patch = contract.procedure("kinds.patch").expect("it is there");
    let example = example::of(&contract, patch.input.as_ref().expect("it has an input"));
    assert_eq!(example["maybeNumber"], 17);
}

fn accepted(name: &str, rewrite: Rewrite, value: &Value) {
    if let Err(error) = rewrite(value.to_string().as_bytes()) {
        panic!("{name}: {value}: {error}; state an example on the type with `#[schemars(example = …)]`");
    }
}
