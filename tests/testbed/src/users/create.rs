//! `users.create`.

use crate::{Role, User};
use onefold::{
    identity::{EmailAddress, IdentityRole as _, administration::UserCreation},
    prelude::*,
};

/// The new user.
#[wire(input)]
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
    /// Whether the address is known to be the user's; false if left out. To say so takes the permission `rights:write`.
    pub is_verified: Option<bool>,
    /// What the user is in the company; what newcomers are if left out. Another role takes the permission
    /// `rights:write`, and every permission that the role has.
    pub role: Option<Role>,
}

impl Input {
    /// Whether the user gets rights at once, or could with another role.
    fn gives_rights(&self) -> bool {
        self.is_verified == Some(true) || self.role.is_some_and(|role| role != Role::NEW_USER)
    }
}

/// Why the user was not created.
#[derive(Debug, Failure)]
pub enum Error {
    /// Another user has this e-mail address.
    #[failure(CONFLICT)]
    EmailTaken(EmailAddress),
}

/// Create a user.
///
/// To sign in, the user asks for a password with `auth.requestReset`. A role and the proof of the address are given by
/// whoever has the permission `rights:write` and signed in a moment ago.
#[procedure(
    mutation,
    auth = permission("users:write"),
    rest = "POST /v1/users",
    fresh = 300,
    fresh_if = Input::gives_rights
)]
pub async fn create(
    users: UserCreation<User>,
    caller: Caller,
    clock: Clock,
    ids: Ids,
    #[input] input: Input,
) -> Result<User, Error> {
    let user = User {
        id: ids.next(),
        email: input.email,
        name: input.name,
        age: input.age,
        is_verified: input.is_verified.unwrap_or(false),
        role: input.role.unwrap_or(Role::NEW_USER),
        created_at: clock.now(),
        ends_at: None,
        version: Version::default(),
    };
    users.create(&caller, user).await?.map_err(Error::EmailTaken)
}
