//! Mailed tokens, and the mails that carry them.

use protocol::Fault;
use runtime::{
    ClientInfo, Site,
    mail::{Mail, Message},
    opaque::Opaque,
    prelude::*,
};

use super::{
    audit::Audit,
    limits::Attempts,
    pages::{RESET_PASSWORD, SIGN_IN, StaticPage, VERIFY_EMAIL},
    registration::Next,
};
use crate::{Account, EmailAddress, IdentityUser, MailedToken, Purpose, UserId};

/// A new token and its stored form, for the account as it is now.
pub(crate) fn token(
    purpose: Purpose,
    user: &impl IdentityUser,
    account: Option<&Account>,
    clock: &Clock,
) -> Result<(Opaque, MailedToken), Fault> {
    let secret = Opaque::random()?;
    let stored = MailedToken {
        id: secret.hash(),
        purpose,
        user_id: user.user_id(),
        email: user.email().clone(),
        generation: account.map(|account| account.generation).unwrap_or_default(),
        claim: None,
        expires_at: clock.now().plus_ms(MailedToken::LIFETIME_MS),
        version: Version::default(),
    };
    Ok((secret, stored))
}

/// A mail of this package.
#[derive(Clone, Copy)]
pub(crate) enum LinkMail<'a> {
    /// The link that proves a registered address.
    Confirm(&'a Opaque),
    /// The same link, requested again.
    ConfirmAgain(&'a Opaque),
    /// A link to choose a new password.
    Reset(&'a Opaque),
    /// A link to choose the first password of an account that an administrator created.
    Invitation(&'a Opaque),
    /// A note that the address has an account already.
    Already,
}

/// The capability to send mails about a call. Each states when and from where the call came, so that the reader can
/// tell whether it was their own.
#[derive(Clone, Capability)]
pub struct LinkMails {
    pub(crate) mail: Mail,
    pub(crate) site: Site,
    pub(crate) client_info: ClientInfo,
    pub(crate) clock: Clock,
}

impl LinkMails {
    /// Sends a mail where the answer must not tell whether there is an account. An error goes to the log alone, since
    /// another address would have caused none.
    pub(crate) async fn try_to_send(&self, to: &EmailAddress, mail: LinkMail<'_>) {
        let (subject, text) = self.render(mail);
        if let Err(fault) = self.mail.send(Message { to: to.as_str(), subject, text: &text }).await {
            tracing::error!(cause = runtime::telemetry::chain(&fault), "a mail could not be sent");
        }
    }

    /// Sends the mail that follows a registration: one in any case.
    pub(crate) async fn send_registration_mail(&self, next: &Next) {
        let (to, mail) = match next {
            Next::Confirm(to, link) => (to, LinkMail::Confirm(link)),
            Next::Invite(to, link) => (to, LinkMail::Invitation(link)),
            Next::Tell(to) => (to, LinkMail::Already),
        };
        self.try_to_send(to, mail).await;
    }

    fn render(&self, mail: LinkMail<'_>) -> (&'static str, String) {
        let occasion = occasion(&self.clock, Some(&self.client_info));
        let confirm = |link: &Opaque, what: &str| {
            format!(
                "Somebody, probably you, {what} {occasion}. To confirm that the address is yours, open:\n\n{}\n\n\
                 The link is good for 30 minutes, and once. A way to sign in was chosen with the registration, such as a \
                 password: it becomes good if you open the link in the browser in which you registered. In any other \
                 browser you are asked for that password, or for a new one.\n\n\
                 If it was not you, do nothing.\n",
                self.link(&VERIFY_EMAIL, link)
            )
        };
        match mail {
            LinkMail::Confirm(link) => ("Confirm your e-mail address", confirm(link, "registered with this address")),
            LinkMail::ConfirmAgain(link) => (
                "Confirm your e-mail address",
                confirm(link, "asked once more for the link that confirms this address"),
            ),
            LinkMail::Reset(link) => (
                "Choose a new password",
                format!(
                    "Somebody, probably you, asked for a new password for the account with this address {occasion}. \
                     To choose one, open:\n\n{}\n\n\
                     The link is good for 30 minutes, and once. With the new password, everybody is signed out, and \
                     accounts elsewhere by which one could sign in are unlinked.\n\n\
                     If it was not you, do nothing: your password stays as it is.\n",
                    self.link(&RESET_PASSWORD, link)
                ),
            ),
            LinkMail::Invitation(link) => (
                "You have an account: choose a password",
                format!(
                    "An administrator made an account for you with this address. Somebody, probably you, tried to \
                     register with it {occasion}; nothing of that was kept. To choose a password, open:\n\n{}\n\n\
                     The link is good for 30 minutes, and once.\n\n\
                     If it was not you, do nothing: nobody can sign in with what was registered.\n",
                    self.link(&RESET_PASSWORD, link)
                ),
            ),
            LinkMail::Already => (
                "You have an account already",
                format!(
                    "Somebody, probably you, registered with this address {occasion}. It has an account already; \
                     nothing of the registration was kept. Sign in at:\n\n{}\n\n\
                     If you forgot the password, ask for a new one there. If it was not you, do nothing.\n",
                    SIGN_IN.address(&self.site)
                ),
            ),
        }
    }

    /// The link with the token behind the `#`, which no browser sends to a server.
    fn link(&self, page: &StaticPage, token: &Opaque) -> String {
        format!("{}#token={}", page.address(&self.site), token.text())
    }
}

/// The capability to mail a link on request, without telling whether there is an account.
#[derive(Clone, Capability)]
pub struct LinkRequest<U: IdentityUser> {
    pub(crate) users: Read<U>,
    pub(crate) accounts: Read<Account>,
    pub(crate) tokens: Create<MailedToken>,
    pub(crate) attempts: Attempts,
    pub(crate) mails: LinkMails,
    pub(crate) audit: Audit,
    pub(crate) ids: Ids,
    pub(crate) clock: Clock,
}

impl<U: IdentityUser> LinkRequest<U> {
    /// The user of an address, and the id. An unknown address gets a fresh id, so that it takes as much work.
    pub(crate) async fn find(&self, email: &EmailAddress) -> Result<(UserId, Option<U>), StoreError> {
        let found = self.users.by_unique(U::UNIQUE_EMAIL, &email.comparable()).await?;
        Ok((found.as_ref().map_or_else(|| self.ids.next(), |user| user.user_id()), found))
    }

    /// Makes a token for a link.
    pub(crate) async fn token(
        &self,
        purpose: Purpose,
        user: &impl IdentityUser,
        account: Option<&Account>,
    ) -> Result<Opaque, Fault> {
        let (secret, stored) = token(purpose, user, account, &self.clock)?;
        self.tokens.create(stored).await?;
        Ok(secret)
    }
}

/// The time and origin of a call in words, as far as they are known.
pub(crate) fn occasion(clock: &Clock, device: Option<&ClientInfo>) -> String {
    let now = clock.now().to_string();
    let (day, time) = now.split_once('T').unwrap_or((&now, ""));
    let minute = time.get(..5).unwrap_or(time);
    match device.map(|device| device.address.as_str()) {
        None | Some("") => format!("on {day} at {minute} UTC"),
        Some(address) => format!("on {day} at {minute} UTC, from the network address {address}"),
    }
}

/// How long an answer is held back that must not tell whether there is an account: longer than its work takes as a
/// rule.
const LEAST_ANSWER_TIME: std::time::Duration = std::time::Duration::from_millis(500);

/// Does the work, and answers no sooner than it would for any other address.
pub(crate) async fn with_min_duration<T>(work: impl Future<Output = T>) -> T {
    let (done, ()) = futures_util::future::join(work, tokio::time::sleep(LEAST_ANSWER_TIME)).await;
    done
}
