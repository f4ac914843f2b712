//! The capability to send mail: plain text, to one person at a time.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use aws::{Letter, MailSettings, Mailer, ServiceError};
use protocol::{Cause, Code, Fault, address};

use crate::{BoxFuture, Call, Capability, Rights};

/// The longest subject, in characters.
const MAX_SUBJECT_CHARS: usize = 200;
/// The longest text, in bytes.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// A mail to one person.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The recipient's address: one, bare, such as `ada@example.com`.
    pub to: &'a str,
    /// The subject: one line.
    pub subject: &'a str,
    /// The body as plain text. Lines end with `
    /// `.
    pub text: &'a str,
}

/// The capability to send mail.
#[derive(Clone)]
pub struct Mail(Arc<MailTransport>);

impl Mail {
    /// Creates the capability over a transport.
    pub fn new(mail_transport: Arc<MailTransport>) -> Self {
        Self(mail_transport)
    }

    /// Sends a mail. Success means that SES has accepted it, not that it arrived. A mail may arrive twice: SES has no
    /// idempotency token, and when its answer is lost, the mail is sent again.
    ///
    /// It goes to the ASCII form of the recipient's host. SES takes only addresses in ASCII; a mail to an address
    /// that has no such form is dropped with a warning in the log, as an undeliverable one is: the caller of the
    /// procedure must not learn more about one address than about others.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when no mail can be sent now. An internal error when the message is malformed (a line
    /// break in the subject, too long a text, several addresses), when SES refuses it, or when the right to send is
    /// missing.
    pub async fn send(&self, message: Message<'_>) -> Result<(), Fault> {
        let letter = checked(message).map_err(Fault::internal)?;
        let Some(to) = address::deliverable(&letter.to).map(Cow::into_owned) else {
            tracing::warn!("a mail was dropped: SES takes only addresses in ASCII");
            return Ok(());
        };
        self.0.mailer()?.deliver(Letter { to, ..letter }).await.map_err(fault_of)
    }
}

impl Capability for Mail {
    const RIGHTS: Rights = Rights { mail: true, ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(Self::new(Arc::clone(call.mail_transport())))
    }
}

/// How the mails of a process leave it. A process has one, which its calls share.
#[derive(Default)]
pub struct MailTransport {
    settings: Option<MailSettings>,
    /// The client, created on first use. It is boxed so that a function that sends no mail does not link the SDK for
    /// it.
    mailer: OnceLock<Box<dyn Deliver>>,
}

impl MailTransport {
    /// Creates the transport; without settings it refuses every mail.
    pub fn new(settings: Option<MailSettings>) -> Self {
        Self { settings, mailer: OnceLock::new() }
    }

    fn mailer(&self) -> Result<&dyn Deliver, Fault> {
        if self.mailer.get().is_none() {
            let missing = || Fault::internal("this function was not told from whom its mails are: ONEFOLD_MAIL_FROM");
            let mailer = Mailer::new(self.settings.clone().ok_or_else(missing)?).map_err(fault_of)?;
            // Another call may have set it first; then that one stays.
            let _ = self.mailer.set(Box::new(mailer));
        }
        self.mailer.get().map(|mailer| &**mailer).ok_or_else(|| Fault::internal("the mailer is gone"))
    }
}

trait Deliver: Send + Sync {
    fn deliver(&self, letter: Letter) -> BoxFuture<'static, Result<(), ServiceError>>;
}

impl Deliver for Mailer {
    fn deliver(&self, letter: Letter) -> BoxFuture<'static, Result<(), ServiceError>> {
        self.send(letter)
    }
}

/// The fault of a mail that was not sent.
fn fault_of(error: ServiceError) -> Fault {
    match error {
        ServiceError::Unavailable(..) => {
            Fault::new(Code::ServiceUnavailable, "No mail can be sent now. Try again in a moment.").because(error)
        }
        ServiceError::Denied(..) | ServiceError::Refused(..) => Fault::internal(error),
    }
}

