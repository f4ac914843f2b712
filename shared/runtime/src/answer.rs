//! Answers requests to procedures, in every form.
//!
//! The local service, the functions and the gateways all call [`answer()`]. It cannot fail: every error becomes a
//! typed fault with a request id.

mod refuse;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use protocol::Clock;
use store::Store;

use crate::{
    Authenticator, BoxFuture, Entry, config::Configs, cors::Cors, execute::execute, mail::MailTransport,
    metrics::MetricOutput, registration::RegistrationPolicy, reply::ReplyForm, rest, secrets::Secrets, site::Site,
};

pub use refuse::{Addressee, expect_known, refuse};

/// What the calls of one process share.
pub struct Context {
    /// Identifies callers.
    pub authenticator: Arc<Authenticator>,
    /// The database, if the service has one.
    pub store: Option<Store>,
    /// The clock of calls.
    pub clock: Clock,
    /// Which pages may call across origins.
    pub cors: Cors,
    /// The service's addresses.
    pub site: Arc<Site>,
    /// Who may register an account.
    pub registration: Arc<RegistrationPolicy>,
    /// The service's secrets.
    pub secrets: Arc<Secrets>,
    /// The configurations that its procedures take.
    pub configs: Configs,
    /// Where metrics are written.
    pub metrics: MetricOutput,
    /// How mails are sent.
    pub mail_transport: Arc<MailTransport>,
}

/// The header with a call's id, in requests and responses; logs have it as well.
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
        // A 304 repeats the headers of the cached response (RFC 9110 section 15.4.5).
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

/// `Cache-Control` of a response that shared caches may keep for this long (RFC 9111 section 5.2.2.10). Browsers ask
/// again each time, so that no response is older than the procedure states.
fn shared_for(lifetime_s: u32) -> HeaderValue {
    let value = format!("public, max-age=0, s-maxage={lifetime_s}");
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("no-store"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests;
