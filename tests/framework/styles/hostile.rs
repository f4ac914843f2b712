//! What nobody sends who means well, in every style: a clear error in the style's own form, memory that stays flat, and
//! a next call that works.

use std::fs;

use serde_json::{Value, json};

use crate::support::styles::drivers::xml::Element;
use crate::support::{Answer, Request, TestServer};

/// How much the service's memory may grow over all of it, in KiB. The largest body has a hundred mebibytes.
const MOST_GROWTH_KIB: u64 = 64 * 1024;
const MANY: usize = 10_000;

/// How each style takes an input of `users.create` as raw bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Trpc,
    Batch,
    Rest,
    GraphQl,
    JsonRpc,
    Soap,
}

const STYLES: [Style; 6] = [Style::Trpc, Style::Batch, Style::Rest, Style::GraphQl, Style::JsonRpc, Style::Soap];
/// Those whose inputs are JSON.
const IN_JSON: [Style; 5] = [Style::Trpc, Style::Batch, Style::Rest, Style::GraphQl, Style::JsonRpc];

impl Style {
    fn request(self, body: impl Into<Vec<u8>>) -> Request {
        let (target, kind) = match self {
            Self::Trpc => ("/trpc/users.create", "application/json"),
            Self::Batch => ("/trpc/users.create,health.ping?batch=1", "application/json"),
            Self::Rest => ("/v1/users", "application/json"),
            Self::GraphQl => ("/graphql", "application/json"),
            Self::JsonRpc => ("/jsonrpc", "application/json"),
            Self::Soap => ("/soap", "text/xml; charset=utf-8"),
        };
        Request::new("POST", target).header("content-type", kind).body(body)
    }

    /// An input among what is around it.
    fn with(self, input: &[u8]) -> Request {
        let mutation = "mutation($input: UsersCreateInput!) { usersCreate(input: $input) { __typename } }";
        let (before, after) = match self {
            Self::Trpc | Self::Rest => (String::new(), "".to_owned()),
            Self::Batch => ("{\"0\":".to_owned(), "}".to_owned()),
            Self::GraphQl => (format!("{{\"query\":\"{mutation}\",\"variables\":{{\"input\":"), "}}".to_owned()),
            Self::JsonRpc => {
                ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"users.create\",\"params\":".to_owned(), "}".to_owned())
            }
            Self::Soap => (
                "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>\
                 <usersCreate xmlns=\"urn:onefold:testbed\">"
                    .to_owned(),
                "</usersCreate></e:Body></e:Envelope>".to_owned(),
            ),
        };
        self.request([before.as_bytes(), input, after.as_bytes()].concat())
    }

    /// The code of an error in the style's own form.
    fn code(self, answer: &Answer) -> String {
        let text = answer.text();
        let json = || serde_json::from_slice::<Value>(&answer.body).unwrap_or_else(|_| panic!("{self:?}: {text:.300}"));
        let code = match self {
            Self::Trpc => json()["error"]["data"]["code"].clone(),
            Self::Batch => {
                json().pointer("/0/error/data/code").cloned().unwrap_or_else(|| json()["error"]["data"]["code"].clone())
            }
            Self::Rest => json()["code"].clone(),
            Self::GraphQl => json()["errors"][0]["extensions"]["code"].clone(),
            Self::JsonRpc => json()["error"]["data"]["code"].clone(),
            Self::Soap => {
                let envelope = Element::parse(&text).unwrap_or_else(|| panic!("{text:.300}"));
                let fault =
                    envelope.child("Body").and_then(|body| body.child("Fault")?.child("detail")?.child("fault"));
                fault.and_then(|fault| fault.child("code")).map(|code| code.text.clone()).into()
            }
        };
        code.as_str().unwrap_or_else(|| panic!("{self:?} gives no code: {} {text:.300}", answer.status)).to_owned()
    }
}

/// The service, and what it has had to bear.
struct Trial {
    server: TestServer,
    faults: Vec<String>,
}

impl Trial {
    async fn new() -> Self {
        let trial = Self { server: TestServer::open().await, faults: Vec::new() };
        // What is made once, such as the schema, is made before anything is measured.
        for style in STYLES {
            trial.server.service.send(&style.with(b"{}").bearer(&trial.server.admin)).await;
        }
        trial
    }

