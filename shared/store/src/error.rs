//! The store's errors, and which fault a procedure's caller gets for each; its words are those of [`Fault`].

use std::{error::Error, fmt};

use protocol::{Cause, Fault, Raised};

/// Why the store did not carry out an operation.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// Another caller has changed or deleted the entity since it was read.
    Stale,
    /// The entity to create exists already.
    Exists,
    /// Another entity has the same value of a unique rule.
    Taken {
        /// The rule's name, such as `email`.
        rule: &'static str,
    },
    /// The change would leave a group with fewer members than its minimum.
    TooFew {
        /// The group's name, such as `administrators`.
        tally: &'static str,
    },
    /// The caller has used up this minute's reads, see [`quota`](crate::quota).
    QuotaExceeded {
        /// The time until the next minute begins, in seconds.
        wait_s: u32,
    },
    /// The cursor belongs to another caller, another query or another service.
    BadCursor,
    /// The item or the transaction exceeds DynamoDB's limit (400 KB, 4 MB).
    TooLarge,
    /// The database did not answer in time, or refused for the moment. A write may have happened.
    Unavailable(Cause),
    /// The procedure does not have this right: a grant is missing, or credentials are wrong.
    Denied(Cause),
    /// An internal error: an item that does not have the shape of its type, or a malformed request.
    Broken(Cause),
}

impl StoreError {
    pub(crate) fn broken(cause: impl Into<Cause>) -> Self {
        Self::Broken(cause.into())
    }

    pub(crate) fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale => f.write_str("somebody else changed it first"),
            Self::Exists => f.write_str("it exists already"),
            Self::Taken { rule } => write!(f, "the {rule} is taken"),
            Self::TooFew { tally } => write!(f, "too few {tally} would be left"),
            Self::QuotaExceeded { .. } => f.write_str("the caller has read too much"),
            Self::BadCursor => f.write_str("the cursor is not one of this list"),
            Self::TooLarge => f.write_str("it is larger than the database takes"),
            Self::Unavailable(_) => f.write_str("the database is unavailable"),
            Self::Denied(_) => f.write_str("the database denied access"),
            Self::Broken(_) => f.write_str("the store failed"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unavailable(cause) | Self::Denied(cause) | Self::Broken(cause) => Some(&**cause),
            _ => None,
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::stale(),
            StoreError::Exists => Self::exists(),
            StoreError::Taken { rule } => Self::taken(rule),
            StoreError::TooFew { tally } => Self::too_few(tally),
            StoreError::QuotaExceeded { wait_s } => Self::read_too_much(wait_s),
            StoreError::BadCursor => Self::bad_cursor(),
            StoreError::TooLarge => Self::too_large_to_keep(),
            StoreError::Unavailable(_) => Self::data_unavailable(error),
            StoreError::Denied(_) | StoreError::Broken(_) => Self::internal(error),
        }
    }
}

impl<E> From<StoreError> for Raised<E> {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

#[cfg(test)]
mod tests {
    use protocol::Code;

    use super::*;

    #[test]
    fn a_cause_reaches_the_log_and_not_the_caller() {
        let fault = Fault::from(StoreError::unavailable("10.0.0.7 refused"));
        assert_eq!(fault.code, Code::ServiceUnavailable);
        assert!(!fault.message.contains("10.0.0.7"));
        let store_error = fault.source().expect("the store's error");
        assert_eq!(store_error.source().expect("its cause").to_string(), "10.0.0.7 refused");
    }

    #[test]
    fn each_kind_has_its_code() {
        let codes = [
            (StoreError::Stale, Code::Conflict),
            (StoreError::Exists, Code::Conflict),
            (StoreError::Taken { rule: "email" }, Code::Conflict),
            (StoreError::TooFew { tally: "administrators" }, Code::Conflict),
            (StoreError::QuotaExceeded { wait_s: 7 }, Code::TooManyRequests),
            (StoreError::BadCursor, Code::BadRequest),
            (StoreError::TooLarge, Code::PayloadTooLarge),
            (StoreError::unavailable("away"), Code::ServiceUnavailable),
            (StoreError::Denied("no".into()), Code::InternalServerError),
            (StoreError::broken("no"), Code::InternalServerError),
        ];
        for (error, code) in codes {
            let label = error.to_string();
            assert_eq!(Fault::from(error).code, code, "{label}");
        }
    }
}
