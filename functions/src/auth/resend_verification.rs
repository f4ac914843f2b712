//! `auth.resend_verification`.

use model::{Account, AuditAction, AuditEntry, EmailAddress, MailedToken, Purpose, User, UserId};
use protocol::Fault;
use runtime::{Device, Ids, Limits, Site, mail::Mail, prelude::*};

use crate::identity::{
    audit, limits,
    mails::{self, Letter, LinkMails},
};

/// Who asks.
#[wire]
pub struct Input {
    /// The address that is to be proved.
    #[garde(dive)]
    pub email: EmailAddress,
}

/// Mail the link once more that proves an address, which is good for whoever registered it first; where there is no way to
/// sign in yet, since an administrator made or decided about the account, a link to choose a password. The answer does not
/// tell whether there is such an account.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/resend-verification")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn resend_verification(
    users: Read<User>,
    accounts: Read<Account>,
    tokens: Append<MailedToken>,
    log: Append<AuditEntry>,
    attempts: Limits,
    mail: Mail,
    site: Site,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), NoFailure> {
    let may_send = limits::mail(&attempts, &device, &input.email, Purpose::VerifyEmail, None).await?;
    let mails = LinkMails { mail: &mail, site: &site, device: &device, clock: &clock };
    let work = async {
        let found = users.by_unique(User::UNIQUE_EMAIL, &input.email.comparable()).await?;
        let target = found.as_ref().map_or_else(|| ids.next::<UserId>(), |user| user.id);
        let who = (target, found.is_some());
        log.create(audit::about(AuditAction::VerificationRequested, who, (&ids, &clock, &device))).await?;
        if let Some(user) = found.filter(|user| may_send && !user.is_verified) {
            let account = accounts.get(&user.id).await?;
            let has_way_in = account.as_ref().is_some_and(|it| it.password.is_some() || !it.identities.is_empty());
            let purpose = if has_way_in { Purpose::VerifyEmail } else { Purpose::ResetPassword };
            let (secret, token) = mails::token(purpose, &user, account.as_ref(), &clock)?;
            tokens.create(token).await?;
            let letter = if has_way_in { Letter::ConfirmAgain(&secret) } else { Letter::Reset(&secret) };
            mails.try_to_send(&user.email, letter).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(mails::unhurried(work).await?)
}
