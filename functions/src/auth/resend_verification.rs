//! `auth.resend_verification`.

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
    /// The address that is to be proved.
    #[garde(dive)]
    pub email: EmailAddress,
}

/// Mail the link once more that proves an address, which is good for whoever registered it first. The answer does not tell whether there is such an account.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/resend-verification")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn resend_verification(
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
    let may_send = limits::mail(&attempts, &device, &input.email, Purpose::VerifyEmail).await?;
    let post = Post { mail: &mail, site: &site, device: &device, clock: &clock };
    let work = async {
        let found = users.by_unique(User::UNIQUE_EMAIL, &input.email.comparable()).await?;
        if let Some(user) = found.filter(|user| may_send && !user.is_verified) {
            let account = accounts.get(&user.id).await?;
            let (secret, token) = mails::token(Purpose::VerifyEmail, &user, account.as_ref(), &clock)?;
            tokens.create(token).await?;
            post.try_to_send(&user.email, Letter::ConfirmAgain(&secret)).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(mails::unhurried(work).await?)
}
