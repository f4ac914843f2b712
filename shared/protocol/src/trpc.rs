//! The wire format of tRPC 11: the requests of the official client, and the responses that it expects.
//!
//! Pure functions over the parts of HTTP messages.

pub mod batch;
mod infinite;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use serde::Serialize;

use crate::{Code, Fault, FieldFault, Kind, fault::AcceptedBody, media_type};

pub use infinite::{is_infinite, with_foreign_direction, without_direction};

/// The path under which the procedures are.
pub const BASE_PATH: &str = "/trpc/";
/// The maximum size of an input, in a body or in a query string, in bytes.
pub const MAX_INPUT_BYTES: usize = 1024 * 1024;

/// The methods of a procedure, as a value of `Allow`.
pub const fn allowed_methods(kind: Kind, method_override: bool) -> &'static str {
    match (kind, method_override) {
        (Kind::Query, true) => "GET, HEAD, POST",
        (Kind::Query, false) => "GET, HEAD",
        (Kind::Mutation, _) => "POST",
    }
}

/// Takes the input out of a request for one procedure: the JSON text, or none. In a batch of one, it is the first of
/// the batch's inputs.
///
/// `method_override` says whether queries may come as POST.
///
/// # Errors
/// 405, 413, 415 and 400, as the official server answers them.
pub fn take_input(
    kind: Kind,
    method_override: bool,
    method: &Method,
    query: Option<&str>,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Option<Bytes>, Fault> {
    expect_once(query)?;
    let by_post = match (kind, method) {
        (Kind::Query, &Method::GET) => false,
        (Kind::Query, &Method::POST) if method_override => true,
        (Kind::Mutation, &Method::POST) => true,
        _ => return Err(Fault::method_not_supported(method.as_str(), allowed_methods(kind, method_override))),
    };
    let input = if by_post { from_body(headers, body)? } else { from_address(query)? };
    if batch::BatchFormat::of(query, headers).is_none() {
        return Ok(input);
    }
    let inputs = batch::inputs(input.as_deref(), 1)?;
    Ok(inputs.into_iter().next().flatten().map(|input| Bytes::copy_from_slice(input.get().as_bytes())))
}

/// The input of a POST; none when its body is empty.
///
/// # Errors
/// 415 and 413.
pub fn from_body(headers: &HeaderMap, body: Bytes) -> Result<Option<Bytes>, Fault> {
    expect_uncoded(headers)?;
    expect_json(headers)?;
    expect_size(body.len())?;
    Ok((!body.is_empty()).then_some(body))
}

/// The values of a parameter of the query string, still encoded.
fn values<'q>(query: Option<&'q str>, name: &'static str) -> impl Iterator<Item = &'q str> {
    let pairs = query.unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(move |(known, _)| percent_decode(known, true).as_deref() == Some(name)).map(|(_, value)| value)
}

/// Checks that each parameter of tRPC occurs at most once.
///
/// # Errors
/// 400 with its name.
pub fn expect_once(query: Option<&str>) -> Result<(), Fault> {
    match ["batch", "input"].into_iter().find(|name| values(query, name).nth(1).is_some()) {
        None => Ok(()),
        Some(name) => Err(Fault::bad_request(format!("The address has the parameter `{name}` more than once."))),
    }
}

/// The input of a GET: the parameter `input` of the query string.
///
/// # Errors
/// 413 and 400.
pub fn from_address(query: Option<&str>) -> Result<Option<Bytes>, Fault> {
    let Some(input) = values(query, "input").next() else { return Ok(None) };
    expect_size(input.len())?;
    let text =
        percent_decode(input, true).ok_or_else(|| Fault::bad_request("The input is not percent-encoded UTF-8."))?;
    Ok(Some(Bytes::from(text.into_owned())))
}

fn expect_json(headers: &HeaderMap) -> Result<(), Fault> {
    let unsupported = |message: String| Fault::unsupported(message, AcceptedBody::Json);
    if !headers.contains_key(header::CONTENT_TYPE) {
        Err(unsupported("The request has no content-type; use application/json.".into()))
    } else if media_type::is_utf8(headers, media_type::JSON) {
        Ok(())
    } else {
        let content_type = media_type::stated(headers);
        Err(unsupported(format!("The content-type {content_type:?} is not read here; use application/json in UTF-8.")))
    }
}

/// Refuses a body with a content coding: bodies are read as they are (RFC 9110 section 8.4).
///
/// # Errors
/// 415 for any coding but `identity`.
pub fn expect_uncoded(headers: &HeaderMap) -> Result<(), Fault> {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter();
    let is_plain = |line: &[u8]| {
        line.split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"))
    };
    if lines.into_iter().all(|line| is_plain(line.as_bytes())) {
        return Ok(());
    }
    Err(Fault::unsupported("The body is coded; bodies are read as they are.", AcceptedBody::Uncoded))
}

fn expect_size(bytes: usize) -> Result<(), Fault> {
    if bytes <= MAX_INPUT_BYTES { Ok(()) } else { Err(too_large()) }
}

/// The fault of a request whose body is over [`MAX_INPUT_BYTES`].
pub fn too_large() -> Fault {
    Fault::new(Code::PayloadTooLarge, format!("The input is larger than {MAX_INPUT_BYTES} bytes."))
}

/// Decodes `%2E` and the like (RFC 3986 section 2.1), and `+` to a space in forms. `None` if the bytes are not UTF-8
/// or an escape is broken.
pub fn percent_decode(text: &str, plus_is_space: bool) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|b| b == b'%' || (plus_is_space && b == b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    while let Some(b) = rest.next() {
        bytes.push(match b {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            b'+' if plus_is_space => b' ',
            b => b,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// `{"result":{"data":…}}`, or `{"result":{}}` for a procedure without output.
pub fn result_envelope(data: Option<&[u8]>) -> Vec<u8> {
    match data {
        None => br#"{"result":{}}"#.to_vec(),
        Some(data) => [br#"{"result":{"data":"#, data, b"}}"].concat(),
    }
}

/// `{"error":{"message","code","data":{…}}}`, without the fault's cause.
pub fn error_envelope(fault: &Fault, path: Option<&str>, request_id: &str) -> Vec<u8> {
    let envelope = ErrorEnvelope {
        error: ErrorShape {
            message: &fault.message,
            code: fault.code.number(),
            data: ErrorData {
                code: fault.code.key(),
                http_status: fault.code.http_status(),
                path,
                request_id,
                failure: fault.failure.as_ref(),
                fields: &fault.fields,
            },
        },
    };
    serde_json::to_vec(&envelope).unwrap_or_default()
}

#[derive(Serialize)]
struct ErrorEnvelope<'a> {
    error: ErrorShape<'a>,
}

#[derive(Serialize)]
struct ErrorShape<'a> {
    message: &'a str,
    code: i32,
    data: ErrorData<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorData<'a> {
    code: &'static str,
    http_status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "<[FieldFault]>::is_empty")]
    fields: &'a [FieldFault],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_headers() -> HeaderMap {
        HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/json; charset=utf-8"),
        )])
    }

    #[test]
    fn a_query_carries_its_input_in_the_address() {
        let take = |query| take_input(Kind::Query, true, &Method::GET, query, &HeaderMap::new(), Bytes::new());
        assert_eq!(take(Some("input=%7B%22a%22%3A%22b+c%22%7D")).unwrap().unwrap(), r#"{"a":"b c"}"#);
        assert_eq!(take(None).unwrap(), None);
        assert_eq!(take(Some("input=%FF")).unwrap_err().code, Code::BadRequest);
        assert_eq!(take(Some("input=%2")).unwrap_err().code, Code::BadRequest);
        assert_eq!(take(Some("inp%75t=1")).unwrap().unwrap(), "1");
    }

    #[test]
    fn a_batch_of_one_carries_the_first_input() {
        let take = |query| take_input(Kind::Query, true, &Method::GET, Some(query), &HeaderMap::new(), Bytes::new());
        assert_eq!(take("batch=1&input=%7B%220%22%3A%5B1%5D%2C%221%22%3A2%7D").unwrap().unwrap(), "[1]");
        assert_eq!(take("batch=1&input=%7B%7D").unwrap(), None);
        assert_eq!(take("batch=1").unwrap(), None);
        assert_eq!(take("batch=1&input=1").unwrap_err().code, Code::BadRequest);
        let post = |body: &'static str| {
            let body = Bytes::from_static(body.as_bytes());
            take_input(Kind::Mutation, true, &Method::POST, Some("batch=1"), &json_headers(), body)
        };
        assert_eq!(post(r#"{"0":"a"}"#).unwrap().unwrap(), r#""a""#);
        assert_eq!(post("").unwrap(), None);
        assert_eq!(post("[]").unwrap_err().code, Code::BadRequest);
    }

    #[test]
    fn a_query_comes_as_post_only_where_allowed() {
        let take =
            |allowed| take_input(Kind::Query, allowed, &Method::POST, None, &json_headers(), Bytes::from_static(b"1"));
        assert_eq!(take(true).unwrap().unwrap(), "1");
        let refused = take(false).unwrap_err();
        assert_eq!((refused.code, refused.allow.as_deref()), (Code::MethodNotSupported, Some("GET, HEAD")));
    }

    #[test]
    fn a_mutation_wants_json_of_a_stated_size() {
        let take = |headers: &HeaderMap, body: Vec<u8>| {
            take_input(Kind::Mutation, true, &Method::POST, None, headers, Bytes::from(body))
        };
        assert_eq!(take(&json_headers(), Vec::new()).unwrap(), None);
        assert_eq!(take(&HeaderMap::new(), Vec::new()).unwrap_err().code, Code::UnsupportedMediaType);
        assert_eq!(take(&json_headers(), vec![b' '; MAX_INPUT_BYTES + 1]).unwrap_err().code, Code::PayloadTooLarge);
        let get = take_input(Kind::Mutation, true, &Method::GET, None, &HeaderMap::new(), Bytes::new());
        assert_eq!(get.unwrap_err().allow.as_deref(), Some("POST"));
    }

    #[test]
    fn a_body_is_read_as_it_is_and_in_no_coding() {
        let expect = |lines: &[&'static str]| {
            let lines = lines.iter().map(|line| (header::CONTENT_ENCODING, header::HeaderValue::from_static(line)));
            expect_uncoded(&lines.collect())
        };
        for plain in [&[][..], &["identity"], &["Identity"], &[""], &["identity, identity"], &["identity", ""]] {
            assert!(expect(plain).is_ok(), "{plain:?}");
        }
        for coded in [&["gzip"][..], &["x-gzip"], &["br"], &["identity, gzip"], &["identity", "zstd"], &["nonsense"]] {
            let refused = expect(coded).unwrap_err();
            assert_eq!(
                (refused.code, refused.accepted),
                (Code::UnsupportedMediaType, AcceptedBody::Uncoded),
                "{coded:?}"
            );
        }
    }

    #[test]
    fn an_address_says_each_thing_once() {
        for (query, name) in [
            ("input=1&input=1", "input"),
            ("input=1&a=2&inp%75t=2", "input"),
            ("input&input=2", "input"),
            ("batch=1&input=%7B%7D&batch=1", "batch"),
            ("batch=0&batch=1", "batch"),
        ] {
            let take = |kind, method, body: &'static [u8]| {
                take_input(kind, true, &method, Some(query), &json_headers(), Bytes::from_static(body)).unwrap_err()
            };
            let message = format!("The address has the parameter `{name}` more than once.");
            assert_eq!(take(Kind::Query, Method::GET, b"").message, message, "{query}");
            assert_eq!(take(Kind::Mutation, Method::POST, b"{}").message, message, "{query}");
        }
        assert!(expect_once(Some("input=1&inputs=2&batch=1&x=1&x=2")).is_ok() && expect_once(None).is_ok());
    }

    #[test]
    fn an_error_says_everything_but_its_cause() {
        let fault = Fault::internal("the secret cause");
        let envelope: serde_json::Value = serde_json::from_slice(&error_envelope(&fault, Some("a.b"), "r1")).unwrap();
        assert_eq!(
            envelope,
            serde_json::json!({"error": {
                "message": "Something went wrong on our side.",
                "code": -32603,
                "data": {"code": "INTERNAL_SERVER_ERROR", "httpStatus": 500, "path": "a.b", "requestId": "r1"},
            }})
        );
    }
}
