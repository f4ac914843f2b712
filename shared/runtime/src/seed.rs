//! Demonstration data: what the seed of a domain is written with.
//!
//! A seed is a file of its domain, which the index names behind the procedures: `orders { get, list; seed }` is
//! `orders/seed.rs`, whose function `seed` writes the domain's data. `cargo run -- seed` runs all of them, in the order of
//! the index. No function links them.
//!
//! ```ignore
//! /// Writes the orders.
//! pub async fn seed(seeder: &mut Seeder) -> Result<(), Cause> {
//!     let mut rng = seed::rng();
//!     let orders: Vec<Order> = (0..500).map(|_| order(&mut rng)).collect();
//!     seeder.create("orders", &orders).await
//! }
//! ```
//!
//! Data that refers to another domain's calls the function that makes those: values from [`rng`] are the same in each
//! run. So a seed may be repeated: what exists stays as it is.

use std::io::IsTerminal as _;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use protocol::{__private::uuid, Cause, Entity, Timestamp};
use store::{Create, Operation, Read, StoreError, StoreSession, transaction};

use crate::BoxFuture;

pub use fastrand::Rng;

/// The seed of a domain, as the index lists it.
pub type Seed = for<'a> fn(&'a mut Seeder) -> BoxFuture<'a, Result<(), Cause>>;

/// The start of the random values.
const START: u64 = 0x0001_F01D;
/// The demonstration begins on 2025-01-01.
const BEGIN_UNIX_MS: i64 = 1_735_689_600_000;
/// How long it lasts, in milliseconds: one year.
const DURATION_MS: i64 = 365 * 24 * 60 * 60 * 1_000;
/// How many entities one transaction writes. An entity with values that are unique takes several of DynamoDB's 100
/// actions.
const BATCH: usize = 25;
/// How often a write that others get in the way of is tried.
pub const MAX_ATTEMPTS: usize = 5;
/// How many transactions run at once.
const MAX_CONCURRENT: usize = 8;

/// Random values, the same ones in each run.
pub fn rng() -> Rng {
    Rng::with_seed(START)
}

/// A random one of several.
///
/// # Panics
/// When there is none.
pub fn pick<'a, T>(rng: &mut Rng, among: &'a [T]) -> &'a T {
    &among[rng.usize(..among.len())]
}

/// When the demonstration begins. It lasts a year.
pub fn begin() -> Timestamp {
    Timestamp::from_unix_ms(BEGIN_UNIX_MS)
}

/// A random time after this one, within the year that begins with [`begin`].
///
/// # Panics
/// When that year is over by then.
pub fn time_after(rng: &mut Rng, time: Timestamp) -> Timestamp {
    Timestamp::from_unix_ms(rng.i64(time.unix_ms()..BEGIN_UNIX_MS + DURATION_MS))
}

/// An id of that time: a UUIDv7 (RFC 9562 section 5.7).
pub fn id<T: From<uuid::Uuid>>(rng: &mut Rng, time: Timestamp) -> T {
    let mut random = [0; 10];
    rng.fill(&mut random);
    T::from(uuid::Builder::from_unix_timestamp_millis(time.unix_ms().unsigned_abs(), &random).into_uuid())
}

/// The user of the demonstration whom the person who runs it can be.
#[derive(Clone, Debug)]
pub struct DemonstrationUser {
    /// The subject (`sub`) of the user's tokens.
    pub subject: String,
    /// The name that others see.
    pub name: String,
    /// The roles of the user's tokens.
    pub roles: Vec<String>,
    /// Where mail reaches the user; the name at sign-in.
    pub email: String,
    /// The password at sign-in.
    pub password: String,
}

/// Writes demonstration data into the table, and shows the progress in a terminal.
pub struct Seeder {
    session: StoreSession,
    counts: Vec<String>,
    user: Option<DemonstrationUser>,
}

impl Seeder {
    /// Creates one that writes into this session's table.
    pub fn new(session: StoreSession) -> Self {
        Self { session, counts: Vec::new(), user: None }
    }

