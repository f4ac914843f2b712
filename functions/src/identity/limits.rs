//! How often what may be tried. All counts forget themselves, so that nobody is locked out for good.

use std::fmt::Display;

use model::{EmailAddress, Purpose};
use protocol::Fault;
use runtime::{Device, Limit, Limits};

/// Sign-ins from one address that do not succeed.
const SIGN_IN_ADDRESS: Limit = Limit { name: "sign-in-address", most: 100, span_s: 900 };
/// Sign-ins to one account that do not succeed: from browsers that it does not know together, and from each
/// that it knows by itself. So strangers who guess use up their own attempts and not those of the owner.
const SIGN_IN_ACCOUNT: Limit = Limit { name: "sign-in-account", most: 10, span_s: 900 };
/// Mails to one address for one purpose, whoever asks for them. For one purpose: who fills somebody's mailbox with
/// registrations keeps nobody from a link for a new password.
const MAIL: Limit = Limit { name: "mail", most: 5, span_s: 3600 };
/// Registrations and mails that one address asks for.
const MAIL_ADDRESS: Limit = Limit { name: "mail-address", most: 300, span_s: 3600 };
/// Refreshes from one address with tokens that are not good.
const TOKEN_ADDRESS: Limit = Limit { name: "token-address", most: 300, span_s: 900 };

/// Sign-ins with an account elsewhere that one address begins.
const FLOW_ADDRESS: Limit = Limit { name: "flow-address", most: 300, span_s: 900 };

/// One attempt to sign in, which was counted.
pub(crate) struct Attempt {
    limits: Limits,
    address: String,
    account: String,
}

/// Counts an attempt to sign in. `known`: what names a browser that the account knows, and does not change by
/// what is done with it.
pub(crate) async fn sign_in(
    limits: &Limits,
    device: &Device,
    email: &EmailAddress,
    known: Option<impl Display>,
) -> Result<Attempt, Fault> {
    let account = match known {
        Some(browser) => format!("{}#{browser}", email.folded()),
        None => email.folded(),
    };
    limits.take(&SIGN_IN_ADDRESS, &device.address).await?;
    limits.take(&SIGN_IN_ACCOUNT, &account).await?;
    Ok(Attempt { limits: limits.clone(), address: device.address.clone(), account })
}

impl Attempt {
    /// It was no guess: the password was right.
    pub(crate) async fn succeeded(self) -> Result<(), Fault> {
        self.limits.give_back(&SIGN_IN_ADDRESS, &self.address).await?;
        self.limits.give_back(&SIGN_IN_ACCOUNT, &self.account).await
    }
}

/// Counts a mail to an address.
pub(crate) async fn mail(limits: &Limits, device: &Device, to: &EmailAddress, purpose: Purpose) -> Result<(), Fault> {
    let purpose = match purpose {
        Purpose::VerifyEmail => "verify",
        Purpose::ResetPassword => "reset",
    };
    limits.take(&MAIL_ADDRESS, &device.address).await?;
    limits.take(&MAIL, &format!("{purpose}#{}", to.folded())).await
}

/// Counts a token that was not good.
pub(crate) async fn bad_token(limits: &Limits, device: &Device) -> Result<(), Fault> {
    limits.take(&TOKEN_ADDRESS, &device.address).await
}

/// Counts a sign-in with an account elsewhere that begins.
pub(crate) async fn flow(limits: &Limits, device: &Device) -> Result<(), Fault> {
    limits.take(&FLOW_ADDRESS, &device.address).await
}
