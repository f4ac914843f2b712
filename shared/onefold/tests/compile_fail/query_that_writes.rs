//! A query that asks for the right to write.

use onefold::{
    identity::{Account, UserId},
    prelude::*,
};

/// Whom to look for.
#[wire(input)]
pub struct Input {
    /// The user's id.
    pub id: UserId,
}

/// Whether there is such a user.
#[procedure(query, auth = public)]
pub async fn exists(accounts: Write<Account>, #[input] input: Input) -> Result<bool, NoFailure> {
    Ok(accounts.get(&input.id).await?.is_some())
}

fn main() {}
