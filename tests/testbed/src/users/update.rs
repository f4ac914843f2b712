//! `users.update`.

use crate::{Role, User};
use onefold::{
    identity::{
        EmailAddress, UserId,
        administration::{UserChange, UserRefusal, UserUpdates},
    },
    prelude::*,
};

/// What to change. What is left out stays as it is.
#[wire(input)]
pub struct Input {
    /// Which user.
    pub id: UserId,
    /// The version that was seen; a newer one is then not overwritten.
    pub version: Option<Version>,
    /// The new address; no other user may have it. To give one takes the permission `rights:write`.
    #[garde(dive)]
    pub email: Patch<EmailAddress>,
    /// The new name.
    #[garde(length(chars, min = 1, max = User::MAX_NAME_CHARS))]
    pub name: Patch<String>,
    /// The new age; null when it is no longer known.
    #[garde(range(max = User::MAX_AGE))]
    pub age: Patch<Option<u32>>,
    /// Whether the address is known to be the user's. To say so takes the permission `rights:write`.
    pub is_verified: Patch<bool>,
    /// What the user is from now on. It takes the permission `rights:write`, and every permission that the role has.
    pub role: Patch<Role>,
}

impl Input {
    /// Whether it changes more than what a user may change of themselves: with another address, somebody else could
    /// request a new password.
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
/// An address, its proof and a role are given by whoever has the permission `rights:write`, which no third party's
/// application gets, and who signed in a moment ago. Nobody changes a user with a right that they lack, nor gives one.
///
/// Another role counts at once in the user's cookie sessions and in whatever a token changes, and for what a token reads
/// when it is refreshed.
#[procedure(
    mutation,
    auth = permission("users:write", own),
    rest = "PATCH /v1/users/{id}",
    fresh = 300,
    fresh_if = Input::gives_rights
)]
pub async fn update(
    users: UserUpdates<User>,
    caller: Caller,
    ownership: Ownership,
    #[input] input: Input,
) -> Result<User, Error> {
    let which = UserChange { id: input.id, version: input.version, gives_rights: input.gives_rights() };
    let change = |user: &mut User| {
        input.email.clone().apply(&mut user.email);
        input.name.clone().apply(&mut user.name);
        input.age.apply(&mut user.age);
        input.is_verified.apply(&mut user.is_verified);
        input.role.apply(&mut user.role);
    };
    match users.update((&caller, &ownership), which, change).await? {
        Ok(user) => Ok(user),
        Err(UserRefusal::Missing) => Err(Error::Missing(which.id)),
        Err(UserRefusal::Changed { version }) => Err(Error::Changed { version }),
        Err(UserRefusal::EmailTaken(email)) => Err(Error::EmailTaken(email)),
        Err(UserRefusal::TooFew { .. }) => Err(Error::LastAdministrator),
    }
}
