//! The form of a request and its response: tRPC's envelopes, REST, or HTTP of a procedure's own.
//!
//! It is chosen once for each call, by the request's address. It decides how to read the input, how to answer with an
//! output or a fault, and which methods a preflight allows.

pub(crate) mod envelope;
mod own;

use std::borrow::Cow;

use bytes::Bytes;
use http::{Extensions, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header, request::Parts};
use protocol::{
    Code, Fault,
    trpc::{self, batch},
};

use crate::{
    Entry, Output,
    answer::REQUEST_ID,
    cors::Cors,
    problem,
    rest::{self, Allowed},
    site::Site,
};

use own::OwnHttp;

/// The form of a request and its response.
pub(crate) enum ReplyForm {
    /// A call of tRPC: in an envelope, and within a batch of one if it came as such.
    Trpc(Option<batch::BatchFormat>),
    /// A request to a procedure's REST route.
    Rest(Address),
    /// A request to a procedure with `http`, or to an address that no procedure has.
    Http(OwnHttp),
}

/// The address of a request to a REST route.
pub(crate) struct Address {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// The path's parameters by name, decoded.
    pub(crate) parameters: Vec<(String, String)>,
}

/// The content of a request, once it is read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The inputs to try one after the other, until one is not refused for its version: JSON, or for a procedure with
    /// `http` the body as it came. There is at least one.
    pub(crate) inputs: Vec<Option<Bytes>>,
    /// The conditions of the request.
    pub(crate) conditions: rest::Conditions,
    /// Whether the procedure must not run, although the input is valid: its output could not be sent.
    pub(crate) is_held_back: bool,
}

impl Reading {
    fn of(input: Option<Bytes>) -> Self {
        Self { inputs: vec![input], ..Self::default() }
    }
}

/// What a response states about its call.
#[derive(Clone, Copy)]
pub(crate) struct CallInfo<'a> {
    /// The procedure's name, if the request named one.
    pub(crate) procedure: Option<&'a str>,
    /// The service's name; empty where no procedure was reached.
    pub(crate) service: &'a str,
    /// The service's addresses.
    pub(crate) site: &'a Site,
    /// The request's id.
    pub(crate) request_id: &'a str,
}

impl ReplyForm {
    /// The form of a request to a procedure.
    pub(crate) fn of(entry: &Entry, request: &Request<Bytes>) -> Self {
        match request.extensions().get::<rest::Route>() {
            Some(route) => Self::Rest(Address {
                method: request.method().clone(),
                uri: request.uri().clone(),
                parameters: route.parameters.clone(),
            }),
            None if entry.spec.http.is_some() => Self::Http(OwnHttp::of_procedure(entry.spec.errors, request)),
            None => Self::Trpc(batch::BatchFormat::of(request.uri().query(), request.headers())),
        }
    }

    /// The form of a request that reaches no procedure: below `/trpc/` it is a call of tRPC.
    pub(crate) fn unrouted(request: &Request<Bytes>) -> Self {
        match request.uri().path().starts_with(trpc::BASE_PATH) {
            true => Self::Trpc(None),
            false => Self::Http(OwnHttp::unrouted(request)),
        }
    }

    /// Whether HEAD is answered like GET, without the body. In tRPC it runs nothing, as with the official server.
    pub(crate) fn answers_head(&self) -> bool {
        !matches!(self, Self::Trpc(_))
    }

    /// Whether a shared cache may keep a response of this form: it cannot tell a batch's array from its lines.
    pub(crate) fn may_be_kept(&self) -> bool {
        !matches!(self, Self::Trpc(Some(_)))
    }

