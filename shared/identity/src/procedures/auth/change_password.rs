//! `auth.changePassword`.

use runtime::{Cookies, prelude::*, sessions::COOKIE};
use store::transaction;

use crate::{
    Account, AuditAction, Device, GivenPassword, IdentityUser, Password,
    account_lease::Contention,
    expect_strong,
    notices::{Notice, Notices},
    own_password::OwnPassword,
    password,
    sessions::{ATTEMPTS, Sessions},
    sign_in_refused,
};

/// The old password and the new one.
#[wire(input)]
pub struct Input {
    /// The password that the account has now; left out where it has none.
    #[garde(dive)]
    pub current: Option<GivenPassword>,
    /// The new password, at least 12 characters.
    #[garde(dive)]
    pub password: Password,
    /// Whether all accounts at identity providers are unlinked as well, such as one that somebody else may have linked;
    /// they stay if left out.
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
pub async fn change_password<U: IdentityUser>(
    users: Read<U>,
    sessions: Sessions,
    current_password: OwnPassword,
    notices: Notices,
    caller: Caller,
    cookies: Cookies,
    #[input] input: Input,
) -> Result<(), Error> {
    let id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
    let user = users.get(&id).await?.ok_or(Error::NotAUser)?;
    let account = sessions.accounts.get(&id).await?.ok_or(Error::NotAUser)?;
    expect_strong(&input.password, caller.service(), &[user.email().as_str(), user.name()])?;
    let given = input.current.as_ref();
    if account.password.is_some()
        && !current_password.is_right(&caller, (&user, &account), given, "change_password").await?
    {
        return Err(Error::WrongPassword);
    }
    let audit = &current_password.audit;
    let hash = password::hash(input.password.as_str()).await?;
    let by_cookie = cookies.get(COOKIE).is_some_and(|cookie| caller.session() == Some(&cookie.hash()));
    let mut contention = Contention::default();
    for _ in 0..ATTEMPTS {
        // A concurrent sign-in on another device is no conflict; a concurrent change of the password is.
        let current = sessions
            .read_for_ending(&id, &mut contention)
            .await?
            .filter(|current| current.generation == account.generation);
        let current = current.ok_or(Error::WrongPassword)?;
        let is_own = |device: &Device| caller.session().is_some_and(|own| device.has(own));
        let (mut kept, others): (Vec<_>, Vec<_>) = current.devices.iter().cloned().partition(is_own);
        if kept.is_empty() && caller.session().is_some() {
            Err(sign_in_refused("You were signed out. Sign in again."))?;
        }
        let mut operations = sessions.ending(&others).await?;
        // A holder of a copy of this browser's cookie is signed out as well.
        let mut renewed = None;
        if let (true, Some(device)) = (by_cookie, kept.first_mut())
            && let Some((secret, reissuing)) = sessions.reissuing(device).await?
        {
            operations.extend(reissuing);
            renewed = Some(secret);
        }
        let mut next = Account { devices: kept, ..current.clone().with_password(hash.clone()) };
        if input.unlink_identities == Some(true) {
            next.identities.clear();
        }
        operations.push(sessions.putting(Some(&current), &mut next));
        operations.push(audit.creating(audit.by(&caller, AuditAction::PasswordChanged)));
        match transaction(operations).await {
            Err(StoreError::Stale) => {}
            done => {
                done?;
                if let Some(secret) = renewed {
                    cookies.sign_in(&secret);
                }
                notices.notify(user.email(), Notice::PasswordChanged).await;
                notices.notify_unlinked(user.email(), &current, &next).await;
                return Ok(());
            }
        }
    }
    Err(StoreError::Stale)?
}
