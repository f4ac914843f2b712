//! What a change of somebody's rights takes with it: the copies in the user's sessions.

use model::{Account, Session, User};
use runtime::{prelude::*, sessions::lifetime};
use store::{Operation, transaction};

use super::sessions::Sessions;

/// Puts `next` in the place of `current`, with the user's sessions where the rights differ.
///
/// A session whose rights changed counts with the new ones from its next call, and ends soon unless it is
/// renewed with another secret.
pub(crate) async fn replace_user(
    users: &Write<User>,
    sessions: &Sessions,
    current: &User,
    mut next: User,
    besides: Vec<Operation>,
) -> Result<User, StoreError> {
    let mut operations = besides;
    operations.push(users.replacing(current, &mut next));
    if current.effective_role() != next.effective_role() {
        operations.extend(changing(sessions, &next, |_| {}).await?);
    }
    transaction(operations).await.map(|()| next)
}

/// Somebody's rights, in words for the log.
pub(crate) fn described(user: &User) -> String {
    user.effective_role().map_or_else(|| "no role: not verified".to_owned(), |role| role.name().to_owned())
}

/// What it takes to give the sessions of a user the user's rights.
pub(crate) async fn changing(
    sessions: &Sessions,
    user: &User,
    change: impl FnOnce(&mut Account),
) -> Result<Vec<Operation>, StoreError> {
    let now = sessions.clock.now();
    let account = sessions.accounts.get(&user.id).await?;
    // Even an account without sessions is written: who signs in at this moment must begin again.
    let mut next = account.clone().unwrap_or_else(|| Account::new(user.id));
    change(&mut next);
    let mut operations = Vec::new();
    for current in sessions.stored(&next.devices).await? {
        let soon = now.plus_ms(lifetime::CHANGED_MS);
        let mut changed = Session {
            role: user.effective_role(),
            changed: true,
            expires_at: current.expires_at.min(soon),
            ..current.clone()
        };
        operations.push(sessions.sessions.replacing(&current, &mut changed));
    }
    operations.push(match &account {
        Some(account) => sessions.accounts.replacing(account, &mut next),
        None => sessions.accounts.creating(&mut next),
    });
    Ok(operations)
}
