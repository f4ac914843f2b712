//! The failure of procedures that only somebody may call who proved a moment ago who they are (`fresh = 300`).
//!
//! A session says that somebody signed in once; not that it is they who sit there now. What gives an account away for
//! good therefore asks again (OWASP ASVS 5.0, 7.5.1). The failure stands in the contract of each such procedure beside
//! its own failures, so that every style of API and every client knows it.

use serde_json::{Value, json};

use crate::{
    Code, Failure, Fault, Raised,
    contract::{self, DescribedFailure},
};

/// What its `type` is.
pub const REAUTHENTICATE: &str = "reauthenticate";

/// The caller signed in too long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reauthenticate;

impl Reauthenticate {
    const MESSAGE: &str = "The caller signed in too long ago for this: prove again who you are, and repeat the call.";
    const TYPESCRIPT: &str = "{ type: \"reauthenticate\" }";

    /// As any call ends with it.
    pub fn fault() -> Fault {
        Raised::Failure(Self).into_fault()
    }

    /// Whether that is how a call ended.
    pub fn is_reason_of(fault: &Fault) -> bool {
        fault.failure.as_ref().is_some_and(|failure| failure["type"] == REAUTHENTICATE)
    }

    pub(crate) fn describe() -> DescribedFailure {
        contract::failure(REAUTHENTICATE, Self.code(), Self::MESSAGE, Vec::new())
    }

    /// The union of a procedure's own failures and this one.
    pub(crate) fn beside(failures: &str) -> String {
        match failures {
            "never" | "" => Self::TYPESCRIPT.to_owned(),
            own => format!("{own} | {}", Self::TYPESCRIPT),
        }
    }
}

impl Failure for Reauthenticate {
    fn code(&self) -> Code {
        Code::Forbidden
    }
    fn message(&self) -> String {
        Self::MESSAGE.to_owned()
    }
    fn payload(&self) -> Value {
        json!({"type": REAUTHENTICATE})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failure_is_told_from_others() {
        let fault = Reauthenticate::fault();
        assert_eq!((fault.code, fault.failure.clone()), (Code::Forbidden, Some(json!({"type": "reauthenticate"}))));
        assert!(Reauthenticate::is_reason_of(&fault));
        assert!(!Reauthenticate::is_reason_of(&Fault::new(Code::Forbidden, "No.")));
    }

    #[test]
    fn the_type_is_one_more_beside_the_procedures_own() {
        assert_eq!(Reauthenticate::beside("never"), "{ type: \"reauthenticate\" }");
        assert_eq!(Reauthenticate::beside("{ type: \"a\" }"), "{ type: \"a\" } | { type: \"reauthenticate\" }");
    }
}
