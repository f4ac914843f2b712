//! Calls procedures on behalf of one request.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use protocol::{Code, Fault, FieldFault, Kind, contract::ProcedureContract, media_type};
use runtime::{BoxFuture, Site};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// Sends calls to procedures. The request is the one that a client of tRPC would send to the front: `GET
/// /trpc/users.get?input=…`, or `POST /trpc/users.create` with a body. A query whose input is too long for an address
/// is a `POST` as well, like the official client's `methodOverride`.
pub trait Transport: Send + Sync {
    /// Sends a request to one procedure. Errors on the way become responses as well.
    fn call<'a>(
        &'a self,
        procedure: &'a str,
        request_id: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Response<Bytes>>;
}

/// The result of a procedure: its output as JSON, none if it has none; or why it failed.
pub type Outcome = Result<Option<Box<RawValue>>, Refusal>;

/// A call that failed, as the procedure's function reported it.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The code.
    pub code: Code,
    /// One sentence for a person.
    pub message: String,
    /// The procedure's own typed failure, `{"type": …}`, if it is one.
    pub failure: Option<Value>,
    /// The faults of the input, field by field.
    pub fields: Vec<FieldFault>,
    /// The id of the call in the procedure's log.
    pub request_id: Option<String>,
    /// After how many seconds a retry makes sense.
    pub retry_after_s: Option<u32>,
}

impl Refusal {
    /// Creates a refusal by the gateway itself.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, failure: None, fields: Vec::new(), request_id: None, retry_after_s: None }
    }
}

/// The maximum length of an address, in bytes: the limit of the `http` crate.
const MAX_ADDRESS_BYTES: usize = 65_000;

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let Fault { code, message, failure, fields, retry_after_s, .. } = fault;
        let retry_after_s = retry_after_s.map(u32::from);
        Self { code, message, failure, fields, request_id: None, retry_after_s }
    }
}

/// Headers of procedures' responses that concern the client and not the single call: the gateway's response carries
/// them.
const CARRIED: [HeaderName; 3] =
    [header::SET_COOKIE, HeaderName::from_static("x-csrf-token"), HeaderName::from_static("onefold-renew")];

/// Whether a header concerns this request itself: how to read or answer it, and not the calls within it.
fn concerns_the_request(name: &HeaderName) -> bool {
    let name = name.as_str();
    ["content-", "accept", "if-", "trpc-", "access-control-", "soap"].iter().any(|start| name.starts_with(start))
        || ["connection", "expect", "keep-alive", "range", "te", "trailer", "transfer-encoding", "upgrade"]
            .contains(&name)
}

/// The calls of one request: all have its credentials.
#[derive(Clone)]
pub struct Calls<'a> {
    transport: &'a dyn Transport,
    site: &'a Site,
    parts: &'a Parts,
    request_id: &'a str,
    carried: Arc<Mutex<HeaderMap>>,
    is_anonymous: bool,
}

impl<'a> Calls<'a> {
    /// Creates the calls of a request.
    pub fn new(transport: &'a dyn Transport, site: &'a Site, parts: &'a Parts, request_id: &'a str) -> Self {
        Self { transport, site, parts, request_id, carried: Arc::default(), is_anonymous: false }
    }

    /// The same, for calls whose response headers do not go to the client.
    pub fn apart(&self) -> Self {
        Self { carried: Arc::default(), ..self.clone() }
    }

    /// The same as [`apart`](Self::apart), for calls without the request's credentials.
    pub fn anonymous(&self) -> Self {
        Self { is_anonymous: true, ..self.apart() }
    }

