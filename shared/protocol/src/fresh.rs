//! The failure of procedures that need a recent sign-in (`fresh = 300`).
//!
//! A session proves that a person signed in once, not that the same person is still at the device. Procedures that
//! can give an account away therefore ask for another sign-in (OWASP ASVS 5.0, 7.5.1). The contract lists the failure
//! with the own failures of each such procedure, so that every API style and every client knows it.

use serde_json::{Value, json};

use crate::{
    Code, Failure, Fault, Raised,
    contract::{self, DescribedFailure},
};

/// The failure's `type`.
pub const REAUTHENTICATE: &str = "reauthenticate";

/// The caller signed in too long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reauthenticate;

impl Reauthenticate {
    const MESSAGE: &str = "The caller signed in too long ago for this: prove again who you are, and repeat the call.";
    const TYPESCRIPT: &str = "{ type: \"reauthenticate\" }";

    /// The fault of a call with this failure.
    pub fn fault() -> Fault {
        Raised::Failure(Self).into_fault()
    }

    /// Whether a fault is this failure.
    pub fn is_reason_of(fault: &Fault) -> bool {
        fault.failure.as_ref().is_some_and(|failure| failure["type"] == REAUTHENTICATE)
    }

    pub(crate) fn describe() -> DescribedFailure {
        contract::failure(REAUTHENTICATE, Self.code(), Self::MESSAGE, Vec::new())
    }

    /// The TypeScript union of a procedure's own failures and this one.
    pub(crate) fn union_with(failures: &str) -> String {
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
        assert_eq!(Reauthenticate::union_with("never"), "{ type: \"reauthenticate\" }");
        assert_eq!(Reauthenticate::union_with("{ type: \"a\" }"), "{ type: \"a\" } | { type: \"reauthenticate\" }");
    }
}
