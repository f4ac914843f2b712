//! Mail, to an SES that takes it, refuses it or is away.

use std::{future::pending, time::Duration};

use aws::{Letter, MailSettings, Mailer, RetryPolicy, ServiceError};
use local::testing::fake_server::{FakeServer, answer};

use crate::access;

const TAKEN: &str = r#"<SendEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendEmailResult>
    <MessageId>m1</MessageId></SendEmailResult><ResponseMetadata><RequestId>r1</RequestId></ResponseMetadata>
    </SendEmailResponse>"#;

fn refusal(status: u16, code: &str) -> Vec<u8> {
    let message = "Email address is not verified: ada@example.com";
    let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>");
    let body = format!("<ErrorResponse><Error>{error}</Error><RequestId>r1</RequestId></ErrorResponse>");
    answer(status, "Refused", &body)
}

async fn send_within(server: &FakeServer, retries: RetryPolicy) -> Result<(), ServiceError> {
    let from = "Onefold <no-reply@example.com>".to_owned();
    let mailer = Mailer::new(MailSettings { from, access: access(server), retries })?;
    let (subject, text) = ("Grüße & mehr".to_owned(), "Line 1\nLine 2".to_owned());
    mailer.send(Letter { to: "ada@example.com".to_owned(), subject, text }).await
}

async fn send(server: &FakeServer) -> Result<(), ServiceError> {
    // The machine that runs the tests may be busy.
    let (attempt_timeout, total_timeout) = (Duration::from_secs(10), Duration::from_secs(30));
    send_within(server, RetryPolicy { attempt_timeout, total_timeout, ..MailSettings::RETRIES }).await
}

#[tokio::test]
async fn a_mail_is_handed_over_as_it_was_written() {
    let server = FakeServer::new(|_, request| async move {
        let request = String::from_utf8_lossy(&request).into_owned();
        for part in [
            "Credential=AKID/",
            "/eu-central-1/ses/aws4_request",
            "session",
            "Action=SendEmail",
            "Source=Onefold%20%3Cno-reply%40example.com%3E",
            "Destination.ToAddresses.member.1=ada%40example.com",
            "Message.Subject.Data=Gr%C3%BC%C3%9Fe%20%26%20mehr",
            "Message.Subject.Charset=UTF-8",
            "Message.Body.Text.Data=Line%201%0ALine%202",
        ] {
            assert!(request.contains(part), "{part}: {request}");
        }
        Some(answer(200, "Fine", TAKEN))
    });
    send(&server.await).await.expect("taken");
}

#[tokio::test]
async fn a_short_trouble_passes_and_a_long_one_is_told() {
    let server = FakeServer::new(|number, _| async move {
        match number {
            0 => Some(refusal(400, "Throttling")),
            1 => None,
            _ => Some(answer(200, "Fine", TAKEN)),
        }
    })
    .await;
    send(&server).await.expect("taken");
    assert_eq!(server.requests(), 3);

    let server = FakeServer::new(|_, _| async { Some(refusal(503, "ServiceUnavailable")) }).await;
    let error = send(&server).await.expect_err("SES is away");
    assert!(matches!(error, ServiceError::Unavailable(..)), "{error:?}");
    assert_eq!(server.requests(), 3);

    let server = FakeServer::new(|_, _| pending()).await;
    let soon = RetryPolicy { attempt_timeout: Duration::from_millis(100), ..MailSettings::RETRIES };
    let error = send_within(&server, soon).await.expect_err("SES never answers");
    assert!(matches!(error, ServiceError::Unavailable(..)), "{error:?}");
}

#[tokio::test]
async fn what_ses_refuses_is_not_tried_again_and_names_nobody() {
    for (status, code) in [(403, "AccessDenied"), (400, "MessageRejected"), (400, "MailFromDomainNotVerifiedException")]
    {
        let server = FakeServer::new(move |_, _| async move { Some(refusal(status, code)) }).await;
        let error = send(&server).await.expect_err("refused");
        assert_eq!(server.requests(), 1, "{code}");
        assert_eq!(matches!(error, ServiceError::Denied(..)), status == 403, "{code}: {error:?}");
        let told = format!("{error:?}");
        assert!(told.contains(code) && !told.contains("ada"), "{told}");
    }
}
