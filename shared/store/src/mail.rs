//! Sends mail through Amazon SES (API version 2010-12-01), whose `SendEmail` takes one form.

use std::{error::Error, fmt, sync::Arc};

use aws_sdk_dynamodb::error::SdkError;
use aws_smithy_query::QueryWriter;
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::{Request, header};
use protocol::{Cause, Code, Fault};
use tokio::time::{Duration, Instant};

use crate::{
    StoreError,
    client::{credentials, sdk_config},
    retry::{AttemptError, persist},
    service::{CallError, Service, ServiceClient},
    settings::StoreLimits,
};

/// The sender, the endpoint and the credentials for SES.
#[derive(Clone)]
pub struct MailSettings {
    /// The sender; its address or domain is verified at SES.
    pub from: String,
    /// The AWS region.
    pub region: String,
    /// The endpoint of SES when it is not AWS.
    pub endpoint: Option<String>,
    /// The access key id of the credentials.
    pub access_key_id: String,
    /// The secret access key, which signs the request.
    pub secret_access_key: String,
    /// The session token of temporary credentials, such as those of Lambda.
    pub session_token: Option<String>,
    /// Timeouts and retries.
    pub limits: StoreLimits,
}

impl MailSettings {
    /// Timeouts and retries for SES. It takes longer than a database, and each further attempt may send a second
    /// mail.
    pub const LIMITS: StoreLimits = StoreLimits {
        attempt_timeout: Duration::from_secs(3),
        total_timeout: Duration::from_secs(6),
        max_attempts: 3,
        max_parallel: 1,
        max_examined: 0,
        read_units_a_minute: 0,
    };
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
    limits: StoreLimits,
}

impl Mailer {
    /// Creates the client. It sends nothing yet.
    ///
    /// # Errors
    /// [`MailError::Refused`] when the TLS settings are refused.
    #[inline(never)]
    pub fn new(settings: MailSettings) -> Result<Self, MailError> {
        let MailSettings { from, region, endpoint, access_key_id, secret_access_key, session_token, limits } = settings;
        let config = sdk_config(region, endpoint, credentials(access_key_id, secret_access_key, session_token))?;
        Ok(Self { client: ServiceClient::new(Service::Ses, &config, None)?, from: from.into(), limits })
    }

    /// Sends a mail. SES has no idempotency token: when the answer to an attempt is lost, the next attempt sends a
    /// second mail of the same text.
    ///
    /// # Errors
    /// See [`MailError`]. Success means that SES has accepted the mail, not that it arrived.
    #[inline(never)]
    pub fn send(&self, letter: Letter) -> BoxFuture<'static, Result<(), MailError>> {
        let Self { client, from, limits } = self.clone();
        async move {
            let request = Request::post("/")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form(&from, &letter))
                .map_err(StoreError::broken)?;
            persist(&limits, Instant::now() + limits.total_timeout, |_| {
                let sent = client.call(request.clone()).boxed();
                async move { sent.await.map_err(classify) }
            })
            .await?;
            Ok(())
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

/// Classifies SES's errors. Their texts name addresses, which must not reach the log; the code suffices.
fn classify(error: CallError) -> AttemptError {
    match &error {
        SdkError::ConstructionFailure(_) => StoreError::broken(error).into(),
        SdkError::ServiceError(refusal) => {
            let code = refusal.err().code().unwrap_or("no code").to_owned();
            let status = refusal.raw().status();
            match (code.as_str(), status.as_u16()) {
                ("Throttling" | "ThrottlingException", _) => {
                    AttemptError::Retryable { cause: code.into(), outcome_unknown: false }
                }
                _ if status.is_server_error() => AttemptError::Retryable { cause: code.into(), outcome_unknown: true },
                (_, 403) => StoreError::Denied(code.into()).into(),
                ("MessageRejected", _) => {
                    let hint = "MessageRejected: is the sender verified, and the account out of the sandbox?";
                    StoreError::broken(hint).into()
                }
                _ => StoreError::broken(code).into(),
            }
        }
        // No answer, or one that broke off or does not come from SES.
        _ => AttemptError::Retryable { cause: error.into(), outcome_unknown: true },
    }
}

/// Why a mail was not sent.
#[derive(Debug)]
pub enum MailError {
    /// SES did not answer in time, or accepts no mail at this moment. This mail may have been sent.
    Unavailable(Cause),
    /// The right to send mail is missing, or credentials are wrong.
    Denied(Cause),
    /// SES refuses this mail for good; a retry would not help.
    Refused(Cause),
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable(_) => "SES does not take mails at this moment",
            Self::Denied(_) => "SES denied access: is the capability missing?",
            Self::Refused(_) => "SES refused the mail",
        })
    }
}

impl Error for MailError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let (Self::Unavailable(cause) | Self::Denied(cause) | Self::Refused(cause)) = self;
        Some(&**cause)
    }
}

impl From<StoreError> for MailError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => Self::Unavailable(cause),
            StoreError::Denied(cause) => Self::Denied(cause),
            StoreError::Broken(cause) => Self::Refused(cause),
            other => Self::Refused(other.into()),
        }
    }
}

impl From<MailError> for Fault {
    fn from(error: MailError) -> Self {
        match error {
            MailError::Unavailable(_) => {
                Self::new(Code::ServiceUnavailable, "No mail can be sent now. Try again in a moment.").because(error)
            }
            MailError::Denied(_) | MailError::Refused(_) => Self::internal(error),
        }
    }
}
