//! The HTTP side of a call, for the few procedures that see it: cookies, the caller's network address, and requests
//! and responses whose form a standard dictates.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header, request};
use protocol::{Fault, fault::AcceptedBody, media_type, trpc};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Call, Capability,
    opaque::Opaque,
    sessions::{self, lifetime},
    site::Site,
};

/// The network address that a request came from, as an extension of the request. The process that accepted the
/// connection sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub String);

impl PeerAddress {
    /// The network of the address, in the form for logs: it covers many callers, and still shows the source of a
    /// flood. None when the text is not an address.
    pub fn in_log(&self) -> Option<String> {
        match self.0.parse::<IpAddr>().ok()?.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Some(format!("{}/24", Ipv4Addr::new(a, b, c, 0)))
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                Some(format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)))
            }
        }
    }
}

/// The capability to set and remove the service's cookies.
#[derive(Clone)]
pub struct Cookies(Call);

impl Cookies {
    /// Sets a cookie of this name for `max_age_s` seconds.
    pub fn set(&self, name: &str, value: &Opaque, max_age_s: i64) {
        self.0.set_cookie(sessions::set_cookie(self.0.site(), name, Some(value), max_age_s));
    }

    /// Sets the session's cookie, and the header with its CSRF token.
    pub fn sign_in(&self, session: &Opaque) {
        self.set(sessions::COOKIE, session, lifetime::ABSOLUTE_MS / 1_000);
        if let Ok(token) = HeaderValue::try_from(sessions::csrf_token(session).text()) {
            self.0.0.added.push(sessions::CSRF_HEADER, token);
        }
    }

    /// Removes a cookie.
    pub fn remove(&self, name: &str) {
        self.0.set_cookie(sessions::set_cookie(self.0.site(), name, None, 0));
    }

    /// The secret in a cookie that the browser sent; none if it is missing or malformed.
    pub fn get(&self, name: &str) -> Option<Opaque> {
        let name = self.0.site().cookie_name(name);
        sessions::cookie(&self.0.parts().headers, &name).and_then(Opaque::parse)
    }
}

impl Capability for Cookies {
    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(Self(call.clone()))
    }
}

/// The capability to know where a call comes from, for lists of devices and for rate limits. The client states the
/// agent itself and may lie; the address comes from the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The network address; empty when it is unknown.
    pub address: String,
    /// The program's `user-agent`, cut to 200 characters.
    pub agent: String,
}

impl ClientInfo {
    /// The network that rate limits count by: an IPv4 address, or the first 64 bits of an IPv6 address, within which
    /// a caller has as many addresses as they like (RFC 4291 section 2.5.4).
    pub fn network(&self) -> String {
        match self.address.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            Ok(address @ IpAddr::V4(_)) => address.to_string(),
            Err(_) => self.address.clone(),
        }
    }
}

impl ClientInfo {
    /// Reads them from a request.
    pub(crate) fn of(parts: &request::Parts) -> Self {
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let address = parts.extensions.get::<PeerAddress>().map(|peer| peer.0.clone()).unwrap_or_default();
        Self { address, agent: agent.chars().take(200).collect() }
    }
}

impl Capability for ClientInfo {
    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(Self::of(call.parts()))
    }
}

impl Capability for Site {
    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(call.site().clone())
    }
}

/// The whole request, for a procedure with `http = "…"`.
pub struct HttpRequest {
    parts: request::Parts,
    body: Bytes,
}

impl Capability for HttpRequest {
    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(Self { parts: call.parts().clone(), body: call.body() })
    }
}

