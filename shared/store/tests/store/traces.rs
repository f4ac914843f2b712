//! The operations of a traced call, as X-Ray is told of them.

use std::net::UdpSocket;

use aws::xray::{Daemon, traced};
use serde_json::{Value, json};

use crate::fixtures::{Note, TestDatabase, id};

#[tokio::test]
async fn each_operation_is_a_part_of_the_call() {
    let test = TestDatabase::new().await;
    let listener = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let daemon = Daemon::at(&listener.local_addr().expect("a port").to_string());
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let call = async {
        test.write::<Note>().create(Note::new("cats", 1)).await.expect("created");
        test.read::<Note>().get(&id()).await.expect("read");
    };
    traced(Some(&daemon), Some(header), call).await;
    // Outside of the call, nothing is traced.
    test.read::<Note>().get(&id()).await.expect("read");
    listener.set_nonblocking(true).expect("a socket");
    let mut datagram = [0; 65_536];
    let mut parts = Vec::new();
    while let Ok(length) = listener.recv(&mut datagram) {
        let text = std::str::from_utf8(&datagram[..length]).expect("text");
        parts.push(serde_json::from_str::<Value>(text.split_once('\n').expect("a header").1).expect("JSON"));
    }
    let operations: Vec<_> = parts.iter().map(|part| part["aws"]["operation"].as_str().expect("a name")).collect();
    assert_eq!(operations, ["PutItem", "GetItem"]);
    for part in &parts {
        assert_eq!((&part["name"], &part["namespace"]), (&json!("DynamoDB"), &json!("aws")));
        assert_eq!((&part["aws"]["table_name"], &part["http"]["response"]["status"]), (&json!("onefold"), &json!(200)));
        assert_eq!((&part["parent_id"], part.get("fault")), (&json!("53995c3f42cd8ad8"), None));
    }
}
