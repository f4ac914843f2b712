//! Passwords: how they are kept, how they are checked, and which are too weak.
//!
//! A password is kept as an Argon2id hash (RFC 9106) in the PHC string format, which names its own
//! parameters: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`. When the parameters are raised, hashes
//! made before stay good, and [`verify`] says which of them to make anew.
//!
//! One hash takes about 20 ms of a processor and 19 MiB of memory. That is the purpose, and so it is
//! done beside the threads that answer calls, and for few callers at one time.

mod weakness;

use argon2::{Algorithm, Argon2, CustomizedPasswordHasher as _, Params, PasswordHash, PasswordVerifier as _, Version};
use protocol::{Cause, Fault};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::Semaphore;

pub use weakness::weakness;

/// What one hash costs: the least that OWASP recommends for Argon2id (Password Storage Cheat Sheet).
const COST: Cost = Cost { memory_kib: 19_456, passes: 2, lanes: 1 };
/// What a stored hash may ask for at most. No hash of ours does; one that did could take all memory.
const MOST: Cost = Cost { memory_kib: 262_144, passes: 16, lanes: 16 };
/// How many hashes one process computes at one time. Others wait for their turn.
const AT_ONCE: usize = 4;
/// The length of a salt (RFC 9106 section 3.1).
const SALT_BYTES: usize = 16;
/// The length of a hash.
const HASH_BYTES: usize = 32;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// The parameters of Argon2.
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    fn of(params: &Params) -> Self {
        Self { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
    }

    fn params(&self) -> argon2::Result<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(HASH_BYTES))
    }
}

/// What became of a password that was given to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the account's.
    Right,
    /// It is the account's, and its hash costs less than hashes made today: [`hash`] it again, and keep
    /// that one.
    RightButWeak,
    /// It is not; or there is no account, or none with a password.
    Wrong,
}

impl Verdict {
    /// Whether the password is the account's.
    pub fn is_right(self) -> bool {
        matches!(self, Self::Right | Self::RightButWeak)
    }
}

/// The form in which a password is kept, with a salt of its own.
///
/// # Errors
/// A fault of ours, when there is no memory or no randomness.
pub async fn hash(password: &str) -> Result<String, Fault> {
    let password = password.to_owned();
    aside(move || {
        let mut salt = [0; SALT_BYTES];
        SystemRandom::new().fill(&mut salt).map_err(|_| Cause::from("the system gave no random bytes"))?;
        hash_with(&COST, &password, &salt)
    })
    .await
}

/// Checks a password against the account's hash.
///
/// Without one (nobody has this address, or signs in with a password) it does the same work, so that
/// the time tells nothing. It differs for a hash whose parameters are not today's, until its owner
/// signs in the next time.
///
/// # Errors
/// A fault of ours, when there is no memory.
pub async fn verify(stored: Option<&str>, given: &str) -> Result<Verdict, Fault> {
    let (stored, given) = (stored.map(str::to_owned), given.to_owned());
    aside(move || verify_now(stored.as_deref(), &given)).await
}

fn hash_with(cost: &Cost, password: &str, salt: &[u8]) -> Result<String, Cause> {
    let hash = Argon2::from(cost.params()?).hash_password_with_params(password.as_bytes(), salt, cost.params()?)?;
    Ok(hash.to_string())
}

fn verify_now(stored: Option<&str>, given: &str) -> Result<Verdict, Cause> {
    let kept = stored.and_then(|stored| {
        let kept = read(stored);
        if kept.is_none() {
            // To the caller it is an account without a password. The hash itself does not belong in a log.
            tracing::error!("a stored password hash cannot be read");
        }
        kept
    });
    let is_of_an_account = kept.is_some();
    let (hash, cost) = match kept {
        Some(kept) => kept,
        None => nobodys()?,
    };
    match compare(&hash, given) {
        Ok(()) if !is_of_an_account => Ok(Verdict::Wrong),
        Ok(()) if is_weak(&hash, &cost) => Ok(Verdict::RightButWeak),
        Ok(()) => Ok(Verdict::Right),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(error) => Err(error.into()),
    }
}

