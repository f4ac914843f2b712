//! `auth.register`.

use protocol::Fault;
use runtime::{Cookies, NotAdmitted, RegistrationPolicy, prelude::*};

use crate::{
    Claim, EmailAddress, IdentityUser, Password, Purpose, expect_strong,
    founder::{Foundation, Founding},
    limits::Attempts,
    mailbox_proof,
    mails::{self, LinkMails},
    name,
    password::HashingPermit,
    registration::Registrar,
};

/// Who registers.
#[wire(input)]
pub struct Input {
    /// Where mail reaches the person.
    #[garde(dive)]
    pub email: EmailAddress,
    /// The name that others see.
    #[garde(length(chars, min = 1, max = name::MAX_CHARS))]
    pub name: String,
    /// The password, at least 12 characters.
    #[garde(dive)]
    pub password: Password,
    /// The token that names the first administrator: whoever deployed the service was told it.
    #[garde(length(chars, max = 100))]
    pub founder_token: Option<String>,
}

/// Why nobody was registered.
#[derive(Debug, Failure)]
pub enum Error {
    /// Nobody registers here by themselves: an administrator makes the accounts.
    #[failure(FORBIDDEN)]
    Closed,
    /// Only who has an address of certain domains registers here.
    #[failure(FORBIDDEN)]
    OtherDomain,
    /// The token names nobody, was used, or there is a first administrator by now.
    #[failure(FORBIDDEN)]
    WrongFounderToken,
}

impl From<NotAdmitted> for Error {
    fn from(reason: NotAdmitted) -> Self {
        match reason {
            NotAdmitted::Closed => Self::Closed,
            NotAdmitted::OtherDomain => Self::OtherDomain,
        }
    }
}

/// Register with an e-mail address and a password.
///
/// The answer is the same whether or not the address has an account, and comes after the same time: what is to be done
/// next is in the mail. Nobody has any permission before the address is proved, and an account whose address nobody
/// proves ends after seven days. Whoever registers with the token that names the first administrator is it with the
/// proof of the address, also where nobody else registers; on a service under development, the first person who registers
/// is. Others get the role of new users.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/register", memory_mb = 1024, concurrency = 20)]
pub async fn register<U: IdentityUser>(
    registrar: Registrar<U>,
    foundation: Foundation,
    registration: RegistrationPolicy,
    attempts: Attempts,
    mails: LinkMails,
    cookies: Cookies,
    #[input] input: Input,
) -> Result<(), Error> {
    let founding = foundation.decide(input.founder_token.as_deref()).await?;
    let named = match &founding {
        Founding::Named(token) => Some(token.clone()),
        _ => None,
    };
    let is_over = match &named {
        Some(token) => foundation.is_used(token).await? || registrar.has_founder().await?,
        None => false,
    };
    if founding == Founding::Wrong || is_over {
        registrar.audit.token_refused("founder").await?;
        attempts.bad_token().await?;
        return Err(Error::WrongFounderToken);
    }
    if named.is_none() {
        registration.expect(&input.email.comparable()).map_err(Error::from)?;
    }
    let permit = HashingPermit::acquire()?;
    let may_send = attempts.mail(&input.email, Purpose::VerifyEmail, None).await?;
    expect_strong(&input.password, registrar.service, &[input.email.as_str(), &input.name])?;
    let browser = mailbox_proof::mark_browser(&cookies)?;
    let work = async {
        let password = Some(permit.hash(input.password.as_str()).await?);
        drop(permit);
        let claim = Claim { password, name: input.name, browser: Some(browser), identity: None, founder: named };
        let next = registrar.register(input.email, claim, &founding).await?;
        // A person who got no mail requests another link.
        if may_send {
            mails.send_registration_mail(&next).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(mails::with_min_duration(work).await?)
}
