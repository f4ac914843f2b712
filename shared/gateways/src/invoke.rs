//! Calls procedures by invoking their functions through the Lambda service.
//!
//! The gateway sends the event that the front would send: an HTTP API's, with the caller's own credentials and none
//! of the gateway's. The procedure's function therefore treats it as any other call, and does not trust the gateway.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws::service::{CallError, Service, ServiceClient};
use bytes::Bytes;
use http::{Request, Response, header};
use protocol::{
    Cause, Code, Fault, Kind,
    contract::{Contract, ProcedureContract},
    media_type,
};
use runtime::{Addressee, BoxFuture, Site, api_gateway, cors::Cors, environment::FunctionSettings, refuse, telemetry};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

use crate::Transport;

/// The timeout of the connection to Lambda.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The extra time beyond a procedure's own timeout: the function times out first and reports it.
const BEYOND_THE_PROCEDURE: Duration = Duration::from_secs(1);
/// The maximum size of an event in a synchronous invocation (Lambda, "Quotas").
const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;
/// The longest pause before a throttled query is retried once.
const LONGEST_PAUSE: Duration = Duration::from_millis(300);

/// The deadline of a request, as an extension of the request.
#[derive(Clone, Copy, Debug)]
pub struct RequestDeadline(pub Instant);

/// The transport that invokes procedures' functions.
pub struct Invoke {
    client: ServiceClient,
    /// The functions, by the procedures' names.
    functions: HashMap<String, Function>,
    cors: Cors,
    site: Arc<Site>,
}

/// The function of a procedure.
struct Function {
    /// Its name in the stage.
    name: String,
    kind: Kind,
    /// The timeout of one call.
    limit: Duration,
}

impl Invoke {
    /// Creates the client. It sends nothing yet.
    ///
    /// # Errors
    /// When the TLS settings are refused, or the region does not exist.
    pub fn new(settings: FunctionSettings, contract: &Contract, cors: Cors, site: Arc<Site>) -> Result<Self, Cause> {
        let client = ServiceClient::new(Service::Lambda, settings.access.clone(), Some(CONNECT_TIMEOUT))?;
        let function = |procedure: &ProcedureContract| Function {
            name: settings.name_of(&procedure.function),
            kind: procedure.kind,
            limit: Duration::from_millis(procedure.timeout_ms.into()),
        };
        let functions = contract.in_styles().map(|procedure| (procedure.name.clone(), function(procedure))).collect();
        Ok(Self { client, functions, cors, site })
    }

    async fn answer(
        &self,
        procedure: &str,
        request_id: &str,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, Fault> {
        let Some(function) = self.functions.get(procedure) else {
            return Err(Fault::new(Code::NotFound, format!("There is no procedure {procedure:?}.")));
        };
        let event = api_gateway::event(&format!("ANY {}", request.uri().path()), request_id, request);
        if event.len() > MAX_EVENT_BYTES {
            return Err(Fault::new(Code::PayloadTooLarge, "The request is larger than a function takes."));
        }
        let own = Instant::now() + function.limit + BEYOND_THE_PROCEDURE;
        let deadline = request.extensions().get::<RequestDeadline>().map_or(own, |whole| whole.0.min(own));
        let event = Bytes::from(event);
        let mut outcome = self.send(function, event.clone(), deadline).await;
        // A throttled call did not begin; but for a mutation, the client decides about a second attempt.
        let pause = LONGEST_PAUSE.mul_f64(fastrand::f64());
        if matches!(outcome, Err(ref fault) if is_throttled(fault))
            && function.kind == Kind::Query
            && Instant::now() + pause < deadline
        {
            sleep(pause).await;
            outcome = self.send(function, event, deadline).await;
        }
        read(outcome?)
    }

    async fn send(&self, function: &Function, event: Bytes, deadline: Instant) -> Result<Response<Bytes>, Fault> {
        // Names of functions need no escapes in a path.
        let path = format!("/2015-03-31/functions/{}/invocations", function.name);
        let request = Request::post(path).header(header::CONTENT_TYPE, media_type::BYTES).body(event);
        let request = request.map_err(Fault::internal)?;
        match timeout_at(deadline, Box::pin(self.client.call(request))).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(fault_of(error)),
            Err(late) => Err(too_late().because(late)),
        }
    }
}

impl Transport for Invoke {
    fn call<'a>(
        &'a self,
        procedure: &'a str,
        request_id: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Response<Bytes>> {
        Box::pin(async move {
            let fault = match self.answer(procedure, request_id, &request).await {
                Ok(response) => return response,
                Err(fault) => fault,
            };
            let (code, cause) = (fault.code.key(), fault.cause.as_deref().map(telemetry::chain));
            tracing::error!(procedure, code, request_id, cause, "the function did not answer");
            refuse(&self.cors, &self.site, request_id, &request, Addressee::Called(procedure), &fault)
        })
    }
}

fn too_late() -> Fault {
    Fault::new(Code::GatewayTimeout, "The function did not answer in time.")
}

/// Marks a fault whose call did not begin, because all instances allowed are busy.
#[derive(Debug)]
struct Throttled(Cause);

impl std::fmt::Display for Throttled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("throttled")
    }
}

impl std::error::Error for Throttled {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

fn is_throttled(fault: &Fault) -> bool {
    fault.cause.as_ref().is_some_and(|cause| cause.is::<Throttled>())
}

/// The fault for an invocation without an answer.
fn fault_of(error: CallError) -> Fault {
    let (code, message) = match &error {
        CallError::TimeoutError(_) => return too_late().because(error),
        // The function may have run: it is unknown whether the connection broke before or after.
        CallError::DispatchFailure(_) => (Code::ServiceUnavailable, "The function cannot be reached."),
        CallError::ServiceError(refused) => match refused.err().code().unwrap_or_default() {
            "TooManyRequestsException" => {
                let fault = Fault::new(Code::ServiceUnavailable, "Every instance of the function is busy.");
                return fault.because(Throttled(error.into()));
            }
            "RequestTooLargeException" => (Code::PayloadTooLarge, "The request is larger than a function takes."),
            "ResourceNotReadyException" | "ResourceConflictException" | "ServiceException" => {
                (Code::ServiceUnavailable, "The function could not be started.")
            }
            _ => (Code::BadGateway, "The function failed."),
        },
        _ => (Code::BadGateway, "The function failed."),
    };
    Fault::new(code, message).because(error)
}

/// Lambda's report of a failed function. Its message may hold anything and is not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    error_type: String,
}

/// The error type of a function that exceeded its timeout.
const TIMED_OUT: &str = "Sandbox.Timedout";

/// The header of a failed invocation (Lambda API Reference, "Invoke").
const FUNCTION_ERROR: &str = "x-amz-function-error";

fn read(answer: Response<Bytes>) -> Result<Response<Bytes>, Fault> {
    let failed = answer.headers().contains_key(FUNCTION_ERROR);
    let payload = answer.into_body();
    if failed {
        let about =
            serde_json::from_slice::<Failed>(&payload).map_or_else(|_| String::new(), |failed| failed.error_type);
        let fault = if about == TIMED_OUT { too_late() } else { Fault::new(Code::BadGateway, "The function failed.") };
        return Err(fault.because(about));
    }
    api_gateway::response(&payload)
        .map_err(|cause| Fault::new(Code::BadGateway, "The function gave no answer that can be read.").because(cause))
}

#[cfg(test)]
mod tests;
