//! Requests to other hosts: what is not read, not followed, not sent.

use serde_json::Value;
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use super::fixtures::Host;
use crate::federation::outbound::{Address, MAX_ANSWER_BYTES, Outbound, OutboundError};

async fn get(host: &Host, path: &str) -> Result<u16, OutboundError> {
    let address = Address::parse(&format!("{}{path}", host.origin)).unwrap();
    let answer = Outbound::new().unwrap().get(&address, Some("Bearer hunter2".to_owned())).await?;
    assert!(answer.json::<Value>().is_some() || answer.status != 200, "all of it is there");
    Ok(answer.status.as_u16())
}

#[tokio::test]
async fn an_answer_is_read_up_to_a_bound() {
    let host = Host::start().await;
    let text = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
    host.set_raw("/long", "200 OK", &text(MAX_ANSWER_BYTES));
    assert_eq!(get(&host, "/long").await.unwrap(), 200);
    host.set_raw("/too-long", "200 OK", &text(MAX_ANSWER_BYTES + 1));
    assert!(matches!(get(&host, "/too-long").await, Err(OutboundError::TooLong)));
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let host = Host::start().await;
    host.set_raw("/moved", &format!("302 Found\r\nlocation: {}/there", host.origin), "");
    assert_eq!(get(&host, "/moved").await.unwrap(), 302);
    assert_eq!(host.requests("/there").len(), 0);
    assert!(host.requests("/moved")[0].head.contains("Bearer hunter2"));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let outbound = Outbound::new().unwrap();
    let response = tokio::spawn(async move { outbound.get(&address, None).await.map(|_| ()) });
    let _open = listener.accept().await.unwrap();
    assert!(matches!(response.await.unwrap(), Err(OutboundError::TooLate)));
}

#[tokio::test]
async fn a_host_without_a_certificate_learns_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::parse(&format!("https://{}/s3cret", listener.local_addr().unwrap())).unwrap();
    let outbound = Outbound::new().unwrap();
    let response = tokio::spawn(async move { outbound.get(&address, Some("Bearer hunter2".to_owned())).await });
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut hello = vec![0; 4096];
    let length = connection.read(&mut hello).await.unwrap();
    drop(connection);
    assert_eq!(hello[0], 22, "a TLS handshake, not a request");
    let hello = String::from_utf8_lossy(&hello[..length]).into_owned();
    assert!(!hello.contains("hunter2") && !hello.contains("s3cret"));
    let Err(error @ OutboundError::Unreachable(_)) = response.await.unwrap() else { panic!("it was asked") };
    assert!(!format!("{error:?} {error}").contains("hunter2"));
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_shown() {
    let host = Host::start().await;
    let address = Address::parse(&host.origin).unwrap();
    let response = Outbound::new().unwrap().get(&address, Some("Bearer hunter2\r\nx: y".to_owned())).await;
    let Err(error @ OutboundError::Unsendable) = response else { panic!("it was sent") };
    assert!(!format!("{error:?} {error}").contains("hunter2"));
}

#[test]
fn without_tls_only_this_machine_is_asked() {
    for good in [
        "https://a.example",
        "https://a.example:8443/x?y=z",
        "http://127.0.0.1:80",
        "http://[::1]/",
        "http://localhost:3000",
    ] {
        assert!(Address::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "http://a.example",
        "http://127.0.0.1.a.example",
        "http://localhost.a.example",
        "http://169.254.169.254/",
        "ftp://a.example",
        "file:///etc/passwd",
        "//a.example",
        "/x",
        "a.example",
        "",
        "https://user@a.example",
        "https://127.0.0.1@a.example",
        "http://127.0.0.1@a.example",
        "https://a.example#x",
        "https://a.example/ x",
    ] {
        assert!(Address::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_outside_host_does_not_lead_back_to_this_machine() {
    let outside = Address::parse("https://a.example").unwrap();
    let here = Address::parse("http://127.0.0.1:9001").unwrap();
    assert!(outside.named_by("https://b.example/keys").is_ok());
    assert!(outside.named_by("http://127.0.0.1:9001/2018-06-01/runtime").is_err());
    assert!(outside.named_by("https://localhost/keys").is_err());
    assert!(here.named_by("http://127.0.0.1:9002/keys").is_ok());
}
