//! `auth.resendVerification`.

use protocol::Fault;
use runtime::prelude::*;

use crate::{
    AuditAction, EmailAddress, IdentityUser, Purpose,
    mails::{LinkMail, LinkRequest, with_min_duration},
};

/// Who asks.
#[wire(input)]
pub struct Input {
    /// The address that is to be proved.
    #[garde(dive)]
    pub email: EmailAddress,
}

/// Mail the link once more that proves an address, which is good for whoever registered it first; where there is no way to
/// sign in yet, since an administrator made or decided about the account, a link to choose a password. The answer does not
/// tell whether there is such an account.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/resend-verification")]
pub async fn resend_verification<U: IdentityUser>(
    request: LinkRequest<U>,
    #[input] input: Input,
) -> Result<(), NoFailure> {
    let LinkRequest { attempts, mails, audit, .. } = &request;
    let may_send = attempts.mail(&input.email, Purpose::VerifyEmail, None).await?;
    let work = async {
        let (target, found) = request.find(&input.email).await?;
        audit.create(audit.about(AuditAction::VerificationRequested, (target, found.is_some()))).await?;
        if let Some(user) = found.filter(|user| may_send && !user.is_verified()) {
            let account = request.accounts.get(&user.user_id()).await?;
            let has_way_in = account.as_ref().is_some_and(|it| it.password.is_some() || !it.identities.is_empty());
            let purpose = if has_way_in { Purpose::VerifyEmail } else { Purpose::ResetPassword };
            let secret = request.token(purpose, &user, account.as_ref()).await?;
            let letter = if has_way_in { LinkMail::ConfirmAgain(&secret) } else { LinkMail::Reset(&secret) };
            mails.try_to_send(user.email(), letter).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(with_min_duration(work).await?)
}
