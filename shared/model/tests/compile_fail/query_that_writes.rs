//! A query that asks for the right to write.

use identity::UserId;
use model::User;
use runtime::prelude::*;

/// Whom to look for.
#[wire(input)]
pub struct Input {
    /// The user's id.
    pub id: UserId,
}

/// Whether there is such a user.
#[procedure(query, auth = public)]
pub async fn exists(users: Write<User>, #[input] input: Input) -> Result<bool, NoFailure> {
    Ok(users.get(&input.id).await?.is_some())
}

fn main() {}