impl HttpRequest {
    /// Wraps a request, for tests.
    pub fn new(request: Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        Self { parts, body }
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The body as it came, of up to 1 MiB: the bytes that a webhook's signature covers.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The last segment of the path as it came: `google` in `/callback/google`.
    pub fn last_segment(&self) -> &str {
        self.parts.uri.path().rsplit('/').next().unwrap_or_default()
    }

    /// The query string as it came, without its question mark.
    pub fn query_string(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// The parameters of the query string.
    pub fn query(&self) -> Parameters {
        Parameters::parse(self.query_string().as_bytes())
    }

    /// The parameters of a form in the body (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE`.
    pub fn form(&self) -> Result<Parameters, Fault> {
        if !is_form(&self.parts.headers) {
            let message = "The body must be a form (application/x-www-form-urlencoded).";
            return Err(Fault::unsupported(message, AcceptedBody::Form));
        }
        if self.body.len() > MAX_FORM_BYTES {
            return Err(trpc::too_large());
        }
        Ok(Parameters::parse(&self.body))
    }

    /// User and password of `Authorization: Basic …` (RFC 7617), each decoded as RFC 6749 section 2.3.1 requires.
    pub fn basic(&self) -> Option<(String, String)> {
        let mut values = self.parts.headers.get_all(header::AUTHORIZATION).into_iter();
        let (scheme, text) = values.next()?.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") || values.next().is_some() {
            return None;
        }
        let text = String::from_utf8(BASE64.decode(text.trim()).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        let decoded = |text: &str| trpc::percent_decode(text, true).map(std::borrow::Cow::into_owned);
        Some((decoded(user)?, decoded(password)?))
    }
}

/// Whether a body is a form (`application/x-www-form-urlencoded`).
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    media_type::is(headers, media_type::FORM)
}

/// The maximum length of a form, in bytes.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// The parameters of a query string or a form. A parameter without a value counts as left out (RFC 6749 sections 3.1,
/// 3.2).
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<Parameter>);

#[derive(Clone, Debug)]
struct Parameter {
    name: String,
    value: String,
    /// Whether the value is text: UTF-8 with complete escapes. Otherwise parts of it were replaced.
    is_text: bool,
}

impl Parameters {
    fn parse(text: &[u8]) -> Self {
        let parameters = text.split(|&byte| byte == b'&').filter_map(|part| {
            let (name, value) = form_urlencoded::parse(part).into_owned().next()?;
            let is_text = std::str::from_utf8(part).is_ok_and(|part| trpc::percent_decode(part, true).is_some());
            Some(Parameter { name, value, is_text })
        });
        Self(parameters.filter(|parameter| !parameter.value.is_empty()).collect())
    }

    /// Reads the parameters that a structure names. It ignores others, as RFC 6749 section 3.1 requires.
    ///
    /// # Errors
    /// `BAD_REQUEST` when one is missing, malformed or repeated.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let unread = || self.0.iter().filter(|parameter| !parameter.is_text);
        // The parser accepts every text and refuses repeated names: invalid text is repeated here, so that it is
        // refused if the structure names it.
        let pairs = self.0.iter().chain(unread()).map(|parameter| (&parameter.name, &parameter.value));
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        // The parser's messages may quote the value, perhaps a secret: only the parameter's name is reported.
        serde_urlencoded::from_str(&text).map_err(|error| {
            let message = error.to_string();
            let named = ["missing field", "duplicate field"].into_iter().find(|reason| message.starts_with(reason));
            Fault::bad_request(match (named, message.split('`').nth(1)) {
                (Some(_), Some(name)) if unread().any(|parameter| parameter.name == name) => {
                    format!("A parameter is not percent-encoded UTF-8: {name}.")
                }
                (Some(reason), Some(name)) => {
                    format!("A parameter is {}: {name}.", reason.split(' ').next().unwrap_or_default())
                }
                _ => "The parameters cannot be read.".to_owned(),
            })
        })
    }

    /// All values of a parameter that may be repeated.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |parameter| parameter.name == name).map(|parameter| parameter.value.as_str())
    }
}

/// The response of a procedure with `http`. Caches do not store it unless a header says otherwise.
#[derive(Debug)]
pub struct HttpReply(Response<Bytes>);

impl HttpReply {
    /// A response with a JSON body.
    ///
    /// # Errors
    /// An internal error if `value` cannot be serialized.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, Fault> {
        let body = serde_json::to_vec(value).map_err(Fault::internal)?;
        Ok(Self::of(status, media_type::JSON, body.into()))
    }

    /// Redirects the browser, which then sends a GET (RFC 9110 section 15.4.4, and RFC 9700 section 4.12).
    pub fn redirect(url: &str) -> Result<Self, Fault> {
        let mut reply = Self::of(StatusCode::SEE_OTHER, media_type::TEXT_UTF8, Bytes::new());
        let location = HeaderValue::try_from(url).map_err(Fault::internal)?;
        reply.0.headers_mut().insert(header::LOCATION, location);
        Ok(reply)
    }

    /// A 200 response with a JSON body.
    ///
    /// # Errors
    /// As [`HttpReply::json`].
    pub fn ok(value: &impl Serialize) -> Result<Self, Fault> {
        Self::json(StatusCode::OK, value)
    }

    /// An HTML page. `policy` is its `content-security-policy`; a policy that is not a valid header value is replaced
    /// by one that forbids everything.
    ///
    /// Its referrer policy is `same-origin`: under `no-referrer`, browsers send the forms of a page with the
    /// origin `null` (Fetch, "Append a request `Origin` header").
    pub fn html(status: StatusCode, page: String, policy: &str) -> Self {
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'; sandbox"));
        let mut reply = Self::of(status, media_type::HTML_UTF8, page.into())
            .header(header::X_FRAME_OPTIONS, "DENY")
            .header(header::REFERRER_POLICY, "same-origin");
        reply.0.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        reply
    }

    /// A 200 response with an empty JSON object: some clients parse JSON from every response.
    pub fn done() -> Self {
        Self::of(StatusCode::OK, media_type::JSON, Bytes::from_static(b"{}"))
    }

    /// Sets a header of the response.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    fn of(status: StatusCode, media_type: &'static str, body: Bytes) -> Self {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        Self(response)
    }

    /// The response as it is sent.
    pub fn into_response(self) -> Response<Bytes> {
        self.0
    }
}

