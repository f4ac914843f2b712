//! `auth.request_reset`.

use model::{EmailAddress, MailedToken, Purpose, User};
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
    tokens: Append<MailedToken>,
    attempts: Limits,
    mail: Mail,
    site: Site,
    device: Device,
    clock: Clock,
    input: Input,
) -> Result<(), NoFailure> {
    limits::mail(&attempts, &device, &input.email, Purpose::ResetPassword).await?;
    let work = async {
        if let Some(user) = users.by_unique(User::UNIQUE_EMAIL, &input.email.folded()).await? {
            let (secret, token) = mails::token(Purpose::ResetPassword, &user, &clock)?;
            tokens.create(token).await?;
            mails::try_to_send(&mail, &site, Purpose::ResetPassword, &user.email, &secret).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(mails::unhurried(work).await?)
}
