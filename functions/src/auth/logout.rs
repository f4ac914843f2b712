//! `auth.logout`.

use model::{Account, AuditEntry, Session};
use runtime::{Cookies, Device, Ids, opaque::Opaque, prelude::*, rotation::RefreshToken, sessions::COOKIE};

use crate::identity::{audit, sessions::Sessions};

/// What ends besides the browser's own session.
#[wire]
pub struct Input {
    /// The tokens of a program.
    #[garde(skip)]
    pub refresh_token: Option<String>,
}

/// Sign out: the browser's session ends, and that of the tokens, if there are any. Signing out twice is no mistake.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/logout")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn logout(
    accounts: Write<Account>,
    sessions: Write<Session>,
    log: Append<AuditEntry>,
    // What comes with a cookie must come from an own page.
    caller: Option<Caller>,
    cookies: Cookies,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), NoFailure> {
    let doors = Sessions { accounts, sessions, clock };
    let token = input.refresh_token.as_deref().and_then(RefreshToken::parse);
    let cookie = cookies.get(COOKIE).as_ref().map(Opaque::hash);
    let cookie = cookie.filter(|id| caller.as_ref().and_then(Caller::session) == Some(id));
    for id in [cookie, token.map(|token| token.session.hash())].into_iter().flatten() {
        doors.end_of(&id, audit::signed_out(&log, &ids, &clock, &device)).await?;
    }
    cookies.remove(COOKIE);
    Ok(())
}
