//! Negotiates media types (GraphQL over HTTP, sections 4 and 6).

use http::{HeaderMap, HeaderValue, header};
use protocol::{
    accept::{Accept, Specificity},
    media_type,
};

/// The media type of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status says whether the request was executed.
    Response,
    /// `application/json`: the status says only whether the request could be read.
    Json,
}

impl Media {
    /// The `content-type` of a response.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Response => media_type::GRAPHQL_RESPONSE_UTF8,
            Self::Json => media_type::JSON_UTF8,
        })
    }

    /// The media type that a client prefers; none if it accepts neither. A client without `Accept` is an old one.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let accept = Accept::of(headers, header::ACCEPT);
        match (accept.weight(media_type::GRAPHQL_RESPONSE), accept.weight(media_type::JSON)) {
            // A named type takes precedence over `*/*`; of two equal ones, the newer type counts.
            (Some(response), Some(json)) if response < json || response.specificity < Specificity::Form => {
                Some(Self::Json)
            }
            (Some(_), _) => Some(Self::Response),
            (None, json) => json.map(|_| Self::Json),
        }
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
            // Java's `HttpURLConnection`.
            ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", json),
            ("application/json;q=0.5, application/graphql-response+json;q=0.5", response),
        ] {
            assert_eq!(accepted(accept), expected, "{accept}");
        }
    }
}
