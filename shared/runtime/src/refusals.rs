//! Records refused calls of known callers, so that operators can detect attempts (OWASP ASVS 5.0, 16.3.2). Each
//! refusal has a line in the log of calls; that of a mutation is also written to the table, in the form that the
//! service chooses. A query has no right to write.

use std::sync::Arc;

use http::request;
use protocol::{Access, Auth, Code, Entity, Fault, Grant, Kind, Principal, Spec};
use store::StoreSession;

use crate::{BoxFuture, Caller, ClientInfo, Entry};

/// A refused call.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The procedure, such as `orders.delete`.
    pub procedure: &'static str,
    /// The caller.
    pub caller: Caller,
    /// The caller's network address and program.
    pub client_info: ClientInfo,
}

/// How a service records refusals.
#[derive(Clone, Copy)]
pub struct RefusalLog {
    pub(crate) grant: Grant,
    write: fn(StoreSession, Refusal) -> BoxFuture<'static, Result<(), Fault>>,
}

impl RefusalLog {
    /// Records refusals as entities of this type. Every mutation that is not public gets the right to create them.
    pub const fn of<E: Entity>(write: fn(StoreSession, Refusal) -> BoxFuture<'static, Result<(), Fault>>) -> Self {
        Self { grant: Grant::of::<E>(Access::Create), write }
    }

    /// Whether a procedure has the right to write into the log.
    pub(crate) fn is_written_by(spec: &Spec) -> bool {
        spec.kind == Kind::Mutation && spec.auth != Auth::Public
    }
}

/// What is known of one call when a refusal is recorded.
pub(crate) struct RefusalContext {
    /// Where the refusal is written, in addition to the log of calls.
    written: Option<(RefusalLog, StoreSession)>,
    refusal: Refusal,
}

impl RefusalContext {
    /// None where the caller is not known.
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

    /// Records the fault if it refuses a missing right; a failure that a procedure states is its own to record. A
    /// failed write goes to the log and does not admit the caller.
    pub(crate) async fn record(&self, fault: &Fault) {
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