/// Headers that a call adds to its response.
#[derive(Debug, Default)]
pub(crate) struct AddedHeaders(Mutex<Vec<(HeaderName, HeaderValue)>>);

impl AddedHeaders {
    pub(crate) fn push(&self, name: HeaderName, value: HeaderValue) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name, value));
    }

    pub(crate) fn append_to(&self, headers: &mut HeaderMap) {
        for (name, value) in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Several cookies may be set; of any other header, the last value counts.
            if name == header::SET_COOKIE {
                headers.append(name, value);
            } else {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::Code;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Answer {
        code: String,
        state: Option<String>,
    }

    fn post(body: &str) -> HttpRequest {
        let request = Request::post("/token?code=q&state=a+b%26")
            .header("content-type", "application/x-www-form-urlencoded;charset=UTF-8")
            .header("authorization", "Basic YSUyNmI6cCtx");
        HttpRequest::new(request.body(Bytes::from(body.to_owned())).unwrap())
    }

    #[test]
    fn calls_are_counted_for_networks() {
        let network = |address: &str| ClientInfo { address: address.to_owned(), agent: String::new() }.network();
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::1"), network("2001:db8:1:2:3:4:5:6"));
        assert_ne!(network("2001:db8:1:3::1"), network("2001:db8:1:2::1"));
    }

    #[test]
    fn logs_have_the_network_of_many_and_no_whole_address() {
        // The same as `shared/infra/handlers/unknown-route.js` is held to.
        let cases = include_str!("../fixtures/networks.json");
        let cases: Vec<(String, Option<String>)> = serde_json::from_str(cases).unwrap();
        for (address, network) in cases {
            assert_eq!(PeerAddress(address.clone()).in_log(), network, "{address}");
        }
    }

    #[test]
    fn parameters_are_read_once_each_and_others_are_ignored() {
        let request = post("code=c&other=1&other=2");
        let answer = |code: &str, state: Option<&str>| Answer { code: code.into(), state: state.map(str::to_owned) };
        assert_eq!(request.query().read::<Answer>().unwrap(), answer("q", Some("a b&")));
        let form = request.form().unwrap();
        assert_eq!(form.read::<Answer>().unwrap(), answer("c", None));
        assert_eq!(form.all("other").collect::<Vec<_>>(), ["1", "2"]);
        for omitted in ["code=c&state", "code=c&state=", "state=&code=&code=c", "code=c&state=&state="] {
            assert_eq!(post(omitted).form().unwrap().read::<Answer>().unwrap(), answer("c", None), "{omitted}");
        }
        assert_eq!(request.basic(), Some(("a&b".into(), "p q".into())));
    }

    #[test]
    fn a_refusal_names_the_parameter_and_quotes_nothing() {
        for (body, expected) in [
            ("state=hunter2", "A parameter is missing: code."),
            ("state=hunter2&code=", "A parameter is missing: code."),
            ("code=hunter2&code=hunter3", "A parameter is duplicate: code."),
        ] {
            assert_eq!(post(body).form().unwrap().read::<Answer>().unwrap_err().message, expected);
        }
        let large = format!("code={}", "a".repeat(MAX_FORM_BYTES));
        assert_eq!(post(&large).form().unwrap_err().code, Code::PayloadTooLarge);
        let json = Request::post("/token").header("content-type", "application/json").body(Bytes::new()).unwrap();
        let refused = HttpRequest::new(json).form().unwrap_err();
        assert_eq!(refused.code, Code::UnsupportedMediaType);
    }
}
