//! Media types (RFC 9110, section 8.3).

use http::{HeaderMap, header};

/// JSON.
pub const JSON: &str = "application/json";
/// A merge patch: a partial change as JSON (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";
/// An HTML form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The media type of a body, without its parameters; empty where it is not stated.
pub fn of(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// Whether a body is of a media type.
pub fn is(headers: &HeaderMap, known: &str) -> bool {
    of(headers).eq_ignore_ascii_case(known)
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
}
