//! JSON-RPC: queries by position where that is possible, everything else by name.

use serde_json::{Map, Value, json};

use super::{Driver, Failed, Heard};
use crate::{
    support::styles::calls::Procedure,
    support::{Answer, Request},
};

pub struct JsonRpc;

impl Driver for JsonRpc {
    fn name(&self) -> &'static str {
        "jsonrpc"
    }

    fn say(&self, procedure: Procedure<'_>, input: Option<&Value>) -> Option<Request> {
        let mut message = json!({"jsonrpc": "2.0", "id": "one", "method": procedure.name()});
        if let Some(input) = input {
            let fields = input.as_object()?;
            let by_position = procedure.is_query().then(|| positions(procedure, fields)).flatten();
            message["params"] = by_position.unwrap_or_else(|| input.clone());
        }
        Some(Request::new("POST", "/jsonrpc").header("content-type", "application/json").body(message.to_string()))
    }

    fn hear(&self, procedure: Procedure<'_>, answer: &Answer) -> Result<Heard, String> {
        let message = super::json(answer)?;
        if answer.status != 200 || message["jsonrpc"] != "2.0" || message["id"] != "one" {
            return Err(format!("{}: {message}", answer.status));
        }
        match (message.get("result"), message.get("error")) {
            (Some(result), None) if procedure.output().is_some() => Ok(Ok(Some(result.clone()))),
            (Some(Value::Null), None) => Ok(Ok(None)),
            (None, Some(error)) if error["code"].is_i64() && error["message"].is_string() => {
                let data = &error["data"];
                Ok(Err(Failed::new(&data["code"], &data["failure"], &data["fields"])))
            }
            _ => Err(format!("neither result nor error: {message}")),
        }
    }
}

/// The fields as a list, when none is missing before the last.
fn positions(procedure: Procedure<'_>, fields: &Map<String, Value>) -> Option<Value> {
    let values: Vec<_> = procedure.input_fields().map_while(|name| fields.get(name).cloned()).collect();
    (!values.is_empty() && values.len() == fields.len()).then(|| values.into())
}
