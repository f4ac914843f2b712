//! `auth.reauthenticate`.

use runtime::prelude::*;

use crate::{
    Account, AuditAction, GivenPassword, IdentityUser, Tokens, audit::Audit, issuer::Issuer, own_password::OwnPassword,
    sessions::Sessions, sign_in_refused,
};

/// The proof.
#[wire(input)]
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
    /// The account has no password: prove it by an account at an identity provider, sign in anew, or let a link be
    /// mailed by which to choose a password.
    #[failure(UNPROCESSABLE_CONTENT)]
    NoPassword,
    /// The caller is no user who is signed in, but an operator.
    #[failure(NOT_FOUND)]
    NotAUser,
}

/// Prove again who one is, for what takes a sign-in of a moment ago.
///
/// Procedures that fail with `reauthenticate` may be called for some minutes from then on, in this session. Its cookie
/// is renewed, or its tokens: whoever has a copy of those before is signed out.
#[procedure(mutation, auth = signed_in, sensitive, rest = "POST /v1/auth/reauthenticate", memory_mb = 1024, concurrency = 10)]
pub async fn reauthenticate<U: IdentityUser>(
    users: Read<U>,
    sessions: Sessions,
    current_password: OwnPassword,
    issuer: Issuer,
    audit: Audit,
    caller: Caller,
    #[input] input: Input,
) -> Result<Reauthenticated, Error> {
    let id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
    let user = users.get(&id).await?.ok_or(Error::NotAUser)?;
    let account = sessions.accounts.get(&id).await?.ok_or(Error::NotAUser)?;
    let stored = account.password.as_deref().ok_or(Error::NoPassword)?;
    let session = caller.session().ok_or(Error::NotAUser)?;
    if !current_password.is_right(&caller, (&user, &account), Some(&input.password), "reauthenticate").await? {
        return Err(Error::WrongPassword);
    }
    let check = |current: &Account| match current.password.as_deref() == Some(stored) {
        true => Ok(()),
        false => Err(sign_in_refused("The password is another one by now.")),
    };
    let extra_operations = || vec![audit.creating(audit.by(&caller, AuditAction::Reauthenticated))];
    let (kept, session) = sessions.reauthenticate((id, session), sessions.clock.now(), check, extra_operations).await?;
    Ok(Reauthenticated { tokens: issuer.issue(&kept, &session).await? })
}
