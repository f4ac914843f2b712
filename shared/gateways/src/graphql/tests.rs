//! Tests of the style alone: fake procedures record each call.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use protocol::contract::Contract;
use runtime::{BoxFuture, Site};
use serde_json::{Value, json};

use super::{GraphQl, Settings, sdl};
use crate::{Calls, Style, Transport};

mod documents;
mod http_forms;
mod types;

/// The contract of the test service.
const CONTRACT: &str = include_str!("../../fixtures/library.json");

/// A fake procedure's response to an input: the data, or an error's `data` and its message.
type Answers = dyn Fn(&str, &Value) -> Result<Value, (u16, Value)> + Send + Sync;

/// Fake procedures, and the calls that they got.
struct FakeProcedures {
    answers: Box<Answers>,
    calls: Mutex<Vec<(String, Value)>>,
}

impl Transport for FakeProcedures {
    fn call<'a>(
        &'a self,
        procedure: &'a str,
        _request_id: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Response<Bytes>> {
        Box::pin(async move {
            let mut input = Value::String("absent".into());
            if !request.body().is_empty() {
                input = serde_json::from_slice(request.body()).unwrap();
            }
            for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
                assert_eq!(name, "input");
                input = serde_json::from_str(&value).unwrap();
            }
            self.calls.lock().unwrap().push((procedure.to_owned(), input.clone()));
            // Yields, so that calls that can run in parallel do.
            tokio::task::yield_now().await;
            let (status, body) = match (self.answers)(procedure, &input) {
                Ok(Value::Null) => (200, json!({"result": {}})),
                Ok(data) => (200, json!({"result": {"data": data}})),
                Err((status, data)) => (status, json!({"error": {"message": "No.", "code": 0, "data": data}})),
            };
            Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap()
        })
    }
}

/// GraphQL over fake procedures.
struct TestGateway {
    contract: Contract,
    style: GraphQl,
    transport: Arc<FakeProcedures>,
}

impl TestGateway {
    fn new(answers: impl Fn(&str, &Value) -> Result<Value, (u16, Value)> + Send + Sync + 'static) -> Self {
        Self::of(Contract::parse(CONTRACT).unwrap(), answers)
    }

    fn of(
        contract: Contract,
        answers: impl Fn(&str, &Value) -> Result<Value, (u16, Value)> + Send + Sync + 'static,
    ) -> Self {
        let style = GraphQl::new(&contract).unwrap();
        let transport = Arc::new(FakeProcedures { answers: Box::new(answers), calls: Mutex::default() });
        Self { contract, style, transport }
    }

    /// A gateway whose procedures must not be called.
    fn idle() -> Self {
        Self::new(|procedure, _| panic!("{procedure} was called"))
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let site = Site::new("http://127.0.0.1:9000", "", "");
        let (parts, body) = request.into_parts();
        let calls = Calls::new(&*self.transport, &site, &parts, "r1");
        self.style.answer(&self.contract, body, calls).await
    }

    async fn post(&self, body: &Value) -> (u16, Value) {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let response = self.send(request).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    /// The response to a query.
    async fn ask(&self, query: &str) -> Value {
        self.post(&json!({"query": query})).await.1
    }

    /// The response to a query with variables.
    async fn ask_with(&self, query: &str, variables: Value) -> Value {
        self.post(&json!({"query": query, "variables": variables})).await.1
    }

    /// Takes the calls recorded so far.
    fn calls(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.transport.calls.lock().unwrap())
    }

    /// The error of a query that is refused without any call.
    async fn refused(&self, query: &str) -> String {
        let (status, answer) = self.post(&json!({"query": query})).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer.get("data").is_none() && self.calls().is_empty(), "{answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST");
        answer["errors"][0]["message"].as_str().unwrap().to_owned()
    }
}

fn id(number: usize) -> String {
    format!("01890a5d-ac96-774b-bcce-{number:012}")
}

fn user(id: &str) -> Value {
    json!({
        "id": id, "email": "ada@example.com", "name": format!("Ada {id}"), "age": null, "isVerified": true,
        "role": "child", "createdAt": "2026-01-01T00:00:00.000Z", "version": 1,
    })
}

fn post(number: usize, author: &str) -> Value {
    json!({
        "id": id(number), "authorId": author, "title": format!("Note {number}"), "body": "Text.",
        "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z", "version": 3_000_000_000_u32,
    })
}

#[test]
fn the_schema_is_the_same_each_time() {
    let text = || sdl(&Contract::parse(CONTRACT).unwrap()).unwrap();
    assert_eq!(text(), text());
}

#[tokio::test]
async fn the_schema_is_a_file_unless_introspection_is_off() {
    let contract = Contract::parse(CONTRACT).unwrap();
    let fetch = async |documents, method| {
        let style = GraphQl::with(&contract, Settings { documents }).unwrap();
        let transport = FakeProcedures { answers: Box::new(|_, _| Ok(Value::Null)), calls: Mutex::default() };
        let site = Site::new("", "", "");
        let (parts, ()) = Request::builder().method(method).uri("/schema.graphql").body(()).unwrap().into_parts();
        let answer = style.answer(&contract, Bytes::new(), Calls::new(&transport, &site, &parts, "r1")).await;
        (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
    };
    assert_eq!(fetch(true, "GET").await, (200, sdl(&contract).unwrap()));
    assert_eq!(fetch(true, "POST").await.0, 405);
    assert_eq!(fetch(false, "GET").await.0, 404);
}

/// Whoever asks, it is one text.
#[tokio::test]
async fn the_schema_is_written_once() {
    let contract = Contract::parse(CONTRACT).unwrap();
    let style = GraphQl::new(&contract).unwrap();
    let transport = FakeProcedures { answers: Box::new(|_, _| Ok(Value::Null)), calls: Mutex::default() };
    let site = Site::new("", "", "");
    let (parts, ()) = Request::builder().uri("/schema.graphql").body(()).unwrap().into_parts();
    let fetch =
        async || style.answer(&contract, Bytes::new(), Calls::new(&transport, &site, &parts, "r1")).await.into_body();
    let (first, second) = (fetch().await, fetch().await);
    assert!(!first.is_empty() && first.as_ptr() == second.as_ptr());
}
