//! `oauth.unlink`.

use runtime::{Secret, prelude::*};
use store::transaction;

use crate::{
    Account, AuditAction, AuditEntry, IdentityUser,
    audit::Audit,
    federation::IdentityProviders,
    notices::{Notice, Notices},
    sessions::ATTEMPTS,
    sign_in_flows,
};

/// Which account is unlinked.
#[wire(input)]
pub struct Input {
    /// The provider's id.
    #[garde(length(chars, max = 100))]
    pub provider: String,
}

/// Why it stays linked.
#[derive(Debug, Failure)]
pub enum Error {
    /// No account of this provider is linked.
    #[failure(NOT_FOUND)]
    NotLinked,
    /// There would be no way to sign in any more: choose a password or link another account first.
    #[failure(UNPROCESSABLE_CONTENT)]
    LastWay,
}

/// Unlink an account at an identity provider from one's own. Sessions that began with it go on.
#[procedure(mutation, auth = signed_in, fresh = 300, rest = "DELETE /v1/oauth/identities/{provider}")]
pub async fn unlink<U: IdentityUser>(
    users: Read<U>,
    accounts: Update<Account>,
    audit: Audit,
    providers: Secret<IdentityProviders>,
    notices: Notices,
    caller: Caller,
    #[input] input: Input,
) -> Result<(), Error> {
    let id = caller.subject().parse().map_err(|_| Error::NotLinked)?;
    let known = sign_in_flows::providers(&providers).await?;
    for _ in 0..ATTEMPTS {
        let current = accounts.get(&id).await?.ok_or(Error::NotLinked)?;
        let mut next = current.clone();
        next.identities.retain(|it| it.provider != input.provider);
        if next.identities.len() == current.identities.len() {
            return Err(Error::NotLinked);
        }
        // An account at a provider that is no longer configured is no way to sign in.
        if next.password.is_none() && !next.identities.iter().any(|it| known.get(&it.provider).is_some()) {
            return Err(Error::LastWay);
        }
        let entry =
            AuditEntry { detail: Some(input.provider.clone()), ..audit.by(&caller, AuditAction::IdentityUnlinked) };
        match transaction(vec![accounts.replacing(&current, &mut next), audit.creating(entry)]).await {
            Err(StoreError::Stale) => {}
            done => {
                done?;
                if let Some(user) = users.get(&id).await? {
                    notices.notify(user.email(), Notice::IdentityUnlinked(&input.provider)).await;
                }
                return Ok(());
            }
        }
    }
    Err(StoreError::Stale)?
}