    /// The most memory that the service ever had, in KiB.
    fn most_memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.service.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Sends something that has to be refused with one of these codes, and then something good.
    async fn refused(&mut self, what: &str, style: Style, request: Request, codes: &[&str]) {
        let answer = self.server.service.send(&request.bearer(&self.server.admin)).await;
        let code = style.code(&answer);
        if !codes.contains(&code.as_str()) {
            self.faults.push(format!("{what} in {style:?}: {} {code}: {:.200}", answer.status, answer.text()));
        }
        let ping = self.server.service.send(&Request::query("health.ping", &Value::Null)).await;
        assert_eq!(ping.status, 200, "after {what} in {style:?}");
    }

    fn end(self) {
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
    }
}

const BAD: &[&str] = &["BAD_REQUEST", "PARSE_ERROR"];
const LARGE: &[&str] = &["PAYLOAD_TOO_LARGE"];
const REFUSED: &[&str] = &["BAD_REQUEST", "PARSE_ERROR", "PAYLOAD_TOO_LARGE"];

#[tokio::test]
async fn inputs_that_are_hostile_are_refused_in_every_style() {
    let mut trial = Trial::new().await;
    let before = trial.most_memory_kib();
    for style in IN_JSON {
        let spoilt = b"{\"email\":\"a@example.com\",\"name\":\"\xff\xfe\"}";
        trial.refused("invalid UTF-8", style, style.with(spoilt), BAD).await;
        let twice = br#"{"email":"a@example.com","email":"b@example.com","name":"Twice"}"#;
        trial.refused("a key that is there twice", style, style.with(twice), BAD).await;
        let deep = format!("{{\"email\":\"a@example.com\",\"name\":{}{}}}", "[".repeat(MANY), "]".repeat(MANY));
        trial.refused("deep JSON", style, style.with(deep.as_bytes()), BAD).await;
        let open = format!("{{\"email\":{}", "{\"a\":".repeat(MANY));
        trial.refused("deep JSON that breaks off", style, style.with(open.as_bytes()), BAD).await;
    }
    let soap = Style::Soap;
    trial.refused("invalid UTF-8", soap, soap.with(b"<name>\xff\xfe</name>"), BAD).await;
    let twice = b"<email>a@example.com</email><email>b@example.com</email><name>Twice</name>";
    trial.refused("an element that is there twice", soap, soap.with(twice), BAD).await;
    let deep = format!("{}{}", "<name>".repeat(MANY), "</name>".repeat(MANY));
    trial.refused("deep XML", soap, soap.with(deep.as_bytes()), BAD).await;
    for style in STYLES {
        // One byte at the end, so that no parser would have to read all of it to know better.
        let body = vec![b' '; 100 * 1024 * 1024];
        trial.refused("a hundred mebibytes", style, style.request(body.clone()), LARGE).await;
        trial.refused("the same in chunks", style, style.request(body).chunked(), LARGE).await;
    }
    let users = trial.server.query("users.list", json!({})).await.data();
    assert_eq!(users["items"], json!([]), "nobody was made");
    let grown = trial.most_memory_kib() - before;
    assert!(grown < MOST_GROWTH_KIB, "the service has {grown} KiB more than before");
    trial.end();
}

/// Refused where the document type begins, before there is anything to expand.
#[tokio::test]
async fn entities_are_refused() {
    let mut trial = Trial::new().await;
    let before = trial.most_memory_kib();
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY lol{n} \"{}\">", format!("&lol{};", n - 1).repeat(10))).collect();
    let doctypes = [
        format!("<!DOCTYPE lolz [<!ENTITY lol0 \"lol\">{laughs}]>"),
        "<!DOCTYPE x [<!ENTITY lol9 SYSTEM \"file:///etc/passwd\">]>".to_owned(),
        "<!DOCTYPE x [<!ENTITY lol9 SYSTEM \"http://127.0.0.1:1/\">]>".to_owned(),
        "<!DOCTYPE x SYSTEM \"http://127.0.0.1:1/x.dtd\">".to_owned(),
        format!("<!DOCTYPE x [<!ENTITY lol9 \"{}\">]>", "a".repeat(100_000)),
        String::new(),
    ];
    for doctype in doctypes {
        let message = format!(
            "<?xml version=\"1.0\"?>{doctype}<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>\
             <usersCreate xmlns=\"urn:onefold:testbed\"><email>a@example.com</email><name>&lol9;</name></usersCreate>\
             </e:Body></e:Envelope>"
        );
        trial.refused(&format!("{doctype:.60}"), Style::Soap, Style::Soap.request(message), &["PARSE_ERROR"]).await;
    }
    let grown = trial.most_memory_kib() - before;
    assert!(grown < MOST_GROWTH_KIB, "the service has {grown} KiB more than before");
    trial.end();
}

