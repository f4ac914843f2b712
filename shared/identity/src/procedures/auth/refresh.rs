//! `auth.refresh`.

use runtime::{prelude::*, sessions::COOKIE};

use crate::{
    AuditAction, AuditEntry, Tokens,
    audit::Audit,
    issuer::Issuer,
    limits::Attempts,
    rotation::RefreshToken,
    sessions::{Renewal, Sessions},
};

/// What is renewed.
#[wire(input)]
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
pub async fn refresh(
    sessions: Sessions,
    audit: Audit,
    attempts: Attempts,
    issuer: Issuer,
    // The framework checks that a call with a cookie comes from an own page.
    caller: Option<Caller>,
    #[input] input: Input,
) -> Result<Refreshed, Error> {
    let Some(text) = input.refresh_token else {
        let secret = issuer.cookies.get(COOKIE).ok_or(Error::Ended)?;
        caller.filter(|caller| caller.session() == Some(&secret.hash())).ok_or(Error::Ended)?;
        let next = sessions.renew_cookie(&secret).await?.ok_or(Error::Ended)?;
        issuer.cookies.sign_in(&next);
        return Ok(Refreshed { tokens: None });
    };
    let turned = match RefreshToken::parse(&text) {
        Some(token) => sessions.renew(&token, None).await?,
        None => Renewal::Unknown,
    };
    match turned {
        Renewal::Next(session, token) => Ok(Refreshed { tokens: Some(issuer.tokens(&session, &token).await?) }),
        Renewal::Unknown => {
            attempts.bad_token().await?;
            Err(Error::Ended)
        }
        Renewal::Reused(session) => {
            let entry = || {
                let actor = Some(session.user_id.to_string());
                vec![audit.creating(AuditEntry { actor, ..audit.entry(AuditAction::TokenReused) })]
            };
            sessions.end(session.user_id, |device| device.device == session.device, |_| {}, entry).await?;
            Err(Error::Ended)
        }
    }
}
