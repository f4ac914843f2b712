//! `users.signOut`.

use crate::User;
use onefold::{
    identity::{UserId, administration::UserSignOut},
    prelude::*,
};

/// Whom to sign out.
#[wire(input)]
pub struct Input {
    /// The user's id.
    pub id: UserId,
}

/// What was signed out.
#[wire]
pub struct SignedOut {
    /// How many devices and applications.
    pub count: u32,
}

/// Why nobody was signed out.
#[derive(Debug, Failure)]
pub enum Error {
    /// No user has this id.
    #[failure(NOT_FOUND)]
    Missing(UserId),
}

/// Sign a user out on all devices, and from all applications.
///
/// It counts from each one's next call, and the user is told by mail. Nobody signs out a user with a right that they
/// lack.
#[procedure(mutation, auth = permission("users:write"), rest = "DELETE /v1/users/{id}/sessions")]
pub async fn sign_out(users: UserSignOut<User>, caller: Caller, #[input] input: Input) -> Result<SignedOut, Error> {
    let count = users.sign_out(&caller, input.id).await?.ok_or(Error::Missing(input.id))?;
    Ok(SignedOut { count: u32::try_from(count).unwrap_or(u32::MAX) })
}
