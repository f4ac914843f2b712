//! Single calls of tRPC, as the official client makes them.

use serde_json::Value;

use super::{Driver, Failed, Heard, json};
use crate::{
    support::styles::calls::Procedure,
    support::{Answer, Request},
};

pub struct Trpc;

impl Driver for Trpc {
    fn name(&self) -> &'static str {
        "trpc"
    }

    fn say(&self, procedure: Procedure<'_>, input: Option<&Value>) -> Option<Request> {
        let target = format!("/trpc/{}", procedure.name());
        Some(match (procedure.is_query(), input) {
            (true, None) => Request::new("GET", target),
            (true, Some(input)) => Request::new("GET", format!("{target}?input={}", encoded(input))),
            (false, input) => {
                let request = Request::new("POST", target).header("content-type", "application/json");
                input.map_or(request.clone(), |input| request.body(input.to_string()))
            }
        })
    }

    fn hear(&self, _: Procedure<'_>, answer: &Answer) -> Result<Heard, String> {
        heard(&json(answer)?, answer.status)
    }
}

/// An input in an address.
pub fn encoded(input: &Value) -> String {
    crate::support::http::percent_encode(input.to_string().as_bytes())
}

/// An envelope, and the status that belongs to it.
pub fn heard(envelope: &Value, status: u16) -> Result<Heard, String> {
    if let Some(result) = envelope.get("result") {
        return if status == 200 { Ok(Ok(result.get("data").cloned())) } else { Err(format!("{status}: {envelope}")) };
    }
    let data = &envelope["error"]["data"];
    if data["httpStatus"] != status {
        return Err(format!("{status} with {envelope}"));
    }
    Ok(Err(Failed::new(&data["code"], &data["failure"], &data["fields"])))
}
