//! What callers are told when the database does not do what a procedure asked of it.

use super::{Cause, Fault, FieldFault};
use crate::{Code, Cursor};

impl Fault {
    /// The fault of a change to what somebody else has changed or deleted since it was read.
    pub fn stale() -> Self {
        Self::new(Code::Conflict, "Somebody else changed this first. Read it again and repeat your change.")
    }

    /// The fault of creating what exists.
    pub fn exists() -> Self {
        Self::new(Code::Conflict, "This exists already.")
    }

    /// The fault of a value that another entity has; `rule` is the name of the unique value, such as `email`.
    pub fn taken(rule: &str) -> Self {
        Self::new(Code::Conflict, format!("This {rule} is taken."))
    }

    /// The fault of a change that would leave a group with too few members; `tally` is the group's name, such as
    /// `administrators`.
    pub fn too_few(tally: &str) -> Self {
        Self::new(Code::Conflict, format!("This would leave too few {tally}."))
    }

    /// The fault of a caller who has used up the reads of the current minute, which ends in `wait_s` seconds.
    pub fn read_too_much(wait_s: u32) -> Self {
        Self::too_many(format!("You have read too much at once. Try again in {wait_s} seconds."), wait_s)
    }

    /// The fault of a cursor that belongs to another caller, another query or another service.
    pub fn bad_cursor() -> Self {
        Self::invalid(vec![FieldFault {
            path: Cursor::FIELD.to_owned(),
            message: "not a cursor of this list; begin again without one".to_owned(),
        }])
    }

    /// The fault of something that is larger than the database takes.
    pub fn too_large_to_keep() -> Self {
        Self::new(Code::PayloadTooLarge, "This is too large to be kept.")
    }

    /// The fault of a call whose data cannot be reached at this moment, with its source for the log.
    pub fn data_unavailable(cause: impl Into<Cause>) -> Self {
        Self::new(Code::ServiceUnavailable, "The database does not answer now. Try again in a moment.").because(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_told_what_to_do_next() {
        assert_eq!(Fault::taken("email").message, "This email is taken.");
        assert_eq!(Fault::too_few("administrators").message, "This would leave too few administrators.");
        let refused = Fault::read_too_much(7);
        assert!(refused.message.contains(" 7 seconds") && refused.retry_after_s.is_some_and(|wait| wait.get() == 7));
        assert_eq!(Fault::bad_cursor().message, "cursor: not a cursor of this list; begin again without one");
    }

    #[test]
    fn a_cause_is_not_told() {
        let fault = Fault::data_unavailable("10.0.0.7 refused");
        assert!(!fault.message.contains("10.0.0.7"));
        assert_eq!(fault.cause.map(|cause| cause.to_string()).as_deref(), Some("10.0.0.7 refused"));
    }
}
