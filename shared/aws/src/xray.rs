//! The parts of a call for AWS X-Ray: subsegments, sent by UDP to the daemon beside a Lambda function
//! (<https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>). The function's own segment is
//! Lambda's. Where a call is not sampled, nothing is made and nothing is sent.
//!
//! [`traced`] begins a call; within it, [`part`] is one of its parts. What is sent by the SDK's clients is a part by
//! itself ([`Interceptor`]).

use std::{
    fmt, io,
    net::{Ipv4Addr, UdpSocket},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{
                BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
                FinalizerInterceptorContextRef,
            },
            dyn_dispatch_hint,
        },
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Map, Value, json};

use crate::{error::is_throttling, service::refusal};

/// The header with which a request names its trace.
pub const TRACE_HEADER: &str = "x-amzn-trace-id";
/// The first line of each datagram.
const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";

/// The daemon that takes the parts of calls.
#[derive(Debug)]
pub struct Daemon {
    address: String,
    /// The socket, since the first part; none if there is no way to the address.
    socket: OnceLock<Option<UdpSocket>>,
}

impl Daemon {
    /// A daemon at an address, as `AWS_XRAY_DAEMON_ADDRESS` states it: `169.254.79.129:2000`, or `tcp:… udp:…`.
    pub fn at(address: &str) -> Arc<Self> {
        let of_udp = address.split_whitespace().find_map(|part| part.strip_prefix("udp:")).unwrap_or(address);
        Arc::new(Self { address: of_udp.to_owned(), socket: OnceLock::new() })
    }

    /// Sends a document, or loses it: a call neither fails nor waits for it.
    fn send(&self, document: &Map<String, Value>) {
        let Some(socket) = self.socket.get_or_init(|| self.connect().ok()) else { return };
        let text = serde_json::to_string(document).unwrap_or_default();
        let _ = socket.send(format!("{HEADER}{text}").as_bytes());
    }

    fn connect(&self) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(&self.address)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}

/// Where the parts of a call belong: below a segment, or below another part.
#[derive(Clone, Debug)]
struct Place {
    daemon: Arc<Daemon>,
    trace: Arc<str>,
    parent: Arc<str>,
}

tokio::task_local! {
    static PLACE: Place;
}

impl Place {
    /// The place that a header names, such as `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`;
    /// none if the call is not sampled.
    fn of(daemon: &Arc<Daemon>, header: &str) -> Option<Self> {
        let stated = |name: &str| header.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        (stated("Sampled") == Some("1")).then_some(())?;
        Some(Self { daemon: Arc::clone(daemon), trace: stated("Root")?.into(), parent: stated("Parent")?.into() })
    }
}

/// Runs a call whose request has this header. Its parts are sent if it is sampled.
pub async fn traced<F: Future>(daemon: Option<&Arc<Daemon>>, header: Option<&str>, call: F) -> F::Output {
    match daemon.zip(header).and_then(|(daemon, header)| Place::of(daemon, header)) {
        Some(place) => PLACE.scope(place, call).await,
        None => call.await,
    }
}

/// How a part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It did what it should.
    Done,
    /// It was refused, for what the caller did.
    Error,
    /// It was refused, since there were too many.
    Throttled,
    /// It failed.
    Fault,
}

/// Runs a part of a call. Parts of it are below it.
pub async fn part<F: Future>(name: &str, ending: impl FnOnce(&F::Output) -> Ending, run: F) -> F::Output {
    within(Part::begin(name, None), ending, run).await
}

/// Runs a request to another system as a part of a call: `remote("bank.example.com", bank.pay(…))`. An error is a
/// fault of that system.
///
/// # Errors
/// Those of the request.
pub async fn remote<T, E>(host: &str, request: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let ending = |outcome: &Result<T, E>| if outcome.is_ok() { Ending::Done } else { Ending::Fault };
    within(Part::begin(host, Some("remote")), ending, request).await
}

async fn within<F: Future>(part: Option<Part>, ending: impl FnOnce(&F::Output) -> Ending, run: F) -> F::Output {
    let Some(mut part) = part else { return run.await };
    let output = PLACE.scope(Place { parent: part.id.as_str().into(), ..part.place.clone() }, run).await;
    part.ending = ending(&output);
    output
}