    /// Creates those of the entities that do not exist yet, and counts them under this name in the [summary](Self::summary).
    /// An entity whose unique value is taken by another one is left out.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn create<T: Entity>(&mut self, what: &str, entities: &[T]) -> Result<(), Cause> {
        let made = self.create_uncounted(what, entities).await?;
        self.counts.push(format!("{} {what} ({made} new)", entities.len()));
        Ok(())
    }

    /// [`create`](Self::create) for entities that belong to others, such as an account to a user: the summary does not
    /// count them. Returns the number of new ones.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn create_uncounted<T: Entity>(&self, what: &str, entities: &[T]) -> Result<usize, Cause> {
        let ids: Vec<T::Id> = entities.iter().map(|entity| entity.id().clone()).collect();
        let known = Read::<T>::new(self.session.clone()).get_many(&ids).await?;
        let missing = entities.iter().zip(known).filter(|(_, known)| known.is_none());
        let missing: Vec<T> = missing.map(|(entity, _)| entity.clone()).collect();
        // A list of its own for each batch, which its future owns.
        let batches: Vec<Vec<T>> = missing.chunks(BATCH).map(<[T]>::to_vec).collect();
        let batches = batches.into_iter().map(|batch| create(Create::new(self.session.clone()), batch));
        let mut written = stream::iter(batches).buffer_unordered(MAX_CONCURRENT);
        let is_terminal = std::io::stderr().is_terminal();
        let (mut made, mut done) = (0, entities.len() - missing.len());
        while let Some(count) = written.try_next().await? {
            made += count;
            done = (done + BATCH).min(entities.len());
            if is_terminal {
                eprint!("\r{done} of {} {what}", entities.len());
            }
        }
        let begin = if is_terminal { "\r" } else { "" };
        eprintln!("{begin}{} of {} {what}", entities.len(), entities.len());
        Ok(made)
    }

    /// The session, for capabilities that write something else.
    pub fn session(&self) -> StoreSession {
        self.session.clone()
    }

    /// Sets the user whom the person who runs the seeds can be.
    pub fn set_user(&mut self, user: DemonstrationUser) {
        self.user = Some(user);
    }

    /// That user, if a seed set one.
    pub fn user(&self) -> Option<&DemonstrationUser> {
        self.user.as_ref()
    }

    /// What there is now: `3 users (3 new) and 10 orders (0 new)`.
    pub fn summary(&self) -> String {
        joined(&self.counts)
    }
}

/// `a, b and c`
fn joined(parts: &[String]) -> String {
    match parts {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// Creates a batch and returns the number of new entities; one by one where one of them fails, such as for a value that
/// is taken.
async fn create<T: Entity>(entities: Create<T>, batch: Vec<T>) -> Result<usize, StoreError> {
    let mut copies = batch.clone();
    let operations: Vec<Operation> = copies.iter_mut().map(|entity| entities.creating(entity)).collect();
    match transaction(operations).await {
        Ok(()) => return Ok(batch.len()),
        Err(StoreError::Exists | StoreError::Taken { .. } | StoreError::Stale) => {}
        Err(error) => return Err(error),
    }
    let mut made = 0;
    for entity in batch {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match entities.create(entity.clone()).await {
                Ok(_) => made += 1,
                Err(StoreError::Exists | StoreError::Taken { .. }) => {}
                // Another seed writes the same at this moment.
                Err(StoreError::Stale) if attempts < MAX_ATTEMPTS => continue,
                Err(error) => return Err(error),
            }
            break;
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_a_sentence() {
        let joined = |parts: &[&str]| joined(&parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>());
        assert_eq!(joined(&[]), "nothing");
        assert_eq!(joined(&["3 users"]), "3 users");
        assert_eq!(joined(&["3 users", "2 orders", "1 note"]), "3 users, 2 orders and 1 note");
    }

    #[test]
    fn random_values_are_the_same_in_each_run() {
        let values = || {
            let mut rng = rng();
            let time = time_after(&mut rng, begin());
            (time, id::<uuid::Uuid>(&mut rng, time))
        };
        let (time, id) = values();
        assert_eq!(values(), (time, id));
        assert!(time >= begin() && id.get_version_num() == 7);
        let since_epoch = u128::try_from(time.unix_ms()).unwrap_or_default();
        assert_eq!(id.as_u128() >> 80, since_epoch, "an id has its time");
    }
}
