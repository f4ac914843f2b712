//! The door: how a request to a procedure is answered, whatever it was for and in whatever form it came.
//!
//! The local service, the real functions and the gateways all come through [`answer`]. It cannot
//! fail: whatever goes wrong becomes a typed error with a request id.

mod refuse;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use protocol::Clock;
use store::Store;

use crate::{
    Authenticator, BoxFuture, Entry, cors::Cors, execute::execute, mail::MailTransport,
    registration::RegistrationPolicy, reply::ReplyForm, rest, secrets::Secrets, site::Site,
};

pub use refuse::{Addressee, expect_known, refuse};

/// What calls share in one process.
pub struct Context {
    /// Knows callers.
    pub authenticator: Arc<Authenticator>,
    /// The database, for services that have one.
    pub store: Option<Store>,
    /// The time.
    pub clock: Clock,
    /// Which pages may call.
    pub cors: Cors,
    /// Where the service is.
    pub site: Arc<Site>,
    /// Who may make an account by themselves.
    pub registration: Arc<RegistrationPolicy>,
    /// Its secrets.
    pub secrets: Arc<Secrets>,
    /// How its mails leave it.
    pub post: Arc<MailTransport>,
}

/// The header that carries a call's id both ways into the logs.
pub const REQUEST_ID: &str = "x-request-id";

/// Answers one request to one procedure.
pub fn answer<'a>(
    entry: &'a Entry,
    context: &'a Context,
    request_id: &'a str,
    request: Request<Bytes>,
) -> BoxFuture<'a, Response<Bytes>> {
    Box::pin(async move {
        let form = ReplyForm::of(entry, &request);
        let origin = request.headers().get(header::ORIGIN).cloned();
        let is_head = *request.method() == Method::HEAD;
        let is_read = is_head || *request.method() == Method::GET;
        let lifetime_s = entry.spec.cache_s.filter(|_| is_read && form.may_be_kept());
        let mut response = match *request.method() {
            Method::OPTIONS => form.preflight(entry, &request),
            Method::HEAD if !form.answers_head() => empty(StatusCode::NO_CONTENT),
            _ => execute(entry, context, &form, request_id, request).await,
        };
        if is_head {
            rest::without_body(&mut response);
        }
        // What was kept is confirmed with the headers that it was given with (RFC 9110 section 15.4.5).
        let good = [StatusCode::OK, StatusCode::NOT_MODIFIED];
        let kept = lifetime_s.filter(|_| good.contains(&response.status()));
        if let Some(lifetime_s) = kept {
            response.headers_mut().insert(header::CACHE_CONTROL, shared_for(lifetime_s));
        }
        context.cors.allow(&context.site, origin.as_ref(), kept.is_some(), response.headers_mut());
        response
    })
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A shared cache may keep the answer for so long (RFC 9111 section 5.2.2.10); a browser asks again each time,
/// so that the longest that anybody sees something old is what the procedure states.
fn shared_for(lifetime_s: u32) -> HeaderValue {
    let value = format!("public, max-age=0, s-maxage={lifetime_s}");
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("no-store"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests;
