//! Problems (RFC 9457): the error responses of REST and of procedures with `http`.

use bytes::Bytes;
use http::{HeaderValue, Response};
use protocol::{Fault, media_type};
use serde_json::json;

use crate::{reply, site::Site};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static(media_type::PROBLEM_JSON);
const VARY: HeaderValue = HeaderValue::from_static("accept");

/// The response to a fault. See [`body`] for the parameters.
pub(crate) fn response(
    fault: &Fault,
    site: &Site,
    procedure: &str,
    instance: &str,
    request_id: &str,
) -> Response<Bytes> {
    reply::refusal(fault, MEDIA_TYPE, VARY, body(fault, site, procedure, instance, request_id))
}

/// The body. Its `type` is the URL of the procedure's failure in the service's documents, and `instance` is the path
/// of the request. `procedure` is empty where none was reached.
pub fn body(fault: &Fault, site: &Site, procedure: &str, instance: &str, request_id: &str) -> Vec<u8> {
    let failure = fault.failure.as_ref().and_then(|failure| failure["type"].as_str());
    let kind = failure.map(|failure| format!("{}/docs#{procedure}:{failure}", site.url()));
    let status = reply::status_of(fault);
    let mut problem = json!({
        "type": kind.as_deref().unwrap_or("about:blank"),
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": fault.message,
        "instance": instance,
        "code": fault.code.key(),
        "requestId": request_id,
    });
    if let Some(failure) = &fault.failure {
        problem["failure"] = failure.clone();
    }
    if !fault.fields.is_empty() {
        problem["errors"] = json!(fault.fields);
    }
    if let Some(seconds) = fault.retry_after_s {
        problem["retryAfterS"] = seconds.get().into();
    }
    problem.to_string().into_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use protocol::Code;

    use super::*;

    #[test]
    fn a_problem_says_everything_but_its_cause() {
        let site = Site::new("https://api.example.com", "", "");
        let fault = Fault {
            failure: Some(json!({"type": "missing", "value": "x"})),
            ..Fault::new(Code::NotFound, "No thing has this id.").because("the secret cause")
        };
        let problem: serde_json::Value =
            serde_json::from_slice(&body(&fault, &site, "things.get", "/things/x", "r1")).unwrap();
        assert_eq!(
            problem,
            json!({
                "type": "https://api.example.com/docs#things.get:missing", "title": "Not Found", "status": 404,
                "detail": "No thing has this id.", "instance": "/things/x", "code": "NOT_FOUND", "requestId": "r1",
                "failure": {"type": "missing", "value": "x"},
            })
        );
    }
}
