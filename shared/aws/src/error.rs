//! Why a call to AWS failed, and whether a retry may help.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use protocol::Cause;

use crate::service::Service;

/// Codes of throttling: the request was refused before anything was done.
const THROTTLED: &[&str] = &[
    "LimitExceededException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
];
/// Codes of an unknown outcome: our own attempt is still in progress, or the service failed midway.
const OUTCOME_UNKNOWN: &[&str] =
    &["InternalServerError", "ServiceUnavailable", "ServiceUnavailableException", "TransactionInProgressException"];
/// Codes of missing rights or wrong credentials, beside the status 403.
const DENIED: &[&str] = &[
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "UnrecognizedClientException",
];

/// What an error means for the caller, in every service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// A retry may help.
    Retryable {
        /// Whether the service may have carried the request out: only the answer is missing.
        outcome_unknown: bool,
    },
    /// A right is missing, or the credentials are wrong.
    Denied,
    /// The service refuses the request for good.
    Refused,
}

impl ErrorClass {
    /// The class of an error.
    pub fn of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Self {
        match error {
            SdkError::ConstructionFailure(_) => Self::Refused,
            SdkError::ServiceError(refusal) => {
                let code = refusal.err().code().unwrap_or_default();
                let status = refusal.raw().status();
                if is_throttling(code) {
                    Self::Retryable { outcome_unknown: false }
                } else if OUTCOME_UNKNOWN.contains(&code) || status.is_server_error() {
                    Self::Retryable { outcome_unknown: true }
                } else if DENIED.contains(&code) || status.as_u16() == 403 {
                    Self::Denied
                } else {
                    Self::Refused
                }
            }
            // No answer, or one that broke off or does not come from the service.
            _ => Self::Retryable { outcome_unknown: true },
        }
    }
}

/// Whether a code means that the request was refused because there were too many.
pub fn is_throttling(code: &str) -> bool {
    THROTTLED.contains(&code)
}

/// Why a service of which one operation is called did not do it.
#[derive(Debug)]
pub enum ServiceError {
    /// The service did not answer in time, or takes no requests at this moment. It may have done what it was asked.
    Unavailable(Service, Cause),
    /// The right to the operation is missing, or credentials are wrong.
    Denied(Service, Cause),
    /// The service refuses the request for good, or its answer cannot be read; a retry would not help.
    Refused(Service, Cause),
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(service, _) => write!(f, "{service} takes no requests at this moment"),
            Self::Denied(service, _) => write!(f, "{service} denied access: is the capability missing?"),
            Self::Refused(service, _) => write!(f, "{service} refused the request"),
        }
    }
}

impl Error for ServiceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let (Self::Unavailable(_, cause) | Self::Denied(_, cause) | Self::Refused(_, cause)) = self;
        Some(&**cause)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn a_refusal_is_classified_by_its_code_and_status() {
        let class = |status: u16, code: &str| {
            let refusal = ErrorMetadata::builder().code(code).build();
            let status = status.try_into().expect("a status");
            ErrorClass::of(&SdkError::service_error(refusal, HttpResponse::new(status, SdkBody::empty())))
        };
        let retryable = |outcome_unknown| ErrorClass::Retryable { outcome_unknown };
        assert_eq!(class(400, "ThrottlingException"), retryable(false));
        assert_eq!(class(503, "SlowDown"), retryable(false), "nothing was done, whatever the status");
        assert_eq!(class(400, "TransactionInProgressException"), retryable(true));
        assert_eq!(class(502, "Unknown"), retryable(true));
        assert_eq!(class(400, "AccessDeniedException"), ErrorClass::Denied);
        assert_eq!(class(403, "AccessDenied"), ErrorClass::Denied);
        assert_eq!(class(400, "ValidationException"), ErrorClass::Refused);
    }

    #[test]
    fn an_error_names_the_service_and_keeps_its_cause() {
        let error = ServiceError::Denied(Service::Ses, "AccessDenied".into());
        assert_eq!(error.to_string(), "SES denied access: is the capability missing?");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("AccessDenied"));
    }
}
