//! A secret by reference, from a Secrets Manager that answers, refuses or is away.

use aws::{SecretSettings, ServiceError, read_secret};
use local::testing::fake_server::{FakeServer, answer};

use crate::access;

async fn read(server: &FakeServer) -> Result<String, ServiceError> {
    read_secret(SecretSettings { id: "onefold/test".to_owned(), access: access(server) }).await
}

fn refusal(status: u16, code: &str) -> Vec<u8> {
    answer(
        status,
        "Refused",
        &format!(r#"{{"__type":"com.amazonaws.secretsmanager#{code}","message":"said the test"}}"#),
    )
}

#[tokio::test]
async fn it_is_read_under_the_name_and_with_the_credentials_that_were_given() {
    let server = FakeServer::new(|_, request| async move {
        let request = String::from_utf8_lossy(&request).into_owned();
        for part in ["secretsmanager.GetSecretValue", r#"{"SecretId":"onefold/test"}"#, "Credential=AKID/", "session"] {
            assert!(request.contains(part), "{part}: {request}");
        }
        Some(answer(200, "Fine", r#"{"Name":"onefold/test","SecretString":"{\"A\":\"b\"}"}"#))
    });
    assert_eq!(read(&server.await).await.expect("a secret"), r#"{"A":"b"}"#);
}

#[tokio::test]
async fn a_short_trouble_passes_and_a_long_one_is_told() {
    let server = FakeServer::new(|number, _| async move {
        match number {
            0 => Some(refusal(400, "ThrottlingException")),
            1 => Some(refusal(500, "InternalServiceError")),
            2 => None,
            _ => Some(answer(200, "Fine", r#"{"SecretString":"text"}"#)),
        }
    })
    .await;
    assert_eq!(read(&server).await.expect("a secret"), "text");
    assert_eq!(server.requests(), 4);

    let server = FakeServer::new(|_, _| async { Some(refusal(500, "InternalServiceError")) }).await;
    let outcome = read(&server).await;
    assert!(matches!(outcome, Err(ServiceError::Unavailable(..))), "{outcome:?}");
}

#[tokio::test]
async fn without_the_right_or_the_secret_nothing_is_tried_again() {
    let server = FakeServer::new(|_, _| async { Some(refusal(400, "AccessDeniedException")) }).await;
    let outcome = read(&server).await;
    assert!(matches!(outcome, Err(ServiceError::Denied(..))), "{outcome:?}");
    assert_eq!(server.requests(), 1);

    let server = FakeServer::new(|_, _| async { Some(refusal(400, "ResourceNotFoundException")) }).await;
    let outcome = read(&server).await;
    assert!(matches!(outcome, Err(ServiceError::Refused(..))), "{outcome:?}");
    assert_eq!(server.requests(), 1);

    let server = FakeServer::new(|_, _| async { Some(answer(200, "Fine", r#"{"SecretBinary":"AAAA"}"#)) }).await;
    let outcome = read(&server).await;
    assert!(matches!(outcome, Err(ServiceError::Refused(..))), "{outcome:?}");
}