    /// The methods that a preflight allows.
    pub(crate) fn methods(&self) -> &'static str {
        match self {
            Self::Trpc(_) => envelope::METHODS,
            Self::Rest(_) | Self::Http(_) => rest::METHODS,
        }
    }

    /// The response to OPTIONS at a procedure.
    pub(crate) fn preflight(&self, entry: &Entry, request: &Request<Bytes>) -> Response<Bytes> {
        let own = match self {
            Self::Trpc(_) => None,
            Self::Rest(_) => entry.rest(),
            Self::Http(_) => entry.http(),
        };
        let allow = match own {
            Some((own, _)) => methods_at(own, request.extensions()),
            None => trpc::allowed_methods(entry.spec.kind, entry.service.method_override).into(),
        };
        Cors::options(request.headers(), self.methods(), Some(&allow))
    }

    /// Reads a request.
    ///
    /// # Errors
    /// 400, 405, 412, 413 and 415.
    pub(crate) fn read(&self, entry: &Entry, parts: &Parts, body: Bytes) -> Result<Reading, Fault> {
        match self {
            Self::Trpc(_) => envelope::read(entry, parts, body).map(Reading::of),
            Self::Rest(address) => rest::read(entry, address, parts, body),
            Self::Http(_) => own::read(entry, parts, body).map(|body| Reading::of(Some(body))),
        }
    }

    /// The response to a call, if it succeeded in this form.
    ///
    /// # Errors
    /// The call's own fault; for REST also 406 and 412.
    pub(crate) fn success(
        &self,
        entry: &Entry,
        conditions: &rest::Conditions,
        outcome: Result<Output, Fault>,
    ) -> Result<Response<Bytes>, Fault> {
        match (self, outcome) {
            (Self::Rest(address), outcome) => rest::success(entry, address, conditions, outcome),
            (_, Err(fault)) => Err(fault),
            (_, Ok(Output::Http(reply))) => Ok(reply.into_response()),
            (Self::Trpc(batch), Ok(Output::Json(output))) => Ok(envelope::success(*batch, Some(&output))),
            (Self::Trpc(batch), Ok(Output::Nothing)) => Ok(envelope::success(*batch, None)),
            (Self::Http(_), Ok(_)) => Err(Fault::internal("what has `http` answers an HttpReply")),
        }
    }

    /// The response to a fault.
    pub(crate) fn fault(&self, fault: &Fault, call: CallInfo<'_>) -> Response<Bytes> {
        match self {
            Self::Trpc(batch) => envelope::fault(*batch, fault, call.procedure, call.request_id),
            Self::Rest(Address { uri, .. }) => {
                let procedure = call.procedure.unwrap_or_default();
                problem::response(fault, call.site, procedure, uri.path(), call.request_id)
            }
            Self::Http(form) => form.fault(fault, call),
        }
    }
}

/// The methods of an address: those of all procedures there, or those in `own`.
pub(crate) fn methods_at(own: &'static str, extensions: &Extensions) -> Cow<'static, str> {
    match extensions.get::<Allowed>() {
        Some(Allowed(methods)) => methods.to_string().into(),
        None if own == "GET" => "GET, HEAD".into(),
        None => own.into(),
    }
}

/// A response with a body that caches do not store.
pub(crate) fn response(
    status: StatusCode,
    media_type: HeaderValue,
    vary: HeaderValue,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::VARY, vary);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The response to a fault, with a body of the given form.
pub(crate) fn refusal(fault: &Fault, media_type: HeaderValue, vary: HeaderValue, body: Vec<u8>) -> Response<Bytes> {
    let mut response = response(status_of(fault), media_type, vary, body);
    explain(fault, &mut response);
    response
}

/// The status of a fault in every form.
pub(crate) fn status_of(fault: &Fault) -> StatusCode {
    StatusCode::from_u16(fault.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Sets the headers of a fault in every form: allowed methods, accepted types, how to sign in, and when to retry.
fn explain(fault: &Fault, response: &mut Response<Bytes>) {
    let headers = response.headers_mut();
    if let Some(allow) = fault.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
        headers.insert(header::ALLOW, allow);
    }
    for (name, value) in fault.accepted.headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    match fault.code {
        // RFC 6750 section 3.
        Code::Unauthorized => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Code::ServiceUnavailable | Code::TooManyRequests => {
            headers.insert(header::RETRY_AFTER, fault.retry_after_s.map_or(1, u32::from).into())
        }
        _ => None,
    };
}

/// Adds the request's id to a response.
pub(crate) fn named(mut response: Response<Bytes>, request_id: &str) -> Response<Bytes> {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
