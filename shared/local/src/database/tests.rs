//! The database through its endpoint, as a client sees it.

use std::path::PathBuf;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::guard::{Policy, Rule};
use super::{Credentials, DatabaseError, EmbeddedDatabase, Location};

/// A client of DynamoDB's JSON protocol for one principal.
pub(super) struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    endpoint: String,
    access_key_id: String,
}

impl Caller {
    pub(super) fn new(database: &EmbeddedDatabase, access_key_id: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            endpoint: database.endpoint().to_owned(),
            access_key_id: access_key_id.to_owned(),
        }
    }

    async fn send(&self, operation: &str, body: impl Into<Bytes>) -> (StatusCode, Value) {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-target, Signature=00",
            self.access_key_id
        );
        let request = Request::post(&self.endpoint)
            .header("authorization", authorization)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .body(Full::new(body.into()))
            .expect("the request is well-formed");
        let response = self.client.request(request).await.expect("the guard answers");
        let status = response.status();
        let body = response.into_body().collect().await.expect("the answer is whole").to_bytes();
        (status, serde_json::from_slice(&body).expect("the answer is JSON"))
    }

    async fn call(&self, operation: &str, body: Value) -> (StatusCode, Value) {
        self.send(operation, body.to_string()).await
    }

    pub(super) async fn get(&self, key: &str) -> (StatusCode, Value) {
        self.call("GetItem", json!({ "TableName": "service", "Key": item(key) })).await
    }

    pub(super) async fn put(&self, key: &str) -> (StatusCode, Value) {
        self.call("PutItem", json!({ "TableName": "service", "Item": item(key) })).await
    }
}

fn item(key: &str) -> Value {
    json!({ "pk": { "S": key }, "sk": { "S": "-" } })
}

fn rule(leading_keys: &str, actions: &[&str]) -> Rule {
    Rule {
        table_actions: actions.iter().map(|action| format!("dynamodb:{action}")).collect(),
        index_actions: vec!["dynamodb:Query".to_owned()],
        indexes: vec!["gsi1".to_owned()],
        leading_keys: leading_keys.to_owned(),
    }
}

pub(super) async fn create_table(administrator: &Caller) {
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let keys = |hash: &str, range: &str| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }]);
    let attributes = ["pk", "sk", "gsi1pk", "gsi1sk"].map(attribute);
    let table = json!({
        "TableName": "service",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": keys("pk", "sk"),
        "GlobalSecondaryIndexes": [{
            "IndexName": "gsi1", "KeySchema": keys("gsi1pk", "gsi1sk"), "Projection": { "ProjectionType": "ALL" },
        }],
    });
    let (status, answer) = administrator.call("CreateTable", table).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

/// A database with the table `service`, its administrator, and a procedure `users.edit` that may read
/// and write `user` and read `team`, and query the first index for both.
async fn database() -> (EmbeddedDatabase, Caller, Caller) {
    let database = EmbeddedDatabase::start(Location::Memory).await.expect("it starts");
    let administrator = Caller::new(&database, &database.administrator().access_key_id);
    create_table(&administrator).await;
    let credentials = Credentials::random();
    let write = ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "BatchWriteItem", "BatchGetItem"];
    database.admit(
        credentials.access_key_id.clone(),
        Policy::Procedure {
            name: "users.edit".to_owned(),
            rules: vec![
                rule("user", &write),
                rule("team", &["GetItem", "Query", "BatchGetItem", "ConditionCheckItem"]),
            ],
        },
    );
    let procedure = Caller::new(&database, &credentials.access_key_id);
    (database, administrator, procedure)
}

fn assert_denied(answer: &(StatusCode, Value), expected: &str) {
    let (status, body) = answer;
    assert_eq!(*status, StatusCode::BAD_REQUEST, "{body}");
    assert_eq!(body["__type"], "com.amazon.coral.service#AccessDeniedException", "{body}");
    let message = body["Message"].as_str().unwrap_or_default();
    assert!(message.starts_with("User: users.edit is not authorized to perform: "), "{message}");
    assert!(message.contains(expected), "{message}");
}

fn assert_kind(answer: &(StatusCode, Value), kind: &str) {
    assert_eq!(answer.0, StatusCode::BAD_REQUEST, "{}", answer.1);
    assert_eq!(answer.1["__type"], format!("com.amazon.coral.service#{kind}"), "{}", answer.1);
}

