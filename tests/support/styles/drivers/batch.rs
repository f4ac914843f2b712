//! Batches of tRPC: the call together with one that cannot be, which must not hurt it.

use serde_json::{Value, json};

use super::{
    Driver, Heard,
    trpc::{encoded, heard},
};
use crate::{
    support::styles::calls::Procedure,
    support::{Answer, Request},
};

pub struct Batch;

impl Driver for Batch {
    fn name(&self) -> &'static str {
        "batch"
    }

    fn say(&self, procedure: Procedure<'_>, input: Option<&Value>) -> Option<Request> {
        let target = format!("/trpc/{},no.such?batch=1", procedure.name());
        let inputs = input.map_or_else(|| json!({}), |input| json!({"0": input}));
        Some(if procedure.is_query() {
            Request::new("GET", format!("{target}&input={}", encoded(&inputs)))
        } else {
            Request::new("POST", target).header("content-type", "application/json").body(inputs.to_string())
        })
    }

    fn hear(&self, _: Procedure<'_>, answer: &Answer) -> Result<Heard, String> {
        let both = super::json(answer)?;
        let unknown = &both[1]["error"]["data"];
        if unknown["code"] != "NOT_FOUND" {
            return Err(format!("{} with {both}", answer.status));
        }
        let status = both[0]["error"]["data"]["httpStatus"].as_u64().and_then(|status| u16::try_from(status).ok());
        let status = status.unwrap_or(200);
        // The status that both have, else Multi-Status.
        if answer.status != if status == 404 { 404 } else { 207 } {
            return Err(format!("{} with {both}", answer.status));
        }
        heard(&both[0], status)
    }
}
