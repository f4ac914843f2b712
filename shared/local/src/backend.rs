//! Backends of calls: this process, or the procedures' own functions.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use gateways::Transport;
use http::{Request, Response};
use protocol::{Code, Fault};
use runtime::{Addressee, BoxFuture, Context, Entry, Site, answer, api_gateway, cors::Cors, refuse, rest::Route};

use crate::isolated::{InvokeError, Pool};

/// A procedure that runs in this process.
pub struct LocalProcedure {
    /// The procedure.
    pub entry: Entry,
    /// Its context, with its own credentials at the database.
    pub context: Context,
}

/// Runs the calls of procedures.
pub enum Backend {
    /// All procedures run in this process.
    InProcess(HashMap<&'static str, Arc<LocalProcedure>>),
    /// Each procedure runs in processes of its own.
    Isolated {
        /// The procedures, by name.
        entries: HashMap<&'static str, Entry>,
        /// The processes.
        pool: Pool,
    },
}

impl Backend {
    /// The procedure of this name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        match self {
            Self::InProcess(procedures) => procedures.get(name).map(|procedure| &procedure.entry),
            Self::Isolated { entries, .. } => entries.get(name),
        }
    }

    /// Answers a request to a procedure.
    pub async fn call(
        &self,
        name: &str,
        request_id: &str,
        (cors, site): (&Cors, &Site),
        request: Request<Bytes>,
    ) -> Response<Bytes> {
        match self {
            Self::InProcess(procedures) => {
                if let Some(procedure) = procedures.get(name) {
                    return answer(&procedure.entry, &procedure.context, request_id, request).await;
                }
            }
            Self::Isolated { entries, pool } => {
                if let Some(entry) = entries.get(name) {
                    return invoke(entry, pool, request_id, (cors, site), &request).await;
                }
            }
        }
        let fault = Fault::new(Code::NotFound, format!("There is no procedure {name:?}."));
        refuse(cors, site, request_id, &request, Addressee::Called(name), &fault)
    }
}

/// The gateways' transport to procedures in this process.
pub struct BackendTransport {
    /// The backend that runs the calls.
    pub backend: Arc<Backend>,
    /// The CORS policy.
    pub cors: Cors,
    /// The addresses of the service.
    pub site: Arc<Site>,
}

impl Transport for BackendTransport {
    fn call<'a>(
        &'a self,
        procedure: &'a str,
        request_id: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Response<Bytes>> {
        Box::pin(self.backend.call(procedure, request_id, (&self.cors, &self.site), request))
    }
}

async fn invoke(
    entry: &Entry,
    pool: &Pool,
    request_id: &str,
    (cors, site): (&Cors, &Site),
    request: &Request<Bytes>,
) -> Response<Bytes> {
    let rest = request.extensions().get::<Route>().and(entry.spec.rest).map(str::to_owned);
    let route = rest.unwrap_or_else(|| format!("{} {}", entry.method(), entry.path()));
    let event = api_gateway::event(&route, request_id, request);
    let function = entry.function();
    let fault = match pool.invoke(&function, request_id, event.into()).await {
        Ok(answer) => match api_gateway::response(&answer) {
            Ok(response) => return response,
            Err(cause) => Fault::new(Code::BadGateway, "The function gave no answer that can be read.").because(cause),
        },
        Err(error) => fault(error),
    };
    tracing::error!(
        procedure = entry.name,
        code = fault.code.key(),
        request_id,
        cause = fault.cause.as_deref().map(runtime::telemetry::chain),
        "the function did not answer"
    );
    refuse(cors, site, request_id, request, Addressee::Procedure(entry), &fault)
}

fn fault(error: InvokeError) -> Fault {
    let (code, message) = match &error {
        InvokeError::TimedOut { .. } => (Code::GatewayTimeout, "The function did not answer in time."),
        InvokeError::Throttled => (Code::ServiceUnavailable, "Every instance of the function is busy."),
        InvokeError::InitFailed { .. } => (Code::ServiceUnavailable, "The function could not be started."),
        InvokeError::EventTooLarge => (Code::PayloadTooLarge, "The request is larger than a function takes."),
        InvokeError::UnknownFunction => (Code::NotFound, "There is no such function."),
        InvokeError::Crashed { .. } | InvokeError::Failed { .. } | InvokeError::ResponseTooLarge => {
            (Code::BadGateway, "The function failed.")
        }
    };
    Fault::new(code, message).because(error)
}
