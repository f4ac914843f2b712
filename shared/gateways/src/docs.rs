//! The service's documentation: a page that works without network, and the documents for programs.

mod page;
mod types;

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hasher as _},
    sync::OnceLock,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use protocol::{Cause, Code, Fault, contract::Contract, media_type};
use runtime::{BoxFuture, problem, rest};

use crate::{
    Calls, GatewaySpec, Refusal, Settings, Style, jsonrpc, openapi,
    respond::{explain, respond},
};

pub use page::html;

/// The style that serves documents.
pub struct Docs {
    /// The files by path; rendered at the first request, since they contain the service's address.
    files: OnceLock<BTreeMap<&'static str, File>>,
    settings: Settings,
}

struct File {
    content_type: &'static str,
    body: Bytes,
    etag: HeaderValue,
}

/// Clients may show a cached document for this many seconds after a deployment.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=60");
/// The page loads only its own style and script, sends nothing, and cannot be framed.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
);
const METHODS: &str = "GET, HEAD";
/// The path of the pages' icon. A local service shows it at `/favicon.ico` as well, which browsers request by
/// themselves; a deployed one does not, since that address may be the frontend's.
pub const ICON_PATH: &str = "/docs/icon.svg";
/// The icon: three folds.
const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><path fill=\"#c2410c\" \
                    d=\"M1 3l7-2v4L1 7zM15 3L8 1v4l7 2zM1 8l7-2v9l-7-3zM15 8L8 6v9l7-3z\"/></svg>\n";

impl Docs {
    /// The style's specification.
    pub const SPEC: GatewaySpec = GatewaySpec {
        name: "docs",
        paths: &["/docs", "/docs/{proxy+}", "/openapi.json", "/openrpc.json"],
        methods: METHODS,
        takes: "",
        calls: false,
        memory_mb: 256,
        timeout_ms: 10_000,
    };

    /// Creates the style for a service.
    ///
    /// # Errors
    /// Never: every contract can be documented.
    pub fn new(contract: &Contract) -> Result<Self, Cause> {
        Self::with(contract, Settings::default())
    }

    /// Creates the style for a stage: without public documents, all paths are missing.
    ///
    /// # Errors
    /// As [`Docs::new`].
    pub fn with(_: &Contract, settings: Settings) -> Result<Self, Cause> {
        Ok(Self { files: OnceLock::new(), settings })
    }

    fn find(&self, contract: &Contract, calls: &Calls<'_>) -> Result<&File, Fault> {
        let parts = calls.parts();
        if !self.settings.documents {
            return Err(Fault::new(Code::NotFound, "There is nothing here."));
        }
        let files = self.files.get_or_init(|| files(contract, calls.site().url()));
        let missing = || Fault::new(Code::NotFound, "There is nothing here; the documentation is at /docs.");
        let file = files.get(parts.uri.path()).ok_or_else(missing)?;
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Err(Fault::method_not_supported(parts.method.as_str(), METHODS));
        }
        Ok(file)
    }
}

impl Style for Docs {
    fn spec(&self) -> &'static GatewaySpec {
        &Self::SPEC
    }

    fn refuse(&self, calls: &Calls<'_>, refusal: Refusal) -> Response<Bytes> {
        let fault = Fault { fields: refusal.fields, ..Fault::new(refusal.code, refusal.message) };
        refused(calls, &fault)
    }

    fn answer<'a>(&'a self, contract: &'a Contract, _: Bytes, calls: Calls<'a>) -> BoxFuture<'a, Response<Bytes>> {
        let answer = match self.find(contract, &calls) {
            Ok(file) => file.answer(&calls.parts().method, &calls.parts().headers),
            Err(fault) => refused(&calls, &fault),
        };
        Box::pin(std::future::ready(answer))
    }
}

impl File {
    fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let mut hasher = DefaultHasher::new();
        hasher.write(&body);
        let etag = HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish()));
        Self { content_type, body, etag: etag.unwrap_or(HeaderValue::from_static("\"0\"")) }
    }

    fn answer(&self, method: &Method, request_headers: &HeaderMap) -> Response<Bytes> {
        let mut tags = request_headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
        let is_known = tags.any(|tags| rest::etag_matches(tags, self.etag.to_str().ok()));
        let mut response = respond(200, self.content_type, self.body.clone());
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
        if is_known {
            headers.remove(header::CONTENT_TYPE);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Bytes::new();
        } else if method == Method::HEAD {
            rest::without_body(&mut response);
        }
        response
    }
}

/// A problem (RFC 9457), as in REST.
fn refused(calls: &Calls<'_>, fault: &Fault) -> Response<Bytes> {
    let body = problem::body(fault, calls.site(), "", calls.parts().uri.path(), calls.request_id());
    let mut response = respond(fault.code.http_status(), media_type::PROBLEM_JSON, body);
    explain(fault, response.headers_mut());
    response
}

/// All files by path.
fn files(contract: &Contract, url: &str) -> BTreeMap<&'static str, File> {
    let openrpc = serde_json::to_string(&jsonrpc::openrpc(contract, url)).unwrap_or_default();
    BTreeMap::from([
        ("/docs", File::new(media_type::HTML_UTF8, page::html(contract, url))),
        ("/docs/docs.css", File::new(media_type::CSS_UTF8, include_str!("docs/docs.css"))),
        ("/docs/docs.js", File::new(media_type::JAVASCRIPT_UTF8, include_str!("docs/docs.js"))),
        (ICON_PATH, File::new(media_type::SVG, ICON)),
        ("/openapi.json", File::new(media_type::JSON, openapi::document(contract, url).to_string())),
        ("/openrpc.json", File::new(media_type::JSON, openrpc)),
    ])
}
