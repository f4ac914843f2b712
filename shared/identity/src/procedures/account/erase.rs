//! `account.erase`.

use runtime::{Cookies, prelude::*, sessions::COOKIE};

use crate::{
    Account, AuditAction, GivenPassword, IdentityUser,
    audit::Audit,
    notices::{Notice, Notices},
    own_password::OwnPassword,
    removal::UserRemoval,
};

/// The proof that it is meant.
#[wire(input)]
pub struct Input {
    /// The account's password; left out where it has none.
    #[garde(dive)]
    pub password: Option<GivenPassword>,
}

/// Why the account stays.
#[derive(Debug, Failure)]
pub enum Error {
    /// The caller is no user.
    #[failure(NOT_FOUND)]
    NotAUser,
    /// The account has another password; it is given as `password`.
    #[failure(FORBIDDEN)]
    WrongPassword,
    /// There must be another administrator first.
    #[failure(UNPROCESSABLE_CONTENT)]
    LastAdministrator,
}

/// Erase one's own account for good: the person, how one signs in, every session, and what was mailed.
///
/// What one wrote for the company stays, under an id that leads to nobody; so do the entries of the audit log, until
/// they expire.
#[procedure(mutation, auth = signed_in, fresh = 300, rest = "POST /v1/account/erase", memory_mb = 1024, concurrency = 10)]
pub async fn erase<U: IdentityUser>(
    removal: UserRemoval<U>,
    current_password: OwnPassword,
    audit: Audit,
    notices: Notices,
    caller: Caller,
    cookies: Cookies,
    #[input] input: Input,
) -> Result<(), Error> {
    let id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
    let user = removal.users.get(&id).await?.ok_or(Error::NotAUser)?;
    if let Some(account @ Account { password: Some(_), .. }) = removal.sessions.accounts.get(&id).await?
        && !current_password.is_right(&caller, (&user, &account), input.password.as_ref(), "erase").await?
    {
        return Err(Error::WrongPassword);
    }
    match removal.remove(&user, &audit.by(&caller, AuditAction::AccountErased)).await {
        Err(StoreError::TooFew { .. }) => Err(Error::LastAdministrator),
        done => {
            done?;
            cookies.remove(COOKIE);
            notices.notify(user.email(), Notice::Erased).await;
            Ok(())
        }
    }
}
