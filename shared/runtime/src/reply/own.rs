//! The HTTP of a procedure with `http`: it reads the body and writes the response itself. Only faults are answered
//! here.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header, request::Parts};
use protocol::{Code, ErrorFormat, Fault, accept::Accept, case, escape, media_type, trpc};

use super::{CallInfo, explain, methods_at, refusal, status_of};
use crate::{Entry, HtmlPage, html_page::STYLE, problem};

const JSON: HeaderValue = HeaderValue::from_static(media_type::JSON);
const VARY: HeaderValue = HeaderValue::from_static("accept");

/// How to answer faults at an address that belongs neither to tRPC nor to REST.
pub(crate) struct OwnHttp {
    errors: ErrorFormat,
    /// Whether a person reads the response, in a browser.
    is_for_person: bool,
    /// The path of the request.
    path: String,
}

impl OwnHttp {
    /// For the address of a procedure with `http`.
    pub(super) fn of_procedure(errors: ErrorFormat, request: &Request<Bytes>) -> Self {
        Self { errors, is_for_person: is_navigation(request.headers()), path: request.uri().path().to_owned() }
    }

    /// For an address that no procedure has.
    pub(super) fn unrouted(request: &Request<Bytes>) -> Self {
        Self {
            errors: ErrorFormat::Problem,
            is_for_person: prefers_page(request),
            path: request.uri().path().to_owned(),
        }
    }

    /// The response to a fault: a page for a person, else JSON for programs.
    pub(super) fn fault(&self, fault: &Fault, call: CallInfo<'_>) -> Response<Bytes> {
        let CallInfo { procedure, service, site, request_id } = call;
        let mut response = match self.errors {
            _ if self.is_for_person => page(fault, request_id),
            ErrorFormat::Problem => {
                problem::response(fault, site, procedure.unwrap_or_default(), &self.path, request_id)
            }
            ErrorFormat::OAuth => {
                let (error, description) = (oauth_error(fault), &fault.message);
                let body =
                    serde_json::json!({"error": error, "error_description": description, "request_id": request_id});
                refusal(fault, JSON, VARY, body.to_string().into_bytes())
            }
        };
        if self.errors == ErrorFormat::OAuth
            && oauth_error(fault) == "invalid_client"
            && let Ok(challenge) = HeaderValue::try_from(format!("Basic realm=\"{service}\""))
        {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Reads the body as it came.
///
/// # Errors
/// 405 and 413; 415 for a body in a coding.
pub(super) fn read(entry: &Entry, parts: &Parts, body: Bytes) -> Result<Bytes, Fault> {
    let (own, _) = entry.http().unwrap_or_default();
    let method = if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() };
    if method != own {
        return Err(Fault::method_not_supported(parts.method.as_str(), methods_at(own, &parts.extensions)));
    }
    if own != "GET" {
        trpc::expect_uncoded(&parts.headers)?;
    }
    if body.len() > trpc::MAX_INPUT_BYTES {
        return Err(trpc::too_large());
    }
    Ok(body)
}

/// Whether a browser navigates to the address, by a link or a form (Fetch Metadata Request Headers, section 2.3).
/// `Accept` says less: Java's client names HTML first.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
}

/// Whether the client is a browser, in which a person reads the response.
fn prefers_page(request: &Request<Bytes>) -> bool {
    [Method::GET, Method::HEAD].contains(request.method())
        && Accept::of(request.headers(), header::ACCEPT)
            .prefers(media_type::HTML, &[media_type::PROBLEM_JSON, media_type::JSON])
}

/// A page that describes a fault to a person.
fn page(fault: &Fault, request_id: &str) -> Response<Bytes> {
    let status = status_of(fault);
    let title = status.canonical_reason().unwrap_or("Error");
    let (message, id) = (escape::html(&fault.message), escape::html(request_id));
    let body = format!("<h1>{title}</h1>\n<p>{message}</p>\n<p><small>Request {id}</small></p>\n");
    let mut response = HtmlPage::new(title, STYLE, body).with(status).into_response();
    response.headers_mut().insert(header::VARY, VARY);
    explain(fault, &mut response);
    response
}

/// The error code of RFC 6749 and RFC 6750 for a fault. A failure of the procedure gets its name in snake case:
/// `InvalidGrant` becomes `invalid_grant`.
fn oauth_error(fault: &Fault) -> String {
    let failure = fault.failure.as_ref().and_then(|failure| failure["type"].as_str());
    let error = match fault.code {
        _ if let Some(failure) = failure => return case::snake_case(failure),
        Code::Unauthorized => "invalid_token",
        Code::Forbidden => "access_denied",
        Code::ServiceUnavailable | Code::GatewayTimeout | Code::TooManyRequests => "temporarily_unavailable",
        code if code.http_status() < 500 => "invalid_request",
        _ => "server_error",
    };
    error.to_owned()
}
