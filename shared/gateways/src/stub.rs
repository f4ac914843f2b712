//! A stub service, for tests of styles.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use protocol::{
    Code, Fault, Kind,
    contract::{Contract, FORMAT},
    trpc,
};
use runtime::{BoxFuture, Site, cors::Cors};
use serde_json::{Value, json};

use crate::{Gateway, Style, Transport};

/// The behaviour of the procedures: from a name and an input to an output or a fault.
pub type Does = fn(&str, Value) -> Result<Option<Value>, Fault>;

/// A transport whose procedures all have one behaviour.
pub struct Stub {
    does: Does,
    /// The calls so far: `GET orders.get {"id":1}`.
    pub calls: Mutex<Vec<String>>,
}

impl Stub {
    /// Creates procedures with this behaviour.
    pub fn new(does: Does) -> Arc<Self> {
        Arc::new(Self { does, calls: Mutex::default() })
    }

    /// The number of calls so far.
    pub fn count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

impl Transport for Stub {
    fn call<'a>(
        &'a self,
        procedure: &'a str,
        request_id: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Response<Bytes>> {
        Box::pin(async move {
            let kind = if request.method() == Method::GET { Kind::Query } else { Kind::Mutation };
            let (parts, body) = request.into_parts();
            let input = trpc::take_input(kind, true, &parts.method, parts.uri.query(), &parts.headers, body).unwrap();
            let text = String::from_utf8(input.clone().unwrap_or_default().to_vec()).unwrap();
            self.calls.lock().unwrap().push(format!("{} {procedure} {text}", parts.method).trim_end().to_owned());
            if text.contains("hang") {
                std::future::pending::<()>().await;
            }
            // Calls with `wait` end last.
            if text.contains("wait") {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            }
            let input = input.map(|input| serde_json::from_slice(&input).unwrap_or_default()).unwrap_or_default();
            let (status, body) = match (self.does)(procedure, input) {
                Ok(output) => {
                    let output = output.map(|output| output.to_string());
                    (200, trpc::result_envelope(output.as_deref().map(str::as_bytes)))
                }
                Err(fault) => (fault.code.http_status(), trpc::error_envelope(&fault, Some(procedure), request_id)),
            };
            let mut response = Response::new(Bytes::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            if status == 401 {
                response.headers_mut().insert("www-authenticate", "Bearer".parse().unwrap());
            }
            response.headers_mut().insert("set-cookie", format!("{procedure}=1").parse().unwrap());
            response
        })
    }
}

/// A contract with the members that a test states; all others are empty.
pub fn contract_of(mut stated: Value) -> Contract {
    fn complete(stated: &mut Value, bare: Value) {
        let (Some(stated), Value::Object(bare)) = (stated.as_object_mut(), bare) else { return };
        for (member, value) in bare {
            stated.entry(member).or_insert(value);
        }
    }
    let table = json!({"partitionKey": "", "sortKey": "", "indexes": [], "timeToLive": "", "streamView": null});
    let bare = json!({
        "format": FORMAT, "service": "test", "procedures": [], "outputTypes": {}, "inputTypes": {}, "table": table,
        "gateways": [],
    });
    complete(&mut stated, bare);
    for procedure in stated["procedures"].as_array_mut().into_iter().flatten() {
        let bare = json!({
            "docs": "", "auth": {"type": "public"}, "forApplications": false, "grants": [], "timeoutMs": 1000,
            "memoryMb": 256, "sensitive": false, "secrets": [], "outbound": [], "mail": false, "inputOptional": false,
            "inputFields": [], "failures": [],
        });
        complete(procedure, bare);
        for failure in procedure["failures"].as_array_mut().into_iter().flatten() {
            complete(failure, json!({"httpStatus": 400, "docs": ""}));
        }
    }
    Contract::parse(&stated.to_string()).unwrap()
}

/// A contract of procedures: name, kind, fields of the input.
pub fn contract(procedures: &[(&str, Kind, &[&str])]) -> Contract {
    let procedures: Vec<_> = procedures
        .iter()
        .map(|(name, kind, fields)| {
            let properties: Value = fields.iter().map(|field| ((*field).to_owned(), json!({}))).collect();
            let input = (!fields.is_empty()).then(|| json!({"type": "object", "properties": properties}));
            json!({
                "name": name, "function": name, "kind": kind, "input": input, "inputFields": fields, "inputOptional": true, "output": {},
            })
        })
        .collect();
    contract_of(json!({"procedures": procedures}))
}

/// Sends a request to a style, through the gateway around it.
pub async fn ask(
    style: Box<dyn Style>,
    contract: Contract,
    transport: Arc<Stub>,
    request: Request<Bytes>,
) -> Response<Bytes> {
    let site = Arc::new(Site::new("https://api.example.com", "", ""));
    let gateway = Gateway { style, contract: Arc::new(contract), transport, cors: Cors::AnyOrigin, site };
    gateway.answer("r1", request).await
}

/// The body of a response as JSON.
pub fn body(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_else(|_| panic!("{:?}", response.body()))
}

/// A fault whose message is its code.
pub fn fault(code: Code) -> Fault {
    Fault::new(code, "No.")
}
