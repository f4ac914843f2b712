//! The `www-authenticate` field of a refusal (RFC 6750 section 3, RFC 9470 section 3). It tells clients whether to
//! renew the token, to ask for a wider scope, or to let the person sign in again.

use http::{HeaderMap, HeaderValue};
use protocol::{Auth, Code, Fault, Reauthenticate, Spec};

use crate::authenticate::{Unreadable, presented_token};

/// What a request's `authorization` header holds: whether it has a token, or why it cannot be read.
pub(crate) struct Presented(Result<bool, Unreadable>);

impl Presented {
    /// Reads the header.
    pub(crate) fn by(headers: &HeaderMap) -> Self {
        Self(presented_token(headers).map(|token| token.is_some()))
    }

    /// The challenge for a fault. None where the fault is not about the token, or the request had none.
    pub(crate) fn challenge(&self, spec: &Spec, fault: &Fault) -> Option<HeaderValue> {
        if !spec.looks_at_caller() {
            return None;
        }
        let is_own_failure = fault.failure.is_some();
        let parameters = match (self.0, fault.code, spec.auth) {
            (Err(Unreadable::Malformed), Code::BadRequest, _) if !is_own_failure => "error=\"invalid_request\"".into(),
            (Ok(true), _, _) if Reauthenticate::is_reason_of(fault) => step_up(spec.fresh_s?),
            (Ok(true), Code::Unauthorized, _) if !is_own_failure => "error=\"invalid_token\"".into(),
            (Ok(true), Code::Forbidden, Auth::Permission { name, .. }) if !is_own_failure => {
                format!("error=\"insufficient_scope\", scope=\"{name}\"")
            }
            (Ok(true), Code::Forbidden, _) if !is_own_failure => "error=\"insufficient_scope\"".into(),
            _ => return None,
        };
        HeaderValue::try_from(format!("Bearer {parameters}")).ok()
    }
}

/// The challenge for a call that needs a recent sign-in. The examples of RFC 9470 have the status 401; here it is
/// 403, as for every `FORBIDDEN`: the caller is known, and 401 would make clients renew their token, which would not
/// help.
fn step_up(fresh_s: u32) -> String {
    let reason = "error=\"insufficient_user_authentication\", error_description=\"Authenticate again\"";
    format!("{reason}, max_age=\"{fresh_s}\"")
}
