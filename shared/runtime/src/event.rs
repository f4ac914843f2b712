//! The event and the response of a function, as the function sees them: payload format 2.0 of API Gateway's HTTP APIs
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
//!
//! Method, path, query, headers and body come from the event's own members. An HTTP API decodes the path, so every
//! character in it belongs to the path. Nothing that a client sends makes this fail, except an address that is too
//! long.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header, uri::PathAndQuery};
use lambda_http::{Body, aws_lambda_events::apigw::ApiGatewayV2httpResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use protocol::{Cause, PathPattern};
use serde::Deserialize;

use crate::{api_gateway::normalized, rest::encoded, web::PeerAddress};

/// The characters that stay as they are in a query (RFC 3986 section 3.4). Escapes in it stay as well.
const QUERY: &AsciiSet = &PATH.remove(b'?').remove(b'%');
/// The characters that stay as they are in a path (RFC 3986 section 3.3).
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@')
    .remove(b'/');
/// The same for a path that is encoded already.
const ENCODED_PATH: &AsciiSet = &PATH.remove(b'%');

/// The key of a single route for all requests: function URLs have it, and leave the path encoded.
const ANY_ROUTE: &str = "$default";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Event {
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    headers: Option<HashMap<String, String>>,
    cookies: Option<Vec<String>>,
    path_parameters: Option<HashMap<String, String>>,
    request_context: RequestContext,
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RequestContext {
    route_key: Option<String>,
    http: Http,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Http {
    method: String,
    source_ip: Option<String>,
}

impl Event {
    /// # Errors
    /// When the text is not an event.
    pub(crate) fn parse(text: &str) -> Result<Self, EventError> {
        let event: Self = serde_json::from_str(text).map_err(EventError::no_event)?;
        let has_method = !event.request_context.http.method.is_empty();
        if has_method { Ok(event) } else { Err(EventError::no_event("it has no method")) }
    }

    /// The path of the route that matched, with parameter names in braces; none where one route serves all requests.
    pub(crate) fn route_path(&self) -> Option<&str> {
        self.request_context.route_key.as_deref()?.split_once(' ').map(|(_, path)| path)
    }

    /// The values of those parameters in the path, decoded.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let parameters = self.path_parameters.iter().flatten();
        parameters.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The request that the event stands for. Behind a front, `address_header` is the header in which the front
    /// states the caller's network address.
    ///
    /// # Errors
    /// When the address is too long, or the event is not one that a gateway sends.
    pub(crate) fn into_request(self, address_header: Option<&str>) -> Result<Request<Bytes>, EventError> {
        let method = Method::from_bytes(self.request_context.http.method.as_bytes()).map_err(EventError::no_event)?;
        let uri = self.uri()?;
        let body = self.body.unwrap_or_default();
        let body = match self.is_base64_encoded {
            true => BASE64.decode(body).map_err(EventError::no_event)?,
            false => body.into_bytes(),
        };
        let mut request = Request::new(Bytes::from(body));
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        *request.headers_mut() = headers(self.headers.iter().flatten(), self.cookies.as_deref());
        let address = match address_header {
            Some(header) => request.headers().get(header).and_then(|value| value.to_str().ok()).map(str::to_owned),
            None => self.request_context.http.source_ip,
        };
        if let Some(address) = address {
            request.extensions_mut().insert(PeerAddress(address));
        }
        Ok(request)
    }

    fn uri(&self) -> Result<Uri, EventError> {
        let mut text = self.path();
        if let Some(query) = self.raw_query_string.as_deref().filter(|query| !query.is_empty()) {
            text.push('?');
            text.extend(utf8_percent_encode(query, QUERY));
        }
        // Only the length can still be refused.
        PathAndQuery::try_from(normalized(&text)).map(Uri::from).map_err(EventError::too_long)
    }

    /// The path, encoded. The route's path shows where a parameter ends that contains a slash.
    fn path(&self) -> String {
        let by_route = self.route_path().filter(|route| route.contains('{')).and_then(|route| {
            let parameters = self.path_parameters.as_ref()?;
            PathPattern(route).filled(|name| parameters.get(name).map(|value| encoded(value)))
        });
        let as_it_came = || {
            let is_encoded = self.request_context.route_key.as_deref() == Some(ANY_ROUTE);
            let path = self.raw_path.as_deref().unwrap_or_default();
            let path = path.strip_prefix('/').unwrap_or(path);
            format!("/{}", utf8_percent_encode(path, if is_encoded { ENCODED_PATH } else { PATH }))
        };
        by_route.unwrap_or_else(as_it_came)
    }
}

/// The headers, without names and values that are invalid.
fn headers<'a>(lines: impl Iterator<Item = (&'a String, &'a String)>, cookies: Option<&[String]>) -> HeaderMap {
    let named = lines.filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    });
    let mut headers: HeaderMap = named.collect();
    if let Some(cookies) = cookies
        && let Ok(line) = HeaderValue::from_bytes(cookies.join("; ").as_bytes())
    {
        headers.insert(header::COOKIE, line);
    }
    headers
}

