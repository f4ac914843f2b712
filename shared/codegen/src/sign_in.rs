//! Checks that the procedures and fields of a service's sign-in exist.

use protocol::contract::{Contract, ProcedureContract};
use runtime::Definition;

/// The procedures and fields that the definition names and that are missing.
pub fn faults(contract: &Contract, definition: &Definition) -> Vec<String> {
    let find = |name: &str| contract.procedure(name);
    let mut faults = Vec::new();
    let mut expect_input = |way: &str, procedure: &str, fields: &[&str]| {
        if find(procedure)
            .is_none_or(|known| !fields.iter().all(|field| known.input_fields.iter().any(|own| own == field)))
        {
            faults.push(format!("{way}: no procedure {procedure} has the input fields {fields:?}"));
        }
    };
    if let Some(way) = &definition.password_sign_in {
        expect_input("password_sign_in", way.sign_in, &[way.name_field, way.password_field]);
        expect_input("password_sign_in", way.sign_out, &[way.refresh_token_field]);
    }
    if let Some(way) = &definition.session {
        expect_input("session", way.sign_in, &[way.keep_field]);
        expect_input("session", way.refresh, &[way.refresh_token_field]);
        expect_input("session", way.sign_out, &[way.refresh_token_field]);
        if let Some(procedure) = way.register {
            expect_input("session", procedure, &[]);
        }
        if let Some(procedure) = way.reauthenticate {
            expect_input("session", procedure, &[way.password_field]);
        }
        let outputs = [(way.sign_in, vec![way.who_field, way.tokens_field]), (way.refresh, vec![way.tokens_field])];
        for (procedure, fields) in
            outputs.into_iter().chain(way.reauthenticate.map(|name| (name, vec![way.tokens_field])))
        {
            if find(procedure).is_some_and(|known| !fields.iter().all(|field| has_output(contract, known, field))) {
                faults.push(format!("session: {procedure} has not the output fields {fields:?}"));
            }
        }
        if find(way.refresh).is_some_and(|known| !known.failures.iter().any(|failure| failure.kind == way.ended)) {
            faults.push(format!("session: {} has no failure `{}`", way.refresh, way.ended));
        }
    }
    for procedure in definition.authorization_server.iter().flat_map(|server| [server.authorize, server.token]) {
        if find(procedure).is_none_or(|known| known.http.is_none()) {
            faults.push(format!("authorization_server: no procedure {procedure} has a path of its own (`http`)"));
        }
    }
    faults
}

/// Whether a procedure returns an object with this field.
fn has_output(contract: &Contract, procedure: &ProcedureContract, field: &str) -> bool {
    procedure.output.as_ref().is_some_and(|output| contract.resolve(output)["properties"].get(field).is_some())
}
