//! Renders the documents of the API styles, with the address of the local service.

use gateways::{graphql, jsonrpc::openrpc, openapi, samples, soap};
use protocol::{Cause, Layout, contract::Contract};

use crate::{File, HEADER};

/// The address of `cargo run`.
const URL: &str = "http://127.0.0.1:9000";

pub fn render(contract: &Contract, layout: &Layout) -> Result<Vec<File>, Cause> {
    let at = |name: &str| std::path::Path::new(layout.bindings).join(name);
    let pretty = |document: &serde_json::Value| Ok::<_, Cause>(serde_json::to_string_pretty(document)? + "\n");
    Ok(vec![
        File { path: at("examples.md"), text: samples::markdown(contract, HEADER) },
        File { path: at("openapi.json"), text: openapi::text(contract, URL) },
        File { path: at("openrpc.json"), text: pretty(&openrpc(contract, URL))? },
        // A line that begins with `#` is a comment in SDL.
        File { path: at("schema.graphql"), text: format!("# {HEADER}\n\n{}\n", graphql::sdl(contract)?.trim()) },
        File { path: at("postman.json"), text: samples::postman::collection(contract, URL, HEADER) },
        File { path: at("service.wsdl"), text: soap::wsdl(contract, URL)? },
    ])
}
