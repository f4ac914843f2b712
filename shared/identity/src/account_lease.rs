//! The lease on an account. A request that ends a user's sessions and loses to concurrent changes too often gets
//! exclusive access for a moment, so that repeated sign-ins cannot prevent a change of the password or a sign-out of
//! all devices.

use std::time::Duration;

use runtime::prelude::*;

use super::sessions::{ATTEMPTS, Sessions};
use crate::{Account, UserId};

/// How many times a change loses to concurrent changes before it takes the lease.
const MAX_LOST: usize = 2;
/// How long the lease lasts, in milliseconds, when its holder was killed. A change ends it.
const LEASE_MS: i64 = 2_000;
/// How often a waiting request looks whether the lease has ended, in milliseconds.
const POLL_MS: i64 = 25;

/// The state of a request that ends sessions and competes with others for the same account.
#[derive(Default)]
pub(crate) struct Contention {
    attempts: usize,
    /// The end of the lease that this request holds.
    lease: Option<Timestamp>,
}

impl Sessions {
    /// Returns the current account for a request that adds or renews a session. It waits while another request holds
    /// the lease.
    pub(crate) async fn read_unleased(&self, id: &UserId) -> Result<Option<Account>, StoreError> {
        self.wait_for_lease(id, None).await
    }

    /// Returns the current account for a request that ends its sessions. Called once for each attempt.
    pub(crate) async fn read_for_ending(
        &self,
        id: &UserId,
        contention: &mut Contention,
    ) -> Result<Option<Account>, StoreError> {
        contention.attempts += 1;
        for _ in 0..ATTEMPTS {
            let Some(stored) = self.wait_for_lease(id, contention.lease).await? else { return Ok(None) };
            let has_lease =
                stored.leased_until.is_some_and(|end| Some(end) == contention.lease && end > self.clock.now());
            if contention.attempts <= MAX_LOST || has_lease {
                return Ok(Some(stored));
            }
            let end = self.clock.now().plus_ms(LEASE_MS);
            let leased = Account { leased_until: Some(end), ..stored.clone() };
            match self.accounts.replace(&stored, leased).await {
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error),
                Ok(leased) => {
                    contention.lease = Some(end);
                    return Ok(Some(leased));
                }
            }
        }
        Err(StoreError::Stale)
    }

    /// Returns the account once nobody but the holder of `own_lease` has the lease.
    async fn wait_for_lease(&self, id: &UserId, own_lease: Option<Timestamp>) -> Result<Option<Account>, StoreError> {
        // The loop counts turns as well as the clock: a request goes on after the lease's time in any case.
        for _ in 0..LEASE_MS / POLL_MS {
            let stored = self.accounts.get(id).await?;
            let is_free = |end: Timestamp| end <= self.clock.now() || Some(end) == own_lease;
            if stored.as_ref().is_none_or(|account| account.leased_until.is_none_or(is_free)) {
                return Ok(stored);
            }
            tokio::time::sleep(Duration::from_millis(POLL_MS.unsigned_abs())).await;
        }
        self.accounts.get(id).await
    }
}

#[cfg(test)]
mod tests {
    use local::testing::TestService;
    use store::transaction;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_unix_ms(1_700_000_000_000)
    }

    struct Fixture {
        sessions: Sessions,
        id: UserId,
        _service: TestService,
    }

    impl Fixture {
        async fn account() -> Self {
            let test = TestService::new(&crate::tests::service(), Clock::Fixed(now())).await.unwrap();
            let sessions = crate::tests::sessions(&test);
            let id = runtime::Ids::counting().next();
            sessions.new_accounts.create(Account::new(id)).await.unwrap();
            Self { sessions, id, _service: test }
        }

        /// The account, leased by another request.
        async fn leased(&self) -> Account {
            let mut contention = Contention { attempts: MAX_LOST, lease: None };
            self.sessions.read_for_ending(&self.id, &mut contention).await.unwrap().unwrap()
        }

        async fn lease(&self) -> Option<Timestamp> {
            self.sessions.accounts.get(&self.id).await.unwrap().unwrap().leased_until
        }
    }

    #[tokio::test]
    async fn the_lease_is_taken_by_who_lost_and_ends_with_the_change() {
        let fixture = Fixture::account().await;
        let mut contention = Contention::default();
        for attempt in 0..MAX_LOST {
            fixture.sessions.read_for_ending(&fixture.id, &mut contention).await.unwrap();
            assert_eq!(fixture.lease().await, None, "attempt {attempt}");
        }
        let leased = fixture.sessions.read_for_ending(&fixture.id, &mut contention).await.unwrap().unwrap();
        assert_eq!(fixture.lease().await, Some(now().plus_ms(LEASE_MS)));
        // The holder of the lease goes on at once, whatever else was lost.
        let current = fixture.sessions.read_for_ending(&fixture.id, &mut contention).await.unwrap().unwrap();
        assert_eq!(current, leased, "it is not taken twice");
        let operation = fixture.sessions.putting(Some(&current), &mut current.clone());
        transaction(vec![operation]).await.unwrap();
        assert_eq!(fixture.lease().await, None);
    }

    #[tokio::test]
    async fn who_signs_in_waits_for_who_has_the_lease() {
        let fixture = Fixture::account().await;
        let current = fixture.leased().await;
        let mut next = Account { generation: 1, ..current.clone() };
        let operation = fixture.sessions.putting(Some(&current), &mut next);
        let (found, done) = tokio::join!(fixture.sessions.read_unleased(&fixture.id), transaction(vec![operation]));
        done.unwrap();
        assert_eq!(found.unwrap().unwrap().generation, 1, "as it was before");
    }

    #[tokio::test]
    async fn who_was_killed_holds_nobody_up() {
        let fixture = Fixture::account().await;
        fixture.leased().await;
        let later = Sessions { clock: Clock::Fixed(now().plus_ms(LEASE_MS)), ..fixture.sessions.clone() };
        let found = later.read_unleased(&fixture.id).await.unwrap().unwrap();
        assert_eq!(found.leased_until, Some(now().plus_ms(LEASE_MS)), "without waiting for a change");
        // And where the clock does not move, others go on all the same.
        assert!(fixture.sessions.read_unleased(&fixture.id).await.unwrap().is_some());
    }
}