/// The letter of a message. A header's value must not be able to end the header and begin another one, and one
/// address must not be able to stand for several.
fn checked(Message { to, subject, text }: Message<'_>) -> Result<Letter, Cause> {
    let is_special = |c: char| c.is_control() || c.is_whitespace() || "\"(),:;<>[\\]".contains(c);
    let parts =
        to.split_once('@').map(|(name, domain)| !name.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if parts != Some(true) || to.len() > address::MAX_BYTES || to.contains(is_special) {
        return Err("a mail was to go to what is not one address".into());
    }
    let is_line_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if !(1..=MAX_SUBJECT_CHARS).contains(&subject.chars().count()) || subject.contains(is_line_break) {
        return Err(format!("the subject of a mail is one line of 1 to {MAX_SUBJECT_CHARS} characters").into());
    }
    let is_unprintable = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.len() > MAX_TEXT_BYTES || text.contains(is_unprintable) {
        return Err(format!("the text of a mail has at most {MAX_TEXT_BYTES} bytes, and no control characters").into());
    }
    Ok(Letter { to: to.to_owned(), subject: subject.to_owned(), text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use aws::service::Service;

    use super::*;

    fn is_good(to: &str, subject: &str, text: &str) -> bool {
        checked(Message { to, subject, text }).is_ok()
    }

    #[test]
    fn one_address_stands_for_one_person() {
        for to in ["ada@example.com", "a.b+c@mail.example.co.uk", "jürgen@müller.example", "O'Neil_1@ex-ample.org"] {
            assert!(is_good(to, "s", "t"), "{to}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for to in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example.com,eve@example.com",
            "ada@example.com; eve@example.com",
            "Ada <ada@example.com>",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada@example.com\nBcc:eve",
            "ada@example.com\u{0}",
            "ada @example.com",
            "\"a b\"@example.com",
            "ada@[127.0.0.1]",
            "ada@eve@example.com",
            &long,
        ] {
            assert!(!is_good(to, "s", "t"), "{to:?}");
        }
    }

    #[test]
    fn a_subject_is_one_line() {
        let to = "ada@example.com";
        assert!(is_good(to, "Grüße 🍰: 100 %", "t") && is_good(to, &"ü".repeat(MAX_SUBJECT_CHARS), "t"));
        for subject in ["", "a\r\nBcc: eve@example.com", "a\nb", "a\rb", "a\u{2028}b", "a\u{85}b", "a\u{0}", "a\tb"] {
            assert!(!is_good(to, subject, "t"), "{subject:?}");
        }
        assert!(!is_good(to, &"ü".repeat(MAX_SUBJECT_CHARS + 1), "t"));
    }

    #[test]
    fn a_text_has_lines_and_a_bound() {
        let to = "ada@example.com";
        assert!(
            is_good(to, "s", "")
                && is_good(to, "s", "a\nb\r\n\tc\n.\n")
                && is_good(to, "s", &"a".repeat(MAX_TEXT_BYTES))
        );
        assert!(
            !is_good(to, "s", &"a".repeat(MAX_TEXT_BYTES + 1))
                && !is_good(to, "s", "a\u{0}")
                && !is_good(to, "s", "\u{1b}[2J")
        );
    }

    #[test]
    fn a_caller_learns_whether_to_try_again_and_nothing_else() {
        let error = || "ada@example.com".into();
        let away = fault_of(ServiceError::Unavailable(Service::Ses, error()));
        assert_eq!(away.code, Code::ServiceUnavailable);
        for error in [ServiceError::Denied(Service::Ses, error()), ServiceError::Refused(Service::Ses, error())] {
            let fault = fault_of(error);
            assert_eq!(fault.code, Code::InternalServerError);
            assert!(!fault.message.contains("ada") && fault.cause.is_some());
        }
    }

    #[tokio::test]
    async fn without_a_sender_nothing_is_sent() {
        let mail = Mail::new(Arc::default());
        let fault = mail.send(Message { to: "ada@example.com", subject: "s", text: "t" }).await.unwrap_err();
        assert_eq!(fault.code, Code::InternalServerError);
        assert!(fault.cause.unwrap().to_string().contains("ONEFOLD_MAIL_FROM"));
        let dropped = mail.send(Message { to: "jürgen@example.com", subject: "s", text: "t" }).await;
        assert!(dropped.is_ok(), "an address that SES does not take is told to nobody");
    }
}
