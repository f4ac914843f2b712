//! `auth.reauthenticate`.

use model::{Account, AuditAction, AuditEntry, GivenPassword, Session, User};
use runtime::{Cookies, Device, Ids, Limits, Signer, password::Turn, prelude::*};

use crate::identity::{
    Tokens, audit, limits,
    sessions::{Kept, Sessions},
    shut_out,
};

/// The proof.
#[wire]
pub struct Input {
    /// The account's password.
    #[garde(dive)]
    pub password: GivenPassword,
}

/// What was renewed with it.
#[wire]
pub struct Reauthenticated {
    /// The next tokens, where the session is kept in tokens: those before are good no more.
    pub tokens: Option<Tokens>,
}

/// Why it is no proof.
#[derive(Debug, Failure)]
pub enum Error {
    /// The account has another password.
    #[failure(FORBIDDEN)]
    WrongPassword,
    /// The account has no password: prove it with `oauth.reauthenticate`, sign in anew, or choose a password by a link
    /// that `auth.request_reset` mails.
    #[failure(UNPROCESSABLE_CONTENT)]
    NoPassword,
    /// The caller is no user who is signed in, but an operator.
    #[failure(NOT_FOUND)]
    NotAUser,
}

/// Prove again who one is, for what only somebody may do who signed in a moment ago.
///
/// Procedures that fail with `reauthenticate` may be called for some minutes from then on, in this session. Its cookie is
/// renewed, or its tokens: whoever has a copy of those before is signed out.
#[procedure(mutation, auth = signed_in, sensitive, rest = "POST /v1/auth/reauthenticate", memory_mb = 1024, concurrency = 10)]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn reauthenticate(
    users: Read<User>,
    accounts: Write<Account>,
    sessions: Write<Session>,
    log: Append<AuditEntry>,
    attempts: Limits,
    signer: Signer,
    caller: Caller,
    cookies: Cookies,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<Reauthenticated, Error> {
    let id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
    let user = users.get(&id).await?.ok_or(Error::NotAUser)?;
    let account = accounts.get(&id).await?.ok_or(Error::NotAUser)?;
    let stored = account.password.as_deref().ok_or(Error::NoPassword)?;
    let session = caller.session().ok_or(Error::NotAUser)?;
    let turn = Turn::take()?;
    // Who has a session is no stranger: the attempts count for this device alone.
    let attempt = limits::sign_in(&attempts, &device, &user.email, account.device_of(Some(session))).await?;
    if !turn.verify(Some(stored), input.password.as_str()).await?.is_right() {
        audit::password_refused(&log, &caller, "reauthenticate", (&ids, &clock, &device)).await?;
        return Err(Error::WrongPassword);
    }
    attempt.succeeded().await?;
    let doors = Sessions { accounts, sessions, clock };
    let check = |current: &Account| match current.password.as_deref() == Some(stored) {
        true => Ok(()),
        false => Err(shut_out("The password is another one by now.")),
    };
    let besides = || vec![log.creating(&mut audit::by(&caller, AuditAction::Reauthenticated, &ids, &clock, &device))];
    match doors.reauthenticate((id, session), doors.clock.now(), check, besides).await? {
        (Kept::Cookie(secret), _) => {
            cookies.sign_in(&secret);
            Ok(Reauthenticated { tokens: None })
        }
        (Kept::Tokens(token) | Kept::Application { token, .. }, session) => {
            Ok(Reauthenticated { tokens: Some(Tokens::of(&signer, &session, &token).await?) })
        }
    }
}