#[tokio::test]
async fn what_the_policy_covers_reaches_the_database_and_comes_back_unchanged() {
    let (database, _, procedure) = database().await;
    let (status, answer) = procedure.put("user#1").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, answer) = procedure.get("user#1").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["Item"], item("user#1"));
    let query = json!({
        "TableName": "service", "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": { "#p": "pk" }, "ExpressionAttributeValues": { ":p": { "S": "user#1" } },
    });
    assert_eq!(procedure.call("Query", query).await.1["Count"], 1);
    database.stop().await;
}

#[tokio::test]
async fn a_foreign_key_is_denied_and_the_message_names_what_is_missing() {
    let (_database, administrator, procedure) = database().await;
    let missing = "because no capability of users.edit names `post` for writing";
    assert_denied(&procedure.put("post#1").await, missing);
    assert_denied(&procedure.get("post#1").await, "names `post` for reading");
    assert_denied(&procedure.get("users#1").await, "names `users` for reading");
    assert_eq!(administrator.get("post#1").await, (StatusCode::OK, json!({})));
}

#[tokio::test]
async fn an_action_that_no_rule_of_the_key_names_is_denied() {
    let (_database, administrator, procedure) = database().await;
    assert_eq!(procedure.get("team#1").await.0, StatusCode::OK);
    assert_denied(&procedure.put("team#1").await, "dynamodb:PutItem on resource: table/*/team#…");
    let delete = json!({ "TableName": "service", "Key": item("team#1") });
    assert_denied(&procedure.call("DeleteItem", delete).await, "dynamodb:DeleteItem");
    assert_eq!(administrator.get("team#1").await, (StatusCode::OK, json!({})));
}

#[tokio::test]
async fn a_transaction_with_one_foreign_key_is_denied_whole_and_changes_nothing() {
    let (_database, administrator, procedure) = database().await;
    let put = |key: &str| json!({ "Put": { "TableName": "service", "Item": item(key) } });
    let check = json!({ "ConditionCheck": {
        "TableName": "service", "Key": item("team#1"), "ConditionExpression": "attribute_not_exists(pk)",
    } });
    let refusal = json!({ "TransactItems": [put("user#1"), check, put("post#1")] });
    assert_denied(&procedure.call("TransactWriteItems", refusal).await, "names `post` for writing");
    assert_eq!(administrator.get("user#1").await, (StatusCode::OK, json!({})));

    let own = json!({ "TransactItems": [put("user#1"), check] });
    assert_eq!(procedure.call("TransactWriteItems", own).await.0, StatusCode::OK);
    assert_eq!(administrator.get("user#1").await.1["Item"], item("user#1"));
}

#[tokio::test]
async fn every_key_of_a_batch_has_to_be_covered() {
    let (_database, administrator, procedure) = database().await;
    let write = |keys: &[&str]| {
        let puts: Vec<_> = keys.iter().map(|key| json!({ "PutRequest": { "Item": item(key) } })).collect();
        json!({ "RequestItems": { "service": puts } })
    };
    assert_denied(&procedure.call("BatchWriteItem", write(&["user#1", "post#1"])).await, "names `post`");
    assert_eq!(administrator.get("user#1").await, (StatusCode::OK, json!({})));
    assert_eq!(procedure.call("BatchWriteItem", write(&["user#1"])).await.0, StatusCode::OK);

    let read = |keys: &[&str]| json!({ "RequestItems": { "service": { "Keys": keys.iter().map(|key| item(key)).collect::<Vec<_>>() } } });
    assert_eq!(procedure.call("BatchGetItem", read(&["user#1", "team#1"])).await.0, StatusCode::OK);
    assert_denied(&procedure.call("BatchGetItem", read(&["user#1", "post#1"])).await, "names `post`");
    let get = |key: &str| json!({ "Get": { "TableName": "service", "Key": item(key) } });
    let transaction = json!({ "TransactItems": [get("user#1"), get("post#1")] });
    assert_denied(&procedure.call("TransactGetItems", transaction).await, "dynamodb:GetItem");
}

#[tokio::test]
async fn a_query_on_an_index_is_judged_by_the_index_and_its_partition() {
    let (_database, _, procedure) = database().await;
    let query_on = |index: &str, partition: &str| {
        json!({
            "TableName": "service", "IndexName": index,
            "KeyConditionExpression": format!("{index}pk = :p AND {index}sk > :s"),
            "ExpressionAttributeValues": { ":p": { "S": partition }, ":s": { "S": "a" } },
        })
    };
    let query = |partition: &str| query_on("gsi1", partition);
    let (status, answer) = procedure.call("Query", query("user#list")).await;
    assert_eq!((status, &answer["Count"]), (StatusCode::OK, &json!(0)), "{answer}");
    assert_denied(&procedure.call("Query", query("post#list")).await, "names `post` for reading");
    let other_index = query_on("gsi2", "user#list");
    assert_denied(&procedure.call("Query", other_index).await, "names `user` for reading in the index `gsi2`");
}

