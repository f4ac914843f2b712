//! `users.delete`.

use model::User;
use onefold::{
    identity::{UserId, administration::UserRefusal, notices::Notices, removal::UserRemoval},
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

/// Delete a user for good, and sign the user out everywhere. What the user made stays.
///
/// Nobody deletes a user with a right that they lack.
#[procedure(mutation, auth = permission("users:write"), rest = "DELETE /v1/users/{id}")]
pub async fn delete(
    users: UserRemoval<User>,
    notices: Notices,
    caller: Caller,
    #[input] input: Input,
) -> Result<(), Error> {
    match users.delete(&caller, &notices, input.id, input.version).await? {
        Ok(()) => Ok(()),
        Err(UserRefusal::Changed { version }) => Err(Error::Changed { version }),
        Err(UserRefusal::TooFew { .. }) => Err(Error::LastAdministrator),
        Err(UserRefusal::Missing | UserRefusal::EmailTaken(_)) => Err(Error::Missing(input.id)),
    }
}

#[cfg(test)]
mod tests {
    use local::testing::TestService;
    use model::Role;

    use super::*;

    async fn delete_in(test: &TestService, id: UserId, version: Option<Version>) -> Result<(), Raised<Error>> {
        delete(test.obtain().unwrap(), test.obtain().unwrap(), test.operator(), Input { id, version }).await
    }

    #[tokio::test]
    async fn the_last_administrator_stays_and_others_may_go() {
        let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
        let administrator = |email: &str| crate::users::seed::example(email, Role::Administrator);
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
