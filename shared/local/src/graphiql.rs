//! GraphiQL at GraphQL's address, for a browser that requests a page. It is one file, which `graphiql/build.mjs` makes;
//! it needs no network but the service.

use bytes::Bytes;
use gateways::graphql;
use http::{HeaderName, HeaderValue, Method, Request, Response, header};
use protocol::{accept::Accept, media_type};
use runtime::rest::without_body;

/// The page, compressed by gzip, which every browser accepts.
static PAGE: &[u8] = include_bytes!("../graphiql/page.html.gz");

/// The page contains its scripts and styles, and sends requests to the service alone.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; font-src data:; \
                      img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_TYPE, media_type::HTML_UTF8),
    (header::CONTENT_ENCODING, "gzip"),
    (header::CACHE_CONTROL, "no-cache"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::VARY, "accept, accept-encoding"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Whether a browser requests the page: programs request JSON at the same address. A client without gzip is no browser.
pub(crate) fn is_page_request<T>(request: &Request<T>) -> bool {
    let accept = |field| Accept::of(request.headers(), field);
    request.uri().path() == graphql::PATH
        && [Method::GET, Method::HEAD].contains(request.method())
        && accept(header::ACCEPT).prefers(media_type::HTML, &[media_type::JSON, media_type::GRAPHQL_RESPONSE])
        && accept(header::ACCEPT_ENCODING).prefers("gzip", &[])
}

/// The page's response.
pub(crate) fn page(method: &Method) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(PAGE));
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if method == Method::HEAD {
        without_body(&mut response);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_asks_for_the_page_and_a_program_does_not() {
        let asks_for = |method: &str, path: &str, accept: &str, codings: &str| {
            let request = Request::builder().method(method).uri(path).header("accept", accept);
            is_page_request(&request.header("accept-encoding", codings).body(()).unwrap())
        };
        let asks = |method: &str, path: &str, accept: &str| asks_for(method, path, accept, "gzip, deflate, br");
        assert!(asks("GET", "/graphql", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(asks("HEAD", "/graphql?query=%7Ba%7D", "application/json;q=0.1, Text/HTML;q=0.9"));
        for (method, path, accept) in [
            ("POST", "/graphql", "text/html"),
            ("GET", "/graphql", "*/*"),
            ("GET", "/graphql", "application/json"),
            ("GET", "/graphql", "text/html;q=0, */*"),
            ("GET", "/graphql", "text/html; q=0.000, */*"),
            ("GET", "/graphql", "application/json, text/html;q=0.5"),
            ("GET", "/graphql", "application/graphql-response+json, text/html;q=0.5"),
            ("GET", "/schema.graphql", "text/html"),
        ] {
            assert!(!asks(method, path, accept), "{method} {path} {accept}");
        }
        assert!(asks_for("GET", "/graphql", "text/html", "br, GZIP;q=0.5"));
        for codings in ["", "identity", "br", "gzip;q=0", "gzip;q=0, br", "gzip; q=0.0"] {
            assert!(!asks_for("GET", "/graphql", "text/html", codings), "{codings}");
        }
    }
}
