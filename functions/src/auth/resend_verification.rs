//! `auth.resend_verification`.

use model::{EmailAddress, MailedToken, Purpose, User};
use protocol::Fault;
use runtime::{Device, Limits, Site, mail::Mail, prelude::*};

use crate::identity::{limits, mails};

/// Who asks.
#[wire]
pub struct Input {
    /// The address that is to be proved.
    #[garde(dive)]
    pub email: EmailAddress,
}

/// Mail the link once more that proves an address. The answer does not tell whether there is such an account.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/resend-verification")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn resend_verification(
    users: Read<User>,
    tokens: Append<MailedToken>,
    attempts: Limits,
    mail: Mail,
    site: Site,
    device: Device,
    clock: Clock,
    input: Input,
) -> Result<(), NoFailure> {
    let may_send = limits::mail(&attempts, &device, &input.email, Purpose::VerifyEmail).await?;
    let work = async {
        let found = users.by_unique(User::UNIQUE_EMAIL, &input.email.comparable()).await?;
        if let Some(user) = found.filter(|user| may_send && !user.is_verified) {
            let (secret, token) = mails::token(Purpose::VerifyEmail, &user, &clock)?;
            tokens.create(token).await?;
            mails::try_to_send(&mail, &site, Purpose::VerifyEmail, &user.email, &secret).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(mails::unhurried(work).await?)
}
