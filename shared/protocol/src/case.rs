//! Names in the case of another language.

use heck::{ToLowerCamelCase as _, ToShoutySnakeCase as _, ToSnakeCase as _, ToUpperCamelCase as _};

/// `orders.mark_paid` as `ordersMarkPaid`: a procedure's name where neither points nor underscores may stand.
pub fn camel_case(name: &str) -> String {
    name.to_lower_camel_case()
}

/// `orders.by_ids` as `OrdersByIds`: the first part of what a procedure's types are called.
pub fn type_name(procedure: &str) -> String {
    procedure.to_upper_camel_case()
}

/// `invalidGrant` as `invalid_grant`.
pub fn snake_case(name: &str) -> String {
    name.to_snake_case()
}

/// `identity-providers` as `IDENTITY_PROVIDERS`: the name of a variable of the environment.
pub fn variable(name: &str) -> String {
    name.to_shouty_snake_case()
}

/// `ordersGet` as `OrdersGet`: whatever the name is made of, all but its first letter stays.
pub fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_case_of_where_they_stand() {
        assert_eq!(camel_case("orders.mark_paid"), "ordersMarkPaid");
        assert_eq!(camel_case("ledgers.by_2_ids"), "ledgersBy2Ids");
        assert_eq!(type_name("orders.by_ids"), "OrdersByIds");
        assert_eq!(snake_case("invalidGrant"), "invalid_grant");
        assert_eq!(variable("identity-providers"), "IDENTITY_PROVIDERS");
        assert_eq!(capitalized("aBC"), "ABC");
        assert_eq!(capitalized(""), "");
    }
}
