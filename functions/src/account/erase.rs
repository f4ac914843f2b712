//! `account.erase`.

use model::{Account, AuditAction, AuditEntry, GivenPassword, MailedToken, Session, User};
use runtime::{Cookies, Device, Limits, password::Turn, prelude::*, sessions::COOKIE};

use crate::identity::{
    audit, limits,
    notices::{Notice, Notices},
    sessions::Sessions,
};

/// The proof that it is meant.
#[wire]
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
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn erase(
    users: Write<User>,
    accounts: Write<Account>,
    sessions: Write<Session>,
    mailed: Read<MailedToken>,
    tokens: Write<MailedToken>,
    log: Append<AuditEntry>,
    attempts: Limits,
    notices: Notices,
    caller: Caller,
    cookies: Cookies,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), Error> {
    let id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
    let user = users.get(&id).await?.ok_or(Error::NotAUser)?;
    let doors = Sessions { accounts, sessions, clock };
    if let Some(account @ Account { password: Some(_), .. }) = doors.accounts.get(&id).await? {
        let place = account.device_of(caller.session());
        let turn = Turn::take()?;
        let attempt = limits::sign_in(&attempts, &device, &user.email, place).await?;
        let given = input.password;
        let given = given.as_ref().map(GivenPassword::as_str).unwrap_or_default();
        if !turn.verify(account.password.as_deref(), given).await?.is_right() {
            audit::password_refused(&log, &caller, "erase", (&ids, &doors.clock, &device)).await?;
            return Err(Error::WrongPassword);
        }
        attempt.succeeded().await?;
    }
    let entry = audit::by(&caller, AuditAction::AccountErased, &ids, &clock, &device);
    let besides = || vec![log.creating(&mut entry.clone())];
    match doors.delete_user(&users, (&mailed, &tokens), &user, besides).await {
        Err(StoreError::TooFew { .. }) => Err(Error::LastAdministrator),
        done => {
            done?;
            cookies.remove(COOKIE);
            notices.tell(&user.email, Notice::Erased).await;
            Ok(())
        }
    }
}
