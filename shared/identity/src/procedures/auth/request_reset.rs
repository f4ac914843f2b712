//! `auth.requestReset`.

use protocol::Fault;
use runtime::{Cookies, prelude::*};

use crate::{
    AuditAction, EmailAddress, IdentityUser, Purpose, known_browsers,
    mails::{LinkMail, LinkRequest, with_min_duration},
};

/// Who asks.
#[wire(input)]
pub struct Input {
    /// The address of the account.
    #[garde(dive)]
    pub email: EmailAddress,
}

/// Mail a link by which another password can be chosen. The answer does not tell whether there is such an account.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/request-reset")]
pub async fn request_reset<U: IdentityUser>(
    request: LinkRequest<U>,
    cookies: Cookies,
    #[input] input: Input,
) -> Result<(), NoFailure> {
    let LinkRequest { attempts, mails, audit, .. } = &request;
    let (target, found) = request.find(&input.email).await?;
    let account = request.accounts.get(&target).await?;
    let known = known_browsers::known(&cookies, account.as_ref()).map(|browser| browser.hash());
    let may_send = attempts.mail(&input.email, Purpose::ResetPassword, known.as_ref()).await?;
    let work = async {
        audit.create(audit.about(AuditAction::ResetRequested, (target, found.is_some()))).await?;
        if let Some(user) = found.filter(|_| may_send) {
            let secret = request.token(Purpose::ResetPassword, &user, account.as_ref()).await?;
            mails.try_to_send(user.email(), LinkMail::Reset(&secret)).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(with_min_duration(work).await?)
}
