//! Events of an API Gateway HTTP API (payload format 2.0).

use serde_json::{Value, json};

use crate::runtime_api::Event;

/// A `GET` request to a function.
pub struct Get<'a> {
    /// The route that the gateway matched, without the method.
    pub route: &'a str,
    /// The path of the request.
    pub path: &'a str,
    /// The query of the request, percent-encoded.
    pub query: &'a str,
    /// The path parameters that the route names.
    pub path_parameters: Value,
    /// The token to send as `Authorization: Bearer`.
    pub token: Option<&'a str>,
    /// The cookie to send, `name=value`.
    pub cookie: Option<&'a str>,
}

impl Get<'_> {
    /// Renders the event as JSON.
    pub fn render(&self) -> Event {
        let mut headers = json!({
            "accept": "*/*",
            "accept-encoding": "gzip, deflate, br",
            "content-length": "0",
            "host": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "user-agent": "node",
            "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "x-forwarded-for": "192.0.2.17",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        });
        if let Some(token) = self.token {
            headers["authorization"] = Value::String(format!("Bearer {token}"));
        }
        let route_key = format!("GET {}", self.route);
        let mut event = json!({
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "abcdefghij",
                "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "abcdefghij",
                "http": {
                    "method": "GET",
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.17",
                    "userAgent": "node",
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": route_key,
                "stage": "$default",
                "time": "10/Mar/2025:05:16:23 +0000",
                "timeEpoch": 1_741_583_783_000_u64,
            },
            "isBase64Encoded": false,
        });
        if let Some(cookie) = self.cookie {
            event["cookies"] = json!([cookie]);
        }
        if let Some((name, value)) = self.query.split_once('=') {
            event["queryStringParameters"] = json!({ name: decoded(value) });
        }
        if !self.path_parameters.is_null() {
            event["pathParameters"] = self.path_parameters.clone();
        }
        event.to_string().into_bytes().into()
    }
}

/// Percent-encodes everything but letters, digits and `-._~` (RFC 3986, section 2.3).
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

/// Reverses [`encoded`].
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = (*first == b'%').then(|| after.get(..2)).flatten();
        let value = escape.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_sends_the_query_both_encoded_and_decoded() {
        let query = format!("input={}", encoded(r#"{"id":"ä"}"#));
        let get = Get {
            route: "/a",
            path: "/a",
            query: &query,
            path_parameters: Value::Null,
            token: Some("t"),
            cookie: None,
        };
        let event: Value = serde_json::from_slice(&get.render()).expect("the event is JSON");
        assert_eq!(event["rawQueryString"], "input=%7B%22id%22%3A%22%C3%A4%22%7D");
        assert_eq!(event["queryStringParameters"]["input"], r#"{"id":"ä"}"#);
        assert_eq!(event["headers"]["authorization"], "Bearer t");
    }
}
