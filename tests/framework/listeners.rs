//! The ports on which a service listens: no page of elsewhere gets an answer at any of them.

use std::{collections::BTreeSet, fs, net::SocketAddr};

use local::data::{DataFolder, Running};
use serde_json::{Value, json};

use crate::{
    isolated::children,
    support::{Answer, Connection, Folder, Key, Request, Service, service::testbed_program},
};

/// TCP in the state LISTEN, as `/proc/net/tcp` writes it.
const LISTENING: &str = "0A";

/// Where a process listens and all that it started.
fn ports(of: u32) -> BTreeSet<SocketAddr> {
    let own = own_ports(of);
    children(of).into_iter().flat_map(|(child, _)| ports(child)).chain(own).collect()
}

fn own_ports(of: u32) -> BTreeSet<SocketAddr> {
    let files = fs::read_dir(format!("/proc/{of}/fd")).into_iter().flatten().filter_map(Result::ok);
    let links = files.filter_map(|file| fs::read_link(file.path()).ok());
    let links: BTreeSet<String> = links.map(|link| link.to_string_lossy().into_owned()).collect();
    let mut ports = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        for line in fs::read_to_string(format!("/proc/{of}/net/{table}")).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields[3] == LISTENING && links.contains(&format!("socket:[{}]", fields[9])) {
                let (address, port) = fields[1].split_once(':').unwrap();
                assert_eq!(address, "0100007F", "it listens on 127.0.0.1 only: {line}");
                ports.insert(SocketAddr::from(([127, 0, 0, 1], u16::from_str_radix(port, 16).unwrap())));
            }
        }
    }
    ports
}

/// What is asked at each port: what does something at one of them.
fn requests(running: Option<&Running>) -> Vec<Request> {
    let mut scan = Request::new("POST", "/")
        .header("x-amz-target", "DynamoDB_20120810.Scan")
        .header("x-amz-date", "20260101T000000Z")
        .header("content-type", "application/x-amz-json-1.0")
        .body(json!({"TableName": "testbed"}).to_string());
    if let Some(running) = running {
        let credential = format!("{}/20260101/local/dynamodb/aws4_request", running.access_key_id);
        let signed = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        scan = scan.header("authorization", signed);
    }
    vec![
        scan,
        Request::new("GET", "/"),
        Request::new("GET", "/2018-06-01/runtime/invocation/next"),
        Request::new("POST", "/2018-06-01/runtime/init/error").body("{}"),
        Request::new("GET", "/_local/mail"),
        Request::query("health.ping", &Value::Null),
        Request::new("POST", "/graphql")
            .header("content-type", "application/json")
            .body("{\"query\":\"{ healthPing }\"}"),
        Request::new("OPTIONS", "/trpc/users.create")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization"),
    ]
}

/// How a page of elsewhere says who it is; it has no choice.
fn foreign(port: u16) -> Vec<(&'static str, String)> {
    let hosts = ["evil.example", "localhost.evil.example", "0.0.0.0", "127.0.0.1.evil.example"];
    let hosts = hosts.into_iter().flat_map(|host| [host.to_owned(), format!("{host}:{port}")]);
    let origins = ["https://evil.example", "null", "http://127.0.0.1.evil.example"].map(str::to_owned);
    hosts.map(|host| ("host", host)).chain(origins.map(|origin| ("origin", origin))).collect()
}

/// Asks each port as a page of elsewhere would; `but`: the service's own, where it was told to let all pages in.
pub async fn no_port_answers_a_page_of_elsewhere(
    service: &Service,
    running: Option<&Running>,
    but: Option<SocketAddr>,
) -> BTreeSet<SocketAddr> {
    let ports = ports(service.pid());
    assert!(ports.contains(&service.address), "{ports:?}");
    for &port in ports.iter().filter(|port| Some(**port) != but) {
        for request in requests(running) {
            for (name, value) in foreign(port.port()) {
                let asked = request.clone().header(name, &value);
                let answer = Connection::open(port).await.unwrap().send(&asked).await.unwrap();
                expect_refused(&answer, &format!("{name}: {value} to {port}: {request:?}"));
            }
        }
    }
    ports
}

fn expect_refused(answer: &Answer, case: &str) {
    assert_eq!(answer.status, 403, "{case}: {}", answer.text());
    for let_in in ["access-control-allow-origin", "access-control-allow-credentials", "set-cookie"] {
        assert_eq!(answer.header(let_in), None, "{case}");
    }
    let text = answer.text();
    assert!(text.contains("does not answer under that name") || text.contains("may not call this service"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_elsewhere_gets_an_answer_at_no_port_of_the_service() {
    let data = Folder::new();
    let service =
        Service::to_pages_of_this_machine(testbed_program(), &["--data", &data.path().to_string_lossy()]).await;
    let running = DataFolder::open(data.path()).unwrap().running().unwrap();
    let ports = no_port_answers_a_page_of_elsewhere(&service, Some(&running), None).await;
    // The front, the database's guard, the post server. The engine behind the guard listens nowhere.
    assert_eq!(ports.len(), 3, "{ports:?}");

    // Programs and pages of this machine are answered as ever.
    let database: SocketAddr = running.database_endpoint.strip_prefix("http://").unwrap().parse().unwrap();
    let [scan, ..] = &requests(Some(&running))[..] else { panic!("there is one") };
    assert_eq!(Connection::open(database).await.unwrap().send(scan).await.unwrap().status, 200);
    let of_page = scan.clone().header("origin", format!("http://{}", service.address));
    let answer = Connection::open(database).await.unwrap().send(&of_page).await.unwrap();
    expect_refused(&answer, "a page of the service itself has no business with its database");
    let of_image = scan.clone().header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "no-cors");
    let answer = Connection::open(database).await.unwrap().send(&of_image).await.unwrap();
    expect_refused(&answer, "nor has what a page fetches without an origin");
    let ping = Request::query("health.ping", &Value::Null);
    for page in ["http://localhost:5173", "http://127.0.0.1:1", "http://app.localhost:3000"] {
        let answer = service.send(&ping.clone().header("origin", page)).await;
        assert_eq!((answer.data(), answer.header("access-control-allow-origin")), (json!("pong"), Some(page)));
    }
    for host in ["localhost", "127.0.0.1:9", "[::1]:9000", "testbed.localhost:9000"] {
        assert_eq!(service.send(&ping.clone().header("host", host)).await.data(), "pong", "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_on_this_machine_lets_those_pages_in_that_it_was_told() {
    let data = Folder::new();
    let path = data.path().to_string_lossy();
    let told =
        ["--app-url", "https://app.example.com/in", "--allowed-origins", "https://a.example.com,https://b.example.com"];
    let arguments = [&["--ephemeral", "--data", &path][..], &told].concat();
    let service = Service::to_pages_of_this_machine(testbed_program(), &arguments).await;
    let admin = Key::of(data.path()).token(testbed::Role::Administrator);
    let list = Request::query("users.list", &Value::Null).bearer(&admin);
    for origin in ["https://app.example.com", "https://a.example.com", "https://b.example.com", "http://localhost:1"] {
        let answer = service.send(&list.clone().header("origin", origin)).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(origin)));
    }
    for origin in ["http://app.example.com", "https://example.com", "https://c.example.com", "null"] {
        expect_refused(&service.send(&list.clone().header("origin", origin)).await, origin);
    }
    // A proxy before it may keep the name under which its pages are.
    assert_eq!(service.send(&list.clone().header("host", "app.example.com")).await.status, 200);
    expect_refused(&service.send(&list.header("host", "example.com")).await, "another host");
}
