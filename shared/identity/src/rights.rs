//! Changes of a user's rights: they update the copies in the user's sessions.

use runtime::{prelude::*, sessions::lifetime};
use store::{Operation, transaction};

use super::{
    account_lease::Contention,
    sessions::{ATTEMPTS, Sessions},
};
use crate::{Account, Device, IdentityRole as _, IdentityUser, Proof, Session};

/// Replaces `current` by `next`, and updates the user's sessions where the rights differ.
///
/// A session has its new rights from its next call. That of a cookie ends soon unless it is renewed with another
/// secret; tokens change anyway when they are refreshed.
pub async fn replace_user<U: IdentityUser>(
    users: &Update<U>,
    sessions: &Sessions,
    current: &U,
    next: &U,
    extra_operations: impl Fn() -> Vec<Operation>,
) -> Result<U, StoreError> {
    let mut contention = Contention::default();
    for _ in 0..ATTEMPTS {
        let mut next = next.clone();
        let mut operations = extra_operations();
        operations.push(users.replacing(current, &mut next));
        if current.effective_role() != next.effective_role() || current.ends_at() != next.ends_at() {
            operations.extend(changing(sessions, current, &next, &mut contention).await?);
        }
        match transaction(operations).await {
            // A concurrent sign-in or renewal is no conflict; a concurrent change of the user is.
            Err(StoreError::Stale) if users.get(current.id()).await?.as_ref() == Some(current) => {}
            done => return done.map(|()| next),
        }
    }
    Err(StoreError::Stale)
}

/// A user's rights in words, for the audit log.
pub fn described(user: &impl IdentityUser) -> String {
    user.effective_role().map_or_else(|| "no role: not verified".to_owned(), |role| role.name().to_owned())
}

/// The operations that give a user's sessions the user's rights.
async fn changing(
    sessions: &Sessions,
    before: &impl IdentityUser,
    user: &impl IdentityUser,
    contention: &mut Contention,
) -> Result<Vec<Operation>, StoreError> {
    let account = sessions.read_for_ending(&user.user_id(), contention).await?;
    // An account without sessions is written as well: a concurrent sign-in must begin again.
    let mut next = account.clone().unwrap_or_else(|| Account::new(user.user_id()));
    if before.is_as_registered() && !user.is_as_registered() {
        // Nobody can register it any more: earlier mailed tokens are void, and so is each way to sign in that a
        // stranger may have registered. The owner requests a new password.
        next = next.proved().without_ways_in();
    }
    let mut operations = rewriting(sessions, user, &next.devices).await?;
    operations.push(sessions.putting(account.as_ref(), &mut next));
    Ok(operations)
}

/// The operations that give the sessions of some devices the user's rights.
pub(crate) async fn rewriting(
    sessions: &Sessions,
    user: &impl IdentityUser,
    devices: &[Device],
) -> Result<Vec<Operation>, StoreError> {
    let soon = sessions.clock.now().plus_ms(lifetime::CHANGED_MS);
    let mut operations = Vec::new();
    for current in sessions.live_sessions(devices).await? {
        let is_cookie = matches!(current.proof, Proof::Cookie { .. });
        let expires_at = if is_cookie { current.expires_at.min(soon) } else { current.expires_at };
        let mut changed = Session {
            role: user.effective_role().map(|role| role.name().to_owned()),
            changed: true,
            expires_at,
            ..current.clone()
        };
        operations.push(sessions.stored.replacing(&current, &mut changed));
    }
    Ok(operations)
}
