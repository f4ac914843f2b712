//! One call, and the capabilities that a procedure can ask for in its parameters.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::HeaderMap;
use protocol::{Clock, Code, Entity, Fault, Grant, WireInput, input};
use store::{Read, Session, Write};

use crate::{Authenticator, Caller, Principal};

/// One call of one procedure. Procedures do not see it; their capabilities are made from it.
#[derive(Clone)]
pub struct Call(Arc<Inner>);

struct Inner {
    input: Option<Bytes>,
    principal: Option<Arc<Principal>>,
    /// For public procedures that ask who is calling after all.
    credentials: Option<(Arc<Authenticator>, HeaderMap)>,
    session: Option<Session>,
    clock: Clock,
}

impl Call {
    pub(crate) fn new(
        input: Option<Bytes>,
        principal: Option<Arc<Principal>>,
        credentials: Option<(Arc<Authenticator>, HeaderMap)>,
        session: Option<Session>,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Inner { input, principal, credentials, session, clock }))
    }

    /// The input, decoded and validated.
    ///
    /// # Errors
    /// `BAD_REQUEST` with what is wrong, field by field.
    pub fn input<T: WireInput>(&self) -> Result<T, Fault> {
        input::decode(self.0.input.as_deref())
    }

    /// For procedures without an input.
    ///
    /// # Errors
    /// `BAD_REQUEST` when there is one all the same.
    pub fn no_input(&self) -> Result<(), Fault> {
        input::decode_none(self.0.input.as_deref())
    }

    fn session(&self) -> Result<Session, Fault> {
        self.0.session.clone().ok_or_else(|| Fault::internal("this service was started without a database"))
    }

    fn principal(&self) -> Result<Option<Arc<Principal>>, Fault> {
        match (&self.0.principal, &self.0.credentials) {
            (Some(principal), _) => Ok(Some(Arc::clone(principal))),
            (None, Some((authenticator, headers))) => authenticator.authenticate(headers, self.0.clock.now()),
            (None, None) => Ok(None),
        }
    }
}

/// Something that a procedure may ask for: a right to the outside, and what it costs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no capability",
    label = "a procedure cannot ask for this",
    note = "a procedure's parameters are capabilities (`Read<Entity>`, `Write<Entity>`, `Caller`, `Option<Caller>`, `Clock`, `Ids`) and at most one `input: Input`",
    note = "there is no other way to reach the outside: that is how a function's rights are known from its signature"
)]
pub trait Capability: Sized {
    /// The right to stored data that the capability needs.
    const GRANT: Option<Grant> = None;
    /// Whether it tells who is calling: an answer may then differ from caller to caller.
    const TELLS_CALLER: bool = false;

    /// Makes the capability for one call.
    ///
    /// # Errors
    /// When the call does not have what it takes.
    fn obtain(call: &Call) -> Result<Self, Fault>;
}

/// Refuses, when the service is compiled, a query that asks to write.
#[doc(hidden)]
pub const fn reads_only(grant: Option<Grant>) {
    if let Some(Grant { access: protocol::Access::Write, .. }) = grant {
        panic!(
            "a query asks to write: make it `#[procedure(mutation, …)]`, or take `Read<Entity>` instead of `Write<Entity>`"
        );
    }
}

/// Refuses, when the service is compiled, a procedure whose answers are kept for everybody and that
/// asks who is calling.
#[doc(hidden)]
pub const fn same_for_all(tells_caller: bool) {
    assert!(
        !tells_caller,
        "what a shared cache keeps is given to everybody: leave `cache_s` out, or do not ask for the `Caller`"
    );
}

impl<T: Entity> Capability for Read<T> {
    const GRANT: Option<Grant> = Some(Grant::of::<T>(protocol::Access::Read));

    fn obtain(call: &Call) -> Result<Self, Fault> {
        call.session().map(Self::new)
    }
}

impl<T: Entity> Capability for Write<T> {
    const GRANT: Option<Grant> = Some(Grant::of::<T>(protocol::Access::Write));

    fn obtain(call: &Call) -> Result<Self, Fault> {
        call.session().map(Self::new)
    }
}

impl Capability for Option<Caller> {
    const TELLS_CALLER: bool = true;

    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(call.principal()?.map(Caller::new))
    }
}

impl Capability for Caller {
    const TELLS_CALLER: bool = true;

    fn obtain(call: &Call) -> Result<Self, Fault> {
        Option::<Self>::obtain(call)?.ok_or_else(|| Fault::new(Code::Unauthorized, "Sign in first."))
    }
}

impl Capability for Clock {
    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(call.0.clock)
    }
}

/// The capability to make new ids: UUIDv7 (RFC 9562), which sort by the time they were made.
#[derive(Clone, Debug, Default)]
pub struct Ids(Option<Arc<Mutex<u128>>>);

impl Ids {
    /// Ids that count up from one, for tests.
    pub fn counting() -> Self {
        Self(Some(Arc::new(Mutex::new(0))))
    }

    /// A new id.
    pub fn next<T: From<protocol::__private::uuid::Uuid>>(&self) -> T {
        use protocol::__private::uuid::Uuid;
        T::from(match &self.0 {
            None => Uuid::now_v7(),
            Some(count) => {
                let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
                *count += 1;
                Uuid::from_u128(*count)
            }
        })
    }
}

impl Capability for Ids {
    fn obtain(_: &Call) -> Result<Self, Fault> {
        Ok(Self::default())
    }
}
