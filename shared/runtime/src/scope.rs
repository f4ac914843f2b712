//! Scopes: the permissions that an application asks for, in one text (RFC 6749 section 3.3).

use crate::principal::OWN;

/// The permissions in a scope, each once, in their order; none when the text is not a scope.
pub fn parse(text: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !word.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
            return None;
        }
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    Some(words)
}

/// Whether a scope includes a permission: `orders:write` includes `orders:write:own`.
pub fn includes(scopes: &[String], permission: &str) -> bool {
    let wider = permission.strip_suffix(OWN);
    scopes.iter().any(|scope| scope == permission || Some(scope.as_str()) == wider)
}

/// Whether all requested permissions are within the granted ones.
pub fn is_within(requested: &[String], granted: &[String]) -> bool {
    requested.iter().all(|scope| includes(granted, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Vec<String> {
        parse(text).unwrap()
    }

    #[test]
    fn a_scope_is_words_between_spaces() {
        assert_eq!(scope("orders:read orders:write"), ["orders:read", "orders:write"]);
        assert_eq!(scope(" b  a b "), ["b", "a"]);
        assert!(scope("").is_empty());
        for malformed in ["a\tb", "a\nb", "\"a\"", "a\\b", "ä", "a\u{0}"] {
            assert_eq!(parse(malformed), None, "{malformed:?}");
        }
    }

    #[test]
    fn a_scope_can_only_be_narrower() {
        let granted = scope("orders:write stock:read");
        for within in ["", "orders:write", "orders:write:own stock:read", "stock:read orders:write"] {
            assert!(is_within(&scope(within), &granted), "{within}");
        }
        for beyond in
            ["orders", "orders:write:owner", "orders:read", "stock:write", "stock:read orders:read", "ORDERS:WRITE"]
        {
            assert!(!is_within(&scope(beyond), &granted), "{beyond}");
        }
        assert!(!is_within(&scope("orders:write"), &scope("orders:write:own")));
    }
}
