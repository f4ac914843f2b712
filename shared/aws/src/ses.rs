//! Sends mail through Amazon SES (API version 2010-12-01), whose `SendEmail` takes one form.

use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::error::SdkError;
use aws_smithy_query::QueryWriter;
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::{Request, header};
use protocol::{Cause, media_type};

use crate::{
    Access, RetryPolicy, ServiceError,
    service::{CallError, Service, ServiceClient},
};

/// The sender, and the access to SES.
#[derive(Clone)]
pub struct MailSettings {
    /// The sender; its address or domain is verified at SES.
    pub from: String,
    /// How SES is reached.
    pub access: Access,
    /// Timeouts and retries.
    pub retries: RetryPolicy,
}

impl MailSettings {
    /// Timeouts and retries for SES. It takes longer than a database, and each further attempt may send a second
    /// mail.
    pub const RETRIES: RetryPolicy =
        RetryPolicy { attempt_timeout: Duration::from_secs(3), total_timeout: Duration::from_secs(6), max_attempts: 3 };
}

/// A mail to one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The recipient's address.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
}

/// The SES client of the process. Cloning is cheap.
#[derive(Clone)]
pub struct Mailer {
    client: ServiceClient,
    from: Arc<str>,
    retries: RetryPolicy,
}

impl Mailer {
    /// Creates the client. It sends nothing yet.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] when the TLS settings are refused, or the region does not exist.
    #[inline(never)]
    pub fn new(settings: MailSettings) -> Result<Self, ServiceError> {
        let MailSettings { from, access, retries } = settings;
        let client = ServiceClient::new(Service::Ses, access, None).map_err(refused)?;
        Ok(Self { client, from: from.into(), retries })
    }

    /// Sends a mail. SES has no idempotency token: when the answer to an attempt is lost, the next attempt sends a
    /// second mail of the same text.
    ///
    /// # Errors
    /// See [`ServiceError`]. Success means that SES has accepted the mail, not that it arrived.
    #[inline(never)]
    pub fn send(&self, letter: Letter) -> BoxFuture<'static, Result<(), ServiceError>> {
        let Self { client, from, retries } = self.clone();
        async move {
            let request = Request::post("/")
                .header(header::CONTENT_TYPE, media_type::FORM)
                .body(form(&from, &letter))
                .map_err(refused)?;
            client.call_with_retries(&retries, request, describe).await.map(drop)
        }
        .boxed()
    }
}

/// The body of the request (Amazon SES API Reference, version 2010-12-01, "SendEmail").
fn form(from: &str, letter: &Letter) -> Bytes {
    let mut form = String::new();
    let mut writer = QueryWriter::new(&mut form, "SendEmail", "2010-12-01");
    for (name, value) in [
        ("Source", from),
        ("Destination.ToAddresses.member.1", &letter.to),
        ("Message.Subject.Data", &letter.subject),
        ("Message.Subject.Charset", "UTF-8"),
        ("Message.Body.Text.Data", &letter.text),
        ("Message.Body.Text.Charset", "UTF-8"),
    ] {
        writer.prefix(name).string(value);
    }
    writer.finish();
    form.into()
}

/// The cause of an error for the log. SES's texts name addresses, which must not reach it; the code suffices.
fn describe(error: CallError) -> Cause {
    match &error {
        SdkError::ServiceError(refusal) => match refusal.err().code() {
            Some("MessageRejected") => {
                "MessageRejected: is the sender verified, and the account out of the sandbox?".into()
            }
            code => code.unwrap_or("no code").into(),
        },
        _ => error.into(),
    }
}

fn refused(cause: impl Into<Cause>) -> ServiceError {
    ServiceError::Refused(Service::Ses, cause.into())
}
