//! `oauth.identities`.

use runtime::prelude::*;

use crate::Account;

/// The accounts at identity providers by which one signs in.
#[wire]
pub struct Linked {
    /// In the order in which they were linked, one for each provider.
    pub items: Vec<LinkedAccount>,
}

/// An account at an identity provider.
#[wire]
pub struct LinkedAccount {
    /// The provider's id in `oauth.providers`.
    pub provider: String,
    /// The address that the provider named.
    pub email: Option<String>,
    /// When it was linked.
    pub linked_at: Timestamp,
}

/// List the accounts at identity providers by which one signs in.
#[procedure(query, auth = signed_in, rest = "GET /v1/oauth/identities")]
pub async fn identities(accounts: Read<Account>, caller: Caller) -> Result<Linked, NoFailure> {
    let account = match caller.subject().parse() {
        Ok(id) => accounts.get(&id).await?,
        // An operator has no account.
        Err(_) => None,
    };
    let linked = account.map(|account| account.identities).unwrap_or_default();
    let items =
        linked.into_iter().map(|it| LinkedAccount { provider: it.provider, email: it.email, linked_at: it.linked_at });
    Ok(Linked { items: items.collect() })
}
