//! `auth.request_reset`.

use model::{Account, EmailAddress, MailedToken, Purpose, User};
use protocol::Fault;
use runtime::{Device, Limits, Site, mail::Mail, prelude::*};

use crate::identity::{
    limits,
    mails::{self, Letter, Post},
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
    attempts: Limits,
    mail: Mail,
    site: Site,
    device: Device,
    clock: Clock,
    input: Input,
) -> Result<(), NoFailure> {
    let may_send = limits::mail(&attempts, &device, &input.email, Purpose::ResetPassword).await?;
    let post = Post { mail: &mail, site: &site, device: &device, clock: &clock };
    let work = async {
        let found = users.by_unique(User::UNIQUE_EMAIL, &input.email.comparable()).await?;
        if let Some(user) = found.filter(|_| may_send) {
            let account = accounts.get(&user.id).await?;
            let (secret, token) = mails::token(Purpose::ResetPassword, &user, account.as_ref(), &clock)?;
            tokens.create(token).await?;
            post.try_to_send(&user.email, Letter::Reset(&secret)).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(mails::unhurried(work).await?)
}
