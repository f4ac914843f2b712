//! Cross-origin requests (the Fetch standard, "CORS protocol").

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::site::Site;

/// How long a browser may cache a preflight's response, in seconds. It is Chromium's own limit.
const PREFLIGHT_MAX_AGE_S: HeaderValue = HeaderValue::from_static("7200");

/// The response headers that a page may read, in addition to those that every page may (Fetch, "CORS-safelisted
/// response-header name"). `shared/infra/handlers/unknown-route.js` has the same list.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "x-request-id, x-csrf-token, onefold-renew, retry-after, www-authenticate, allow, accept, accept-encoding, accept-patch, \
     accept-post, etag, link, location",
);

/// Which pages may call. By default any page may: without a token, which callers send themselves, it learns nothing.
/// Only pages that the [`Site`] trusts may call with a session's cookie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// Pages of any origin.
    #[default]
    AnyOrigin,
    /// Pages of these origins, such as `https://app.example.com`.
    Origins(Vec<String>),
}

impl Cors {
    /// Parses a list separated by commas; `*` is any origin.
    pub fn from_list(list: &str) -> Self {
        match list.trim() {
            "" | "*" => Self::AnyOrigin,
            list => Self::Origins(list.split(',').map(|origin| origin.trim().to_owned()).collect()),
        }
    }

    /// Whether a page of this origin may call at all.
    pub fn admits(&self, site: &Site, origin: &HeaderValue) -> bool {
        match self {
            Self::AnyOrigin => true,
            Self::Origins(origins) => {
                site.trusts(origin) || origins.iter().any(|known| known.as_bytes() == origin.as_bytes())
            }
        }
    }

    /// Whether a request is a preflight, with which a browser asks whether a page may send another request. An
    /// OPTIONS is one only if it states that request's method.
    pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
        *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Answers an OPTIONS: with the address's methods, `allow`, if there are any (RFC 9110 section 9.3.7), and as a
    /// preflight for any of `methods`. All headers that the browser asks for are allowed: headers are no credentials.
    pub fn options(request_headers: &HeaderMap, methods: &'static str, allow: Option<&str>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        if let Some(allow) = allow.and_then(|allow| HeaderValue::from_str(allow).ok()) {
            headers.insert(header::ALLOW, allow);
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE_S);
        headers.insert(header::VARY, HeaderValue::from_static("access-control-request-headers"));
        if let Some(wanted) = request_headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        response
    }

    /// Lets the page read the response, an error as well as a result. `kept` is whether a shared cache may keep it.
    pub fn allow(&self, site: &Site, origin: Option<&HeaderValue>, kept: bool, headers: &mut HeaderMap) {
        // The header is sent to all clients, also to those that are no page (Fetch, "CORS protocol and HTTP caches"):
        // otherwise a cache would give a page the response to a program without an origin, which the page could not
        // read.
        let trusted = origin.is_some_and(|origin| site.trusts(origin));
        if kept || trusted || matches!(self, Self::Origins(_)) {
            vary_by_origin(headers);
        }
        let allowed = match (self, origin) {
            (_, None) => return,
            (_, Some(origin)) if trusted => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                origin.clone()
            }
            (Self::AnyOrigin, Some(_)) => HeaderValue::from_static("*"),
            (Self::Origins(origins), Some(origin)) => {
                if !origins.iter().any(|known| known.as_bytes() == origin.as_bytes()) {
                    return;
                }
                origin.clone()
            }
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

/// Adds to the existing line: of several lines of a header, a function's response keeps only the first.
fn vary_by_origin(headers: &mut HeaderMap) {
    let names = match headers.get(header::VARY).map(HeaderValue::as_bytes) {
        Some(known) => [known, b", origin"].concat(),
        None => b"origin".to_vec(),
    };
    if let Ok(names) = HeaderValue::from_bytes(&names) {
        headers.insert(header::VARY, names);
    }
}
