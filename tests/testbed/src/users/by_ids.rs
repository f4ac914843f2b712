//! `users.byIds`.

use crate::User;
use onefold::{identity::UserId, prelude::*};

/// Which users to fetch.
#[wire(input)]
pub struct Input {
    /// The users' ids. An id may occur twice.
    #[garde(length(min = 1, max = 100))]
    pub ids: Vec<UserId>,
}

/// Fetch many users at once: each of those that exist once, in the order that was asked for.
#[procedure(query, auth = permission("users:read"), rest = "GET /v1/batch/users")]
pub async fn by_ids(users: Read<User>, #[input] input: Input) -> Result<Vec<User>, NoFailure> {
    Ok(users.by_ids(input.ids).await?)
}
