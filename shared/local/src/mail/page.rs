//! `GET /_local/mail`: the mailbox as JSON. Mails hold secrets; only programs of this machine may read them.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Version, header};
use protocol::{Code, Fault, media_type};
use runtime::{rest::without_body, site::host_in};

use super::Mailbox;

/// The path of the mailbox.
pub const PATH: &str = "/_local/mail";

/// Answers a request to [`PATH`] with the latest mails, at most 100, the latest first; `?to=ada@example.com` selects
/// those to one address.
///
/// # Errors
/// When it is no GET or HEAD of a program on this machine, or the mailbox cannot be read.
pub fn answer(mailbox: &Mailbox, request: &Request<Bytes>) -> Result<Response<Bytes>, Fault> {
    // A foreign page's host name may resolve to this machine (DNS rebinding): the page would then have the same origin
    // as this service.
    let host = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let is_own = match host {
        Some(host) => matches!(host_in(host), Some("localhost" | "127.0.0.1")),
        // No browser speaks HTTP/1.0.
        None => request.version() == Version::HTTP_10,
    };
    if !is_own {
        return Err(Fault::new(Code::Forbidden, "The mailbox is shown at 127.0.0.1 and localhost only."));
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Err(Fault::method_not_supported(request.method().as_str(), "GET, HEAD"));
    }
    let query: Vec<(String, String)> = serde_urlencoded::from_str(request.uri().query().unwrap_or_default())
        .map_err(|_| Fault::bad_request("The address is not percent-encoded UTF-8."))?;
    let to = query.iter().find(|(name, _)| name == "to").map(|(_, to)| to.as_str());
    let mails = mailbox.latest(to).map_err(Fault::internal)?;
    let mut response = Response::new(Bytes::from(serde_json::to_vec(&mails).map_err(Fault::internal)?));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::JSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if request.method() == Method::HEAD {
        without_body(&mut response);
    }
    Ok(response)
}
