//! `users.get`.

use crate::User;
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
