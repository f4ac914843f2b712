//! `users.delete`.

use model::{Account, AuditAction, AuditEntry, MailedToken, Session, User, UserId};
use runtime::{Device, prelude::*};

use crate::identity::{
    audit, giving,
    notices::{Notice, Notices},
    sessions::Sessions,
};

/// Which user to delete.
#[wire]
pub struct Input {
    /// The user's id.
    pub id: UserId,
    /// The version that was seen; a newer one is then not deleted.
    pub version: Option<Version>,
}

/// Why the user was not deleted.
#[derive(Debug, Failure)]
pub enum Error {
    /// No user has this id.
    #[failure(NOT_FOUND)]
    Missing(UserId),
    /// The user was changed in the meantime.
    #[failure(CONFLICT)]
    Changed {
        /// The version that is stored.
        version: Version,
    },
    /// There must be another administrator first.
    #[failure(UNPROCESSABLE_CONTENT)]
    LastAdministrator,
}

/// Delete a user for good, and sign the user out everywhere. The user's posts stay.
///
/// Nobody deletes a user with a right that they lack.
#[procedure(mutation, auth = permission("users:write"), rest = "DELETE /v1/users/{id}")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn delete(
    users: Write<User>,
    accounts: Write<Account>,
    sessions: Write<Session>,
    mailed: Read<MailedToken>,
    tokens: Write<MailedToken>,
    log: Append<AuditEntry>,
    notices: Notices,
    caller: Caller,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), Error> {
    let current = users.get(&input.id).await?.ok_or(Error::Missing(input.id))?;
    giving::expect_within(&caller, [current.role])?;
    if input.version.is_some_and(|seen| seen != current.version) {
        return Err(Error::Changed { version: current.version });
    }
    let entry = AuditEntry {
        target: Some(input.id.to_string()),
        ..audit::by(&caller, AuditAction::UserDeleted, &ids, &clock, &device)
    };
    let besides = || vec![log.creating(&mut entry.clone())];
    match (Sessions { accounts, sessions, clock }).delete_user(&users, (&mailed, &tokens), &current, besides).await {
        Err(StoreError::TooFew { .. }) => Err(Error::LastAdministrator),
        deleted => {
            deleted?;
            notices.tell(&current.email, Notice::Deleted).await;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use local::world::World;
    use model::Role;

    use super::*;

    async fn delete_in(world: &World, id: UserId, version: Option<Version>) -> Result<(), Raised<Error>> {
        let (caller, device, ids) = (crate::tests::administrator(), Device::default(), Ids::default());
        let (users, accounts, sessions) = (world.write(), world.write(), world.write());
        let (mailed, tokens, log) = (world.read(), world.write(), world.append());
        let notices = Notices::new(world.mail(), world.limits(), device.clone(), Clock::System);
        let input = Input { id, version };
        delete(users, accounts, sessions, mailed, tokens, log, notices, caller, device, Clock::System, ids, input).await
    }

    #[tokio::test]
    async fn the_last_administrator_stays_and_others_may_go() {
        let world = World::new(&crate::service(), Clock::System).await.unwrap();
        let administrator = |email: &str| crate::tests::user(email, Role::Administrator);
        let ada = world.write().create(administrator("ada@example.com")).await.unwrap();
        let refused = delete_in(&world, ada.id, None).await.unwrap_err();
        assert!(matches!(refused, Raised::Failure(Error::LastAdministrator)));

        world.write().create(administrator("bob@example.com")).await.unwrap();
        let refused = delete_in(&world, ada.id, Some(Version(7))).await.unwrap_err();
        assert!(matches!(refused, Raised::Failure(Error::Changed { version: Version(1) })));
        delete_in(&world, ada.id, Some(ada.version)).await.unwrap();
        let gone = delete_in(&world, ada.id, None).await.unwrap_err();
        assert!(matches!(gone, Raised::Failure(Error::Missing(id)) if id == ada.id));
    }
}
