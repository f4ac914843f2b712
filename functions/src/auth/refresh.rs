//! `auth.refresh`.

use model::{Account, AuditAction, AuditEntry, Session};
use runtime::{Cookies, Device, Ids, Limits, Signer, prelude::*, rotation::RefreshToken, sessions::COOKIE};

use crate::identity::{
    Tokens, audit, limits,
    sessions::{Sessions, Turned},
};

/// What is renewed.
#[wire]
pub struct Input {
    /// The last refresh token; the browser's cookie is renewed if it is left out.
    #[garde(skip)]
    pub refresh_token: Option<String>,
}

/// What was renewed.
#[wire]
pub struct Refreshed {
    /// The new tokens; null where the browser's cookie was renewed.
    pub tokens: Option<Tokens>,
}

/// Why nothing was renewed.
#[derive(Debug, Failure)]
pub enum Error {
    /// The session has ended: sign in again.
    #[failure(UNAUTHORIZED)]
    Ended,
}

/// Renew a session: its tokens, or the browser's cookie.
///
/// A refresh token is good once. Within half a minute it may come again, for an answer that was lost, and gets
/// the same answer; after that its session ends, since two parties have it.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/refresh")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn refresh(
    accounts: Write<Account>,
    sessions: Write<Session>,
    log: Append<AuditEntry>,
    attempts: Limits,
    signer: Signer,
    // What comes with a cookie must come from an own page.
    caller: Option<Caller>,
    cookies: Cookies,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<Refreshed, Error> {
    let doors = Sessions { accounts, sessions, clock };
    let Some(text) = input.refresh_token else {
        let secret = cookies.get(COOKIE).ok_or(Error::Ended)?;
        caller.filter(|caller| caller.session() == Some(&secret.hash())).ok_or(Error::Ended)?;
        let next = doors.renew_cookie(&secret).await?.ok_or(Error::Ended)?;
        cookies.sign_in(&next);
        return Ok(Refreshed { tokens: None });
    };
    let turned = match RefreshToken::parse(&text) {
        Some(token) => doors.turn(&token, None).await?,
        None => Turned::Unknown,
    };
    match turned {
        Turned::Next(session, token) => Ok(Refreshed { tokens: Some(Tokens::of(&signer, &session, &token).await?) }),
        Turned::Unknown => {
            limits::bad_token(&attempts, &device).await?;
            Err(Error::Ended)
        }
        Turned::Reused(session) => {
            let entry = || {
                let actor = Some(session.user_id.to_string());
                let mut entry = AuditEntry { actor, ..audit::entry(AuditAction::TokenReused, &ids, &clock, &device) };
                vec![log.creating(&mut entry)]
            };
            doors.end(session.user_id, |place| place.device == session.device, |_| {}, entry).await?;
            Err(Error::Ended)
        }
    }
}
