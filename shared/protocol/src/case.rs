//! Converts names to the case of other languages.

use heck::{ToKebabCase as _, ToLowerCamelCase as _, ToShoutySnakeCase as _, ToSnakeCase as _, ToUpperCamelCase as _};

/// `orders.markPaid` as `ordersMarkPaid`: a procedure's name where no dot is allowed.
pub fn camel_case(name: &str) -> String {
    name.to_lower_camel_case()
}

/// `orders.byIds` as `OrdersByIds`: the prefix of a procedure's type names.
pub fn type_name(procedure: &str) -> String {
    procedure.to_upper_camel_case()
}

/// `orders.markPaid` as `orders-mark-paid`: the name of a procedure's function.
pub fn function_name(procedure: &str) -> String {
    procedure.to_kebab_case()
}

/// `invalidGrant` as `invalid_grant`.
pub fn snake_case(name: &str) -> String {
    name.to_snake_case()
}

/// `identity-providers` as `IDENTITY_PROVIDERS`: the name of an environment variable.
pub fn variable(name: &str) -> String {
    name.to_shouty_snake_case()
}

/// `ordersGet` as `OrdersGet`: only the first letter changes.
pub fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_case_of_where_they_stand() {
        assert_eq!(camel_case("orders.markPaid"), "ordersMarkPaid");
        assert_eq!(camel_case("v2Orders.top10OfDay"), "v2OrdersTop10OfDay");
        assert_eq!(type_name("orders.byIds"), "OrdersByIds");
        assert_eq!(function_name("orders.get"), "orders-get");
        assert_eq!(function_name("priceLists.markAllRead"), "price-lists-mark-all-read");
        assert_eq!(function_name("v2Orders.top10OfDay"), "v2-orders-top10-of-day");
        assert_eq!(snake_case("invalidGrant"), "invalid_grant");
        assert_eq!(variable("identity-providers"), "IDENTITY_PROVIDERS");
        assert_eq!(capitalized("aBC"), "ABC");
        assert_eq!(capitalized(""), "");
    }
}
