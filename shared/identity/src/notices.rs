//! Mails that tell the owner of an account about changes of it, so that a stranger's change is noticed.
//!
//! They are sent after the change, and the change stands if they fail. None has a link: a reader who is used to links
//! in such mails follows a forged one as well.

use protocol::Fault;
use runtime::{
    ClientInfo, RateLimit, RateLimits,
    mail::{Mail, Message},
    prelude::*,
    telemetry::chain,
};

use super::mails::occasion;
use crate::{Account, EmailAddress, IdentityUser};

/// Notices of one kind to one address: a repeated action fills no mailbox, and blocks no notice of another kind.
const NOTICES_OF_A_KIND: RateLimit = RateLimit { name: "notice", most: 5, span_s: 3_600 };
/// Notices about programs that sign in from one network. Programs keep no cookie, so each sign-in is the first.
const NOTICES_OF_PROGRAMS: RateLimit = RateLimit { name: "notice-program", most: 1, span_s: 86_400 };

/// What the owner of an account is told.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'a> {
    /// The password was changed, by someone who had the old one.
    PasswordChanged,
    /// The password was changed, with a mailed link.
    PasswordReset,
    /// An administrator changed the address. Both addresses are told.
    AddressChanged,
    /// An administrator changed the role, or whether the address counts as proved.
    RightsChanged,
    /// An administrator decided about an account whose address nobody had proved.
    RegistrationDecided,
    /// An account of this provider was linked.
    IdentityLinked(&'a str),
    /// An account of this provider was unlinked.
    IdentityUnlinked(&'a str),
    /// All linked identities were unlinked: the owner proved the address, or chose another password.
    IdentitiesDropped,
    /// A user signed in with a browser that the account did not know.
    NewBrowser,
    /// A program signed in with the password.
    Program,
    /// An administrator signed the person out everywhere.
    SignedOut,
    /// The owner erased the account.
    Erased,
    /// An administrator deleted the account.
    Deleted,
    /// The user let an application of this name in.
    ApplicationLetIn(&'a str),
}

impl Notice<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::PasswordChanged => "password-changed",
            Self::PasswordReset => "password-reset",
            Self::AddressChanged => "address-changed",
            Self::RightsChanged => "rights-changed",
            Self::RegistrationDecided => "registration-decided",
            Self::IdentityLinked(_) => "identity-linked",
            Self::IdentityUnlinked(_) => "identity-unlinked",
            Self::IdentitiesDropped => "identities-dropped",
            Self::NewBrowser => "new-browser",
            Self::Program => "program",
            Self::SignedOut => "signed-out",
            Self::Erased => "erased",
            Self::Deleted => "deleted",
            Self::ApplicationLetIn(_) => "application-let-in",
        }
    }

    fn subject(&self) -> &'static str {
        match self {
            Self::PasswordChanged | Self::PasswordReset => "Your password was changed",
            Self::AddressChanged => "The e-mail address of your account was changed",
            Self::RightsChanged | Self::RegistrationDecided => "What your account may do was changed",
            Self::IdentityLinked(_) => "Another account was linked to yours",
            Self::IdentityUnlinked(_) | Self::IdentitiesDropped => "An account was unlinked from yours",
            Self::NewBrowser => "Somebody signed in with another browser",
            Self::Program => "A program signed in",
            Self::SignedOut => "You were signed out everywhere",
            Self::Erased | Self::Deleted => "Your account was deleted",
            Self::ApplicationLetIn(_) => "An application was let in to your account",
        }
    }

    fn description(&self) -> String {
        match self {
            Self::PasswordChanged => "The password of your account was changed.".to_owned(),
            Self::PasswordReset => {
                "The password of your account was changed, with a link that was mailed here.".to_owned()
            }
            Self::AddressChanged => {
                "An administrator changed the e-mail address of your account. The old one and the new one are told."
                    .to_owned()
            }
            Self::RightsChanged => {
                "An administrator changed your role, or whether your address counts as proved.".to_owned()
            }
            Self::RegistrationDecided => {
                "An administrator decided about the account that was registered with this address. No password that came \
                 with the registration is good any more: ask for a new one to sign in."
                    .to_owned()
            }
            Self::IdentityLinked(provider) => {
                format!("An account at {provider} was linked to yours: whoever has it can sign in with it.")
            }
            Self::IdentityUnlinked(provider) => format!("The account at {provider} was unlinked from yours."),
            Self::IdentitiesDropped => "All accounts at other services were unlinked from yours.".to_owned(),
            Self::NewBrowser => {
                "Somebody signed in to your account with a browser that was not used for it before.".to_owned()
            }
            Self::Program => "A program signed in to your account with its password.".to_owned(),
            Self::SignedOut => "An administrator signed you out on all devices, and from all applications.".to_owned(),
            Self::Erased => "Your account was deleted for good, by somebody who was signed in to it.".to_owned(),
            Self::Deleted => "An administrator deleted your account for good.".to_owned(),
            Self::ApplicationLetIn(name) => {
                format!("The application {name:?} was let in to your account, by somebody who was signed in to it.")
            }
        }
    }

    /// Whether the action was done in the owner's name, from an origin that tells the owner something.
    fn is_own(&self) -> bool {
        !matches!(
            self,
            Self::AddressChanged | Self::RightsChanged | Self::RegistrationDecided | Self::SignedOut | Self::Deleted
        )
    }

    /// What an owner should do who did not want it.
    fn remedy(&self) -> &'static str {
        match self {
            Self::Erased | Self::Deleted => {
                "tell whoever runs the service: nobody else can still do anything about it."
            }
            Self::AddressChanged => {
                "tell whoever runs the service: with the old address nobody signs in any more, or gets a new password."
            }
            Self::ApplicationLetIn(_) => {
                "open the service as you always do, ask there for a new password, which signs out everywhere, and from all \
                 applications."
            }
            _ => {
                "open the service as you always do, and ask there for a new password: it signs you out everywhere, and unlinks \
                 all accounts elsewhere."
            }
        }
    }
}