#[tokio::test]
async fn scans_tables_and_statements_are_for_the_administrator() {
    let (_database, administrator, procedure) = database().await;
    let table = json!({ "TableName": "service" });
    for operation in ["Scan", "DescribeTable", "DeleteTable"] {
        assert_denied(&procedure.call(operation, table.clone()).await, &format!("dynamodb:{operation}"));
    }
    let statement = json!({ "Statement": "SELECT * FROM service" });
    assert_denied(&procedure.call("ExecuteStatement", statement).await, "dynamodb:ExecuteStatement");
    assert_eq!(administrator.call("Scan", table.clone()).await.0, StatusCode::OK);
    assert_eq!(administrator.call("DescribeTable", table).await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_procedures_ask_for_is_recorded_whether_it_is_allowed_or_not() {
    let (database, administrator, procedure) = database().await;
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).expect("the folder can be made");
    let path = folder.0.join("access.jsonl");
    database.record_accesses(&path).expect("the file can be made");
    assert_eq!(administrator.get("user#1").await.0, StatusCode::OK);
    assert_eq!(procedure.get("user#ada@example.com").await.0, StatusCode::OK);
    assert_eq!(procedure.get("user#2").await.0, StatusCode::OK);
    assert_denied(&procedure.put("post#1").await, "names `post` for writing");
    // The line is in the file while the database still runs.
    assert_eq!(
        std::fs::read_to_string(&path).expect("the file can be read").lines().collect::<Vec<_>>(),
        [
            r#"{"procedure":"users.edit","action":"dynamodb:GetItem","index":null,"prefix":"user"}"#,
            r#"{"procedure":"users.edit","action":"dynamodb:PutItem","index":null,"prefix":"post"}"#,
        ]
    );
}

#[tokio::test]
async fn an_unknown_access_key_is_refused() {
    let (database, _, _) = database().await;
    let stranger = Caller::new(&database, "AKIDSTRANGER");
    assert_kind(&stranger.get("user#1").await, "UnrecognizedClientException");
}

#[tokio::test]
async fn malformed_json_is_forwarded_for_no_one() {
    let (_database, administrator, procedure) = database().await;
    for caller in [&administrator, &procedure] {
        assert_kind(&caller.send("GetItem", r#"{"TableName":"#).await, "SerializationException");
    }
}

#[tokio::test]
async fn a_later_policy_replaces_the_earlier_one() {
    let (database, _, procedure) = database().await;
    let policy = Policy::Procedure { name: "users.edit".to_owned(), rules: Vec::new() };
    database.admit(procedure.access_key_id.clone(), policy);
    assert_denied(&procedure.get("user#1").await, "names `user` for reading");
}

/// A folder for one test, removed at its end.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        Self(std::env::temp_dir().join(format!("onefold-database-{}", uuid::Uuid::now_v7())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_file_has_one_user_at_a_time_and_keeps_what_was_written() {
    let folder = Folder::new();
    let location = Location::File(folder.0.join("data.sqlite"));
    let database = EmbeddedDatabase::start(location.clone()).await.expect("it starts");
    let administrator = Caller::new(&database, &database.administrator().access_key_id);
    create_table(&administrator).await;
    assert_eq!(administrator.put("user#1").await.0, StatusCode::OK);

    let second = EmbeddedDatabase::start(location.clone()).await;
    assert!(matches!(second, Err(DatabaseError::InUse { .. })), "{second:?}");
    database.stop().await;

    let database = EmbeddedDatabase::start(location).await.expect("the file is free again");
    let administrator = Caller::new(&database, &database.administrator().access_key_id);
    assert_eq!(administrator.get("user#1").await.1["Item"], item("user#1"));
    database.stop().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_a_typed_error() {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).expect("the folder can be made");
    let path = folder.0.join("data.sqlite");
    std::fs::write(&path, "x".repeat(4096)).expect("the file can be written");
    let started = EmbeddedDatabase::start(Location::File(path)).await;
    assert!(matches!(started, Err(DatabaseError::Open { .. })), "{started:?}");
}

#[test]
fn credentials_do_not_show_their_secret() {
    let credentials = Credentials::random();
    assert!(!format!("{credentials:?}").contains(&credentials.secret_access_key));
}
