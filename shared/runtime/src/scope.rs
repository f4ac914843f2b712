//! What an application asks for: permissions, in one text (RFC 6749 section 3.3).

use crate::principal::OWN;

/// The words of a scope, each once, in the order in which they came; none when it is no scope.
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

/// Whether a permission is among others: `posts:write` includes `posts:write:own`.
pub fn includes(scopes: &[String], permission: &str) -> bool {
    let wider = permission.strip_suffix(OWN);
    scopes.iter().any(|scope| scope == permission || Some(scope.as_str()) == wider)
}

/// Whether all that is asked for is within what was given.
pub fn is_within(asked: &[String], given: &[String]) -> bool {
    asked.iter().all(|scope| includes(given, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Vec<String> {
        parse(text).unwrap()
    }

    #[test]
    fn a_scope_is_words_between_spaces() {
        assert_eq!(scope("posts:read posts:write"), ["posts:read", "posts:write"]);
        assert_eq!(scope(" b  a b "), ["b", "a"]);
        assert!(scope("").is_empty());
        for malformed in ["a\tb", "a\nb", "\"a\"", "a\\b", "ä", "a\u{0}"] {
            assert_eq!(parse(malformed), None, "{malformed:?}");
        }
    }

    #[test]
    fn a_scope_can_only_be_narrower() {
        let given = scope("posts:write users:read");
        for within in ["", "posts:write", "posts:write:own users:read", "users:read posts:write"] {
            assert!(is_within(&scope(within), &given), "{within}");
        }
        for beyond in
            ["posts", "posts:write:owner", "posts:read", "users:write", "users:read posts:read", "POSTS:WRITE"]
        {
            assert!(!is_within(&scope(beyond), &given), "{beyond}");
        }
        assert!(!is_within(&scope("posts:write"), &scope("posts:write:own")));
    }
}
