//! Cross-origin requests (the Fetch standard, "CORS protocol").

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::site::Site;

/// How long a browser may remember a preflight's answer, in seconds. Chromium's own limit.
const PREFLIGHT_MAX_AGE_S: HeaderValue = HeaderValue::from_static("7200");

/// What a page may read of an answer's headers, beside those that every page may (Fetch, "CORS-safelisted response-header
/// name"): all that say something to who called. `infra/handlers/unknown-route.js` has the same.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "x-request-id, x-csrf-token, onefold-renew, retry-after, www-authenticate, allow, accept, accept-encoding, accept-patch, \
     accept-post, etag, link, location",
);

/// Which pages may call. Any page may by default: without a token, which callers present themselves, it learns
/// nothing. With the cookie of a session only pages may call that the [`Site`] trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// Any page.
    #[default]
    AnyOrigin,
    /// Pages of these origins, such as `https://app.example.com`.
    Origins(Vec<String>),
}

impl Cors {
    /// From a list with commas; `*` is any.
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

    /// Whether a request is a preflight, which asks in the name of a page whether another one may be sent. An OPTIONS is
    /// none unless it says which method that one has.
    pub fn is_preflight(method: &Method, asked: &HeaderMap) -> bool {
        *method == Method::OPTIONS && asked.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Answers an OPTIONS: with the methods of its address, `allow`, where there is one (RFC 9110 section 9.3.7), and as a
    /// preflight, which may be about any of `methods`. What the browser asks to send is allowed: headers are no
    /// credentials.
    pub fn options(asked: &HeaderMap, methods: &'static str, allow: Option<&str>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        if let Some(allow) = allow.and_then(|allow| HeaderValue::from_str(allow).ok()) {
            headers.insert(header::ALLOW, allow);
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE_S);
        headers.insert(header::VARY, HeaderValue::from_static("access-control-request-headers"));
        if let Some(wanted) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        response
    }

    /// Lets the page read the answer, an error as well as a result. `kept`: a shared cache may keep it.
    pub fn allow(&self, site: &Site, origin: Option<&HeaderValue>, kept: bool, headers: &mut HeaderMap) {
        // Said to everybody, also to those that are no page (Fetch, "CORS protocol and HTTP caches"): what
        // was kept for a program without an origin would otherwise be given to a page, which could not read it.
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

/// In one line with what is there: of several lines of a header, a function's answer carries the first only.
fn vary_by_origin(headers: &mut HeaderMap) {
    let names = match headers.get(header::VARY).map(HeaderValue::as_bytes) {
        Some(known) => [known, b", origin"].concat(),
        None => b"origin".to_vec(),
    };
    if let Ok(names) = HeaderValue::from_bytes(&names) {
        headers.insert(header::VARY, names);
    }
}
