//! Callers who are known and were refused what they may not do, for whoever has to find out that somebody tries
//! (OWASP ASVS 5.0, 16.3.2). Each has a line in the log of calls; that of a mutation is written into the table as well,
//! in the form that the service chooses. A query has no right to write anything.

use std::sync::Arc;

use http::request;
use protocol::{Access, Auth, Code, Entity, Fault, Grant, Kind, Principal, Spec};
use store::StoreSession;

use crate::{BoxFuture, Caller, ClientInfo, Entry};

/// A call that was refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What was called, such as `orders.delete`.
    pub procedure: &'static str,
    /// Who called.
    pub caller: Caller,
    /// From where.
    pub client_info: ClientInfo,
}

/// How a service writes refusals down.
#[derive(Clone, Copy)]
pub struct RefusalLog {
    pub(crate) grant: Grant,
    write: fn(StoreSession, Refusal) -> BoxFuture<'static, Result<(), Fault>>,
}

impl RefusalLog {
    /// As entries of this entity, which every mutation that is not public gets the right to add.
    pub const fn of<E: Entity>(write: fn(StoreSession, Refusal) -> BoxFuture<'static, Result<(), Fault>>) -> Self {
        Self { grant: Grant::of::<E>(Access::Create), write }
    }

    /// Whether a procedure has the right to write into it.
    pub(crate) fn is_written_by(spec: &Spec) -> bool {
        spec.kind == Kind::Mutation && spec.auth != Auth::Public
    }
}

/// One call, as far as a refusal of it is written down.
pub(crate) struct RefusalContext {
    /// Where it is written, besides the log of calls.
    written: Option<(RefusalLog, StoreSession)>,
    refusal: Refusal,
}

impl RefusalContext {
    /// None where nobody is known to call.
    pub(crate) fn of(
        entry: &Entry,
        principal: Option<&Arc<Principal>>,
        session: Option<&StoreSession>,
        parts: &request::Parts,
    ) -> Option<Self> {
        let (procedure, caller) = (entry.name, Caller::new(entry.service, Arc::clone(principal?)));
        let log = entry.service.refusals.filter(|_| RefusalLog::is_written_by(&entry.spec));
        let written = log.zip(session.cloned());
        Some(Self { written, refusal: Refusal { procedure, caller, client_info: ClientInfo::of(parts) } })
    }

    /// Writes it down if this is a refusal by right; a failure that a procedure states is its own to write. That it
    /// cannot be written is a matter for the log, and lets nobody through.
    pub(crate) async fn note(&self, fault: &Fault) {
        if fault.code != Code::Forbidden || fault.failure.is_some() {
            return;
        }
        let Refusal { procedure, caller, .. } = &self.refusal;
        tracing::warn!(procedure, caller = caller.subject(), "refused");
        let Some((log, session)) = &self.written else { return };
        if let Err(fault) = (log.write)(session.clone(), self.refusal.clone()).await {
            tracing::error!(cause = crate::telemetry::chain(&fault), "a refusal could not be written down");
        }
    }
}
