//! One call: its input, who is calling, may they, run, answer, log line.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration, time::Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response, header, request::Parts};
use protocol::{Auth, Code, Fault};
use store::{Scope, StoreError, StoreSession};

use crate::{
    Call, ClientInfo, Context, Entry, Output, Ownership, Principal,
    answer::expect_known,
    authenticate::{IncomingCall, check_permission},
    call::Inner,
    challenge::Presented,
    opaque,
    refusals::RefusalContext,
    reply::{CallInfo, Reading, ReplyForm, named},
    rest, telemetry,
    web::{Added, PeerAddress},
};

/// How a call ended.
struct Ended {
    outcome: Result<Output, Fault>,
    /// What the call read and wrote; none where it did not get so far, or the service has no database.
    session: Option<StoreSession>,
}

/// Runs a call and answers it in its form.
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
    let added = Arc::new(Added::default());
    let reading = expect_known(&parts.method).and_then(|()| form.read(entry, &parts, body));
    let (conditions, Ended { outcome, session }) = match reading {
        Ok(reading) => attempt(entry, context, request_id, parts, reading, &added).await,
        Err(fault) => (rest::Conditions::default(), Ended { outcome: Err(fault), session: None }),
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
        // A batch's own status says nothing of its call.
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

/// Runs a call with one of its inputs after the other, until one is not refused for its version.
async fn attempt(
    entry: &Entry,
    context: &Context,
    request_id: &str,
    parts: Parts,
    reading: Reading,
    added: &Arc<Added>,
) -> (rest::Conditions, Ended) {
    let Reading { inputs, conditions, is_held_back } = reading;
    let parts = Arc::new(parts);
    let mut inputs = inputs.into_iter();
    let mut input = inputs.next().flatten();
    loop {
        let ended = run(entry, context, &parts, input, is_held_back, added).await;
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
    parts: &Arc<Parts>,
    input: Option<Bytes>,
    is_held_back: bool,
    added: &Arc<Added>,
) -> Ended {
    let session = context.store.as_ref().map(|store| {
        let input = input.clone().unwrap_or_default();
        StoreSession::new(store.clone(), Scope { procedure: entry.name, caller: None, input }, context.clock)
    });
    let admitted = admit(entry, context, parts, input.as_deref(), session.as_ref(), added).await;
    let Admitted { principal, refused, ownership, refusals } = match admitted {
        Ok(admitted) => admitted,
        Err(fault) => return Ended { outcome: Err(fault), session },
    };
    let (session, charged) = charged(entry, session, principal.as_deref(), parts).await;
    if let Err(error) = charged {
        return Ended { outcome: Err(error.into()), session };
    }
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
        post: Arc::clone(&context.post),
        authenticator: Arc::clone(&context.authenticator),
        added: Arc::clone(added),
    }));
    let limit = Duration::from_millis(entry.spec.timeout_ms.into());
    let running = AssertUnwindSafe(async { (entry.run)(call).await }).catch_unwind();
    let outcome = match tokio::time::timeout(limit, running).await {
        Ok(Ok(Err(fault))) => Err(noted(refusals.as_ref(), fault).await),
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Err(Fault::internal(panic_message(&*panic))),
        Err(_) => {
            let message = format!("The procedure did not answer in {} ms.", entry.spec.timeout_ms);
            Err(Fault::new(Code::GatewayTimeout, message))
        }
    };
    Ended { outcome, session }
}

/// A caller who may call.
struct Admitted {
    principal: Option<Arc<Principal>>,
    /// Why nobody is let in by what the call came with, where the procedure says it itself.
    refused: Option<(Code, String)>,
    ownership: Ownership,
    /// Where it is noted that the procedure itself refuses.
    refusals: Option<RefusalContext>,
}

/// Finds out who is calling, and whether they may.
async fn admit(
    entry: &Entry,
    context: &Context,
    parts: &Parts,
    input: Option<&[u8]>,
    session: Option<&StoreSession>,
    added: &Added,
) -> Result<Admitted, Fault> {
    let (spec, now) = (&entry.spec, context.clock.now());
    // Where nobody asks who is calling, nobody looks at credentials.
    let (principal, refused) = if spec.looks_at_caller() {
        let body = spec.http.and(input);
        let arrival = IncomingCall { parts, site: &context.site, store: session, now, spec, body, added };
        // What has a form of its own may tell a person in words why nobody is let in: see `Result<Caller, Fault>`. Who
        // has a token is a program.
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
        Err(fault) => Err(noted(refusals.as_ref(), fault).await),
    }
}

/// The session of a caller who is charged for what the call reads, where it is; and whether they may read any more.
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

/// A fault, once it is written down if it is a refusal.
async fn noted(context: Option<&RefusalContext>, fault: Fault) -> Fault {
    if let Some(context) = context {
        context.note(&fault).await;
    }
    fault
}

/// Who is charged for what a call reads: whoever calls, and an application apart from the person in whose name it does;
/// nobody in particular is counted by network.
fn payer(principal: Option<&Principal>, parts: &Parts) -> String {
    let who = match principal {
        Some(Principal { subject, client: Some(client), .. }) => format!("application {}\n{subject}", client.id),
        Some(Principal { subject, .. }) => format!("caller {subject}"),
        None => format!("network {}", ClientInfo::of(parts).network()),
    };
    opaque::hash(who.as_bytes()).to_string()
}

/// Puts what is left of a call's reads on the caller's tab. The call is done: what is over then, the next one hears.
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
