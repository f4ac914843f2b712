//! Tokens that are mailed, and the mails.

use model::{Account, EmailAddress, MailedToken, Purpose, User};
use protocol::{Fault, SecretHash};
use runtime::{
    Site,
    mail::{Mail, Message},
    opaque::{self, Opaque},
    prelude::*,
};

/// A new token, and what is stored of it.
pub(crate) fn token(purpose: Purpose, user: &User, clock: &Clock) -> Result<(Opaque, MailedToken), Fault> {
    let secret = Opaque::random()?;
    let stored = MailedToken {
        id: secret.hash(),
        purpose,
        user_id: user.id,
        email: user.email.clone(),
        password: None,
        password_was: None,
        expires_at: clock.now().plus_ms(MailedToken::LIFETIME_MS),
        version: Version::default(),
    };
    Ok((secret, stored))
}

/// What a password's hash is compared by, in a token that is void with another password.
pub(crate) fn password_was(account: Option<&Account>) -> Option<SecretHash> {
    account.and_then(|account| account.password.as_deref()).map(|hash| opaque::hash(hash.as_bytes()))
}

/// Mails a token. It stands behind the `#`, which no browser sends to a server.
pub(crate) async fn send(
    mail: &Mail,
    site: &Site,
    purpose: Purpose,
    to: &EmailAddress,
    token: &Opaque,
) -> Result<(), Fault> {
    let (subject, before, page, after) = match purpose {
        Purpose::VerifyEmail => (
            "Confirm your e-mail address",
            "Somebody, probably you, registered with this address. To confirm it, open:",
            "verify-email",
            "If it was not you, do nothing.",
        ),
        Purpose::ResetPassword => (
            "Choose a new password",
            "Somebody, probably you, asked for a new password for the account with this address. To choose one, open:",
            "reset-password",
            "If it was not you, do nothing: your password stays as it is.",
        ),
    };
    let link = format!("{}/{page}#token={}", site.app_url(), token.text());
    let text = format!("{before}\n\n{link}\n\nThe link is good for 30 minutes, and once. {after}\n");
    mail.send(Message { to: to.as_str(), subject, text: &text }).await
}

/// Mails a token where the answer must not tell that there is an account: a mail that cannot be sent is a matter
/// for the log, since nothing would have been sent to another address.
pub(crate) async fn try_to_send(mail: &Mail, site: &Site, purpose: Purpose, to: &EmailAddress, token: &Opaque) {
    if let Err(fault) = send(mail, site, purpose, to, token).await {
        tracing::error!(cause = runtime::telemetry::chain(&fault), "a mail could not be sent");
    }
}

/// Mails the link that proves an address, if it may be sent: who got none asks for another one.
pub(crate) async fn try_to_prove(mail: &Mail, site: &Site, to: &EmailAddress, token: &Opaque, may_send: bool) {
    if may_send {
        try_to_send(mail, site, Purpose::VerifyEmail, to, token).await;
    }
}

/// Tells the owner of an address that somebody tried to register with it, if that may be sent.
pub(crate) async fn try_to_say_registered(mail: &Mail, site: &Site, to: &EmailAddress, may_send: bool) {
    let text = format!(
        "Somebody, probably you, registered with this address, which has an account already. Sign in with it at:\n\n\
         {}\n\nIf you forgot the password, ask for a new one there. If it was not you, do nothing.\n",
        site.app_url()
    );
    let message = Message { to: to.as_str(), subject: "You have an account already", text: &text };
    if may_send && let Err(fault) = mail.send(message).await {
        tracing::error!(cause = runtime::telemetry::chain(&fault), "a mail could not be sent");
    }
}

/// For how long an answer is held back that must not tell whether there is an account: longer than the work for
/// one takes as a rule.
const UNHURRIED: std::time::Duration = std::time::Duration::from_millis(500);

/// Does the work, and answers no sooner than it would for any other address.
pub(crate) async fn unhurried<T>(work: impl Future<Output = T>) -> T {
    let (done, ()) = futures_util::future::join(work, tokio::time::sleep(UNHURRIED)).await;
    done
}