/// The work itself.
fn compare(hash: &PasswordHash, given: &str) -> argon2::password_hash::Result<()> {
    #[cfg(test)]
    tests::WORK.with(|work| work.borrow_mut().push(hash.params.to_string()));
    Argon2::default().verify_password(given.as_bytes(), hash)
}

/// A hash and what it costs; none if it is no Argon2 hash, or one that costs too much to check.
fn read(stored: &str) -> Option<(PasswordHash, Cost)> {
    let hash = PasswordHash::new(stored).ok()?;
    Algorithm::new(hash.algorithm.as_str()).ok()?;
    let cost = Cost::of(&Params::try_from(&hash).ok()?);
    let bearable = cost.memory_kib <= MOST.memory_kib && cost.passes <= MOST.passes && cost.lanes <= MOST.lanes;
    (bearable && hash.salt.is_some() && hash.hash.is_some()).then_some((hash, cost))
}

/// What is checked where there is no hash: of the same cost as those made today, and of no password.
fn nobodys() -> Result<(PasswordHash, Cost), Cause> {
    let Cost { memory_kib, passes, lanes } = COST;
    // 16 and 32 bytes of zeros.
    let (salt, hash) = ("A".repeat(22), "A".repeat(43));
    let text = format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}");
    Ok((PasswordHash::new(&text)?, COST))
}

fn is_weak(hash: &PasswordHash, cost: &Cost) -> bool {
    let is_todays = hash.algorithm == Algorithm::Argon2id.ident() && hash.version == Some(Version::V0x13.into());
    !is_todays || cost.memory_kib < COST.memory_kib || cost.passes < COST.passes
}

/// Does work for a processor where no call waits for it, when its turn comes.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, Cause> + Send + 'static) -> Result<T, Fault> {
    let turn = TURNS.acquire().await.map_err(Fault::internal)?;
    let done = tokio::task::spawn_blocking(move || {
        // The turn ends with the work, also when the call that asked for it has been given up.
        let _turn = turn;
        work()
    });
    done.await.map_err(Fault::internal)?.map_err(Fault::internal)
}

#[cfg(test)]
mod tests {
    use std::{
        cell::RefCell,
        sync::{Arc, Mutex},
    };

    use super::*;

