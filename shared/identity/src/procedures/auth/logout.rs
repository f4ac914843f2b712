//! `auth.logout`.

use runtime::{Cookies, opaque::Opaque, prelude::*, sessions::COOKIE};

use crate::{audit::Audit, rotation::RefreshToken, sessions::Sessions};

/// What ends besides the browser's own session.
#[wire(input)]
pub struct Input {
    /// The tokens of a program.
    #[garde(skip)]
    pub refresh_token: Option<String>,
}

/// Sign out: the browser's session ends, and that of the tokens, if there are any. Signing out twice is no mistake.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/logout")]
pub async fn logout(
    sessions: Sessions,
    audit: Audit,
    // The framework checks that a call with a cookie comes from an own page.
    caller: Option<Caller>,
    cookies: Cookies,
    #[input] input: Input,
) -> Result<(), NoFailure> {
    let token = input.refresh_token.as_deref().and_then(RefreshToken::parse);
    let cookie = cookies.get(COOKIE).as_ref().map(Opaque::hash);
    let cookie = cookie.filter(|id| caller.as_ref().and_then(Caller::session) == Some(id));
    for id in [cookie, token.map(|token| token.session.hash())].into_iter().flatten() {
        sessions.end_of(&id, audit.signed_out()).await?;
    }
    cookies.remove(COOKIE);
    Ok(())
}
