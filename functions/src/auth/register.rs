//! `auth.register`.

use model::{Account, AuditEntry, Claim, EmailAddress, MailedToken, Password, Purpose, User};
use protocol::Fault;
use runtime::{Cookies, Device, Ids, Limits, NotAdmitted, Registration, Site, mail::Mail, password::Turn, prelude::*};

use crate::identity::{
    expect_strong, limits,
    mails::{self, Letter, Post},
    proof,
    registration::{Next, Registrar},
};

/// Who registers.
#[wire]
pub struct Input {
    /// Where mail reaches the person.
    #[garde(dive)]
    pub email: EmailAddress,
    /// The name that others see.
    #[garde(length(chars, min = 1, max = User::MAX_NAME_CHARS))]
    pub name: String,
    /// The password, at least 12 characters.
    #[garde(dive)]
    pub password: Password,
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
/// next is in the mail. The first person who ever registers becomes administrator, others become guests, who may do
/// nothing until an administrator gives them another role; nobody has any permission before the address is proved, and
/// an account whose address nobody proves ends after seven days.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/register", memory_mb = 1024)]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn register(
    users: Write<User>,
    everybody: Read<User>,
    accounts: Write<Account>,
    tokens: Append<MailedToken>,
    log: Append<AuditEntry>,
    registration: Registration,
    attempts: Limits,
    mail: Mail,
    cookies: Cookies,
    site: Site,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), Error> {
    registration.expect(&input.email.comparable()).map_err(Error::from)?;
    let turn = Turn::take()?;
    let may_send = limits::mail(&attempts, &device, &input.email, Purpose::VerifyEmail).await?;
    expect_strong(&input.password, &[input.email.as_str(), &input.name])?;
    let browser = proof::mark(&cookies)?;
    let registrar = Registrar {
        users: &users,
        everybody: &everybody,
        accounts: &accounts,
        tokens: &tokens,
        log: &log,
        device: &device,
        clock: &clock,
        ids: &ids,
    };
    let post = Post { mail: &mail, site: &site, device: &device, clock: &clock };
    let work = async {
        let password = Some(turn.hash(input.password.as_str()).await?);
        drop(turn);
        let claim = Claim { password, name: input.name, browser: Some(browser), is_founder: false };
        let next = registrar.register(input.email, claim).await?;
        // One mail in any case: who got none asks for another link.
        let (to, letter) = match &next {
            Next::Confirm(to, link) => (to, Letter::Confirm(link)),
            Next::Invite(to, link) => (to, Letter::Invitation(link)),
            Next::Tell(to) => (to, Letter::Already),
        };
        if may_send {
            post.try_to_send(to, letter).await;
        }
        Ok::<_, Fault>(())
    };
    Ok(mails::unhurried(work).await?)
}
