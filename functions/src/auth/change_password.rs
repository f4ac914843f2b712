//! `auth.change_password`.

use model::{Account, AuditAction, AuditEntry, Device as Place, GivenPassword, Password, Session, User};
use runtime::{
    Cookies, Device, Ids, Limits,
    password::{self, Turn},
    prelude::*,
    sessions::COOKIE,
};

use store::transaction;

use crate::identity::{
    audit, expect_strong,
    lease::Contest,
    limits,
    notices::{Notice, Notices},
    sessions::{ATTEMPTS, Sessions},
    shut_out,
};

/// The old password and the new one.
#[wire]
pub struct Input {
    /// The password that the account has now; left out where it has none.
    #[garde(dive)]
    pub current: Option<GivenPassword>,
    /// The new password, at least 12 characters.
    #[garde(dive)]
    pub password: Password,
    /// Whether all accounts elsewhere are unlinked as well, such as one that somebody else may have linked; they stay if
    /// left out.
    pub unlink_identities: Option<bool>,
}

/// Why the password stays.
#[derive(Debug, Failure)]
pub enum Error {
    /// The account has another password now; it is given as `current`.
    #[failure(FORBIDDEN)]
    WrongPassword,
    /// The caller is no user.
    #[failure(NOT_FOUND)]
    NotAUser,
}

/// Change one's own password. All other devices are signed out, this one's cookie is renewed, and links that were
/// mailed before are void.
#[procedure(mutation, auth = signed_in, fresh = 300, rest = "POST /v1/auth/change-password", memory_mb = 1024, concurrency = 10)]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn change_password(
    users: Read<User>,
    accounts: Write<Account>,
    sessions: Write<Session>,
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
    let account = accounts.get(&id).await?.ok_or(Error::NotAUser)?;
    expect_strong(&input.password, &[user.email.as_str(), &user.name])?;
    if account.password.is_some() {
        // Who has a session is no stranger: the attempts count for this device alone, whose session may be renewed.
        let place = account.device_of(caller.session());
        let turn = Turn::take()?;
        let attempt = limits::sign_in(&attempts, &device, &user.email, place).await?;
        let given = input.current.as_ref().map(GivenPassword::as_str).unwrap_or_default();
        if !turn.verify(account.password.as_deref(), given).await?.is_right() {
            audit::password_refused(&log, &caller, "change_password", (&ids, &clock, &device)).await?;
            return Err(Error::WrongPassword);
        }
        attempt.succeeded().await?;
    }
    let hash = password::hash(input.password.as_str()).await?;
    let doors = Sessions { accounts, sessions, clock };
    let by_cookie = cookies.get(COOKIE).is_some_and(|cookie| caller.session() == Some(&cookie.hash()));
    let mut contest = Contest::default();
    for _ in 0..ATTEMPTS {
        // As it is now; a sign-in elsewhere in this moment is no conflict, another password is.
        let current = doors.to_end(&id, &mut contest).await?.filter(|current| current.generation == account.generation);
        let current = current.ok_or(Error::WrongPassword)?;
        let is_own = |place: &Place| caller.session().is_some_and(|own| place.has(own));
        let (mut kept, others): (Vec<_>, Vec<_>) = current.devices.iter().cloned().partition(is_own);
        if kept.is_empty() && caller.session().is_some() {
            Err(shut_out("You were signed out. Sign in again."))?;
        }
        let mut operations = doors.ending(&others).await?;
        // Whoever has a copy of this browser's cookie is out as well.
        let mut renewed = None;
        if let (true, Some(place)) = (by_cookie, kept.first_mut())
            && let Some((secret, reissuing)) = doors.reissuing(place).await?
        {
            operations.extend(reissuing);
            renewed = Some(secret);
        }
        let mut next = Account { devices: kept, ..current.clone().with_password(hash.clone()) };
        if input.unlink_identities == Some(true) {
            next.identities.clear();
        }
        operations.push(doors.putting(Some(&current), &mut next));
        operations.push(log.creating(&mut audit::by(&caller, AuditAction::PasswordChanged, &ids, &clock, &device)));
        match transaction(operations).await {
            Err(StoreError::Stale) => {}
            done => {
                done?;
                if let Some(secret) = renewed {
                    cookies.sign_in(&secret);
                }
                notices.tell(&user.email, Notice::PasswordChanged).await;
                notices.tell_dropped(&user.email, &current, &next).await;
                return Ok(());
            }
        }
    }
    Err(StoreError::Stale)?
}
