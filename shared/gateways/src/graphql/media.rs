//! Which media types are read and answered (GraphQL over HTTP, sections 4 and 6).

use http::{HeaderMap, HeaderValue, header};

/// In what form an answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells whether the request was executed.
    Response,
    /// `application/json`: it tells only whether the request could be read.
    Json,
}

impl Media {
    /// The `content-type` of an answer.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }

    /// The form that a client likes best, none when it likes neither. A client that says nothing is an old one.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut ranges = Vec::new();
        for line in headers.get_all(header::ACCEPT) {
            ranges.extend(line.to_str().ok()?.split(',').filter_map(Range::read));
        }
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let quality = |name: &str, media| {
            let fits = ranges.iter().filter(|range| range.has(name));
            let (best, place) = fits.map(|range| (range, range.exactness)).max_by_key(|(_, exactness)| *exactness)?;
            (best.quality > 0).then_some((best.quality, place, media))
        };
        let response = quality("application/graphql-response+json", Self::Response);
        let json = quality("application/json", Self::Json);
        match (response, json) {
            // What is named counts for more than what `*/*` allows; where both are, the newer form.
            (Some(response), Some(json)) if (response.0, response.1) < (json.0, json.1) => Some(json.2),
            (Some((_, 0 | 1, _)), Some(json)) => Some(json.2),
            (Some(response), _) => Some(response.2),
            (None, json) => json.map(|json| json.2),
        }
    }
}

/// Whether a body is JSON in UTF-8.
pub(super) fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let Some(text) = content_type.and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let is_json = parts.next().is_some_and(|name| name == "application/json");
    is_json
        && parts.all(|parameter| {
            let charset = parameter.strip_prefix("charset=").map(|charset| charset.trim_matches('"').to_owned());
            charset.is_none_or(|charset| charset == "utf-8" || charset == "utf8")
        })
}

/// One range of an `Accept` header (RFC 9110, section 12.5.1).
struct Range {
    name: String,
    /// In thousandths.
    quality: u32,
    /// 0 for `*/*`, 1 for `application/*`, 2 for a type.
    exactness: u8,
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
        let mut quality = 1_000;
        for parameter in parts {
            if let Some(q) = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")) {
                quality = thousandths(q)?;
            }
        }
        let exactness = match name.as_str() {
            "*/*" => 0,
            name if name.ends_with("/*") => 1,
            _ => 2,
        };
        Some(Self { name, quality, exactness })
    }

    fn has(&self, name: &str) -> bool {
        match self.exactness {
            0 => true,
            1 => self.name == "application/*",
            _ => self.name == name,
        }
    }
}

/// `0.5` to 500.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u32 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        Media::accepted(&headers)
    }

    #[test]
    fn the_form_is_the_one_that_the_client_likes_best() {
        let (response, json) = (Some(Media::Response), Some(Media::Json));
        assert_eq!(Media::accepted(&HeaderMap::new()), json);
        for (accept, expected) in [
            ("*/*", json),
            ("application/*", json),
            ("application/json", json),
            ("application/json; charset=utf-8", json),
            ("application/graphql-response+json", response),
            ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", response),
            ("application/graphql-response+json, application/json;q=0.9, */*;q=0.1", response),
            ("application/graphql-response+json;q=0.5, application/json", json),
            ("application/json;q=0, */*", response),
            ("text/html, */*;q=0.8", json),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/graphql-response+json;q=2, application/json", json),
        ] {
            assert_eq!(accepted(accept), expected, "{accept}");
        }
    }

    #[test]
    fn bodies_are_json_in_utf_8() {
        let reads = |text: &str| is_json(Some(&text.parse().unwrap()));
        assert!(reads("application/json") && reads("Application/JSON; charset=\"UTF-8\""));
        for other in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""] {
            assert!(!reads(other), "{other}");
        }
        assert!(!is_json(None));
    }
}
