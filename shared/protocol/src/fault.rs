//! Faults: why a call failed, for the caller and separately for the log.

mod stored;

use std::{error::Error, fmt, num::NonZeroU32};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Code, media_type};

/// Any error, kept whole for the log.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A call that failed.
///
/// It holds two messages. `message`, `failure` and `fields` are for the caller. `cause` is for the log only and never
/// sent.
#[derive(Debug)]
pub struct Fault {
    /// The code, which decides the HTTP status.
    pub code: Code,
    /// One sentence for a person.
    pub message: String,
    /// The procedure's own typed failure, `{"type": …}`, if it is one.
    pub failure: Option<Value>,
    /// The faults of the input, field by field.
    pub fields: Vec<FieldFault>,
    /// The allowed HTTP methods, for [`Code::MethodNotSupported`].
    pub allow: Option<Box<str>>,
    /// The accepted bodies, for [`Code::UnsupportedMediaType`].
    pub accepted: AcceptedBody,
    /// After how many seconds a retry makes sense, for [`Code::TooManyRequests`] and [`Code::ServiceUnavailable`].
    pub retry_after_s: Option<NonZeroU32>,
    /// The source of the fault, for the log.
    pub cause: Option<Cause>,
}

/// The accepted bodies, where a body is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptedBody {
    /// The response does not state it.
    Unsaid,
    /// A body without a content coding.
    Uncoded,
    /// JSON.
    Json,
    /// JSON, as the body of a POST.
    JsonByPost,
    /// A merge patch, or plain JSON.
    Patch,
    /// A form.
    Form,
}

impl AcceptedBody {
    /// The header fields that state it: `Accept` and `Accept-Encoding` (RFC 9110 section 15.5.16), `Accept-Patch`
    /// (RFC 5789 section 2.2), `Accept-Post` (Linked Data Platform 1.0, section 7.1).
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Unsaid => &[],
            Self::Uncoded => &[("accept-encoding", "identity")],
            Self::Json => &[("accept", media_type::JSON)],
            Self::JsonByPost => &[("accept", media_type::JSON), ("accept-post", media_type::JSON)],
            Self::Patch => {
                &[("accept", media_type::MERGE_PATCH_OR_JSON), ("accept-patch", media_type::MERGE_PATCH_OR_JSON)]
            }
            Self::Form => &[("accept", media_type::FORM)],
        }
    }
}

/// A fault of one field of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// The path in the input, such as `lines[2].amount`; empty for the input as a whole.
    pub path: String,
    /// One sentence for a person.
    pub message: String,
}

/// The maximum length of a received name in an error, in characters.
const MAX_NAME_CHARS: usize = 64;

/// Whether an error repeats a received name in full.
pub fn is_short(name: &str) -> bool {
    name.char_indices().nth(MAX_NAME_CHARS).is_none()
}

/// A received name as an error repeats it: cut if it is long.
pub fn shortened(name: &str) -> String {
    match name.char_indices().nth(MAX_NAME_CHARS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

impl Fault {
    /// A fault with a code and a message for the caller.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            failure: None,
            fields: Vec::new(),
            allow: None,
            accepted: AcceptedBody::Unsaid,
            retry_after_s: None,
            cause: None,
        }
    }

    /// The fault of a malformed or invalid input.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    /// An internal error: the caller gets only the request id, the log gets the cause.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(Code::InternalServerError, "Something went wrong on our side.").because(cause)
    }

    /// The fault of an input with these field faults.
    pub fn invalid(fields: Vec<FieldFault>) -> Self {
        let message = match fields.as_slice() {
            [one] if one.path.is_empty() => one.message.clone(),
            [one] => format!("{}: {}", one.path, one.message),
            many => format!("{} fields of the input are invalid.", many.len()),
        };
        Self { fields, ..Self::bad_request(message) }
    }

    /// The fault of a method that the address does not have.
    pub fn method_not_supported(method: &str, allow: impl Into<Box<str>>) -> Self {
        let allow = allow.into();
        let message = format!("{method} is not answered here; use {allow}.");
        Self { allow: Some(allow), ..Self::new(Code::MethodNotSupported, message) }
    }

    /// The fault of a body whose type or coding is not accepted; `accepted` states what is.
    pub fn unsupported(message: impl Into<String>, accepted: AcceptedBody) -> Self {
        Self { accepted, ..Self::new(Code::UnsupportedMediaType, message) }
    }

    /// The fault of a caller who exceeds a rate limit.
    pub fn too_many(message: impl Into<String>, retry_after_s: u32) -> Self {
        Self { retry_after_s: NonZeroU32::new(retry_after_s), ..Self::new(Code::TooManyRequests, message) }
    }

    /// The fault of an overloaded service.
    pub fn busy(message: impl Into<String>, retry_after_s: u32) -> Self {
        Self { retry_after_s: NonZeroU32::new(retry_after_s), ..Self::new(Code::ServiceUnavailable, message) }
    }

    /// Adds the source of the fault, for the log.
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.key(), self.message)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

/// A procedure's own failures: an enum with `#[derive(Failure)]`.
///
/// Each variant becomes a member of a discriminated union in TypeScript and travels in
/// `error.data.failure` as `{"type": "Variant", …}`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of failures",
    label = "a procedure answers `Result<Output, Error>` where `Error` has `#[derive(Failure)]`",
    note = "put `#[derive(Failure)]` on the enum and `#[failure(CODE)]` on each variant, or use `NoFailure`"
)]
pub trait Failure: Sized {
    /// The code of this failure.
    fn code(&self) -> Code;
    /// The message for the caller.
    fn message(&self) -> String;
    /// The typed form, `{"type": "Variant", …}`.
    fn payload(&self) -> Value;
}

/// The failure type of procedures without failures of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFailure {}

impl Failure for NoFailure {
    fn code(&self) -> Code {
        match *self {}
    }
    fn message(&self) -> String {
        match *self {}
    }
    fn payload(&self) -> Value {
        match *self {}
    }
}

/// The error of a procedure's body: one of its own failures, or a fault that any call can have (the database is
/// unavailable, a version conflict).
///
/// `#[procedure]` replaces the author's error type by this one, so that `?` works on capabilities as well.
#[derive(Debug)]
pub enum Raised<E> {
    /// One of the procedure's own failures.
    Failure(E),
    /// A fault that any procedure can have.
    Fault(Fault),
}

impl<E: Failure> From<E> for Raised<E> {
    fn from(failure: E) -> Self {
        Self::Failure(failure)
    }
}

impl<E> From<Fault> for Raised<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<E: Failure> Raised<E> {
    /// The fault that is sent.
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Failure(failure) => {
                Fault { failure: Some(failure.payload()), ..Fault::new(failure.code(), failure.message()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(shortened("orders.get"), "orders.get");
        assert_eq!(shortened(&"ä".repeat(100)), format!("{}…", "ä".repeat(64)));
    }
}
