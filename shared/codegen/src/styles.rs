//! The documents of the API styles, with the address of the local service.

use gateways::{graphql, jsonrpc::openrpc, openapi, samples, soap};
use protocol::{Cause, contract::Contract};

use crate::{File, HEADER, contract_json};

/// Where `cargo run` serves.
const URL: &str = "http://127.0.0.1:9000";

pub fn render(contract: &Contract) -> Result<Vec<File>, Cause> {
    let contract = gateways::Contract::parse(&contract_json(contract))?;
    let pretty = |document: &serde_json::Value| Ok::<_, Cause>(serde_json::to_string_pretty(document)? + "\n");
    Ok(vec![
        File { path: "bindings/examples.md".into(), text: samples::markdown(&contract, HEADER) },
        File { path: "bindings/openapi.json".into(), text: openapi::text(&contract, URL) },
        File { path: "bindings/openrpc.json".into(), text: pretty(&openrpc(&contract, URL))? },
        // A line that begins with `#` is a comment there.
        File {
            path: "bindings/schema.graphql".into(),
            text: format!("# {HEADER}\n\n{}\n", graphql::sdl(&contract)?.trim()),
        },
        File { path: "bindings/postman.json".into(), text: samples::postman::collection(&contract, URL, HEADER) },
        File { path: "bindings/service.wsdl".into(), text: soap::wsdl(&contract, URL)? },
    ])
}
