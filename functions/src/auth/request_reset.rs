//! `auth.request_reset`.

use model::{Account, AuditAction, AuditEntry, EmailAddress, MailedToken, Purpose, User, UserId};
use protocol::Fault;
use runtime::{Cookies, Device, Ids, Limits, Site, mail::Mail, prelude::*};

use crate::identity::{
    audit, browsers, limits,
    mails::{self, Letter, LinkMails},
};

/// Who asks.
#[wire]
pub struct Input {
    /// The address of the account.
    #[garde(dive)]
    pub email: EmailAddress,
}

/// Mail a link by which another password can be chosen. The answer does not tell whether there is such an account.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/request-reset")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn request_reset(
    users: Read<User>,
    accounts: Read<Account>,
    tokens: Append<MailedToken>,
    log: Append<AuditEntry>,
    attempts: Limits,
    mail: Mail,
    cookies: Cookies,
    site: Site,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), NoFailure> {
    let found = users.by_unique(User::UNIQUE_EMAIL, &input.email.comparable()).await?;
    // An address that nobody has is as much work.
    let target = found.as_ref().map_or_else(|| ids.next::<UserId>(), |user| user.id);
    let account = accounts.get(&target).await?;
    let known = browsers::known(&cookies, account.as_ref()).map(|browser| browser.hash());
    let may_send = limits::mail(&attempts, &device, &input.email, Purpose::ResetPassword, known.as_ref()).await?;
    let mails = LinkMails { mail: &mail, site: &site, device: &device, clock: &clock };
    let work = async {
        let who = (target, found.is_some());
        log.create(audit::about(AuditAction::ResetRequested, who, (&ids, &clock, &device))).await?;
        if let Some(user) = found.filter(|_| may_send) {
            let (secret, token) = mails::token(Purpose::ResetPassword, &user, account.as_ref(), &clock)?;
            tokens.create(token).await?;
            mails.try_to_send(&user.email, Letter::Reset(&secret)).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(mails::unhurried(work).await?)
}
