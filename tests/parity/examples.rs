//! The examples that stand in documents are accepted by the types that they are examples of.

use gateways::{Contract, example};
use protocol::contract::Rewrite;
use runtime::Service;
use serde_json::Value;

/// A service's contract as the press has it, and as gateways read it.
pub fn contracts(service: &Service) -> (protocol::contract::Contract, Contract) {
    let (contract, _) = codegen::contract(service).expect("the service can be described");
    let text = serde_json::to_string(&contract).expect("a contract can be written");
    (contract, Contract::parse(&text).expect("a contract can be read"))
}

#[test]
fn the_examples_of_inputs_and_outputs_are_accepted() {
    for service in [functions::service(), crate::special::service(), crate::conformance::service()] {
        let (contract, read) = contracts(&service);
        for procedure in &contract.procedures {
            let types = &procedure.typescript;
            let sides = [(&procedure.input, types.rewrite_input), (&procedure.output, types.rewrite_output)];
            for (schema, rewrite) in
                sides.into_iter().filter_map(|(schema, rewrite)| Some((schema.as_ref()?, rewrite?)))
            {
                accepted(&procedure.name, rewrite, &example::of(&read, schema));
                accepted(&procedure.name, rewrite, &example::whole(&read, schema));
            }
            for failure in &procedure.failures {
                let value = example::of(&read, &failure.schema);
                assert_eq!(value["type"], *failure.kind);
                for (name, rewrite) in &failure.rewrites {
                    accepted(&procedure.name, *rewrite, &value[name]);
                }
            }
        }
    }
}

#[test]
fn a_field_says_its_own_example() {
    let (contract, read) = contracts(&crate::special::service());
    let patch = contract.procedures.iter().find(|procedure| procedure.name == "kinds.patch").expect("it is there");
    let example = example::of(&read, patch.input.as_ref().expect("it has an input"));
    assert_eq!(example["maybeNumber"], 17);
}

fn accepted(name: &str, rewrite: Rewrite, value: &Value) {
    if let Err(error) = rewrite(value.to_string().as_bytes()) {
        panic!("{name}: {value}: {error}; state an example on the type with `#[schemars(example = …)]`");
    }
}
