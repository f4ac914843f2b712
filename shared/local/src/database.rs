//! The embedded database: DynamoDB in this process, with its access rules enforced.
//!
//! The *guard* answers at the endpoint: it knows the principals and their policies and plays the
//! part that IAM plays in the cloud. Behind it is `dynoxide`, DynamoDB's operations on top of
//! SQLite, which listens nowhere: the guard calls it as a function. Clients (`aws-sdk-dynamodb` with
//! this endpoint) see one DynamoDB that refuses what a policy does not cover, so that a missing
//! grant fails on a laptop and not in production.
//!
//! **Durability.** `dynoxide` opens the file with `journal_mode = WAL` and leaves `synchronous` at
//! SQLite's default, `FULL`: the write-ahead log is synced before a commit returns, hence before a
//! write is acknowledged. A `kill -9` loses no acknowledged write, and neither does a power cut on
//! a disk that honours its syncs. (Its bulk loader lowers `synchronous`; nothing here calls it.)
//!
//! **Threads.** `dynoxide` blocks until SQLite is done, disk syncs included. The guard and it
//! therefore have a runtime and threads of their own: a sync must never stall the HTTP front.
//!
//! **What the guard asks for.** The access key id is the proof of who is calling: it is random, as
//! long as a secret, and known to those only who can read the owner's files and processes; the
//! signature is not checked. Web pages are refused before that, as
//! `admission` says. It listens on 127.0.0.1 only.

mod engine;
pub mod guard;
#[cfg(test)]
mod kill_tests;
mod operations;
mod record;
mod request;
mod server;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws::Access;
use guard::{Guard, Policy};

/// The location of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In memory: gone when the database stops.
    Memory,
    /// In this SQLite file. Its folder is created when it is missing; `<file>.lock` beside it says
    /// that a process uses it.
    File(PathBuf),
}

/// Why the database did not start.
#[derive(Debug)]
pub enum DatabaseError {
    /// Another process, or another database of this one, has the file open.
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The file is no database, or is of a newer version.
    Open {
        /// What SQLite or `dynoxide` said.
        message: String,
    },
    /// A port, a thread, a folder or the lock file is not available.
    Io(io::Error),
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path } => write!(
                f,
                "the database {} is in use by another process; stop that one or choose another folder",
                path.display()
            ),
            Self::Open { message } => write!(f, "the database could not be opened: {message}"),
            Self::Io(error) => write!(f, "the database could not start: {error}"),
        }
    }
}

impl std::error::Error for DatabaseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::InUse { .. } | Self::Open { .. } => None,
        }
    }
}

impl From<io::Error> for DatabaseError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The region of local services and functions. Nothing depends on it.
pub(crate) const REGION: &str = "local";

/// A client's credentials, which sign its requests.
#[derive(Clone)]
pub struct Credentials {
    /// Names the principal; [`EmbeddedDatabase::admit`] ties it to a policy.
    pub access_key_id: String,
    /// Signs the requests. The guard does not check signatures, but the SDK needs a secret.
    pub secret_access_key: String,
}

impl Credentials {
    /// Random credentials, which cannot be guessed from others.
    #[must_use]
    pub fn random() -> Self {
        let random = || uuid::Uuid::new_v4().simple().to_string();
        Self {
            access_key_id: format!("LOCAL{}", random().to_uppercase()),
            secret_access_key: format!("{}{}", random(), random()),
        }
    }

    /// The access to a local service with these credentials.
    #[must_use]
    pub fn access(&self, endpoint: &str) -> Access {
        Access {
            region: REGION.to_owned(),
            endpoint: Some(endpoint.to_owned()),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
            session_token: None,
        }
    }
}

impl fmt::Debug for Credentials {
    /// Leaves the secret out, so that it cannot reach a log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// A running database. Dropping it stops it in the background; [`EmbeddedDatabase::stop`] waits.
#[derive(Debug)]
pub struct EmbeddedDatabase {
    endpoint: String,
    administrator: Credentials,
    guard: Arc<Guard>,
    engine: engine::Engine,
}

impl EmbeddedDatabase {
    /// Opens the data and listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn start(location: Location) -> Result<Self, DatabaseError> {
        let administrator = Credentials::random();
        let guard = Arc::new(Guard::default());
        guard.admit(administrator.access_key_id.clone(), Policy::Administrator);
        let engine = engine::Engine::start(location, Arc::clone(&guard)).await?;
        Ok(Self { endpoint: format!("http://{}", engine.address()), administrator, guard, engine })
    }

    /// `http://127.0.0.1:PORT`, the endpoint for every client.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Credentials that may do everything, made for this start: for creating the table, seeding
    /// and the console. Procedures never get them.
    #[must_use]
    pub fn administrator(&self) -> &Credentials {
        &self.administrator
    }

    /// Permits requests with this access key id what the policy covers. A second call replaces the policy.
    pub fn admit(&self, access_key_id: impl Into<String>, policy: Policy) {
        self.guard.admit(access_key_id.into(), policy);
    }

    /// Records from now on which action each procedure asks for on which index and key prefix: the file gets one JSON
    /// object for each, once, without the rest of the key. Several databases may share the file.
    ///
    /// # Errors
    /// When the file cannot be written to, or accesses are recorded already.
    pub fn record_accesses(&self, path: &Path) -> io::Result<()> {
        self.guard.record(record::Record::open(path)?)
    }

    /// Stops: new requests are refused, requests in flight finish (within bounds), then the file is closed.
    pub async fn stop(self) {
        self.engine.stop().await;
    }
}
