//! One call of a procedure, from which its capabilities are made.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderValue, Request, header, request};
use protocol::{Clock, Code, CursorScope, Fault, Principal, WireInput, input};
use ring::digest::{SHA256, digest};
use store::StoreSession;

use crate::{
    Authenticator, Caller, Capability as _, Context, Definition, Ownership, authenticate::expect_fresh,
    config::Configs, mail::MailTransport, metrics::Metrics, registration::RegistrationPolicy, rest, secrets::Secrets,
    site::Site, web::AddedHeaders,
};

/// One call of one procedure. Procedures do not see it; their capabilities are made from it.
#[derive(Clone)]
pub struct Call(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) input: Option<Bytes>,
    /// Whether the call must not run, although nothing is wrong with it: see
    /// [`Reading::is_held_back`](crate::reply::Reading).
    pub(crate) is_held_back: bool,
    pub(crate) parts: Arc<request::Parts>,
    pub(crate) principal: Option<Arc<Principal>>,
    /// Why the caller's credentials were refused.
    pub(crate) refused: Option<(Code, String)>,
    pub(crate) ownership: Ownership,
    pub(crate) session: Option<StoreSession>,
    pub(crate) clock: Clock,
    pub(crate) service: &'static Definition,
    pub(crate) site: Arc<Site>,
    pub(crate) registration: Arc<RegistrationPolicy>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) configs: Configs,
    pub(crate) metrics: Metrics,
    pub(crate) mail_transport: Arc<MailTransport>,
    pub(crate) authenticator: Arc<Authenticator>,
    /// Headers to add to the response.
    pub(crate) added: Arc<AddedHeaders>,
}

impl Call {
    /// A call without a request, a caller and an input, for tests of capabilities and of procedures' bodies.
    #[doc(hidden)]
    pub fn detached(service: &'static Definition, context: &Context) -> Self {
        let session = context.store.as_ref().map(|store| {
            StoreSession::new(
                store.clone(),
                CursorScope { procedure: "test", caller: None, input: Bytes::new() },
                context.clock,
            )
        });
        Self(Arc::new(Inner {
            input: None,
            is_held_back: false,
            parts: Arc::new(Request::new(()).into_parts().0),
            principal: None,
            refused: None,
            ownership: Ownership::all(),
            session,
            clock: context.clock,
            service,
            site: Arc::clone(&context.site),
            registration: Arc::clone(&context.registration),
            secrets: Arc::clone(&context.secrets),
            configs: context.configs.clone(),
            metrics: Metrics::default(),
            mail_transport: Arc::clone(&context.mail_transport),
            authenticator: Arc::clone(&context.authenticator),
            added: Arc::default(),
        }))
    }

    /// The input, decoded and validated.
    ///
    /// # Errors
    /// `BAD_REQUEST` with the faults, field by field; `NOT_ACCEPTABLE` when the client does not accept the output's
    /// type.
    pub fn input<T: WireInput>(&self) -> Result<T, Fault> {
        let input = input::decode(self.0.input.as_deref())?;
        self.expect_to_be_made().map(|()| input)
    }

    /// Checks that there is no input.
    ///
    /// # Errors
    /// `BAD_REQUEST` when there is an input; `NOT_ACCEPTABLE` when the client does not accept the output's type.
    pub fn no_input(&self) -> Result<(), Fault> {
        input::decode_none(self.0.input.as_deref())?;
        self.expect_to_be_made()
    }

    fn expect_to_be_made(&self) -> Result<(), Fault> {
        if self.0.is_held_back { Err(rest::not_acceptable()) } else { Ok(()) }
    }

    /// Lets the call go on if the caller signed in or reauthenticated no longer than `fresh_s` seconds ago.
    ///
    /// # Errors
    /// `FORBIDDEN`, as [`Reauthenticate`](protocol::fresh::Reauthenticate), for a person who did so earlier.
    pub fn expect_fresh(&self, fresh_s: u32) -> Result<(), Fault> {
        expect_fresh(fresh_s, Caller::obtain(self)?.principal(), self.0.clock.now())
    }

    pub(crate) fn session(&self) -> Result<StoreSession, Fault> {
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

    pub(crate) fn configs(&self) -> &Configs {
        &self.0.configs
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn mail_transport(&self) -> &Arc<MailTransport> {
        &self.0.mail_transport
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

/// The capability to create ids: UUIDv7 (RFC 9562), which sort by the time of their creation.
#[derive(Clone, Debug, Default)]
pub struct Ids(Option<Arc<Mutex<u128>>>);

impl Ids {
    /// Creates ids that count up from one, for tests.
    pub fn counting() -> Self {
        Self(Some(Arc::new(Mutex::new(0))))
    }

    /// The id of a text: the same for the same text, and another one for any other (UUIDv8, RFC 9562 section 5.8, of
    /// its SHA-256).
    pub fn of_text<T: From<protocol::__private::uuid::Uuid>>(text: &str) -> T {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
        T::from(protocol::__private::uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Creates a new id.
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
