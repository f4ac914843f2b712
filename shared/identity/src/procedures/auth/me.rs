//! `auth.me`.

use runtime::prelude::*;

use crate::IdentityUser;

/// Why there is nobody to tell of.
#[derive(Debug, Failure)]
pub enum Error {
    /// The caller is no user: an operator, or a user whose account was deleted.
    #[failure(NOT_FOUND)]
    NotAUser,
}

/// Tell who is signed in.
#[procedure(query, auth = signed_in, rest = "GET /v1/auth/me")]
pub async fn me<U: IdentityUser>(users: Read<U>, caller: Caller) -> Result<U::Me, Error> {
    let id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
    users.get(&id).await?.as_ref().map(U::me).ok_or(Error::NotAUser)
}
