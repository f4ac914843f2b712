//! Answers requests that reach no procedure.

use bytes::Bytes;
use http::{Method, Request, Response, header};
use protocol::{Code, Fault, fault::shortened};

use crate::{
    Entry,
    cors::Cors,
    reply::{CallInfo, ReplyForm, named},
    rest,
    site::Site,
};

/// The methods of the registry (IANA, "Hypertext Transfer Protocol (HTTP) Method Registry"), and QUERY, which HTTP's
/// working group adds to it. CONNECT is left out: the service is no tunnel.
const REGISTERED: [&str; 39] = [
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
    "PRI",
];

/// Refuses methods that no standard defines (RFC 9110 section 9.1).
///
/// # Errors
/// `NOT_IMPLEMENTED`.
pub fn expect_known(method: &Method) -> Result<(), Fault> {
    if REGISTERED.contains(&method.as_str()) {
        return Ok(());
    }
    Err(Fault::new(Code::NotImplemented, format!("The method {:?} is not known here.", shortened(method.as_str()))))
}

/// The addressee of a request.
#[derive(Clone, Copy)]
pub enum Addressee<'a> {
    /// This procedure, at any of its addresses.
    Procedure(&'a Entry),
    /// The procedure of this name, in a call of tRPC.
    Called(&'a str),
    /// No procedure.
    Nobody,
}

/// Answers a request that reaches no procedure, in the form of its address: below `/trpc/` in tRPC's form; at the
/// address of a procedure in that procedure's form; anywhere else as a problem, and to a browser as a page. An
/// OPTIONS is answered with the address's methods, not refused.
pub fn refuse(
    cors: &Cors,
    site: &Site,
    request_id: &str,
    request: &Request<Bytes>,
    addressee: Addressee<'_>,
    fault: &Fault,
) -> Response<Bytes> {
    let (form, procedure, service) = match addressee {
        Addressee::Procedure(entry) => {
            let form = match ReplyForm::of(entry, request) {
                // A batch that was not read has no calls to answer.
                ReplyForm::Trpc(_) => ReplyForm::Trpc(None),
                form => form,
            };
            (form, Some(entry.name), entry.service.name)
        }
        Addressee::Called(name) => (ReplyForm::Trpc(None), Some(name), ""),
        Addressee::Nobody => (ReplyForm::unrouted(request), None, ""),
    };
    let (method, headers) = (request.method(), request.headers());
    let is_told = *method == Method::OPTIONS && fault.code == Code::MethodNotSupported;
    let mut response = if is_told || Cors::is_preflight(method, headers) {
        Cors::options(headers, form.methods(), fault.allow.as_deref())
    } else {
        named(form.fault(fault, CallInfo { procedure, service, site, request_id }), request_id)
    };
    if *request.method() == Method::HEAD {
        rest::without_body(&mut response);
    }
    cors.allow(site, request.headers().get(header::ORIGIN), false, response.headers_mut());
    response
}