/// The capability to tell owners about changes of their accounts.
#[derive(Clone, Capability)]
pub struct Notices {
    pub(crate) mail: Mail,
    pub(crate) limits: RateLimits,
    pub(crate) client_info: ClientInfo,
    pub(crate) clock: Clock,
}

impl Notices {
    /// Sends a notice after the change. An error goes to the log.
    pub async fn notify(&self, to: &EmailAddress, notice: Notice<'_>) {
        if let Err(fault) = self.try_to_notify(to, notice).await {
            tracing::warn!(kind = notice.kind(), cause = chain(&fault), "a notice was not sent");
        }
    }

    /// Sends a notice if a change unlinked the linked identities.
    pub async fn notify_unlinked(&self, to: &EmailAddress, before: &Account, after: &Account) {
        if !before.identities.is_empty() && after.identities.is_empty() {
            self.notify(to, Notice::IdentitiesDropped).await;
        }
    }

    /// Sends notices about the changes of a user; about a changed address, to both addresses.
    pub async fn notify_change<U: IdentityUser>(&self, before: &U, after: &U) {
        // Another spelling is the same mailbox.
        let is_moved = !after.email().is_same_as(before.email());
        if is_moved {
            for address in [before.email(), after.email()] {
                self.notify(address, Notice::AddressChanged).await;
            }
        }
        // A changed address is unproved: no notice of its own says so.
        let is_proof = !is_moved && after.is_verified() != before.is_verified();
        if before.is_as_registered() && !after.is_as_registered() {
            self.notify(after.email(), Notice::RegistrationDecided).await;
        } else if is_proof || after.role() != before.role() {
            self.notify(after.email(), Notice::RightsChanged).await;
        }
    }

    async fn try_to_notify(&self, to: &EmailAddress, notice: Notice<'_>) -> Result<(), Fault> {
        self.limits.take(&NOTICES_OF_A_KIND, &format!("{}#{}", notice.kind(), to.comparable())).await?;
        let of_program = match notice {
            Notice::Program => {
                let network = format!("{}#{}", to.comparable(), self.client_info.network());
                Some(self.limits.take(&NOTICES_OF_PROGRAMS, &network).await?)
            }
            _ => None,
        };
        let text = self.text(notice);
        let sent = self.mail.send(Message { to: to.as_str(), subject: notice.subject(), text: &text }).await;
        if let (Err(_), Some(taken)) = (&sent, of_program) {
            // The day's notice is still to be sent.
            taken.give_back().await?;
        }
        sent
    }

    fn text(&self, notice: Notice<'_>) -> String {
        format!(
            "{}\n\nThat was {}.\n\nIf it was you, or you know of it, there is nothing to do. If not, {}\n\n\
             This mail has no link, so that no forged one can pass for it.\n",
            notice.description(),
            occasion(&self.clock, notice.is_own().then_some(&self.client_info)),
            notice.remedy(),
        )
    }
}

#[cfg(test)]
mod tests {
    use local::testing::TestService;

    use super::*;
    use crate::tests::{Role, service, user};

    #[tokio::test]
    async fn what_cannot_be_mailed_stops_nothing() {
        let test = TestService::new(&service(), Clock::System).await.unwrap();
        // A mail without a sender fails.
        let mail = Mail::new(Default::default());
        let notices = Notices { mail, ..test.obtain::<Notices>().unwrap() };
        let (before, after) = (user("ada@example.com", Role::Owner), user("ada@example.com", Role::Reader));
        notices.notify_change(&before, &after).await;
        assert_eq!(test.mailbox().unwrap().len(), 0);
        test.obtain::<Notices>().unwrap().notify_change(&before, &after).await;
        assert_eq!(test.mailbox().unwrap().len(), 1, "one that knows");
    }
}
