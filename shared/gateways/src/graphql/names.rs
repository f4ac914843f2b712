//! Names in GraphQL.

use protocol::Cause;

/// A name that GraphQL can have (specification, section 2.1.9), and that it does not keep for itself.
///
/// # Errors
/// A sentence that says whose name it is.
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

/// `usersGet` to `UsersGet`.
pub(super) fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The name of an enum's value: `createdAt` to `CREATED_AT`, `-createdAt` to `CREATED_AT_DESC`.
pub(super) fn enum_value(wire: &str) -> String {
    let (plain, ending) = wire.strip_prefix('-').map_or((wire, ""), |plain| (plain, "_DESC"));
    let mut name = String::with_capacity(wire.len() + 8);
    let mut before = '_';
    for letter in plain.chars() {
        if letter.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            name.push('_');
        }
        match letter.is_ascii_alphanumeric() {
            true => name.push(letter.to_ascii_uppercase()),
            false => name.push('_'),
        }
        before = letter;
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name + ending
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(capitalized("usersGet"), "UsersGet");
    }
}