/// A part of a call that goes on. It is sent when it is dropped: as a fault, unless another ending was set, since then
/// nobody waited for its end.
#[derive(Debug)]
struct Part {
    place: Place,
    id: String,
    began: Duration,
    ending: Ending,
    document: Map<String, Value>,
}

impl Part {
    /// Begins a part; none if the call is not traced.
    fn begin(name: &str, namespace: Option<&str>) -> Option<Self> {
        let place = PLACE.try_with(Place::clone).ok()?;
        let mut id = [0; 8];
        SystemRandom::new().fill(&mut id).ok()?;
        // X-Ray takes no other signs in a name.
        let is_taken = |sign: char| sign.is_alphanumeric() || " _.:/%&#=+\\-@".contains(sign);
        let name: String = name.chars().filter(|sign| is_taken(*sign)).take(200).collect();
        let mut document = Map::new();
        document.insert("name".to_owned(), name.into());
        document.extend(namespace.map(|namespace| ("namespace".to_owned(), namespace.into())));
        let id = format!("{:016x}", u64::from_be_bytes(id));
        Some(Self { place, id, began: now(), ending: Ending::Fault, document })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let (throttled, error) = (self.ending == Ending::Throttled, self.ending == Ending::Error);
        let flags = [("throttle", throttled), ("error", throttled || error), ("fault", self.ending == Ending::Fault)];
        let mut document = std::mem::take(&mut self.document);
        document
            .extend(flags.into_iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| (flag.to_owned(), true.into())));
        let members = [
            ("type", json!("subsegment")),
            ("id", json!(self.id)),
            ("trace_id", json!(&*self.place.trace)),
            ("parent_id", json!(&*self.place.parent)),
            ("start_time", json!(self.began.as_secs_f64())),
            ("end_time", json!(now().max(self.began).as_secs_f64())),
        ];
        document.extend(members.map(|(member, value)| (member.to_owned(), value)));
        self.place.daemon.send(&document);
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Makes each request of a client of the SDK a part of the call that sends it.
#[derive(Clone)]
pub struct Interceptor {
    /// What the service is called.
    service: &'static str,
    region: String,
    table: Option<String>,
}

impl Interceptor {
    /// Of a service in a region.
    pub fn of(service: &'static str, region: impl Into<String>) -> Self {
        Self { service, region: region.into(), table: None }
    }

    /// Of DynamoDB, for one table.
    pub fn of_table(region: impl Into<String>, table: impl Into<String>) -> Self {
        Self { table: Some(table.into()), ..Self::of("DynamoDB", region) }
    }
}

impl fmt::Debug for Interceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("xray::Interceptor")
    }
}

/// The part that one execution of an operation is.
#[derive(Debug)]
struct Executed(Mutex<Option<Part>>);

impl Storable for Executed {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Interceptor {
    fn name(&self) -> &'static str {
        "xray::Interceptor"
    }

