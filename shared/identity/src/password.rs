//! Passwords: how they are hashed, how they are verified, and which are too weak.
//!
//! A password is stored as an Argon2id hash (RFC 9106) in the PHC string format, which holds its own parameters:
//! `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`. When the parameters are raised, older hashes stay valid, and
//! [`verify`] says which of them to replace.
//!
//! One hash takes about 20 ms of a processor and 19 MiB of memory, on purpose. So it is computed off the threads that
//! answer calls, and for few callers at one time; see [`HashingPermit`].

mod queue;
mod weakness;

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash, Version,
    password_hash::phc::{Output, ParamsString, Salt},
};
use protocol::{Cause, Fault};
use ring::rand::{SecureRandom as _, SystemRandom};

use queue::{Memory, Place, Queue};

pub use weakness::weakness;

/// The cost of one hash: the least that OWASP recommends for Argon2id (Password Storage Cheat Sheet).
const COST: Cost = Cost { memory_kib: 19_456, passes: 2, lanes: 1 };
/// The highest cost of a stored hash. No hash of ours exceeds it; one that did could take all memory.
const MAX_COST: Cost = Cost { memory_kib: 262_144, passes: 16, lanes: 16 };
/// How many hashes one process computes at one time. Others wait.
const MAX_CONCURRENT: usize = 4;
/// How many wait at most, for some tenths of a second; further callers get `SERVICE_UNAVAILABLE`.
const MAX_WAITING: usize = 16;
/// The length of a salt, in bytes (RFC 9106 section 3.1).
const SALT_BYTES: usize = 16;
/// The length of a hash, in bytes.
const HASH_BYTES: usize = 32;

static QUEUE: Queue = Queue::new(MAX_CONCURRENT, MAX_WAITING);

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

/// The result of a password check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is the account's.
    Right,
    /// The password is the account's, and its hash costs less than today's: [`hash`] it again, and store the new one.
    RightButWeak,
    /// The password is wrong, or there is no account, or none with a password.
    Wrong,
}

impl Verdict {
    /// Whether the password is the account's.
    pub fn is_right(self) -> bool {
        matches!(self, Self::Right | Self::RightButWeak)
    }
}

/// A permit to compute a hash, or to wait for it. Take it before an attempt is counted: a call that is refused for want
/// of a permit was no attempt.
pub struct HashingPermit(Place);

impl HashingPermit {
    /// Takes a permit, which its drop returns.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, at once, when too many wait already.
    pub fn acquire() -> Result<Self, Fault> {
        QUEUE.enter().map(Self)
    }

    /// Hashes a password, with a new salt, into the PHC string format.
    ///
    /// # Errors
    /// An internal fault, when there is no memory or no randomness.
    pub async fn hash(&self, password: &str) -> Result<String, Fault> {
        let password = password.to_owned();
        let work = move |memory: &mut Memory| {
            let mut salt = [0; SALT_BYTES];
            SystemRandom::new().fill(&mut salt).map_err(|_| Cause::from("the system gave no random bytes"))?;
            hash_with(&COST, &password, &salt, memory)
        };
        self.0.work(work).await
    }

    /// Verifies a password against the account's hash.
    ///
    /// Without a hash (the address is unknown, or its account has no password) it does the same work, so that the time
    /// tells nothing. The time differs for a hash of older parameters, until its owner's next sign-in.
    ///
    /// # Errors
    /// An internal fault, when there is no memory.
    pub async fn verify(&self, stored: Option<&str>, given: &str) -> Result<Verdict, Fault> {
        let (stored, given) = (stored.map(str::to_owned), given.to_owned());
        self.0.work(move |memory| verify_now(stored.as_deref(), &given, memory)).await
    }
}

/// [`HashingPermit::hash`], where nothing was counted before.
///
/// # Errors
/// Those of [`HashingPermit::hash`] and [`HashingPermit::acquire`].
pub async fn hash(password: &str) -> Result<String, Fault> {
    HashingPermit::acquire()?.hash(password).await
}

/// [`HashingPermit::verify`], where nothing was counted before.
///
/// # Errors
/// Those of [`HashingPermit::verify`] and [`HashingPermit::acquire`].
pub async fn verify(stored: Option<&str>, given: &str) -> Result<Verdict, Fault> {
    HashingPermit::acquire()?.verify(stored, given).await
}

fn hash_with(cost: &Cost, password: &str, salt: &[u8], memory: &mut Memory) -> Result<String, Cause> {
    let (algorithm, version, params) = (Algorithm::Argon2id, Version::V0x13, cost.params()?);
    let output = compute(&Argon2::new(algorithm, version, params.clone()), password, salt, memory)?;
    let hash = PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: ParamsString::try_from(&params)?,
        salt: Some(Salt::new(salt)?),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

fn verify_now(stored: Option<&str>, given: &str, memory: &mut Memory) -> Result<Verdict, Cause> {
    let parsed = stored.and_then(|stored| {
        let parsed = read(stored);
        if parsed.is_none() {
            // The caller sees an account without a password. The hash itself does not belong in a log.
            tracing::error!("a stored password hash cannot be read");
        }
        parsed
    });
    let is_of_an_account = parsed.is_some();
    let (hash, cost) = match parsed {
        Some(parsed) => parsed,
        None => unmatchable_hash()?,
    };
    let is_same = compare(&hash, given, memory)?;
    Ok(match (is_same && is_of_an_account, is_weak(&hash, &cost)) {
        (false, _) => Verdict::Wrong,
        (true, true) => Verdict::RightButWeak,
        (true, false) => Verdict::Right,
    })
}

/// Whether a password has this hash, in constant time.
fn compare(hash: &PasswordHash, given: &str, memory: &mut Memory) -> Result<bool, Cause> {
    #[cfg(test)]
    tests::WORK.with(|work| work.borrow_mut().push(hash.params.to_string()));
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return Ok(false) };
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(Algorithm::new(hash.algorithm.as_str())?, version, Params::try_from(hash)?);
    // `Output` is compared in a time that does not depend on where it differs.
    Ok(compute(&argon2, given, salt, memory)? == *expected)
}

