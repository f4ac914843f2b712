//! `users.update`.

use model::{Account, AuditAction, AuditEntry, EmailAddress, Role, Session, User, UserId};
use runtime::{Device, prelude::*};

use crate::identity::{audit, rights, sessions::Sessions};

/// What to change. What is left out stays as it is.
#[wire]
pub struct Input {
    /// Which user.
    pub id: UserId,
    /// The version that was seen; a newer one is then not overwritten.
    pub version: Option<Version>,
    /// The new address; no other user may have it.
    #[garde(dive)]
    pub email: Patch<EmailAddress>,
    /// The new name.
    #[garde(length(chars, min = 1, max = User::MAX_NAME_CHARS))]
    pub name: Patch<String>,
    /// The new age; null when it is no longer known.
    #[garde(range(max = User::MAX_AGE))]
    pub age: Patch<Option<u32>>,
    /// Whether the address is known to be the user's.
    pub is_verified: Patch<bool>,
    /// What the user is from now on.
    pub role: Patch<Role>,
}

impl Input {
    /// Whether it changes more than what a person may change of themselves: with another address somebody else
    /// could ask for a new password.
    fn gives_rights(&self) -> bool {
        !(self.email.is_keep() && self.is_verified.is_keep() && self.role.is_keep())
    }
}

/// Why the user was not changed.
#[derive(Debug, Failure)]
pub enum Error {
    /// No user has this id.
    #[failure(NOT_FOUND)]
    Missing(UserId),
    /// Another user has this e-mail address.
    #[failure(CONFLICT)]
    EmailTaken(EmailAddress),
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

/// Change a user. Who has the permission for the own account only changes name and age, and nothing that gives rights.
///
/// Another role counts at once in the user's cookie sessions, and in tokens when they are refreshed.
#[procedure(mutation, auth = permission("users:write", own), sensitive, rest = "PATCH /v1/users/{id}")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn update(
    users: Write<User>,
    accounts: Write<Account>,
    sessions: Write<Session>,
    log: Append<AuditEntry>,
    caller: Caller,
    reach: Reach,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<User, Error> {
    reach.expect(input.id)?;
    let is_decision = input.gives_rights();
    if is_decision {
        reach.expect_all()?;
    }
    let current = users.get(&input.id).await?.ok_or(Error::Missing(input.id))?;
    if input.version.is_some_and(|seen| seen != current.version) {
        return Err(Error::Changed { version: current.version });
    }
    let mut next = current.clone();
    input.email.apply(&mut next.email);
    if !next.email.is_same_as(&current.email) {
        // Nobody has proved the new one, unless this call says so.
        next.is_verified = false;
    }
    input.name.apply(&mut next.name);
    input.age.apply(&mut next.age);
    input.is_verified.apply(&mut next.is_verified);
    input.role.apply(&mut next.role);
    if is_decision {
        // Nor does it end any more, or belong to whoever registers the address next.
        next.ends_at = None;
    }
    let email = next.email.clone();
    let is_rights = current.effective_role() != next.effective_role();
    let action = if is_rights { AuditAction::RightsChanged } else { AuditAction::UserChanged };
    let entry = AuditEntry {
        target: Some(input.id.to_string()),
        detail: is_rights.then(|| rights::described(&next)),
        ..audit::by(&caller, action, &ids, &clock, &device)
    };
    let doors = Sessions { accounts, sessions, clock };
    let besides = || vec![log.creating(&mut entry.clone())];
    match rights::replace_user(&users, &doors, &current, &next, besides).await {
        Err(StoreError::Taken { .. }) => Err(Error::EmailTaken(email)),
        Err(StoreError::TooFew { .. }) => Err(Error::LastAdministrator),
        changed => Ok(changed?),
    }
}

#[cfg(test)]
mod tests {
    use local::world::World;

    use super::*;

    async fn update_in(world: &World, reach: Reach, input: Input) -> Result<User, Raised<Error>> {
        let (caller, device, ids) = (crate::tests::caller("somebody"), Device::default(), Ids::default());
        let (users, accounts, sessions) = (world.write(), world.write(), world.write());
        update(users, accounts, sessions, world.append(), caller, reach, device, Clock::System, ids, input).await
    }

    #[tokio::test]
    async fn what_is_left_out_stays_and_an_old_version_is_refused() {
        let world = World::new(&crate::service(), Clock::System).await.unwrap();
        let ada = User { age: Some(36), ..crate::tests::user("ada@example.com", Role::Administrator) };
        let ada = world.write().create(ada).await.unwrap();
        let change = |version: Option<Version>| Input {
            id: ada.id,
            version,
            email: Patch::Keep,
            name: Patch::Set("Countess".to_owned()),
            age: Patch::Set(None),
            is_verified: Patch::Keep,
            role: Patch::Keep,
        };

        let changed = update_in(&world, Reach::all(), change(Some(ada.version))).await.unwrap();
        let expected = User { name: "Countess".to_owned(), age: None, version: Version(2), ..ada.clone() };
        assert_eq!(changed, expected);
        let refused = update_in(&world, Reach::all(), change(Some(ada.version))).await.unwrap_err();
        assert!(matches!(refused, Raised::Failure(Error::Changed { version: Version(2) })));

        let demoted = Input { role: Patch::Set(Role::Viewer), ..change(None) };
        let refused = update_in(&world, Reach::all(), demoted).await.unwrap_err();
        assert!(matches!(refused, Raised::Failure(Error::LastAdministrator)));
    }
}
