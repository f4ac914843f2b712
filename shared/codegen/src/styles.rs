//! The documents of the API styles, with the address of the local service.

use gateways::{openapi, soap};
use protocol::{Cause, contract::Contract};

use crate::{File, contract_json};

/// Where `cargo run` serves.
const URL: &str = "http://127.0.0.1:9000";

pub fn render(contract: &Contract) -> Result<Vec<File>, Cause> {
    let contract = gateways::Contract::parse(&contract_json(contract))?;
    Ok(vec![
        File { path: "bindings/openapi.json".into(), text: openapi::text(&contract, URL) },
        File { path: "bindings/service.wsdl".into(), text: soap::wsdl(&contract, URL)? },
    ])
}
