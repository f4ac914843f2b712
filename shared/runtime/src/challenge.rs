//! What a refusal says of the token that came with the call: the `www-authenticate` field (RFC 6750 section 3, RFC 9470
//! section 3). Clients read from it whether to renew the token, to ask for more, or to ask the person.

use http::{HeaderMap, HeaderValue};
use protocol::{Auth, Code, Fault, Reauthenticate, Spec};

use crate::authenticate::{Unreadable, presented_token};

/// What of a call's `authorization` header an answer depends on: whether there is a token, or what there is instead.
pub(crate) struct Presented(Result<bool, Unreadable>);

impl Presented {
    /// By a call with these headers.
    pub(crate) fn by(headers: &HeaderMap) -> Self {
        Self(presented_token(headers).map(|token| token.is_some()))
    }

    /// What a fault of the call says of it. None where it is not about the token, or no token came.
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

/// What a call lacks that wants a sign-in of a moment ago. The examples of RFC 9470 have the status 401; here it is 403, as
/// of every `FORBIDDEN`: the caller is known, and 401 has clients renew their token, which would not help.
fn step_up(fresh_s: u32) -> String {
    let reason = "error=\"insufficient_user_authentication\", error_description=\"Authenticate again\"";
    format!("{reason}, max_age=\"{fresh_s}\"")
}