/// Why an event is not a request. No API style is known then, so the response has a status and nothing more, like
/// those to requests that HTTP refuses (`shared/local/src/front/connection.rs`).
#[derive(Debug)]
pub(crate) struct EventError {
    pub(crate) status: StatusCode,
    pub(crate) cause: Cause,
}

impl EventError {
    /// The address is too long (RFC 9110 section 15.5.15).
    fn too_long(cause: impl Into<Cause>) -> Self {
        Self { status: StatusCode::URI_TOO_LONG, cause: cause.into() }
    }

    /// The event is not one of an HTTP API or a function URL.
    fn no_event(cause: impl Into<Cause>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, cause: cause.into() }
    }
}

/// The function's response for an HTTP response. The lines of a header are joined: payload format 2.0 has room for
/// one.
pub(crate) fn answer(response: Response<Bytes>) -> ApiGatewayV2httpResponse {
    let (parts, body) = response.into_parts();
    let texts = |name: &HeaderName| -> Vec<String> {
        let lines = parts.headers.get_all(name).iter();
        lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect()
    };
    let names = parts.headers.keys().filter(|name| **name != header::SET_COOKIE);
    let lines = names.filter_map(|name| Some((name.clone(), HeaderValue::try_from(texts(name).join(", ")).ok()?)));
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = parts.status.as_u16().into();
    answer.headers = lines.collect();
    answer.cookies = texts(&header::SET_COOKIE);
    let (body, is_base64_encoded) = match String::from_utf8(body.into()) {
        Ok(text) => (Body::Text(text), false),
        Err(error) => (Body::Binary(error.into_bytes()), true),
    };
    answer.body = (!body.is_empty()).then_some(body);
    answer.is_base64_encoded = is_base64_encoded;
    answer
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(route: &str, path: &str, query: &str, parameters: Value) -> Value {
        json!({
            "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query,
            "headers": { "host": "api.example.com" }, "pathParameters": parameters,
            "requestContext": { "routeKey": route, "http": { "method": "GET", "path": path, "sourceIp": "192.0.2.1" } },
            "isBase64Encoded": false,
        })
    }

    fn request(event: &Value) -> Result<Request<Bytes>, EventError> {
        Event::parse(&event.to_string())?.into_request(None)
    }

    #[test]
    fn what_stands_in_a_decoded_path_is_path() {
        let uri = |route: &str, path: &str, query: &str, parameters: Value| {
            request(&event(route, path, query, parameters)).unwrap().uri().to_string()
        };
        let route = "DELETE /v1/trips/places/{provider}";
        let named =
            |provider: &str| uri(route, &format!("/v1/trips/places/{provider}"), "", json!({ "provider": provider }));
        assert_eq!(named("a?b=c"), "/v1/trips/places/a%3Fb%3Dc");
        assert_eq!(named("a/b"), "/v1/trips/places/a%2Fb");
        assert_eq!(named("a#b c%41\u{e9}"), "/v1/trips/places/a%23b%20c%2541%C3%A9");
        // Without parameters the path itself is all there is.
        assert_eq!(uri("ANY /docs/{proxy+}", "/docs/a?b #c", "d=e", Value::Null), "/docs/a%3Fb%20%23c?d=e");
        assert_eq!(uri("ANY /docs/{proxy+}", "/docs/a/b", "", json!({ "proxy": "a/b" })), "/docs/a/b");
        assert_eq!(uri("$default", "/orders.get%2Cusers.list", "", Value::Null), "/orders.get%2Cusers.list");
        for empty in ["", "/"] {
            assert_eq!(uri("$default", empty, "", Value::Null), "/");
        }
        assert_eq!(uri("$default", "//host/x", "", Value::Null), "//host/x", "it names no host");
    }

    #[test]
    fn a_query_is_what_it_is_encoded_or_not() {
        let query = |query| {
            let request = request(&event("GET /trpc/orders.list", "/trpc/orders.list", query, Value::Null)).unwrap();
            request.uri().query().map(str::to_owned)
        };
        assert_eq!(query(r#"input={"limit": 2}"#).unwrap(), "input=%7B%22limit%22:%202%7D");
        assert_eq!(query("input=%7B%22limit%22%3A2%7D").unwrap(), "input=%7B%22limit%22%3A2%7D");
        assert_eq!(query("a=%zz&b=#x?&c=\u{1F370}").unwrap(), "a=%zz&b=%23x?&c=%F0%9F%8D%B0");
        assert_eq!(query("%69nput=%31&batch=%31").unwrap(), "input=1&batch=1");
        assert_eq!(query(""), None);
    }

    #[test]
    fn an_address_that_is_too_long_is_a_fault_and_not_a_panic() {
        let long = "x".repeat(70_000);
        for (path, query) in [("/trpc/a.b", long.as_str()), (&format!("/{long}"), "")] {
            let refused = request(&event("GET /trpc/a.b", path, query, Value::Null)).unwrap_err();
            assert_eq!(refused.status, 414);
        }
    }

    #[test]
    fn headers_and_cookies_come_as_they_were_sent() {
        let mut json_event = event("GET /x", "/x", "", Value::Null);
        json_event["headers"] =
            json!({ "X-One": "1,2", "x-name": "J\u{fc}rgen", "x-line": "a\nb", "b\u{e4}d name": "1" });
        json_event["cookies"] = json!(["a=1", "b=2"]);
        let request = request(&json_event).unwrap();
        let names: Vec<_> = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let of = |name| names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        assert_eq!(names.len(), 3, "{names:?}");
        assert_eq!((of("x-one"), of("cookie")), (Some(&b"1,2"[..]), Some(&b"a=1; b=2"[..])));
        assert_eq!(of("x-name"), Some("J\u{fc}rgen".as_bytes()));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let sparse = r#"{"rawPath": null, "rawQueryString": null, "headers": null, "cookies": null, "body": null,
            "requestContext": {"routeKey": null, "http": {"method": "GET"}}}"#;
        assert_eq!(Event::parse(sparse).unwrap().into_request(None).unwrap().uri(), "/");
        for text in ["{}", "null", "[]", r#"{"requestContext": {"http": {"method": "G T"}}}"#, r#"{"rawPath": 1}"#] {
            let refused = Event::parse(text).and_then(|event| event.into_request(None));
            assert_eq!(refused.unwrap_err().status, 400, "{text}");
        }
        let mut json_event = event("POST /x", "/x", "", Value::Null);
        (json_event["body"], json_event["isBase64Encoded"]) = (json!("~"), json!(true));
        assert_eq!(request(&json_event).unwrap_err().status, 400);
    }

    #[test]
    fn an_answer_has_one_line_for_each_header_and_its_cookies_apart() {
        let mut response = Response::new(Bytes::from_static(&[0xff]));
        for (name, value) in [("link", "<a>"), ("link", "<b>"), ("set-cookie", "a=1"), ("set-cookie", "b=2")] {
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        let written = serde_json::to_value(answer(response)).unwrap();
        let expected = json!({
            "statusCode": 200, "headers": { "link": "<a>, <b>" }, "multiValueHeaders": {}, "cookies": ["a=1", "b=2"], "body": "/w==",
            "isBase64Encoded": true,
        });
        assert_eq!(written, expected);
    }

    /// A text of what has a meaning in an address, and of what has none there.
    fn odd(random: &mut fastrand::Rng) -> String {
        const MEANING: &[char] =
            &['/', '?', '#', '%', '&', '=', '+', ' ', '"', '{', '}', '\\', '.', '\0', '\n', '\u{7f}'];
        let character = |random: &mut fastrand::Rng| match random.u8(..3) {
            0 => random.choice(MEANING).copied().unwrap_or('/'),
            1 => random.alphanumeric(),
            _ => random.char(..),
        };
        (0..random.usize(..24)).map(|_| character(random)).collect()
    }

    /// Whatever a client sends: it is a request, and names and values come back as they were.
    #[test]
    fn nothing_that_a_client_sends_makes_it_panic() {
        let mut random = fastrand::Rng::with_seed(7);
        let decoded = |text: &str| protocol::trpc::percent_decode(text, false).map(std::borrow::Cow::into_owned);
        for round in 0..20_000 {
            let [path, value, query, name, text, body] = std::array::from_fn(|_| odd(&mut random));
            let route = ["GET /v1/things/{id}/parts", "GET /trpc/a.b", "ANY /docs/{proxy+}", "$default"][round % 4];
            let mut json_event = event(route, &format!("/{path}"), &query, json!({ "id": value }));
            (json_event["headers"], json_event["cookies"]) = (json!({ name: text }), json!([text]));
            json_event["body"] = json!(body);
            let request = request(&json_event).unwrap();
            let uri = request.uri();
            match round % 4 {
                0 => {
                    let segment = uri.path().strip_prefix("/v1/things/").and_then(|rest| rest.strip_suffix("/parts"));
                    assert_eq!(segment.and_then(decoded), Some(value), "{json_event}");
                }
                3 => {}
                _ => assert_eq!(decoded(uri.path()), Some(format!("/{path}")), "{json_event}"),
            }
            assert_eq!(
                (uri.query().is_some(), request.body().as_ref()),
                (!query.is_empty(), body.as_bytes()),
                "{json_event}"
            );
        }
    }
}
