//! Converts between HTTP and a function's event, as API Gateway does, for those who take its place: the local service
//! with real binaries, and gateway functions.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use protocol::{Cause, PathPattern, path::decoded};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::web::PeerAddress;

/// The event of an API Gateway HTTP API, payload format 2.0, for a request.
///
/// `route` is the route's key, such as `GET /v1/orders/{id}`. The path is decoded, as API Gateway does; a path that
/// cannot be decoded stays as it is.
pub fn event(route: &str, request_id: &str, request: &Request<Bytes>) -> Vec<u8> {
    let mut headers = Map::new();
    for (name, value) in joined(request.headers()).iter().filter(|(name, _)| **name != header::COOKIE) {
        headers.insert(name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into());
    }
    // Cookies have a member of their own.
    let lines = request.headers().get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies: Vec<&str> = lines.flat_map(|line| line.split(';')).map(str::trim).collect();
    let address = request.extensions().get::<PeerAddress>().map_or("127.0.0.1", |peer| peer.0.as_str());
    let path = decoded(request.uri().path());
    let (body, is_base64) = match std::str::from_utf8(request.body()) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (BASE64.encode(request.body()), true),
    };
    let pattern = route.split_once(' ').map_or(route, |(_, path)| path);
    let parameters = PathPattern(pattern).parameters(request.uri().path()).into_iter();
    let parameters: Map<_, _> = parameters.map(|(name, value)| (name, value.into())).collect();
    let event = json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": request.uri().query().unwrap_or_default(),
        "headers": headers,
        "cookies": cookies,
        "pathParameters": (!parameters.is_empty()).then_some(parameters),
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": request.method().as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": address,
                "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
            },
            "requestId": request_id,
            "routeKey": route,
            "stage": "$default",
            "time": "01/Jan/1970:00:00:00 +0000",
            "timeEpoch": 0,
        },
        "body": (!body.is_empty()).then_some(body),
        "isBase64Encoded": is_base64,
    });
    event.to_string().into_bytes()
}

/// Headers as an event has them: the lines of one header are joined, with commas, those of cookies with semicolons.
pub fn joined(headers: &HeaderMap) -> HeaderMap {
    let line = |name: &HeaderName| {
        let separator: &[u8] = if *name == header::COOKIE { b"; " } else { b"," };
        let lines: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        HeaderValue::from_bytes(&lines.join(separator)).ok()
    };
    headers.keys().filter_map(|name| Some((name.clone(), line(name)?))).collect()
}

/// A path and a query with their unreserved characters decoded: `%41` becomes `A` (RFC 3986 section 6.2.2.2). If one
/// of the two is malformed, it stays as it is.
pub fn normalized(address: &str) -> String {
    let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
    let plain = |part| unescaped(part).unwrap_or_else(|| str::to_owned(part));
    query.map_or_else(|| plain(path), |query| format!("{}?{}", plain(path), plain(query)))
}

fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        match u8::from_str_radix(digits, 16).ok()? {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => normal.push(byte.into()),
            _ => normal.extend(["%", digits]),
        }
        normal.push_str(&part[2..]);
    }
    Some(normal)
}

/// The response of a function (payload format 2.0).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionResponse {
    status_code: u16,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<Map<String, Value>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Converts a function's response to an HTTP response.
///
/// # Errors
/// When `answer` does not have the form of a response.
pub fn response(answer: &[u8]) -> Result<Response<Bytes>, Cause> {
    let answer: FunctionResponse = serde_json::from_slice(answer)?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded { BASE64.decode(body)? } else { body.into_bytes() };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code)?;
    let single = answer.headers.unwrap_or_default().into_iter();
    let many = answer.multi_value_headers.unwrap_or_default().into_iter();
    for (name, value) in single.chain(many) {
        let name: HeaderName = name.parse()?;
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        response.headers_mut().remove(&name);
        for value in values.iter().filter_map(Value::as_str) {
            response.headers_mut().append(name.clone(), HeaderValue::from_str(value)?);
        }
    }
    for cookie in answer.cookies.unwrap_or_default() {
        response.headers_mut().append(http::header::SET_COOKIE, HeaderValue::from_str(&cookie)?);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_becomes_the_event_that_the_gateway_would_send() {
        let request = Request::post("/trpc/a.b?x=%20y")
            .header("x-one", "1")
            .header("x-one", "2")
            .body(Bytes::from_static(b"{}"))
            .unwrap();
        let event: Value = serde_json::from_slice(&event("POST /trpc/a.b", "r1", &request)).unwrap();
        assert_eq!(event["rawQueryString"], "x=%20y");
        assert_eq!(event["headers"]["x-one"], "1,2");
        assert_eq!(event["requestContext"]["http"]["method"], "POST");
        assert_eq!(event["body"], "{}");
        assert_eq!(event["pathParameters"], Value::Null);
    }

    #[test]
    fn an_unreserved_character_and_its_escape_are_the_same() {
        for (address, normal) in [
            ("/v1/greet%69ngs/%7e%2D%5F%2e?%69nput=%31&b=c", "/v1/greetings/~-_.?input=1&b=c"),
            ("/a%2Fb%3f%25%41?c=%26%3D%2541", "/a%2Fb%3f%25A?c=%26%3D%2541"),
            ("/%C3%A9", "/%C3%A9"),
            ("/*?", "/*?"),
            // A malformed part stays malformed, and does not affect the other part.
            ("/%%341/%zz?%61=%", "/%%341/%zz?%61=%"),
            ("/%61?%%341", "/a?%%341"),
            ("/%4?%61", "/%4?a"),
            ("/%+1", "/%+1"),
        ] {
            assert_eq!(normalized(address), normal);
            assert_eq!(normalized(normal), normal, "it stays so");
        }
    }

    #[test]
    fn several_lines_of_a_header_are_one() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("a", "1"), ("cookie", "b=1"), ("a", "2"), ("cookie", "c=2"), ("d", "3")] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let joined = joined(&headers);
        let of = |name| joined.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!((of("a"), of("cookie"), of("d")), (vec!["1,2"], vec!["b=1; c=2"], vec!["3"]));
    }

    #[test]
    fn an_event_has_its_path_decoded() {
        let of = |route: &str, path: &str| -> Value {
            serde_json::from_slice(&event(route, "r1", &Request::get(path).body(Bytes::new()).unwrap())).unwrap()
        };
        let named = of("GET /v1/orders/{id}", "/v1/orders/a%3Fb%2Fc?x=%3F");
        assert_eq!((&named["rawPath"], &named["rawQueryString"]), (&json!("/v1/orders/a?b/c"), &json!("x=%3F")));
        assert_eq!(named["requestContext"]["http"]["path"], "/v1/orders/a?b/c");
        assert_eq!(named["pathParameters"], json!({ "id": "a?b/c" }));
        assert_eq!(of("GET /v1/orders/{id}", "/v1/orders/%zz")["pathParameters"], json!({ "id": "%zz" }));
        assert_eq!(of("GET /trpc/a.b", "/trpc/a%2Eb")["rawPath"], "/trpc/a.b");
    }

    #[test]
    fn an_answer_becomes_a_response() {
        let answer =
            br#"{"statusCode":404,"headers":{"content-type":"application/json"},"body":"e30=","isBase64Encoded":true}"#;
        let response = response(answer).unwrap();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.body(), "{}");
        assert!(super::response(b"{}").is_err());
    }
}
