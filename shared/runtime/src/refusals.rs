//! Callers who are known and were refused what they may not do, for whoever has to find out that somebody tries
//! (OWASP ASVS 5.0, 16.3.2). What is written, and where, is the service's own.

use std::sync::Arc;

use http::request;
use protocol::{Access, Code, Entity, Fault, Grant, Principal};
use store::Session;

use crate::{BoxFuture, Definition, Device};

/// A call that was refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What was called, such as `users.delete`.
    pub procedure: &'static str,
    /// Who called.
    pub principal: Arc<Principal>,
    /// From where.
    pub device: Device,
}

/// How a service writes refusals down.
#[derive(Clone, Copy)]
pub struct RefusalLog {
    pub(crate) grant: Grant,
    write: fn(Session, Refusal) -> BoxFuture<'static, Result<(), Fault>>,
}

impl RefusalLog {
    /// As entries of this entity, which every procedure that is not public gets the right to add.
    pub const fn of<E: Entity>(write: fn(Session, Refusal) -> BoxFuture<'static, Result<(), Fault>>) -> Self {
        Self { grant: Grant::of::<E>(Access::Append), write }
    }
}

/// One call, as far as a refusal of it is written down.
pub(crate) struct Watched {
    log: RefusalLog,
    session: Session,
    refusal: Refusal,
}

impl Watched {
    /// None where nobody is known to call, or nothing is written.
    pub(crate) fn of(
        definition: &Definition,
        procedure: &'static str,
        principal: Option<&Arc<Principal>>,
        session: Option<&Session>,
        parts: &request::Parts,
    ) -> Option<Self> {
        let (log, principal, session) = (definition.refusals?, principal?, session?);
        let refusal = Refusal { procedure, principal: Arc::clone(principal), device: Device::of(parts) };
        Some(Self { log, session: session.clone(), refusal })
    }

    /// Writes it down if this is a refusal by right; a failure that a procedure states is its own to write. That it
    /// cannot be written is a matter for the log, and lets nobody through.
    pub(crate) async fn note(&self, fault: &Fault) {
        if fault.code != Code::Forbidden || fault.failure.is_some() {
            return;
        }
        if let Err(fault) = (self.log.write)(self.session.clone(), self.refusal.clone()).await {
            tracing::error!(cause = crate::telemetry::chain(&fault), "a refusal could not be written down");
        }
    }
}
