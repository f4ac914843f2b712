//! `users.delete`.

use model::{User, UserId};
use runtime::prelude::*;

/// Which user to delete.
#[wire]
pub struct Input {
    /// The user's id.
    pub id: UserId,
}

/// Why the user was not deleted.
#[derive(Debug, Failure)]
pub enum Error {
    /// No user has this id.
    #[failure(NOT_FOUND)]
    Missing(UserId),
    /// There must be another administrator first.
    #[failure(UNPROCESSABLE_CONTENT)]
    LastAdministrator,
}

/// Delete a user for good. The user's posts stay.
#[procedure(mutation, auth = permission("users:write"), rest = "DELETE /v1/users/{id}")]
pub async fn delete(users: Write<User>, input: Input) -> Result<(), Error> {
    let current = users.get(&input.id).await?.ok_or(Error::Missing(input.id))?;
    match users.delete(&current).await {
        Err(StoreError::TooFew { .. }) => Err(Error::LastAdministrator),
        deleted => Ok(deleted?),
    }
}

#[cfg(test)]
mod tests {
    use local::world::World;
    use model::Role;

    use super::*;

    #[tokio::test]
    async fn the_last_administrator_stays_and_others_may_go() {
        let world = World::new(&crate::service(), Clock::System).await.unwrap();
        let administrator = |email: &str| crate::tests::user(email, Role::Administrator);
        let ada = world.write().create(administrator("ada@example.com")).await.unwrap();
        let refused = delete(world.write(), Input { id: ada.id }).await.unwrap_err();
        assert!(matches!(refused, Raised::Failure(Error::LastAdministrator)));

        world.write().create(administrator("bob@example.com")).await.unwrap();
        delete(world.write(), Input { id: ada.id }).await.unwrap();
        let gone = delete(world.write(), Input { id: ada.id }).await.unwrap_err();
        assert!(matches!(gone, Raised::Failure(Error::Missing(id)) if id == ada.id));
    }
}