    thread_local! {
        /// What was computed on this thread, by its parameters.
        pub(super) static WORK: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    const GIVEN: &str = "correct horse battery staple";
    /// Cheap enough for a test of many.
    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_and_no_other_is() {
        let stored = hash(GIVEN).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(verify(Some(&stored), GIVEN).await.unwrap(), Verdict::Right);
        for other in
            ["", "correct horse battery stapl", "correct horse battery staple ", "Correct horse battery staple"]
        {
            assert_eq!(verify(Some(&stored), other).await.unwrap(), Verdict::Wrong, "{other:?}");
        }
        assert_ne!(hash(GIVEN).await.unwrap(), stored, "each has a salt of its own");
    }

    #[tokio::test]
    async fn nothing_of_a_long_password_is_cut_off() {
        let long = "🍰".repeat(128);
        let stored = hash(&long).await.unwrap();
        assert_eq!(verify(Some(&stored), &long).await.unwrap(), Verdict::Right);
        assert_eq!(verify(Some(&stored), &"🍰".repeat(127)).await.unwrap(), Verdict::Wrong);
        let zero = hash("before\0after").await.unwrap();
        assert_eq!(verify(Some(&zero), "before\0other").await.unwrap(), Verdict::Wrong);
    }

    /// From the argon2 program of the reference implementation: what others made can be checked as well.
    #[tokio::test]
    async fn a_hash_of_the_reference_implementation_is_known() {
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(verify(Some(stored), "password").await.unwrap(), Verdict::Right);
        assert_eq!(verify(Some(stored), "passwore").await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_that_is_too_cheap_today_is_to_be_made_anew() {
        let salt = [7; SALT_BYTES];
        for cost in [CHEAP, Cost { memory_kib: 19_455, ..COST }, Cost { passes: 1, ..COST }] {
            let stored = hash_with(&cost, GIVEN, &salt).unwrap();
            assert_eq!(verify(Some(&stored), GIVEN).await.unwrap(), Verdict::RightButWeak, "{stored}");
            assert_eq!(verify(Some(&stored), "another").await.unwrap(), Verdict::Wrong, "{stored}");
        }
        let older = Argon2::default().hash_password_customized(
            GIVEN.as_bytes(),
            &salt,
            Some("argon2i"),
            None,
            COST.params().unwrap(),
        );
        assert_eq!(verify(Some(&older.unwrap().to_string()), GIVEN).await.unwrap(), Verdict::RightButWeak);
        let dearer = hash_with(&Cost { passes: 3, ..COST }, GIVEN, &salt).unwrap();
        assert_eq!(verify(Some(&dearer), GIVEN).await.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn without_a_hash_every_password_is_wrong() {
        for given in ["", GIVEN, "password"] {
            assert_eq!(verify(None, given).await.unwrap(), Verdict::Wrong);
        }
    }

    /// The work is what the parameters say, so it is the same where they are.
    #[test]
    fn without_a_hash_the_work_is_that_of_a_hash_made_today() {
        let todays = hash_with(&COST, GIVEN, &[7; SALT_BYTES]).unwrap();
        for stored in [Some(&*todays), None, Some("no hash")] {
            verify_now(stored, GIVEN).unwrap();
        }
        assert_eq!(WORK.take(), ["m=19456,t=2,p=1"; 3]);
        let (todays, (nobodys, _)) = (PasswordHash::new(&todays).unwrap(), nobodys().unwrap());
        assert_eq!((&nobodys.algorithm, nobodys.version), (&todays.algorithm, todays.version));
        let lengths = |hash: &PasswordHash| (hash.salt.as_ref().unwrap().len(), hash.hash.as_ref().unwrap().len());
        assert_eq!(lengths(&nobodys), lengths(&todays));
    }

    #[tokio::test]
    async fn what_is_no_hash_of_ours_lets_nobody_in() {
        let good = hash_with(&CHEAP, GIVEN, &[7; SALT_BYTES]).unwrap();
        for stored in [
            String::new(),
            GIVEN.to_owned(),
            good[..good.len() - 4].to_owned(),
            good.replace("argon2id", "scrypt"),
            good.replace("m=64", "m=4194304"),
            good.replace("t=1", "t=4000000"),
            good.rsplit_once('$').unwrap().0.to_owned(),
        ] {
            assert_eq!(verify(Some(&stored), GIVEN).await.unwrap(), Verdict::Wrong, "{stored}");
        }
    }

    /// On a runtime of one thread, as a function has. Other tests may wait for it meanwhile.
    #[tokio::test(flavor = "current_thread")]
    async fn few_work_at_one_time_and_this_thread_goes_on_meanwhile() {
        let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let work = |_| {
            let (begin, gate) = (begin.clone(), Arc::clone(&gate));
            tokio::spawn(aside(move || {
                begin.send(())?;
                gate.lock().unwrap().recv().map_err(Cause::from)
            }))
        };
        let mut works: Vec<_> = (0..AT_ONCE).map(work).collect();
        for _ in &works {
            begun.recv().await.unwrap();
        }
        assert_eq!(TURNS.available_permits(), 0, "nobody else may begin");
        // The work of a call that was given up goes on, and so does its turn.
        works.pop().unwrap().abort();
        tokio::task::yield_now().await;
        assert_eq!(TURNS.available_permits(), 0);
        (0..AT_ONCE).for_each(|_| open.send(()).unwrap());
        for work in works {
            work.await.unwrap().unwrap();
        }
        assert_eq!(verify(None, GIVEN).await.unwrap(), Verdict::Wrong, "turns come back");
    }

    #[tokio::test]
    async fn a_panic_in_the_work_is_a_fault_and_takes_no_turn_with_it() {
        for _ in 0..=AT_ONCE {
            let outcome = aside::<()>(|| panic!("on purpose")).await;
            assert_eq!(outcome.unwrap_err().code, protocol::Code::InternalServerError);
        }
    }
}
