//! `auth.request_reset`.

use model::{Account, EmailAddress, MailedToken, Purpose, User};
use protocol::Fault;
use runtime::{Device, Limits, Site, mail::Mail, prelude::*};

use crate::identity::{limits, mails};

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
    attempts: Limits,
    mail: Mail,
    site: Site,
    device: Device,
    clock: Clock,
    input: Input,
) -> Result<(), NoFailure> {
    let may_send = limits::mail(&attempts, &device, &input.email, Purpose::ResetPassword).await?;
    let work = async {
        let found = users.by_unique(User::UNIQUE_EMAIL, &input.email.comparable()).await?;
        if let Some(user) = found.filter(|_| may_send) {
            let account = accounts.get(&user.id).await?;
            let (secret, mut token) = mails::token(Purpose::ResetPassword, &user, &clock)?;
            token.password_was = mails::password_was(account.as_ref());
            tokens.create(token).await?;
            mails::try_to_send(&mail, &site, Purpose::ResetPassword, &user.email, &secret).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(mails::unhurried(work).await?)
}
