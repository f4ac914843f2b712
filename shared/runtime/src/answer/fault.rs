//! What is answered to a request that does not succeed, and to one that reaches no procedure.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use protocol::{Code, Fault, fault::shortened, trpc};

use super::{TRPC_METHODS, json};
use crate::{
    HtmlPage,
    accept::Accept,
    cors::Cors,
    html_page::{STYLE, escape},
    rest,
    site::Site,
};

/// The methods of the registry (IANA, "Hypertext Transfer Protocol (HTTP) Method Registry"), and QUERY, which HTTP's working
/// group adds to it. Not CONNECT: nobody asks a service for a tunnel.
const REGISTERED: [&str; 39] = [
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
    "PRI",
];

/// Holds against methods that no address has, and that are no method where they are known neither (RFC 9110 section 9.1).
///
/// # Errors
/// `NOT_IMPLEMENTED`.
pub fn expect_known(method: &Method) -> Result<(), Fault> {
    if REGISTERED.contains(&method.as_str()) {
        return Ok(());
    }
    Err(Fault::new(Code::NotImplemented, format!("The method {:?} is not known here.", shortened(method.as_str()))))
}

/// Answers a request that reaches no procedure, in the form that is at home where it went: below `/trpc/` in tRPC's; at the
/// address of a procedure, `path`, whose form a standard dictates, in that one; anywhere else as a problem, and to a
/// browser as a page where there is no procedure at all. An OPTIONS is not refused for its method: it is told the others.
pub fn refuse(
    cors: &Cors,
    site: &Site,
    request_id: &str,
    request: &Request<Bytes>,
    path: Option<&str>,
    fault: &Fault,
) -> Response<Bytes> {
    let is_rest = request.extensions().get::<rest::Route>().is_some();
    let is_called = request.uri().path().starts_with(trpc::BASE_PATH);
    let (method, headers) = (request.method(), request.headers());
    let is_told = *method == Method::OPTIONS && fault.code == Code::MethodNotSupported;
    let mut response = if is_told || Cors::is_preflight(method, headers) {
        Cors::options(headers, if is_called { TRPC_METHODS } else { rest::METHODS }, fault.allow.as_deref())
    } else if is_called && !is_rest {
        fault_response(fault, path, request_id)
    } else if path.is_some() && !is_rest {
        let mut response = oauth_fault_response(fault, "", request_id);
        if is_shown(headers) {
            show(&mut response, fault, request_id);
        }
        response
    } else {
        let mut response = fault_response(fault, path, request_id);
        let problem = rest::problem(fault, site, path.unwrap_or_default(), request.uri().path(), request_id);
        rest::set_problem(&mut response, problem);
        if path.is_none() && wants_page(request) {
            show(&mut response, fault, request_id);
        }
        response
    };
    if *request.method() == Method::HEAD {
        rest::without_body(&mut response);
    }
    cors.allow(site, request.headers().get(header::ORIGIN), false, response.headers_mut());
    response
}

/// Whether a browser asks, in which a person reads the answer.
fn wants_page(request: &Request<Bytes>) -> bool {
    [Method::GET, Method::HEAD].contains(request.method())
        && Accept::of(request.headers(), header::ACCEPT)
            .prefers("text/html", &["application/problem+json", "application/json"])
}

/// Whether the answer of a procedure with a form of its own is shown to a person: a browser goes there, by a link or a
/// form (Fetch Metadata Request Headers, section 2.3). What a program takes says less: Java's names HTML first.
pub(super) fn is_shown(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
}

/// Puts a page in the place of an answer's body.
pub(super) fn show(response: &mut Response<Bytes>, fault: &Fault, request_id: &str) {
    let title = response.status().canonical_reason().unwrap_or("Error");
    let (message, id) = (escape(&fault.message), escape(request_id));
    let body = format!("<h1>{title}</h1>\n<p>{message}</p>\n<p><small>Request {id}</small></p>\n");
    let (page, body) = HtmlPage::new(title, STYLE, body).with(response.status()).into_response().into_parts();
    *response.body_mut() = body;
    response.headers_mut().extend(page.headers);
}

pub(crate) fn fault_response(fault: &Fault, path: Option<&str>, request_id: &str) -> Response<Bytes> {
    let status = StatusCode::from_u16(fault.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, trpc::error_envelope(fault, path, request_id), request_id);
    let headers = response.headers_mut();
    if let Some(allow) = fault.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
        headers.insert(header::ALLOW, allow);
    }
    for (name, value) in fault.taken.headers() {
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
    response
}

/// A fault in the form of RFC 6749 section 5.2, for procedures with a form of their own. A failure of the
/// procedure's is called as there: `InvalidGrant` is `invalid_grant`.
pub(super) fn oauth_fault_response(fault: &Fault, realm: &str, request_id: &str) -> Response<Bytes> {
    let failure = fault.failure.as_ref().and_then(|failure| failure["type"].as_str()).map(snake_case);
    let error = match fault.code {
        _ if failure.is_some() => failure.as_deref().unwrap_or_default(),
        Code::Unauthorized => "invalid_token",
        Code::Forbidden => "access_denied",
        Code::ServiceUnavailable | Code::GatewayTimeout | Code::TooManyRequests => "temporarily_unavailable",
        code if code.http_status() < 500 => "invalid_request",
        _ => "server_error",
    };
    let mut response = fault_response(fault, None, request_id);
    let body = serde_json::json!({ "error": error, "error_description": fault.message, "request_id": request_id });
    *response.body_mut() = body.to_string().into();
    if error == "invalid_client"
        && let Ok(challenge) = HeaderValue::try_from(format!("Basic realm=\"{realm}\""))
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// `invalidGrant` to `invalid_grant`.
fn snake_case(camel: &str) -> String {
    camel.chars().fold(String::new(), |mut text, c| {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
        text
    })
}
