//! `users.delete`.

use model::User;
use onefold::{
    identity::{
        AuditAction, AuditEntry, UserId,
        audit::Audit,
        delegation,
        notices::{Notice, Notices},
        removal::UserRemoval,
    },
    prelude::*,
};

/// Which user to delete.
#[wire(input)]
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
pub async fn delete(
    removal: UserRemoval<User>,
    audit: Audit,
    notices: Notices,
    caller: Caller,
    #[input] input: Input,
) -> Result<(), Error> {
    let current = removal.users.get(&input.id).await?.ok_or(Error::Missing(input.id))?;
    delegation::expect_may_change(&caller, [current.role])?;
    if input.version.is_some_and(|seen| seen != current.version) {
        return Err(Error::Changed { version: current.version });
    }
    let entry = AuditEntry { target: Some(input.id.to_string()), ..audit.by(&caller, AuditAction::UserDeleted) };
    match removal.remove(&current, &entry).await {
        Err(StoreError::TooFew { .. }) => Err(Error::LastAdministrator),
        deleted => {
            deleted?;
            notices.notify(&current.email, Notice::Deleted).await;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use local::testing::TestService;
    use model::Role;

    use super::*;

    async fn delete_in(test: &TestService, id: UserId, version: Option<Version>) -> Result<(), Raised<Error>> {
        let (removal, audit, notices) = (test.obtain().unwrap(), test.obtain().unwrap(), test.obtain().unwrap());
        delete(removal, audit, notices, crate::tests::administrator(), Input { id, version }).await
    }

    #[tokio::test]
    async fn the_last_administrator_stays_and_others_may_go() {
        let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
        let administrator = |email: &str| crate::tests::user(email, Role::Administrator);
        let ada = test.write().create(administrator("ada@example.com")).await.unwrap();
        let refused = delete_in(&test, ada.id, None).await.unwrap_err();
        assert!(matches!(refused, Raised::Failure(Error::LastAdministrator)));

        test.write().create(administrator("bob@example.com")).await.unwrap();
        let refused = delete_in(&test, ada.id, Some(Version(7))).await.unwrap_err();
        assert!(matches!(refused, Raised::Failure(Error::Changed { version: Version(1) })));
        delete_in(&test, ada.id, Some(ada.version)).await.unwrap();
        let gone = delete_in(&test, ada.id, None).await.unwrap_err();
        assert!(matches!(gone, Raised::Failure(Error::Missing(id)) if id == ada.id));
    }
}
