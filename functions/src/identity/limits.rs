//! How often what may be tried. All counts forget themselves, so that nobody is locked out for good.

use std::fmt::Display;

use model::{EmailAddress, Purpose};
use protocol::{Code, Fault};
use runtime::{Device, Limit, Limits};

/// Sign-ins from one address that do not succeed.
const SIGN_IN_ADDRESS: Limit = Limit { name: "sign-in-address", most: 100, span_s: 900 };
/// Sign-ins to one account that do not succeed: from browsers that it does not know together, and from each
/// that it knows by itself. So strangers who guess use up their own attempts and not those of the owner.
const SIGN_IN_ACCOUNT: Limit = Limit { name: "sign-in-account", most: 10, span_s: 900 };
/// Mails to one address for one purpose that one network asks for. For one purpose: who fills somebody's mailbox
/// with registrations keeps nobody from a link for a new password.
const MAIL_OF_ONE: Limit = Limit { name: "mail-of-one", most: 5, span_s: 3600 };
/// The same, whoever asks.
const MAIL: Limit = Limit { name: "mail", most: 20, span_s: 3600 };
/// Registrations and mails that one address asks for.
const MAIL_ADDRESS: Limit = Limit { name: "mail-address", most: 300, span_s: 3600 };
/// Refreshes from one address with tokens that are not good.
const TOKEN_ADDRESS: Limit = Limit { name: "token-address", most: 300, span_s: 900 };

/// Sign-ins with an account elsewhere that one address begins.
const FLOW_ADDRESS: Limit = Limit { name: "flow-address", most: 300, span_s: 900 };

/// One attempt to sign in, which was counted.
pub(crate) struct Attempt {
    limits: Limits,
    network: String,
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
        Some(browser) => format!("{}#{browser}", email.comparable()),
        None => email.comparable(),
    };
    let network = device.network();
    limits.take(&SIGN_IN_ADDRESS, &network).await?;
    if let Err(fault) = limits.take(&SIGN_IN_ACCOUNT, &account).await {
        limits.give_back(&SIGN_IN_ADDRESS, &network).await?;
        return Err(fault);
    }
    Ok(Attempt { limits: limits.clone(), network, account })
}

impl Attempt {
    /// It was no guess: the password was right.
    pub(crate) async fn succeeded(self) -> Result<(), Fault> {
        self.limits.give_back(&SIGN_IN_ADDRESS, &self.network).await?;
        self.limits.give_back(&SIGN_IN_ACCOUNT, &self.account).await
    }
}

/// Counts a mail to an address. Answers whether it may be sent: when others had too many sent there already, it is not,
/// and whoever asks now is not told, since it may be the owner.
pub(crate) async fn mail(limits: &Limits, device: &Device, to: &EmailAddress, purpose: Purpose) -> Result<bool, Fault> {
    let purpose = match purpose {
        Purpose::VerifyEmail => "verify",
        Purpose::ResetPassword => "reset",
    };
    let to = format!("{purpose}#{}", to.comparable());
    limits.take(&MAIL_ADDRESS, &device.network()).await?;
    limits.take(&MAIL_OF_ONE, &format!("{to}#{}", device.network())).await?;
    match limits.take(&MAIL, &to).await {
        Err(fault) if fault.code == Code::TooManyRequests => Ok(false),
        taken => taken.map(|()| true),
    }
}

/// Counts a token that was not good.
pub(crate) async fn bad_token(limits: &Limits, device: &Device) -> Result<(), Fault> {
    limits.take(&TOKEN_ADDRESS, &device.network()).await
}

/// Counts a sign-in with an account elsewhere that begins.
pub(crate) async fn flow(limits: &Limits, device: &Device) -> Result<(), Fault> {
    limits.take(&FLOW_ADDRESS, &device.network()).await
}