    // Earlier, a client does not know the operation yet.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(mut part) = Part::begin(self.service, Some("aws")) else { return Ok(()) };
        let operation = cfg.load::<Metadata>().map(Metadata::name);
        let mut aws = json!({ "operation": operation, "region": self.region });
        if let Some(table) = &self.table {
            aws["table_name"] = json!(table);
        }
        part.document.insert("aws".to_owned(), aws);
        cfg.interceptor_state().store_put(Executed(Mutex::new(Some(part))));
        Ok(())
    }

    /// Names the trace to the service: a function that is invoked is a part of it.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Executed(part)) = cfg.load::<Executed>() else { return Ok(()) };
        if let Some(Part { place, id, .. }) = &*part.lock().unwrap_or_else(PoisonError::into_inner) {
            let named = format!("Root={};Parent={id};Sampled=1", place.trace);
            context.request_mut().headers_mut().try_insert(TRACE_HEADER, named)?;
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Executed(part)) = cfg.load::<Executed>() else { return Ok(()) };
        let Some(mut part) = part.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        // Without a response it stays a fault.
        let Some(response) = context.response() else { return Ok(()) };
        let status = response.status().as_u16();
        let code = || {
            let refusal =
                refusal(response.headers().get("x-amzn-errortype"), response.body().bytes().unwrap_or_default());
            refusal.code().map(str::to_owned).unwrap_or_default()
        };
        part.ending = match status {
            200..400 => Ending::Done,
            400..500 if status == 429 || is_throttling(&code()) => Ending::Throttled,
            400..500 => Ending::Error,
            _ => Ending::Fault,
        };
        let id = ["x-amzn-requestid", "x-amz-request-id"].into_iter().find_map(|name| response.headers().get(name));
        if let (Some(id), Some(aws)) = (id, part.document.get_mut("aws")) {
            aws["request_id"] = json!(id);
        }
        part.document.insert("http".to_owned(), json!({ "response": { "status": status } }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documents that a call sends whose request has this header.
    async fn sent(header: Option<&str>, call: impl Future<Output = ()>) -> Vec<Value> {
        let listener = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        traced(Some(&Daemon::at(&format!("tcp:127.0.0.1:1 udp:127.0.0.1:{port}"))), header, call).await;
        listener.set_nonblocking(true).unwrap();
        let mut datagram = [0; 65_536];
        std::iter::from_fn(|| {
            let length = listener.recv(&mut datagram).ok()?;
            let text = std::str::from_utf8(&datagram[..length]).unwrap();
            Some(serde_json::from_str(text.strip_prefix(HEADER).unwrap()).unwrap())
        })
        .collect()
    }

    const SAMPLED: &str =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:1";

    async fn call() {
        part(
            "orders.place",
            |outcome: &Result<(), ()>| if outcome.is_ok() { Ending::Done } else { Ending::Error },
            async {
                let _ = remote("bank.example.com", async { Err::<(), _>("closed") }).await;
                part("count<>", |_| Ending::Throttled, async {}).await;
                Err(())
            },
        )
        .await
        .unwrap_err();
    }

    #[tokio::test]
    async fn parts_are_below_the_function_and_below_each_other() {
        let documents = sent(Some(SAMPLED), call()).await;
        let [bank, count, order] = documents.as_slice() else { panic!("{documents:?}") };
        for document in &documents {
            assert_eq!(
                (&document["type"], &document["trace_id"]),
                (&json!("subsegment"), &json!("1-5759e988-bd862e3fe1be46a994272793"))
            );
            let id = document["id"].as_str().unwrap();
            assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
            let (start, end) = (document["start_time"].as_f64().unwrap(), document["end_time"].as_f64().unwrap());
            assert!(start <= end && end - start < 5.0 && (now().as_secs_f64() - end) < 5.0, "seconds since 1970");
        }
        assert_eq!(order["parent_id"], "53995c3f42cd8ad8");
        assert_eq!((&bank["parent_id"], &count["parent_id"]), (&order["id"], &order["id"]));
        assert_ne!(bank["id"], count["id"]);
        let flags =
            |document: &Value| ["error", "throttle", "fault"].map(|flag| document.get(flag) == Some(&json!(true)));
        assert_eq!(
            [flags(bank), flags(count), flags(order)],
            [[false, false, true], [true, true, false], [true, false, false]]
        );
        assert_eq!((&bank["namespace"], &bank["name"]), (&json!("remote"), &json!("bank.example.com")));
        assert_eq!((order.get("namespace"), &count["name"]), (None, &json!("count")));
    }

    #[tokio::test]
    async fn what_nobody_waited_for_is_a_fault() {
        let documents = sent(Some(SAMPLED), async {
            let endless = part("endless", |_| Ending::Done, std::future::pending::<()>());
            let _ = tokio::time::timeout(Duration::from_millis(1), endless).await;
        });
        let documents = documents.await;
        assert_eq!((documents.len(), &documents[0]["fault"]), (1, &json!(true)));
    }

    #[tokio::test]
    async fn a_call_that_is_not_sampled_sends_nothing() {
        for header in [
            None,
            Some(""),
            Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"),
            Some("Sampled=1"),
        ] {
            assert_eq!(sent(header, call()).await, Vec::<Value>::new(), "{header:?}");
        }
        call().await;
    }
}
