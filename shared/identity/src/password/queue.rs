//! The queue of password hashes: few are computed at one time, off the threads that answer calls, in memory that is
//! used again. A few more calls wait; further calls are refused at once.
//!
//! An unbounded queue serves nobody under load: by its turn, each call has waited so long that its caller gave up. And
//! memory that each hash allocates anew stays with the process, once for each thread that ever computed one.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::Block;
use protocol::{Cause, Fault};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The memory of one hash, as large as the last one needed.
pub(super) type Memory = Vec<Block>;

/// A bounded queue for hashes; see the module.
pub(super) struct Queue {
    /// One permit for each hash that is being computed.
    turns: Semaphore,
    /// One permit for each of these, and for each that waits.
    places: Semaphore,
    /// The memory that no hash uses now. The last one is taken first, so that a process with one call at a time, such
    /// as a function, has one only.
    unused: Mutex<Vec<Memory>>,
}

impl Queue {
    pub(super) const fn new(at_once: usize, waiting: usize) -> Self {
        Self {
            turns: Semaphore::const_new(at_once),
            places: Semaphore::const_new(at_once + waiting),
            unused: Mutex::new(Vec::new()),
        }
    }

    /// Takes a place, which its drop returns.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when all places are taken.
    pub(super) fn enter(&'static self) -> Result<Place, Fault> {
        match self.places.try_acquire() {
            Ok(place) => Ok(Place { queue: self, place: Arc::new(place) }),
            Err(_) => Err(Fault::busy("Too many passwords are being checked. Try again in a second.", 1)),
        }
    }

    fn unused(&self) -> std::sync::MutexGuard<'_, Vec<Memory>> {
        // The lock guards a push or a pop, neither of which panics.
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a queue, held until it is dropped and its work is done.
pub(super) struct Place {
    queue: &'static Queue,
    place: Arc<SemaphorePermit<'static>>,
}

impl Place {
    /// Runs `work` when its turn comes.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, Cause> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = self.queue.turns.acquire().await.map_err(Fault::internal)?;
        let (queue, place) = (self.queue, Arc::clone(&self.place));
        let done = tokio::task::spawn_blocking(move || {
            // Turn and place are held until the work ends, also when its call was cancelled.
            let _until_done = (turn, place);
            let mut memory = queue.unused().pop().unwrap_or_default();
            let done = work(&mut memory);
            queue.unused().push(memory);
            done
        });
        done.await.map_err(Fault::internal)?.map_err(Fault::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use protocol::Code;

    use super::*;

    const AT_ONCE: usize = 2;
    const WAITING: usize = 3;

    fn queue() -> &'static Queue {
        Box::leak(Box::new(Queue::new(AT_ONCE, WAITING)))
    }

    /// The runtime has one thread, as in a function.
    #[tokio::test(flavor = "current_thread")]
    async fn few_work_a_few_wait_and_whoever_comes_then_is_told_so() {
        let queue = queue();
        let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let mut works = Vec::new();
        for _ in 0..AT_ONCE + WAITING {
            let (place, begin, gate) = (queue.enter().unwrap(), begin.clone(), Arc::clone(&gate));
            works.push(tokio::spawn(async move {
                let work = move |_: &mut Memory| {
                    begin.send(())?;
                    gate.lock().unwrap().recv().map_err(Cause::from)
                };
                place.work(work).await
            }));
        }
        for _ in 0..AT_ONCE {
            begun.recv().await.unwrap();
        }
        let refused = queue.enter().err().unwrap();
        assert_eq!((refused.code, refused.retry_after_s.map(u32::from)), (Code::ServiceUnavailable, Some(1)));
        assert_eq!(queue.turns.available_permits(), 0, "nobody else has begun");
        // The work of a cancelled call goes on, and keeps its turn and its place.
        works.remove(0).abort();
        tokio::task::yield_now().await;
        assert!(queue.enter().is_err());
        (0..AT_ONCE + WAITING).for_each(|_| open.send(()).unwrap());
        for work in works {
            work.await.unwrap().unwrap();
        }
        assert!(queue.unused().len() <= AT_ONCE, "memory is used again");
        assert_eq!(queue.enter().unwrap().work(|_| Ok(1)).await.unwrap(), 1, "places and turns come back");
    }

    #[tokio::test]
    async fn a_panic_in_the_work_is_a_fault_and_takes_no_place_with_it() {
        let queue = queue();
        for _ in 0..=AT_ONCE + WAITING {
            let outcome = queue.enter().unwrap().work::<()>(|_| panic!("on purpose")).await;
            assert_eq!(outcome.unwrap_err().code, Code::InternalServerError);
        }
    }

    #[tokio::test]
    async fn one_at_a_time_has_the_memory_of_one() {
        let queue = queue();
        for _ in 0..10 {
            let work = |memory: &mut Memory| {
                memory.resize(8, Block::new());
                Ok(())
            };
            queue.enter().unwrap().work(work).await.unwrap();
        }
        assert_eq!(queue.unused().len(), 1);
    }
}
