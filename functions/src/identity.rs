//! What the procedures around accounts share. No procedure is in here.
//!
//! - [`sessions`]: beginning, renewing and ending them. [`issuer`]: their secrets, as whoever signed in gets them.
//!   [`reauthentication`]: somebody who is signed in proves again who they are; [`own_password`]: by the password.
//!   [`devices`]: where somebody is signed in.
//! - [`rights`]: what a change of rights takes with it. [`giving`]: who may make one.
//! - [`elsewhere`]: accounts at identity providers. [`arrival`]: to whom they belong here.
//! - [`registration`]: how accounts begin, and [`founder`] the first. [`removal`]: how they end.
//! - [`mails`]: tokens that are mailed, and the mails. [`proof`]: what such a token proves.
//! - [`notices`]: mails that tell owners what was done with their accounts. [`browsers`]: by which an account knows that
//!   somebody signed in there before.
//! - [`limits`]: how often what may be tried. [`audit`]: entries of the log.

pub(crate) mod arrival;
pub(crate) mod audit;
pub(crate) mod browsers;
pub(crate) mod devices;
pub(crate) mod elsewhere;
pub(crate) mod founder;
pub(crate) mod giving;
pub(crate) mod issuer;
pub(crate) mod lease;
pub(crate) mod limits;
pub(crate) mod mails;
pub(crate) mod notices;
pub(crate) mod own_password;
pub(crate) mod pages;
pub(crate) mod proof;
pub(crate) mod reauthentication;
pub(crate) mod registration;
pub(crate) mod removal;
pub(crate) mod rights;
pub(crate) mod sessions;

use model::{EmailAddress, Password, Role, User, UserId};
use protocol::{Code, Fault, FieldFault};
use runtime::{password, prelude::wire};

use sessions::Kept;

/// The cookie by which an account knows a browser, before the prefix.
pub(crate) const KNOWN: &str = "onefold-device";
/// For how long a browser is known, in seconds: as long as browsers keep a cookie.
pub(crate) const KNOWN_S: i64 = 400 * 86_400;

/// How a sign-in is kept.
#[wire]
pub enum Keep {
    /// In a cookie that only the browser sees.
    Cookie,
    /// In tokens that the program keeps itself.
    Tokens,
}

impl Keep {
    /// A new secret of a session that is kept so.
    pub(crate) fn begun(self) -> Result<Kept, Fault> {
        match self {
            Self::Cookie => Kept::cookie(),
            Self::Tokens => Kept::tokens(),
        }
    }
}

/// The tokens of a program that signed in.
#[wire]
pub struct Tokens {
    /// Says who is calling: `authorization: Bearer <token>`.
    pub access_token: String,
    /// Good for one call of `auth.refresh`, which gives both anew.
    pub refresh_token: String,
    /// How long the access token is good, in seconds from now.
    pub expires_in_s: u32,
}

/// Oneself.
#[wire]
pub struct Me {
    /// The user's id.
    pub id: UserId,
    /// Where mail reaches the user.
    pub email: EmailAddress,
    /// The name that others see.
    pub name: String,
    /// Whether the address is proved. As long as it is not, the user has no permissions.
    pub is_verified: bool,
    /// What the user is in the company.
    pub role: Role,
    /// What the user may do.
    pub permissions: Vec<String>,
}

impl Me {
    pub(crate) fn of(user: &User) -> Self {
        let permissions = user.effective_role().map(Role::permissions).unwrap_or_default();
        Self {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            is_verified: user.is_verified,
            role: user.role,
            permissions: permissions.iter().map(|&permission| permission.to_owned()).collect(),
        }
    }
}

/// Why somebody is let in no more who was about to be, or was until this moment.
pub(crate) fn shut_out(reason: &'static str) -> Fault {
    Fault::new(Code::Unauthorized, reason)
}

/// Whether that is what came of it.
pub(crate) fn is_shut_out(fault: &Fault) -> bool {
    fault.code == Code::Unauthorized
}

/// Refuses a password that is too easily guessed, also by who knows these words about its owner.
pub(crate) fn expect_strong(password: &Password, about: &[&str]) -> Result<(), Fault> {
    let refusal = |reason: &str| FieldFault { path: "password".to_owned(), message: reason.to_owned() };
    let about = [about, &[crate::SERVICE.name]].concat();
    match password::weakness(password.as_str(), &about) {
        Some(reason) => Err(Fault::invalid(vec![refusal(reason)])),
        None => Ok(()),
    }
}
