//! The memory of GraphQL's persisted queries, which anybody may fill: it keeps so many and so much, and not more.

use std::ops::Range;

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::support::{Connection, Request, TestServer};

/// How many queries are remembered, and how many bytes of them.
const MAX_QUERIES: usize = 1_000;
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A good query of this length, another one for each number.
fn query(number: usize, bytes: usize) -> String {
    let start = format!("# {number}\n{{ healthPing }} #");
    format!("{start}{}", "x".repeat(bytes.saturating_sub(start.len())))
}

fn hash(query: &str) -> String {
    digest(&SHA256, query.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks with the hash, and with the query if it is to be registered.
async fn ask(connection: &mut Connection, query: &str, is_registered: bool) -> Value {
    let extensions = json!({"persistedQuery": {"version": 1, "sha256Hash": hash(query)}});
    let body = if is_registered {
        json!({"query": query, "extensions": extensions})
    } else {
        json!({"extensions": extensions})
    };
    let request = Request::new("POST", "/graphql").header("content-type", "application/json").body(body.to_string());
    connection.send(&request).await.unwrap().json()
}

/// Registers queries, and finds which of them are remembered afterwards.
async fn remembered(server: &TestServer, numbers: Range<usize>, bytes: usize) -> Vec<usize> {
    let mut connection = server.service.connect().await;
    for number in numbers.clone() {
        let answer = ask(&mut connection, &query(number, bytes), true).await;
        assert_eq!(answer["data"]["healthPing"], "pong", "{answer}");
    }
    let mut found = Vec::new();
    for number in numbers {
        let answer = ask(&mut connection, &query(number, bytes), false).await;
        match answer["errors"][0]["extensions"]["code"].as_str() {
            None => found.push(number),
            Some(code) => assert_eq!(code, "PERSISTED_QUERY_NOT_FOUND", "{answer}"),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn of_long_queries_as_many_are_remembered_as_fit() {
    const LONG: usize = 100_000;
    let server = TestServer::open().await;
    let found = remembered(&server, 0..60, LONG).await;
    assert_eq!(found, Vec::from_iter(60 - MAX_BYTES / LONG..60), "the last ones");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_short_queries_a_thousand_are_remembered() {
    let server = TestServer::open().await;
    let found = remembered(&server, 0..MAX_QUERIES + 20, 0).await;
    assert_eq!(found, Vec::from_iter(20..MAX_QUERIES + 20), "the last ones");
}