    /// The request's id.
    pub fn request_id(&self) -> &'a str {
        self.request_id
    }

    /// The service's addresses.
    pub fn site(&self) -> &'a Site {
        self.site
    }

    /// The request's method, address and headers.
    pub fn parts(&self) -> &'a Parts {
        self.parts
    }

    /// Calls a procedure with the request's credentials. `input` is JSON, or none.
    pub async fn run(&self, procedure: &ProcedureContract, input: Option<&[u8]>) -> Outcome {
        self.run_as(procedure, input, None).await
    }

    /// [`Self::run`] with other credentials: the value of an `Authorization` header that replaces the request's.
    pub async fn run_as(
        &self,
        procedure: &ProcedureContract,
        input: Option<&[u8]>,
        authorization: Option<&HeaderValue>,
    ) -> Outcome {
        let response = self.forward(procedure, input, authorization).await?;
        read(procedure, &response)
    }

    /// Calls a procedure and returns its response, the envelope of tRPC, unchanged.
    ///
    /// # Errors
    /// When the call cannot be made: where the service takes queries by GET only, a query's input must fit into an
    /// address.
    pub async fn forward(
        &self,
        procedure: &ProcedureContract,
        input: Option<&[u8]>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response<Bytes>, Refusal> {
        let request = self.request(procedure, input, authorization)?;
        let is_overridden = procedure.kind == Kind::Query && request.method() == Method::POST;
        let response = self.transport.call(&procedure.name, self.request_id, request).await;
        if is_overridden && response.status() == StatusCode::METHOD_NOT_ALLOWED {
            let message =
                "The input of a query is larger than an address can be, and this service takes it there only.";
            return Err(Refusal::new(Code::PayloadTooLarge, message));
        }
        self.carry(response.headers());
        Ok(response)
    }

    /// The headers of the calls' responses that go to the client.
    pub fn carried(&self) -> HeaderMap {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn carry(&self, headers: &HeaderMap) {
        let mut carried = self.carried.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &CARRIED {
            for value in headers.get_all(name) {
                match *name == header::SET_COOKIE {
                    true => drop(carried.append(name, value.clone())),
                    false => drop(carried.insert(name, value.clone())),
                }
            }
        }
    }

    fn request(
        &self,
        procedure: &ProcedureContract,
        input: Option<&[u8]>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Request<Bytes>, Refusal> {
        let path = format!("/trpc/{}", procedure.name);
        let (method, address, body) = match (procedure.kind, input) {
            (Kind::Query, None) => (Method::GET, path, Bytes::new()),
            (Kind::Query, Some(input)) => {
                let encoded: String = form_urlencoded::byte_serialize(input).collect();
                let address = format!("{path}?input={encoded}");
                match address.len() <= MAX_ADDRESS_BYTES {
                    true => (Method::GET, address, Bytes::new()),
                    false => (Method::POST, path, Bytes::copy_from_slice(input)),
                }
            }
            (Kind::Mutation, input) => (Method::POST, path, Bytes::copy_from_slice(input.unwrap_or_default())),
        };
        let mut request = Request::new(body);
        let json = (method == Method::POST).then(|| HeaderValue::from_static(media_type::JSON));
        *request.method_mut() = method;
        let malformed = |_| Refusal::new(Code::InternalServerError, "Something went wrong on our side.");
        *request.uri_mut() = address.parse().map_err(malformed)?;
        *request.extensions_mut() = self.parts.extensions.clone();
        for (name, value) in &self.parts.headers {
            if !concerns_the_request(name) {
                request.headers_mut().append(name, value.clone());
            }
        }
        if self.is_anonymous || authorization.is_some() {
            request.headers_mut().remove(header::COOKIE);
            request.headers_mut().remove(header::AUTHORIZATION);
        }
        if let Some(authorization) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        }
        if let Some(json) = json {
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        Ok(request)
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    result: Option<Data<'a>>,
    error: Option<ErrorShape>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ErrorShape {
    message: String,
    data: ErrorData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorData {
    code: Code,
    request_id: Option<String>,
    failure: Option<Value>,
    #[serde(default)]
    fields: Vec<FieldFault>,
}

fn read(procedure: &ProcedureContract, response: &Response<Bytes>) -> Outcome {
    let unreadable = || Refusal::new(Code::BadGateway, "The procedure gave no answer that can be read.");
    let envelope: Envelope<'_> = serde_json::from_slice(response.body()).map_err(|_| unreadable())?;
    match envelope {
        Envelope { error: Some(ErrorShape { message, data }), .. } => {
            let ErrorData { code, request_id, failure, fields } = data;
            let retry_after = response.headers().get(header::RETRY_AFTER);
            let retry_after_s = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
            Err(Refusal { code, message, failure, fields, request_id, retry_after_s })
        }
        Envelope { result: Some(Data { data }), .. } => Ok(match data {
            Some(data) => Some(data.to_owned()),
            None => procedure.output.as_ref().map(|_| RawValue::NULL.to_owned()),
        }),
        Envelope { result: None, error: None } => Err(unreadable()),
    }
}
