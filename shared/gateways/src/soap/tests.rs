//! Tests of the style with fake procedures.

mod faults;
mod hostile;
mod mapping;
mod signing_in;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response};
use protocol::{Cause, Clock, case, contract::Contract};
use runtime::{BoxFuture, Site};
use serde_json::{Value, json};

use crate::{Calls, Style as _, Transport, stub::contract_of};

use super::{
    Soap,
    version::Version,
    xml::{self, Element},
};

/// A service of a few procedures whose types are of every kind.
fn contract() -> Contract {
    contract_of(contract_json())
}

fn contract_json() -> Value {
    let procedure = |name: &str, input: Value, fields: Value, output: Value, failures: Value| {
        json!({
            "name": name, "function": name, "kind": "mutation", "docs": "Do it.", "auth": {"type": "public"}, "rest": null,
            "input": input, "inputFields": fields, "inputOptional": false, "output": output, "failures": failures,
            "http": null, "timeoutMs": 1000,
        })
    };
    let text = |names: &[&str]| {
        let members: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
        json!({"type": "object", "properties": members, "required": names})
    };
    let missing = json!([{"type": "missing", "code": "NOT_FOUND", "docs": "It is not there.", "schema": {
        "type": "object", "required": ["type", "value"],
        "properties": {"type": {"const": "missing"}, "value": {"type": "string"}},
    }}]);
    json!({
        "service": "test",
        "procedures": [
            procedure("desk.enter", text(&["email", "keep", "password"]), json!(["email", "password", "keep"]), json!({"type": "object"}), json!([])),
            procedure("desk.leave", text(&["refreshToken"]), json!(["refreshToken"]), Value::Null, json!([])),
            procedure("things.getOne", json!({"$ref": "#/inputTypes/Thing"}), json!([]), json!({"$ref": "#/outputTypes/Thing"}), missing),
            procedure("things.keep", json!({
                "type": "object", "required": ["last", "first"], "additionalProperties": false,
                "properties": {"first": {"type": "string"}, "last": {"type": "string"}},
            }), json!(["last", "first"]), Value::Null, json!([])),
            procedure("things.ping", Value::Null, json!([]), json!({"type": "string"}), json!([])),
        ],
        "inputTypes": {"Thing": {"type": "object", "properties": thing()}, "Same": same()},
        "outputTypes": {"Thing": {"type": "object", "properties": thing(), "required": ["whole"]}, "Same": same()},
        "passwordSignIn": {
            "signIn": "desk.enter", "nameField": "email", "passwordField": "password", "with": [["keep", "tokens"]],
            "accessToken": "/tokens/accessToken", "refreshToken": "/tokens/refreshToken",
            "signOut": "desk.leave", "refreshTokenField": "refreshToken",
        },
    })
}

fn same() -> Value {
    json!({"type": "string", "enum": ["plain", "-odd"], "x-enumDescriptions": {"-odd": "Odd."}})
}

/// Members of every kind.
fn thing() -> Value {
    json!({
        "bytes": {"type": "string", "contentEncoding": "base64"},
        "exact": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "maxLength": 64},
        "flag": {"type": ["boolean", "null"]},
        "kind": {"anyOf": [{"$ref": "#/inputTypes/Same"}, {"type": "null"}]},
        "lists": {"type": "array", "items": {"type": "array", "items": {"type": ["integer", "null"]}}, "maxItems": 9},
        "map": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        "real": {"type": "number"},
        "shape": {"oneOf": [
            {"type": "object", "required": ["type"], "properties": {"type": {"const": "empty"}}},
            {"type": "object", "required": ["type", "radius"],
             "properties": {"type": {"const": "circle"}, "radius": {"type": "number"}}},
        ]},
        "text": {"type": ["string", "null"], "maxLength": 5},
        "time": {"type": "string", "format": "date-time"},
        "whole": {"type": "integer", "format": "uint32", "minimum": 1, "maximum": 4294967295_u32},
    })
}

/// Fake procedures: the calls they got, and their responses.
#[derive(Default)]
struct Stub {
    /// Name, `Authorization` and body of each call.
    calls: Mutex<Vec<(String, String, Value)>>,
    /// The status and the body of each answer, by the procedure's name.
    answers: Vec<(&'static str, u16, Value)>,
    /// The procedure that never answers.
    hangs: Option<&'static str>,
    /// The cookies that came with calls, with the procedures' names.
    cookies: Mutex<Vec<(String, String)>>,
}

impl Transport for Stub {
    fn call<'a>(&'a self, procedure: &'a str, _: &'a str, request: Request<Bytes>) -> BoxFuture<'a, Response<Bytes>> {
        let authorization = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let in_address = form_urlencoded::parse(query).next().map(|(_, input)| input.into_owned().into_bytes());
        let body = serde_json::from_slice(in_address.as_deref().unwrap_or(request.body())).unwrap_or_default();
        self.calls.lock().unwrap().push((procedure.to_owned(), authorization.unwrap_or_default(), body));
        let cookies = request.headers().get_all("cookie").into_iter();
        let cookies = cookies.map(|cookie| (procedure.to_owned(), cookie.to_str().unwrap().to_owned()));
        self.cookies.lock().unwrap().extend(cookies);
        let hangs = self.hangs == Some(procedure);
        let found = self.answers.iter().find(|(name, ..)| *name == procedure);
        let (status, body) = found.map_or((200, json!({"result": {}})), |(_, status, body)| (*status, body.clone()));
        let response = Response::builder().status(status).header("set-cookie", format!("{procedure}=1"));
        let response = if status == 429 { response.header("retry-after", "7") } else { response };
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            response.body(Bytes::from(body.to_string())).unwrap()
        })
    }
}

