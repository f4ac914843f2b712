//! `auth.login`.

use runtime::{prelude::*, sessions::COOKIE};

use crate::{
    Account, AuditAction, AuditEntry, EmailAddress, GivenPassword, IdentityUser, Keep, SignedIn, UserId,
    audit::Audit,
    is_sign_in_refused,
    issuer::Issuer,
    known_browsers::Browser,
    limits::Attempts,
    notices::{Notice, Notices},
    password::{HashingPermit, Verdict},
    sessions::{SessionSecret, Sessions},
    sign_in_refused,
};

/// Who signs in, and how it is kept.
#[wire(input)]
pub struct Input {
    /// The address of the account.
    #[garde(dive)]
    pub email: EmailAddress,
    /// Its password.
    #[garde(dive)]
    pub password: GivenPassword,
    /// In a cookie if left out.
    pub keep: Option<Keep>,
}

/// Why nobody was signed in.
#[derive(Debug, Failure)]
pub enum Error {
    /// There is no account with this address and this password, or its address is not proved: the link is in a mail.
    #[failure(UNAUTHORIZED)]
    WrongCredentials,
}

/// Sign in with an e-mail address and a password.
///
/// It takes as long, and says the same, whether the address is unknown or the password is wrong.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/login", memory_mb = 1024, concurrency = 40)]
pub async fn login<U: IdentityUser>(
    users: Read<U>,
    sessions: Sessions,
    audit: Audit,
    attempts: Attempts,
    notices: Notices,
    issuer: Issuer,
    #[input] input: Input,
) -> Result<SignedIn<U::Me>, Error> {
    let cookies = &issuer.cookies;
    let permit = HashingPermit::acquire()?;
    let found = users.by_unique(U::UNIQUE_EMAIL, &input.email.comparable()).await?;
    let id = match &found {
        Some(user) => user.user_id(),
        None => {
            // A fresh id: for an unknown address, as much is read as for a known one.
            let id = sessions.ids.next::<UserId>();
            users.get(&id).await?;
            id
        }
    };
    let account = sessions.accounts.get(&id).await?;
    let browser = Browser::of(cookies, account.as_ref())?;
    let attempt = attempts.sign_in(&input.email, browser.known.as_ref()).await?;
    let stored = account.as_ref().and_then(|account| account.password.as_deref());
    let verdict = permit.verify(stored, input.password.as_str()).await?;
    // The person who registered an address need not be its owner: nobody is signed in before the proof, and nobody
    // learns by it whether the address had an account.
    let is_proof_owed = found.as_ref().is_some_and(U::is_as_registered);
    if !verdict.is_right() || is_proof_owed {
        audit.create(audit.about(AuditAction::SignInFailed, (id, found.is_some()))).await?;
        return Err(Error::WrongCredentials);
    }
    let better = match verdict {
        Verdict::RightButWeak => Some(permit.hash(input.password.as_str()).await?),
        _ => None,
    };
    drop(permit);
    let was = stored.map(str::to_owned);
    let kept = input.keep.unwrap_or(Keep::Cookie).new_secret()?;
    let is_browser = matches!(kept, SessionSecret::Cookie(_));
    let change = |account: &mut Account| {
        if account.password != was {
            // The password changed a moment ago.
            return Err(sign_in_refused("The password is another one by now."));
        }
        if let Some(better) = &better {
            account.password = Some(better.clone());
        }
        // A program keeps no cookie: to remember it would push out browsers that are known.
        if is_browser {
            account.know(browser.hash());
        }
        Ok(())
    };
    let entry = || {
        let actor = Some(id.to_string());
        vec![audit.creating(AuditEntry { actor, ..audit.entry(AuditAction::SignedIn) })]
    };
    let (user, session) = match sessions.begin(&users, id, &kept, change, entry).await {
        Err(fault) if is_sign_in_refused(&fault) => return Err(Error::WrongCredentials),
        begun => begun?,
    };
    attempt.succeeded().await?;
    // A new sign-in leaves no session behind in this browser (OWASP ASVS 5.0, 7.2.4).
    if is_browser && let Some(before) = cookies.get(COOKIE) {
        sessions.end_of(&before.hash(), audit.signed_out()).await?;
    }
    if is_browser {
        browser.keep(cookies);
    }
    if browser.is_new {
        let notice = if is_browser { Notice::NewBrowser } else { Notice::Program };
        notices.notify(user.email(), notice).await;
    }
    let tokens = issuer.issue(&kept, &session).await?;
    Ok(SignedIn { user: user.me(), tokens })
}
