//! The request to a service of AWS, as a part of the call that sends it.

use std::net::UdpSocket;

use aws::{
    SecretSettings, read_secret,
    xray::{Daemon, traced},
};
use local::testing::fake_server::{FakeServer, answer};
use serde_json::{Value, json};

use super::access;

/// The document of one request, which is answered so.
async fn part(status: u16, body: &'static str) -> Value {
    let server = FakeServer::new(move |_, asked| async move {
        let named = "x-amzn-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=";
        let is_named = String::from_utf8_lossy(&asked).to_ascii_lowercase().contains(&named.to_ascii_lowercase());
        is_named.then(|| answer(status, "Said", body))
    });
    let listener = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let daemon = Daemon::at(&listener.local_addr().expect("a port").to_string());
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let reading = read_secret(SecretSettings { id: "onefold/test".to_owned(), access: access(&server.await) });
    drop(traced(Some(&daemon), Some(header), reading).await);
    let mut datagram = [0; 65_536];
    let length = listener.recv(&mut datagram).expect("a part");
    let text = std::str::from_utf8(&datagram[..length]).expect("text");
    serde_json::from_str(text.split_once('\n').expect("a header").1).expect("JSON")
}

#[tokio::test]
async fn a_request_says_what_it_was_and_how_it_ended() {
    let good = part(200, r#"{"SecretString":"text"}"#).await;
    assert_eq!((&good["name"], &good["namespace"]), (&json!("SecretsManager"), &json!("aws")));
    assert_eq!((&good["parent_id"], &good["type"]), (&json!("53995c3f42cd8ad8"), &json!("subsegment")));
    assert_eq!(good["aws"]["operation"], "GetSecretValue");
    assert_eq!(good["http"]["response"]["status"], 200);
    let flags = |document: &Value| ["error", "throttle", "fault"].map(|flag| document[flag] == true);
    assert_eq!(flags(&good), [false; 3]);
    let refused = part(400, r#"{"__type":"com.amazonaws.secretsmanager#ResourceNotFoundException"}"#).await;
    assert_eq!(flags(&refused), [true, false, false]);
}