impl Stub {
    fn answering(procedure: &'static str, status: u16, body: Value) -> Self {
        Self { answers: vec![(procedure, status, body)], ..Self::default() }
    }

    fn calls(&self) -> Vec<(String, String, Value)> {
        self.calls.lock().unwrap().clone()
    }
}

/// A response.
struct Answer {
    status: u16,
    headers: http::HeaderMap,
    text: String,
}

impl Answer {
    fn xml(&self) -> Element {
        xml::parse(&self.text).unwrap_or_else(|error| panic!("{error:?}: {}", self.text))
    }

    /// The element in the body.
    fn content(&self) -> Element {
        self.xml().children.pop().unwrap().children.pop().unwrap()
    }

    /// The text of the first element of a name, wherever it is.
    fn the(&self, name: &str) -> String {
        find(&self.xml(), name).map_or_else(|| format!("no {name} in {}", self.text), |element| element.text.clone())
    }
}

fn find<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    if element.name == name {
        return Some(element);
    }
    element.children.iter().find_map(|child| find(child, name))
}

/// Sends a request as it is.
async fn ask(stub: &Stub, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
    ask_of(&contract(), stub, request, body).await
}

async fn ask_of(contract: &Contract, stub: &Stub, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
    let soap = Soap { clock: Clock::Fixed(NOW.parse().unwrap()), ..Soap::new(contract).unwrap() };
    let site = Site::new("http://127.0.0.1:9000", "", "");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let calls = Calls::new(stub, &site, &parts, "r1");
    let response = soap.answer(contract, body.into(), calls.clone()).await;
    let mut headers = response.headers().clone();
    headers.extend(calls.carried());
    let status = response.status().as_u16();
    Answer { status, headers, text: String::from_utf8(response.into_body().to_vec()).unwrap() }
}

/// A request of a version.
fn post(version: Version) -> http::request::Builder {
    Request::builder().method(Method::POST).uri("/soap").header("content-type", version.content_type())
}

/// An envelope with header blocks and a body.
fn envelope(version: Version, header: &str, body: &str) -> String {
    let namespace = version.namespace();
    let header = if header.is_empty() { String::new() } else { format!("<e:Header>{header}</e:Header>") };
    format!("<e:Envelope xmlns:e=\"{namespace}\">{header}<e:Body>{body}</e:Body></e:Envelope>")
}

/// Sends the content of a body.
async fn send(stub: &Stub, version: Version, body: &str) -> Answer {
    ask(stub, post(version), envelope(version, "", body)).await
}

/// The time at which messages arrive.
const NOW: &str = "2026-01-01T12:00:00Z";

const BOTH: [Version; 2] = [Version::V11, Version::V12];

#[test]
fn a_service_is_described_in_the_same_words_each_time() -> Result<(), Cause> {
    let contract = Contract::parse(include_str!("../../fixtures/library.json"))?;
    let wsdl = super::wsdl(&contract, "https://api.example.com/")?;
    assert_eq!(wsdl, super::wsdl(&contract, "https://api.example.com")?);
    assert!(wsdl.contains("location=\"https://api.example.com/soap\""));
    for procedure in contract.in_styles() {
        let name = case::camel_case(&procedure.name);
        assert_eq!(wsdl.matches(&format!("<wsdl:operation name=\"{name}\">")).count(), 3, "{name}");
    }
    Ok(())
}

#[test]
fn a_contract_in_which_two_elements_would_have_one_name_is_refused() {
    let mut contract = contract_json();
    let mut other = contract["procedures"][4].clone();
    other["name"] = "things.pingResponse".into();
    contract["procedures"].as_array_mut().unwrap().push(other);
    let contract: Arc<Contract> = contract_of(contract).into();
    let error = Soap::new(&contract).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("things.pingResponse: SOAP has another element <thingsPingResponse>"));
}

/// Whoever asks, it is one text.
#[test]
fn the_description_is_written_once() {
    let (soap, stub, site) = (Soap::new(&contract()).unwrap(), Stub::default(), Site::new("", "", ""));
    let (parts, ()) = Request::builder().uri("/soap?wsdl").body(()).unwrap().into_parts();
    let describe = || soap.describe(&Calls::new(&stub, &site, &parts, "r1")).into_body();
    let (first, second) = (describe(), describe());
    assert!(!first.is_empty() && first.as_ptr() == second.as_ptr());
}

#[tokio::test]
async fn the_address_says_what_is_there() {
    let stub = Stub::default();
    let get = |uri: &str| Request::builder().method(Method::GET).uri(uri);
    let pointer = ask(&stub, get("/soap"), "").await;
    assert!(pointer.text.contains("http://127.0.0.1:9000/soap?wsdl"));
    let wsdl = ask(&stub, get("/soap?WSDL"), "").await;
    assert_eq!((wsdl.status, &*wsdl.xml().name), (200, "definitions"));
    assert_eq!(wsdl.headers["content-type"], "text/xml; charset=utf-8");
    for uri in ["/soap", "/soap?wsdl"] {
        let head = ask(&stub, Request::builder().method(Method::HEAD).uri(uri), "").await;
        let get = ask(&stub, get(uri), "").await;
        assert_eq!((head.status, &head.headers["content-type"], &*head.text), (200, &get.headers["content-type"], ""));
        assert_eq!(head.headers["content-length"], get.text.len().to_string());
    }
    let put = ask(&stub, Request::builder().method(Method::PUT).uri("/soap"), "").await;
    assert_eq!((put.status, put.the("code")), (405, "METHOD_NOT_SUPPORTED".to_owned()));
    assert_eq!(put.headers["allow"], "GET, HEAD, POST");
}
