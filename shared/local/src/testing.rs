//! A service for tests, with a database of its own, and a server that stands for a service of AWS.

pub mod fake_server;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use protocol::{Cause, Clock, CursorScope, Entity, Principal};
use runtime::{Call, Caller, Capability, Definition, RateLimits, Service, answer};
use store::{Create, Read, StoreSession, Write};

use crate::{
    data::DataFolder,
    local_cloud::{Addresses, LocalCloud},
    mail::ReceivedMail,
};

/// A service's table in memory, for the unit tests of its procedures.
pub struct TestService {
    definition: &'static Definition,
    cloud: LocalCloud,
    clock: Clock,
    folder: std::path::PathBuf,
}

impl TestService {
    /// Starts a service with an empty table and this clock.
    ///
    /// # Errors
    /// When the database does not start.
    pub async fn new(service: &Service, clock: Clock) -> Result<Self, Cause> {
        Self::at(service, clock, Addresses::default()).await
    }

    /// Starts a service with these addresses, in which anyone may register.
    ///
    /// # Errors
    /// Those of [`TestService::new`].
    pub async fn at(service: &Service, clock: Clock, addresses: Addresses) -> Result<Self, Cause> {
        let folder = std::env::temp_dir().join(format!("onefold-world-{}", uuid::Uuid::new_v4()));
        let cloud = LocalCloud::start(service.definition, &DataFolder::open(&folder)?, true, addresses).await?;
        let cloud = cloud.with_registration("open")?;
        Ok(Self { definition: service.definition, cloud, clock, folder })
    }

    /// Sets the clock.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// Sets how many read units one caller may use in a minute.
    pub fn set_read_units(&mut self, read_units: u32) {
        self.cloud.store = self.cloud.store.clone().with_read_units(read_units);
    }

    /// Sends a request to one procedure, as the service would: with authentication, and with the procedure's own rights
    /// and secrets.
    ///
    /// # Errors
    /// When there is no such procedure, or a key is malformed.
    pub async fn call(
        &self,
        service: &Service,
        procedure: &str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Cause> {
        let found = service.procedures.iter().find(|known| known.entry.name == procedure);
        let found = found.ok_or_else(|| format!("there is no procedure {procedure}"))?;
        let authenticator = self.cloud.authenticator(service.definition)?;
        let context = self.cloud.context(procedure, &found.needs(), &authenticator, self.clock)?;
        Ok(answer(&found.entry, &context, "test", request).await)
    }

    /// Obtains a capability, with the rights that it states and no others. Capabilities that write in one transaction
    /// must be obtained together, as a bundle (`#[derive(Capability)]`): a transaction has the rights of one of its
    /// parts, which a procedure's parameters share.
    ///
    /// When it needs a call, or a key is malformed.
    pub fn obtain<C: Capability>(&self) -> Result<C, Cause> {
        let authenticator = self.cloud.authenticator(self.definition)?;
        let context = self.cloud.context("test", &C::RIGHTS.needs(), &authenticator, self.clock)?;
        Ok(C::obtain(&Call::detached(self.definition, &context))?)
    }

    /// A signed-in caller of this subject, without a role.
    pub fn caller(&self, subject: &str) -> Caller {
        let principal = Principal { subject: subject.to_owned(), ..Principal::default() };
        Caller::new(self.definition, Arc::new(principal))
    }

    /// A signed-in caller with the role of operators ([`Definition::operator_role`]).
    pub fn operator(&self) -> Caller {
        let roles = self.definition.operator_role.map(str::to_owned).into_iter().collect();
        let principal = Principal { subject: "an operator".to_owned(), roles, ..Principal::default() };
        Caller::new(self.definition, Arc::new(principal))
    }

    fn session(&self) -> StoreSession {
        let scope = CursorScope { procedure: "test", caller: None, input: bytes::Bytes::new() };
        StoreSession::new(self.cloud.store.clone(), scope, self.clock)
    }

    /// Obtains the capability to read.
    pub fn read<T: Entity>(&self) -> Read<T> {
        Read::new(self.session())
    }

    /// Obtains the capability to create.
    pub fn create<T: Entity>(&self) -> Create<T> {
        Create::new(self.session())
    }

    /// Obtains the capability to count.
    pub fn limits(&self) -> RateLimits {
        RateLimits::new(self.session())
    }

    /// The mails that were sent, the latest first.
    ///
    /// # Errors
    /// When the mailbox cannot be read.
    pub fn mailbox(&self) -> Result<Vec<ReceivedMail>, Cause> {
        Ok(self.cloud.local_ses.mailbox().latest(None)?)
    }

    /// Obtains the capability to write.
    pub fn write<T: Entity>(&self) -> Write<T> {
        Write::new(self.session())
    }
}

impl Drop for TestService {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
