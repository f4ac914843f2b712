//! One call, and the capabilities that a procedure can ask for in its parameters.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderValue, header, request};
use protocol::{Clock, Code, Entity, Fault, Grant, Principal, WireInput, input};
use ring::digest::{SHA256, digest};
use store::{Append, Read, Session, Write};

use crate::{
    Authenticator, Caller, Definition, Reach, authenticate::expect_fresh, limits::Limits, mail::Post,
    registration::RegistrationPolicy, secrets::Secrets, site::Site, web::Added,
};

/// One call of one procedure. Procedures do not see it; their capabilities are made from it.
#[derive(Clone)]
pub struct Call(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) input: Option<Bytes>,
    pub(crate) parts: request::Parts,
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) reach: Reach,
    pub(crate) session: Option<Session>,
    pub(crate) clock: Clock,
    pub(crate) service: &'static Definition,
    pub(crate) site: Arc<Site>,
    pub(crate) registration: Arc<RegistrationPolicy>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) post: Arc<Post>,
    pub(crate) authenticator: Arc<Authenticator>,
    /// What the answer's headers have besides.
    pub(crate) added: Arc<Added>,
}

impl Call {
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

    /// Lets a person through who proved who they are no longer ago than that, in seconds.
    ///
    /// # Errors
    /// `FORBIDDEN`, as [`Reauthenticate`](protocol::fresh::Reauthenticate) for a person who signed in earlier.
    pub fn expect_fresh(&self, fresh_s: u32) -> Result<(), Fault> {
        expect_fresh(fresh_s, Caller::obtain(self)?.principal(), self.0.clock.now())
    }

    pub(crate) fn session(&self) -> Result<Session, Fault> {
        self.0.session.clone().ok_or_else(|| Fault::internal("this service was started without a database"))
    }

    pub(crate) fn clock(&self) -> Clock {
        self.0.clock
    }

    pub(crate) fn service(&self) -> &'static Definition {
        self.0.service
    }

    pub(crate) fn site(&self) -> &Site {
        &self.0.site
    }

    pub(crate) fn registration(&self) -> &RegistrationPolicy {
        &self.0.registration
    }

    pub(crate) fn secrets(&self) -> &Arc<Secrets> {
        &self.0.secrets
    }

    pub(crate) fn post(&self) -> &Arc<Post> {
        &self.0.post
    }

    pub(crate) fn authenticator(&self) -> &Arc<Authenticator> {
        &self.0.authenticator
    }

    pub(crate) fn parts(&self) -> &request::Parts {
        &self.0.parts
    }

    /// The body as it came.
    pub(crate) fn body(&self) -> Bytes {
        self.0.input.clone().unwrap_or_default()
    }

    pub(crate) fn set_cookie(&self, value: HeaderValue) {
        self.0.added.push(header::SET_COOKIE, value);
    }
}

/// Something that a procedure may ask for: a right to the outside, and what it costs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no capability",
    label = "a procedure cannot ask for this",
    note = "a procedure's parameters are capabilities (`Read<Entity>`, `Write<Entity>`, `Append<Entity>`, `Caller`, `Option<Caller>`, `Reach`, `Clock`, `Ids`, `Limits`, `Mail`, `Secret<…>`, …) and at most one `input: Input`",
    note = "there is no other way to reach the outside: that is how a function's rights are known from its signature"
)]
pub trait Capability: Sized {
    /// The right to stored data that the capability needs.
    const GRANT: Option<Grant> = None;
    /// Whether it tells who is calling: an answer may then differ from caller to caller.
    const TELLS_CALLER: bool = false;
    /// The secret that the capability reads, by name.
    const SECRET: Option<&'static str> = None;
    /// Whether it tells own items from those of others.
    const KNOWS_OWN: bool = false;
    /// What the capability calls outside the service, in words.
    const OUTBOUND: Option<&'static str> = None;
    /// Whether it sends mail.
    const MAIL: bool = false;
    /// Whether what it reads is charged to who calls, see [`store::quota`].
    const METERED: bool = false;

    /// Makes the capability for one call.
    ///
    /// # Errors
    /// When the call does not have what it takes.
    fn obtain(call: &Call) -> Result<Self, Fault>;
}

/// Refuses, when the service is compiled, a query that asks to write.
#[doc(hidden)]
pub const fn reads_only(grant: Option<Grant>) {
    if let Some(Grant { access, .. }) = grant {
        assert!(
            access.reads_only(),
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

/// Refuses, when the service is compiled, a procedure that lets callers through for their own items and
/// cannot tell which these are.
#[doc(hidden)]
pub const fn knows_own(knows_own: bool) {
    assert!(knows_own, "`own` lets callers through for their own items: take a `Reach`, and ask it about each item");
}

impl<T: Entity> Capability for Read<T> {
    const GRANT: Option<Grant> = Some(Grant::of::<T>(protocol::Access::Read));
    const METERED: bool = true;

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

impl<T: Entity> Capability for Append<T> {
    const GRANT: Option<Grant> = Some(Grant::of::<T>(protocol::Access::Append));

    fn obtain(call: &Call) -> Result<Self, Fault> {
        call.session().map(Self::new)
    }
}

impl Capability for Limits {
    const GRANT: Option<Grant> = Some(Limits::GRANT);

    fn obtain(call: &Call) -> Result<Self, Fault> {
        call.session().map(Self::new)
    }
}

impl Capability for Option<Caller> {
    const TELLS_CALLER: bool = true;

    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(call.0.principal.clone().map(Caller::new))
    }
}

impl Capability for Reach {
    const TELLS_CALLER: bool = true;
    const KNOWS_OWN: bool = true;

    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(call.0.reach.clone())
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

    /// The id that stands for a text: the same for the same text, and for no other (UUIDv8, RFC 9562 section 5.8, of
    /// SHA-256).
    pub fn of_text<T: From<protocol::__private::uuid::Uuid>>(text: &str) -> T {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
        T::from(protocol::__private::uuid::Builder::from_custom_bytes(bytes).into_uuid())
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