/// Computes a hash in memory that the next one uses again; a stored hash that costs more than ours gets memory of its
/// own.
fn compute(argon2: &Argon2<'_>, password: &str, salt: &[u8], memory: &mut Memory) -> Result<Output, Cause> {
    let blocks = argon2.params().block_count();
    let mut own = Memory::new();
    let memory = if blocks <= COST.params()?.block_count() { memory } else { &mut own };
    memory.try_reserve_exact(blocks.saturating_sub(memory.len()))?;
    memory.resize(blocks.max(memory.len()), Block::new());
    let mut output = [0; Output::MAX_LENGTH];
    let output = &mut output[..argon2.params().output_len().unwrap_or(HASH_BYTES).min(Output::MAX_LENGTH)];
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut memory[..blocks])?;
    Ok(Output::new(output)?)
}

/// A hash and its cost; none if it is no Argon2 hash, or if its cost is above [`MAX_COST`].
fn read(stored: &str) -> Option<(PasswordHash, Cost)> {
    let hash = PasswordHash::new(stored).ok()?;
    Algorithm::new(hash.algorithm.as_str()).ok()?;
    let cost = Cost::of(&Params::try_from(&hash).ok()?);
    let is_affordable =
        cost.memory_kib <= MAX_COST.memory_kib && cost.passes <= MAX_COST.passes && cost.lanes <= MAX_COST.lanes;
    (is_affordable && hash.salt.is_some() && hash.hash.is_some()).then_some((hash, cost))
}

/// A hash to verify against where there is none: of today's cost, and of no password.
fn unmatchable_hash() -> Result<(PasswordHash, Cost), Cause> {
    let Cost { memory_kib, passes, lanes } = COST;
    // 16 and 32 bytes of zeros.
    let (salt, hash) = ("A".repeat(22), "A".repeat(43));
    let text = format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}");
    Ok((PasswordHash::new(&text)?, COST))
}

fn is_weak(hash: &PasswordHash, cost: &Cost) -> bool {
    let is_current = hash.algorithm == Algorithm::Argon2id.ident() && hash.version == Some(Version::V0x13.into());
    !is_current || cost.memory_kib < COST.memory_kib || cost.passes < COST.passes
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use argon2::CustomizedPasswordHasher as _;

    use super::*;

    thread_local! {
        /// The parameters of each hash computed on this thread.
        pub(super) static WORK: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    const GIVEN: &str = "correct horse battery staple";
    /// A cost for tests that hash often.
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

    /// A hash by the reference implementation's program: hashes of other implementations verify.
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
            let stored = hash_with(&cost, GIVEN, &salt, &mut Memory::new()).unwrap();
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
        let dearer = hash_with(&Cost { passes: 3, ..COST }, GIVEN, &salt, &mut Memory::new()).unwrap();
        assert_eq!(verify(Some(&dearer), GIVEN).await.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn without_a_hash_every_password_is_wrong() {
        for given in ["", GIVEN, "password"] {
            assert_eq!(verify(None, given).await.unwrap(), Verdict::Wrong);
        }
    }

    /// Equal parameters are equal work.
    #[test]
    fn without_a_hash_the_work_is_that_of_a_hash_made_today() {
        let mut memory = Memory::new();
        let todays = hash_with(&COST, GIVEN, &[7; SALT_BYTES], &mut memory).unwrap();
        for stored in [Some(&*todays), None, Some("no hash")] {
            verify_now(stored, GIVEN, &mut memory).unwrap();
        }
        assert_eq!(WORK.take(), ["m=19456,t=2,p=1"; 3]);
        let (todays, (unmatchable_hash, _)) = (PasswordHash::new(&todays).unwrap(), unmatchable_hash().unwrap());
        assert_eq!((&unmatchable_hash.algorithm, unmatchable_hash.version), (&todays.algorithm, todays.version));
        let lengths = |hash: &PasswordHash| (hash.salt.as_ref().unwrap().len(), hash.hash.as_ref().unwrap().len());
        assert_eq!(lengths(&unmatchable_hash), lengths(&todays));
    }

    #[tokio::test]
    async fn what_is_no_hash_of_ours_lets_nobody_in() {
        let good = hash_with(&CHEAP, GIVEN, &[7; SALT_BYTES], &mut Memory::new()).unwrap();
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

    /// A hash's memory does not affect the next one, whatever its cost; and no stored hash makes it grow.
    #[test]
    fn memory_is_used_again_and_does_not_grow() {
        let mut memory = Memory::new();
        let salt = [7; SALT_BYTES];
        let costs = [COST, CHEAP, Cost { memory_kib: 65_536, ..CHEAP }, COST, Cost { lanes: 2, ..CHEAP }, CHEAP];
        for cost in costs {
            let stored = hash_with(&cost, GIVEN, &salt, &mut memory).unwrap();
            assert_eq!(stored, hash_with(&cost, GIVEN, &salt, &mut Memory::new()).unwrap());
            assert!(verify_now(Some(&stored), GIVEN, &mut memory).unwrap().is_right(), "{stored}");
            assert_eq!(verify_now(Some(&stored), "another", &mut memory).unwrap(), Verdict::Wrong, "{stored}");
            assert_eq!(memory.len(), COST.memory_kib as usize);
        }
    }
}
