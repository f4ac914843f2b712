//! `users.get`.

use model::User;
use onefold::{identity::UserId, prelude::*};

/// Which user to fetch.
#[wire(input)]
pub struct Input {
    /// The user's id.
    pub id: UserId,
}

/// Why there is no user to give.
#[derive(Debug, Failure)]
pub enum Error {
    /// No user has this id.
    #[failure(NOT_FOUND)]
    Missing(UserId),
}

/// Fetch one user.
#[procedure(query, auth = permission("users:read"), rest = "GET /v1/users/{id}")]
pub async fn get(users: Read<User>, #[input] input: Input) -> Result<User, Error> {
    users.get(&input.id).await?.ok_or(Error::Missing(input.id))
}

#[cfg(test)]
mod tests {
    use local::testing::TestService;
    use model::Role;

    use super::*;

    #[tokio::test]
    async fn a_user_is_found_by_id_and_nobody_has_an_unknown_one() {
        let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
        let ada = crate::users::seed::example("ada@example.com", Role::Viewer);
        let ada = test.write().create(ada).await.unwrap();
        assert_eq!(get(test.read(), Input { id: ada.id }).await.unwrap(), ada);
        let id: UserId = Ids::counting().next();
        let missing = get(test.read(), Input { id }).await.unwrap_err();
        assert!(matches!(missing, Raised::Failure(Error::Missing(unknown)) if unknown == id));
    }
}
