//! Media types (RFC 9110, section 8.3).

use http::{HeaderMap, header};

/// JSON.
pub const JSON: &str = "application/json";
/// JSON with its encoding, as some clients of RPC expect it.
pub const JSON_UTF8: &str = "application/json; charset=utf-8";
/// A JSON text in each line.
pub const JSON_LINES: &str = "application/jsonl";
/// A problem: why a request failed, as JSON (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// A merge patch: a partial change as JSON (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";
/// The value of `Accept-Patch`: what the body of a PATCH may be.
pub const MERGE_PATCH_OR_JSON: &str = "application/merge-patch+json, application/json";
/// A call in JSON-RPC, which is usually sent as plain JSON.
pub const JSON_RPC: &str = "application/json-rpc";
/// A response in GraphQL over HTTP.
pub const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";
/// A response in GraphQL over HTTP, with its encoding.
pub const GRAPHQL_RESPONSE_UTF8: &str = "application/graphql-response+json; charset=utf-8";
/// An HTML form.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// XML, and so a message in SOAP 1.1.
pub const XML: &str = "text/xml";
/// XML in UTF-8.
pub const XML_UTF8: &str = "text/xml; charset=utf-8";
/// A message in SOAP 1.2.
pub const SOAP: &str = "application/soap+xml";
/// A message in SOAP 1.2, in UTF-8.
pub const SOAP_UTF8: &str = "application/soap+xml; charset=utf-8";
/// The value of `Accept`: a message in SOAP of version 1.1 or 1.2.
pub const XML_OR_SOAP: &str = "text/xml, application/soap+xml";
/// HTML.
pub const HTML: &str = "text/html";
/// HTML in UTF-8.
pub const HTML_UTF8: &str = "text/html; charset=utf-8";
/// A style sheet in UTF-8.
pub const CSS_UTF8: &str = "text/css; charset=utf-8";
/// A script in UTF-8.
pub const JAVASCRIPT_UTF8: &str = "text/javascript; charset=utf-8";
/// A plain text in UTF-8.
pub const TEXT_UTF8: &str = "text/plain; charset=utf-8";
/// SVG.
pub const SVG: &str = "image/svg+xml";
/// Bytes of no stated format.
pub const BYTES: &str = "application/octet-stream";

/// The `content-type` of a body with its parameters; empty where it is not stated.
pub fn stated(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The media type of a body, without its parameters; empty where it is not stated.
pub fn of(headers: &HeaderMap) -> &str {
    stated(headers).split(';').next().unwrap_or_default().trim()
}

/// Whether a body is of a media type.
pub fn is(headers: &HeaderMap, known: &str) -> bool {
    of(headers).eq_ignore_ascii_case(known)
}

/// Whether a body is of a media type, in UTF-8, which is what it is in where its `charset` is not stated.
pub fn is_utf8(headers: &HeaderMap, known: &str) -> bool {
    let charsets = stated(headers).split(';').skip(1).filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let is_utf8 = |charset: &str| ["utf-8", "utf8"].iter().any(|known| charset.eq_ignore_ascii_case(known));
    is(headers, known) && charsets.into_iter().all(is_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_play_no_part() {
        let headers =
            |text: &'static str| HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(text))]);
        assert!(is(&headers("Application/JSON ; charset=utf-8"), JSON));
        assert!(!is(&headers("application/json-seq"), JSON) && !is(&HeaderMap::new(), JSON));
        assert_eq!(of(&headers(" text/plain")), "text/plain");
        assert_eq!(of(&HeaderMap::new()), "");
    }

    #[test]
    fn a_charset_is_utf_8() {
        let is_read = |text: &'static str| {
            is_utf8(&HeaderMap::from_iter([(header::CONTENT_TYPE, http::HeaderValue::from_static(text))]), JSON)
        };
        for read in ["application/json", "Application/JSON; Charset=\"UTF-8\"", "application/json;v=1;charset=utf8"] {
            assert!(is_read(read), "{read}");
        }
        for other in [
            "",
            "text/plain",
            "application/json; charset=latin1",
            "application/json; charset=",
            "application/json;charset=utf-8; CHARSET = \"utf-16\"",
        ] {
            assert!(!is_read(other), "{other}");
        }
        assert!(!is_utf8(&HeaderMap::new(), JSON));
    }
}
