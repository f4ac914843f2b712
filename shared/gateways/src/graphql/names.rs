//! Checks names of GraphQL.

use protocol::Cause;

/// Checks that a name is valid in GraphQL (specification, section 2.1.9) and not reserved.
///
/// # Errors
/// The error says whose name it is.
pub(super) fn check(name: &str, of: &str) -> Result<(), Cause> {
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|first| first == '_' || first.is_ascii_alphabetic());
    if !begins || !letters.all(|letter| letter == '_' || letter.is_ascii_alphanumeric()) {
        return Err(format!("{of} cannot be called `{name}` in GraphQL: letters, digits and `_` only").into());
    }
    if name.starts_with("__") {
        return Err(format!("{of} cannot be called `{name}` in GraphQL: `__` is reserved").into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::enum_value;
    use protocol::case::capitalized;

    #[test]
    fn values_of_enums_are_told_by_capitals() {
        let names =
            ["createdAt", "-createdAt", "authorization_code", "admin", "2fa", "eInvoice2Go", "a-b"].map(enum_value);
        let expected = ["CREATED_AT", "CREATED_AT_DESC", "AUTHORIZATION_CODE", "ADMIN", "_2FA", "E_INVOICE2_GO", "A_B"];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_graphql_cannot_say_is_refused() {
        for good in ["a", "_a", "a_b2"] {
            assert!(check(good, "it").is_ok(), "{good}");
        }
        for bad in ["", "2a", "a-b", "__a", "ä"] {
            assert!(check(bad, "it").unwrap_err().to_string().starts_with("it cannot be called"), "{bad}");
        }
        assert_eq!(capitalized("ordersGet"), "OrdersGet");
    }
}
