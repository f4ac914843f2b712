//! All instances of one function: the idle ones, the limit on running ones, and the queue of calls.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::instance::{self, Handle};
use super::{Function, InvokeError};

/// One call on its way to an instance.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) request_id: String,
    pub(super) event: Bytes,
    pub(super) reply: oneshot::Sender<Outcome>,
    /// The permit for one of the function's `max_instances`. It travels with the call and not with the caller: when the
    /// caller goes away, the instance is still busy.
    pub(super) place: OwnedSemaphorePermit,
}

/// The outcome of a [`Job`].
#[derive(Debug)]
pub(super) enum Outcome {
    Done(Result<Bytes, InvokeError>),
    /// The instance ended before the call was handed out; another one may take it.
    NotHandedOut(OwnedSemaphorePermit),
}

#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) function: Function,
    /// Idle instances, the most recently used last. Calls take the last one, so that under falling load the first ones
    /// stay idle for long enough to end.
    idle: Mutex<Vec<Handle>>,
    /// One permit for each instance that may work. The holder of one finds an idle instance or may start one.
    places: Arc<Semaphore>,
    max_instances: u32,
    alive: AtomicUsize,
    closed: AtomicBool,
    next_instance: AtomicU64,
    ending: watch::Receiver<bool>,
}

impl Fleet {
    pub(super) fn new(function: Function, ending: watch::Receiver<bool>) -> Self {
        let max_instances = u32::try_from(function.max_instances.max(1)).unwrap_or(u32::MAX);
        let max_instances = max_instances.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        Self {
            function,
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(max_instances as usize)),
            max_instances,
            alive: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            next_instance: AtomicU64::new(0),
            ending,
        }
    }

    pub(super) async fn invoke(
        self: &Arc<Self>,
        request_id: String,
        event: Bytes,
        tasks: &Mutex<JoinSet<()>>,
    ) -> Result<Bytes, InvokeError> {
        let waiting = Arc::clone(&self.places).acquire_owned();
        let mut place = match tokio::time::timeout(self.function.timeout, waiting).await {
            Ok(Ok(place)) => place,
            // The semaphore is closed when the pool shuts down.
            Ok(Err(_)) => return Err(closed()),
            Err(_) => return Err(InvokeError::Throttled),
        };
        // The loop ends: every round takes one instance out of the idle ones, and a new instance never returns its
        // first call.
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Err(closed());
            }
            let (reply, outcome) = oneshot::channel();
            let job = Job { request_id: request_id.clone(), event: event.clone(), reply, place };
            self.dispatch(job, tasks);
            match outcome.await {
                Ok(Outcome::Done(result)) => return result,
                Ok(Outcome::NotHandedOut(returned)) => place = returned,
                // The instance's task was aborted, so the pool was dropped.
                Err(_) => {
                    return Err(InvokeError::Crashed { exit: "the pool was dropped".to_owned() });
                }
            }
        }
    }

    /// Passes the call to an idle instance, or starts one.
    fn dispatch(self: &Arc<Self>, mut job: Job, tasks: &Mutex<JoinSet<()>>) {
        while let Some(handle) = self.lock_idle().pop() {
            match handle.jobs.try_send(job) {
                Ok(()) => return,
                // The instance has just ended and accepts no call.
                Err(mpsc::error::TrySendError::Closed(returned) | mpsc::error::TrySendError::Full(returned)) => {
                    job = returned;
                }
            }
        }
        let id = self.next_instance.fetch_add(1, Ordering::Relaxed);
        let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Finished tasks are removed here, so that the set does not grow with every instance.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(instance::run(Arc::clone(self), self.count(), id, job, self.ending.clone()));
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<Handle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an instance to the idle ones.
    pub(super) fn offer(&self, handle: Handle) {
        self.lock_idle().push(handle);
    }

    /// Removes an instance that is about to end. False: a call has just taken it and its job is on the way.
    pub(super) fn withdraw(&self, id: u64) -> bool {
        let mut idle = self.lock_idle();
        let before = idle.len();
        idle.retain(|handle| handle.id != id);
        idle.len() < before
    }

    pub(super) fn instances(&self) -> usize {
        self.alive.load(Ordering::Acquire)
    }

    /// Counts an instance for as long as the returned guard lives.
    pub(super) fn count(self: &Arc<Self>) -> Alive {
        self.alive.fetch_add(1, Ordering::AcqRel);
        Alive { fleet: Arc::clone(self) }
    }

    /// Refuses new calls, and those that wait for a permit.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.places.close();
    }

    /// Resolves when no call is in flight, after [`Fleet::close`].
    pub(super) async fn drained(&self) {
        // A closed semaphore grants nothing, so this polls; it happens once.
        while self.places.available_permits() < self.max_instances as usize {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

fn closed() -> InvokeError {
    InvokeError::InitFailed { message: "the pool is shutting down".to_owned() }
}

/// A counted instance; see [`Fleet::count`].
pub(super) struct Alive {
    fleet: Arc<Fleet>,
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.fleet.alive.fetch_sub(1, Ordering::AcqRel);
    }
}
