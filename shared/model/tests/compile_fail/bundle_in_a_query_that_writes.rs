//! A query whose right to write stands in a bundle.

use model::User;
use runtime::prelude::*;

/// The right to change users.
#[derive(Capability)]
pub struct Users {
    users: Write<User>,
}

/// Read the name of the service.
#[procedure(query, auth = public)]
pub async fn read(users: Users) -> String {
    drop(users.users);
    String::new()
}

fn main() {}
