//! A query whose right to write stands in a bundle.

use onefold::{identity::Account, prelude::*};

/// The right to change accounts.
#[derive(Capability)]
pub struct Accounts {
    accounts: Write<Account>,
}

/// Read the name of the service.
#[procedure(query, auth = public)]
pub async fn read(accounts: Accounts) -> String {
    drop(accounts.accounts);
    String::new()
}

fn main() {}
