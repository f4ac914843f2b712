//! `users.create`.

use model::{EmailAddress, Role, User};
use runtime::prelude::*;

/// The new user.
#[wire]
pub struct Input {
    /// Where mail reaches the user; no other user may have it.
    #[garde(dive)]
    pub email: EmailAddress,
    /// The name that others see.
    #[garde(length(chars, min = 1, max = User::MAX_NAME_CHARS))]
    pub name: String,
    /// Age in years, if it is known.
    #[garde(range(max = User::MAX_AGE))]
    pub age: Option<u32>,
    /// Whether the address is known to be the user's; false if left out.
    pub is_verified: Option<bool>,
    /// What the user is in the company; a viewer if left out.
    pub role: Option<Role>,
}

/// Why the user was not created.
#[derive(Debug, Failure)]
pub enum Error {
    /// Another user has this e-mail address.
    #[failure(CONFLICT)]
    EmailTaken(EmailAddress),
}

/// Create a user.
#[procedure(mutation, auth = permission("users:write"), rest = "POST /v1/users")]
pub async fn create(users: Write<User>, clock: Clock, ids: Ids, input: Input) -> Result<User, Error> {
    let user = User {
        id: ids.next(),
        email: input.email,
        name: input.name,
        age: input.age,
        is_verified: input.is_verified.unwrap_or(false),
        role: input.role.unwrap_or(Role::Viewer),
        created_at: clock.now(),
        version: Version::default(),
    };
    let email = user.email.clone();
    match users.create(user).await {
        Err(StoreError::Taken { .. }) => Err(Error::EmailTaken(email)),
        created => Ok(created?),
    }
}
