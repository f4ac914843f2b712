//! `dynoxide` on threads of its own, with an orderly end.
//!
//! The guard alone calls it, as a function, and answers on these same threads: the engine itself has no listener.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dynoxide::Database;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::sync::oneshot;

use super::guard::Guard;
use super::{DatabaseError, Location, server};

/// SQLite serves one request at a time behind a lock: a second thread reads the next request and writes the last answer
/// meanwhile. More threads would only wait for the lock.
const WORKER_THREADS: usize = 2;
/// File descriptors that this process should be allowed. Clients and guard are one process, so a
/// call in flight takes both ends of a connection. With the usual 1,024 a thousand calls at a
/// time would leave the guard none to accept with. More than this is refused by macOS.
const FILE_DESCRIPTORS: u64 = 10_240;
/// How long [`Engine::stop`] waits for requests in flight and for the file to be closed.
const STOP_LIMIT: Duration = Duration::from_secs(15);
/// How long the connection tasks have to let go of the database after the server ended.
const RELEASE_LIMIT: Duration = Duration::from_secs(2);

/// The running engine, with the guard in front. Dropping it asks it to end, without waiting.
#[derive(Debug)]
pub(super) struct Engine {
    address: SocketAddr,
    /// Sent to or dropped: either way the engine ends.
    end: oneshot::Sender<()>,
    /// Resolves when the file is closed.
    ended: oneshot::Receiver<()>,
}

impl Engine {
    pub(super) async fn start(location: Location, guard: Arc<Guard>) -> Result<Self, DatabaseError> {
        raise_descriptor_limit();
        let (ready, started) = oneshot::channel();
        let (end, end_requested) = oneshot::channel::<()>();
        let (report_end, ended) = oneshot::channel();
        std::thread::Builder::new().name("database".to_owned()).spawn(move || {
            run(&location, guard, ready, end_requested);
            // The receiver is gone when nobody waits for the end, which is fine.
            let _ = report_end.send(());
        })?;
        let address =
            started.await.map_err(|_| io::Error::other("the database's thread ended before it was ready"))??;
        Ok(Self { address, end, ended })
    }

    /// The address of the guard.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn stop(self) {
        drop(self.end);
        if tokio::time::timeout(STOP_LIMIT, self.ended).await.is_err() {
            tracing::warn!("the database did not close within {} s", STOP_LIMIT.as_secs());
        }
    }
}

/// Raises the soft limit towards the hard one, which needs no rights. With a lower hard limit the database works as
/// well, for fewer calls at a time.
fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(FILE_DESCRIPTORS, |hard| hard.min(FILE_DESCRIPTORS));
    if limit.current.is_none_or(|soft| soft >= wanted) {
        return;
    }
    limit.current = Some(wanted);
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files could not be raised");
    }
}

/// The whole life of the engine, on its own thread. Returns when the data is closed.
fn run(
    location: &Location,
    guard: Arc<Guard>,
    ready: oneshot::Sender<Result<SocketAddr, DatabaseError>>,
    end_requested: oneshot::Receiver<()>,
) {
    let (runtime, database, lock) = match open(location) {
        Ok(opened) => opened,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        match server::start(guard, database).await {
            Ok(server) => {
                if ready.send(Ok(server.address())).is_ok() {
                    // A dropped sender means the same as a sent one: the database is not needed any more.
                    let _ = end_requested.await;
                }
                server.stop().await;
            }
            Err(error) => {
                let _ = ready.send(Err(error.into()));
            }
        }
    });
    // Connection tasks hold the last handles on the database: SQLite closes when they are gone,
    // and only then may another process take the lock.
    runtime.shutdown_timeout(RELEASE_LIMIT);
    drop(lock);
}

type Opened = (tokio::runtime::Runtime, Database, Option<File>);

fn open(location: &Location) -> Result<Opened, DatabaseError> {
    let (database, lock) = match location {
        Location::Memory => (Database::memory(), None),
        Location::File(path) => {
            let lock = lock(path)?;
            let text = path
                .to_str()
                .ok_or_else(|| DatabaseError::Open { message: format!("{} is not valid UTF-8", path.display()) })?;
            // SQLite gives the write-ahead log and its index the permissions of this file.
            open_private_file(path)?;
            (Database::new(text), Some(lock))
        }
    };
    let database = database.map_err(|error| DatabaseError::Open {
        message: match location {
            Location::Memory => error.to_string(),
            Location::File(path) => format!("{}: {error}; move it away, or choose another folder", path.display()),
        },
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .thread_name("database-worker")
        .enable_all()
        .build()?;
    Ok((runtime, database, lock))
}

/// SQLite itself would let two processes share the file; two local clouds on one folder would
/// relay each other's events. The operating system releases the lock when the process dies.
fn lock(database: &Path) -> Result<File, DatabaseError> {
    if let Some(folder) = database.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(about(folder))?;
    }
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let file = open_private_file(Path::new(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DatabaseError::InUse { path: database.to_owned() }),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Opens a file for its owner alone, and creates it if it does not exist.
fn open_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(about(path))
}

/// Adds the path to an error of the system.
fn about(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