/// Many calls in one request, by whatever a style has for it.
#[tokio::test]
async fn requests_that_ask_for_too_much_are_refused() {
    let mut trial = Trial::new().await;
    let before = trial.most_memory_kib();
    let names = vec!["a.b"; MANY].join(",");
    for request in [
        Request::new("GET", format!("/trpc/{names}?batch=1")),
        Request::new("POST", format!("/trpc/{names}?batch=1")).header("content-type", "application/json").body("{}"),
    ] {
        trial.refused("a batch of many", Style::Batch, request, REFUSED).await;
    }
    let inputs: serde_json::Map<_, _> = (0..MANY).map(|at| (at.to_string(), Value::Null)).collect();
    let body = Value::Object(inputs).to_string();
    trial.refused("many inputs for two calls", Style::Batch, Style::Batch.request(body), REFUSED).await;

    let rpc = Style::JsonRpc;
    let calls = vec![json!({"jsonrpc": "2.0", "id": 1, "method": "health.ping"}); MANY];
    trial.refused("a batch of many", rpc, rpc.request(Value::from(calls).to_string()), REFUSED).await;
    trial.refused("a batch of many nothings", rpc, rpc.request(Value::from(vec![1; MANY]).to_string()), REFUSED).await;

    let graphql = Style::GraphQl;
    let asks = |query: &str| graphql.request(json!({"query": query}).to_string());
    let requests = vec![json!({"query": "{ healthPing { __typename } }"}); MANY];
    trial.refused("a batch of many", graphql, graphql.request(Value::from(requests).to_string()), REFUSED).await;
    let aliases: String = (0..MANY).map(|at| format!("a{at}: __typename ")).collect();
    trial.refused("many aliases", graphql, asks(&format!("{{ {aliases} }}")), BAD).await;
    let calls: String = (0..MANY).map(|at| format!("a{at}: usersList {{ nodes {{ id }} }} ")).collect();
    trial.refused("many aliased calls", graphql, asks(&format!("{{ {calls} }}")), BAD).await;
    let deep = format!("{{ {} id {} }}", "postsList { nodes { author {".repeat(400), "} } }".repeat(400));
    trial.refused("a deep selection", graphql, asks(&deep), BAD).await;
    let open = "{ a ".repeat(MANY);
    trial.refused("a deep selection that breaks off", graphql, asks(&open), BAD).await;
    let lists = format!("{{ usersGet(id: {}1{}) {{ __typename }} }}", "[".repeat(MANY), "]".repeat(MANY));
    trial.refused("a deep list", graphql, asks(&lists), BAD).await;
    let round = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }";
    trial.refused("fragments in a circle", graphql, asks(round), BAD).await;
    let mut doubling = "{ ...f0 } ".to_owned();
    for at in 0..40 {
        doubling += &format!("fragment f{at} on Query {{ ...f{next} ...f{next} }} ", next = at + 1);
    }
    doubling += "fragment f40 on Query { __typename }";
    trial.refused("fragments that double", graphql, asks(&doubling), BAD).await;
    let directives = format!("{{ __typename {} }}", "@skip(if: false) ".repeat(MANY));
    trial.refused("many directives", graphql, asks(&directives), BAD).await;

    let grown = trial.most_memory_kib() - before;
    assert!(grown < MOST_GROWTH_KIB, "the service has {grown} KiB more than before");
    trial.end();
}
