//! Executes one call: reads the input, identifies the caller, checks the permission, runs the procedure, answers and
//! logs.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration, time::Instant};

use aws::xray::{self, Ending};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response, header, request::Parts};
use protocol::{Auth, Code, CursorScope, Fault};
use store::{StoreError, StoreSession};
use tracing::Instrument as _;

use crate::{
    Call, ClientInfo, Context, Entry, Output, Ownership, Principal,
    answer::expect_known,
    authenticate::{IncomingCall, check_permission},
    call::Inner,
    challenge::Presented,
    metrics::{self, Metrics},
    opaque,
    refusals::RefusalContext,
    reply::{CallInfo, Reading, ReplyForm, named},
    rest, telemetry,
    web::{AddedHeaders, PeerAddress},
};

/// The result of a call.
struct CallResult {
    outcome: Result<Output, Fault>,
    /// What the call read and wrote; none if it did not get so far, or the service has no database.
    session: Option<StoreSession>,
}

/// Executes a call and answers it in its form.
pub(crate) async fn execute(
    entry: &Entry,
    context: &Context,
    form: &ReplyForm,
    request_id: &str,
    request: Request<Bytes>,
) -> Response<Bytes> {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let network = parts.extensions.get::<PeerAddress>().and_then(PeerAddress::in_log);
    let presented = Presented::by(&parts.headers);
    let added = Arc::new(AddedHeaders::default());
    let reading = expect_known(&parts.method).and_then(|()| form.read(entry, &parts, body));
    let (conditions, CallResult { outcome, session }) = match reading {
        Ok(reading) => attempt(entry, context, request_id, parts, reading, &added).await,
        Err(fault) => (rest::Conditions::default(), CallResult { outcome: Err(fault), session: None }),
    };
    let (mut response, fault) = match form.success(entry, &conditions, outcome) {
        Ok(response) => (response, None),
        Err(fault) => {
            let (procedure, service) = (Some(entry.name), entry.service.name);
            let call = CallInfo { procedure, service, site: &context.site, request_id };
            (form.fault(&fault, call), Some(fault))
        }
    };
    if let Some(challenge) = fault.as_ref().and_then(|fault| presented.challenge(&entry.spec, fault)) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    added.append_to(response.headers_mut());
    charge_rest(session.as_ref(), request_id).await;
    let meter = session.as_ref().map(StoreSession::meter);
    telemetry::call(&telemetry::CallLine {
        procedure: entry.name,
        // The status of a batch is not that of its call.
        status: fault.as_ref().map_or(response.status().as_u16(), |fault| fault.code.http_status()),
        duration: started.elapsed(),
        read_units: meter.map_or(0.0, store::Meter::read_units),
        write_units: meter.map_or(0.0, store::Meter::write_units),
        request_id,
        network: network.as_deref(),
        fault: fault.as_ref(),
    });
    named(response, request_id)
}

/// Runs a call with one input after the other, until one is not refused for its version.
async fn attempt(
    entry: &Entry,
    context: &Context,
    request_id: &str,
    parts: Parts,
    reading: Reading,
    added: &Arc<AddedHeaders>,
) -> (rest::Conditions, CallResult) {
    let Reading { inputs, conditions, is_held_back } = reading;
    let parts = Arc::new(parts);
    let mut inputs = inputs.into_iter();
    let mut input = inputs.next().flatten();
    loop {
        let ended = run(entry, context, request_id, &parts, input, is_held_back, added).await;
        match inputs.next() {
            Some(next) if ended.outcome.as_ref().is_err_and(|fault| conditions.is_unmet(fault)) => input = next,
            _ => return (conditions, ended),
        }
        charge_rest(ended.session.as_ref(), request_id).await;
    }
}

async fn run(
    entry: &Entry,
    context: &Context,
    request_id: &str,
    parts: &Arc<Parts>,
    input: Option<Bytes>,
    is_held_back: bool,
    added: &Arc<AddedHeaders>,
) -> CallResult {
    let session = context.store.as_ref().map(|store| {
        let input = input.clone().unwrap_or_default();
        StoreSession::new(store.clone(), CursorScope { procedure: entry.name, caller: None, input }, context.clock)
    });
    let admitting = admit(entry, context, parts, input.as_deref(), session.as_ref(), added);
    let admitted = xray::part("authenticate", ending, admitting).await;
    let Admitted { principal, refused, ownership, refusals } = match admitted {
        Ok(admitted) => admitted,
        Err(fault) => return CallResult { outcome: Err(fault), session },
    };
    let (session, charged) = charged(entry, session, principal.as_deref(), parts).await;
    if let Err(error) = charged {
        return CallResult { outcome: Err(error.into()), session };
    }
    let span = telemetry::span(entry.name, request_id, principal.as_deref().map(|principal| &*principal.subject));
    let metrics = Metrics::default();
    let call = Call(Arc::new(Inner {
        input,
        is_held_back,
        parts: Arc::clone(parts),
        principal,
        refused,
        ownership,
        session: session.clone(),
        clock: context.clock,
        service: entry.service,
        site: Arc::clone(&context.site),
        registration: Arc::clone(&context.registration),
        secrets: Arc::clone(&context.secrets),
        configs: context.configs.clone(),
        metrics: metrics.clone(),
        mail_transport: Arc::clone(&context.mail_transport),
        authenticator: Arc::clone(&context.authenticator),
        added: Arc::clone(added),
    }));
    let limit = Duration::from_millis(entry.spec.timeout_ms.into());
    let running = xray::part(entry.name, ending, async { (entry.run)(call).await }.instrument(span));
    let running = AssertUnwindSafe(running).catch_unwind();
    let outcome = match tokio::time::timeout(limit, running).await {
        Ok(Ok(Err(fault))) => Err(recorded(refusals.as_ref(), fault).await),
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(Fault::internal(panic_message(&*panic))),
        Err(_) => {
            let message = format!("The procedure did not answer in {} ms.", entry.spec.timeout_ms);
            Err(Fault::new(Code::GatewayTimeout, message))
        }
    };
    let source = metrics::Source { service: entry.service.name, procedure: entry.name, request_id };
    metrics.write(&context.metrics, &source, context.clock.now());
    CallResult { outcome, session }
}

/// How a part of a call ended, for its trace: a refusal is the caller's, and a fault ours.
fn ending<T>(outcome: &Result<T, Fault>) -> Ending {
    match outcome.as_ref().map_err(|fault| fault.code.http_status()) {
        Ok(_) => Ending::Done,
        Err(429) => Ending::Throttled,
        Err(..500) => Ending::Error,
        Err(_) => Ending::Fault,
    }
}

/// A caller who may call.
struct Admitted {
    principal: Option<Arc<Principal>>,
    /// Why the caller's credentials were refused, where the procedure itself reports it.
    refused: Option<(Code, String)>,
    ownership: Ownership,
    /// Where refusals by the procedure itself are recorded.
    refusals: Option<RefusalContext>,
}

/// Identifies the caller, and checks the permission.
async fn admit(
    entry: &Entry,
    context: &Context,
    parts: &Parts,
    input: Option<&[u8]>,
    session: Option<&StoreSession>,
    added: &AddedHeaders,
) -> Result<Admitted, Fault> {
    let (spec, now) = (&entry.spec, context.clock.now());
    // Credentials are only read where the procedure needs the caller.
    let (principal, refused) = if spec.looks_at_caller() {
        let body = spec.http.and(input);
        let arrival = IncomingCall { parts, site: &context.site, store: session, now, spec, body, added };
        // A procedure with `http` may show a person in words why their credentials were refused: see `Result<Caller,
        // Fault>`. A client that sends a token is a program.
        let is_program = parts.headers.contains_key(header::AUTHORIZATION);
        let may_tell = spec.http.is_some() && spec.auth == Auth::Public && !is_program;
        match context.authenticator.authenticate(&arrival).await {
            Err(Fault { code: code @ (Code::Unauthorized | Code::Forbidden), message, .. }) if may_tell => {
                (None, Some((code, message)))
            }
            known => (known?, None),
        }
    } else {
        (None, None)
    };
    let refusals = match spec.auth {
        Auth::Public => None,
        _ => RefusalContext::of(entry, principal.as_ref(), session, parts),
    };
    match check_permission(spec, entry.service, principal.as_deref(), now) {
        Ok(ownership) => Ok(Admitted { principal, refused, ownership, refusals }),
        Err(fault) => Err(recorded(refusals.as_ref(), fault).await),
    }
}

/// The store session, charged to the caller where the service has a quota, after a check that the caller may read any
/// more.
async fn charged(
    entry: &Entry,
    session: Option<StoreSession>,
    principal: Option<&Principal>,
    parts: &Parts,
) -> (Option<StoreSession>, Result<(), StoreError>) {
    let Some(mut session) = session else { return (None, Ok(())) };
    if let Some(principal) = principal {
        session = session.called_by(Some(principal.subject.clone()));
    }
    if !entry.spec.is_charged() {
        return (Some(session), Ok(()));
    }
    session = session.charged_to(&payer(principal, parts));
    if !entry.spec.has_quota() {
        return (Some(session), Ok(()));
    }
    let charged = session.charge().await;
    (Some(if charged.is_ok() { session.bounded() } else { session }), charged)
}

/// The fault, after it is recorded if it is a refusal.
async fn recorded(context: Option<&RefusalContext>, fault: Fault) -> Fault {
    if let Some(context) = context {
        context.record(&fault).await;
    }
    fault
}

/// Who pays for a call's reads: the caller, and an application separately from the person in whose name it calls;
/// callers who are not signed in pay by network.
fn payer(principal: Option<&Principal>, parts: &Parts) -> String {
    let who = match principal {
        Some(Principal { subject, client: Some(client), .. }) => format!("application {}\n{subject}", client.id),
        Some(Principal { subject, .. }) => format!("caller {subject}"),
        None => format!("network {}", ClientInfo::of(parts).network()),
    };
    opaque::hash(who.as_bytes()).to_string()
}

/// Charges the rest of a call's reads. The call is done: if the quota is exceeded, the next call is refused.
async fn charge_rest(session: Option<&StoreSession>, request_id: &str) {
    let Some(session) = session else { return };
    match session.charge().await {
        Ok(()) | Err(StoreError::QuotaExceeded { .. }) => {}
        Err(error) => tracing::warn!(request_id, cause = telemetry::chain(&error), "reads were not counted"),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the procedure panicked: {}", text.unwrap_or("without a message"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use protocol::Client;

    use super::*;

    /// An application that reads much keeps the person in whose name it does from nothing.
    #[test]
    fn an_application_pays_apart_from_its_person() {
        let parts = Request::get("/trpc/who.calls").body(()).unwrap().into_parts().0;
        let client = |id: &str| Some(Client { id: id.into(), scopes: Vec::new(), for_itself: false });
        let paying = |client| payer(Some(&Principal { subject: "ada".into(), client, ..Principal::default() }), &parts);
        let payers = [payer(None, &parts), paying(None), paying(client("reader")), paying(client("writer"))];
        for (place, payer) in payers.iter().enumerate() {
            assert!(!payers[..place].contains(payer), "each has reads of their own");
        }
        assert_eq!(paying(client("reader")), payers[2]);
    }
}
