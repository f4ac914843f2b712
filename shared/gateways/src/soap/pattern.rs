//! Translates regular expressions of JSON Schema (ECMA-262) to XML Schema (part 2, appendix F).

/// The same expression for XML Schema, which matches whole values and has no anchors; none if it uses syntax that
/// differs. The procedure checks every value in any case: a pattern in the schema only lets clients find faults
/// earlier.
pub fn translate(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let mut translated = String::with_capacity(inner.len());
    let mut letters = inner.chars().peekable();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next()? {
                'd' if in_class => translated.push_str("0-9"),
                // In XML Schema, `\d` includes the digits of every script.
                'd' => translated.push_str("[0-9]"),
                escaped @ ('.' | '-' | '+' | '*' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '\\' | '^') => {
                    translated.extend(['\\', escaped]);
                }
                '/' => translated.push('/'),
                _ => return None,
            },
            '(' if !in_class && letters.peek() == Some(&'?') => {
                let group: String = letters.by_ref().take(2).collect();
                if group != "?:" {
                    return None;
                }
                translated.push('(');
            }
            '[' if in_class => return None,
            '[' => {
                in_class = true;
                translated.push('[');
            }
            ']' => {
                in_class = false;
                translated.push(']');
            }
            // An anchor, or what would be a lazy quantifier.
            '^' | '$' if !in_class => return None,
            '?' | '+' if !in_class && translated.ends_with(['*', '+', '?', '}']) => return None,
            // ECMA-262 without the flag `u` reads any other letter as two surrogates.
            letter if !letter.is_control() && letter.len_utf16() == 1 => translated.push(letter),
            _ => return None,
        }
    }
    (!in_class).then_some(translated)
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn what_both_syntaxes_have_is_taken_over() {
        assert_eq!(translate(r"^-?\d+(\.\d+)?$").as_deref(), Some(r"-?[0-9]+(\.[0-9]+)?"));
        assert_eq!(translate("^[0-9a-fA-F]{8}$").as_deref(), Some("[0-9a-fA-F]{8}"));
        assert_eq!(translate("^(?:a|b)*$").as_deref(), Some("(a|b)*"));
        assert_eq!(translate("^é[À-Ö-]{0,2}$").as_deref(), Some("é[À-Ö-]{0,2}"));
    }

    #[test]
    fn what_is_written_differently_is_left_to_the_procedure() {
        for pattern in ["abc", r"^\w+$", r"^[^\x00-\x20]+$", "^a+?$", "^(?=a)b$", "^a$|^b$", "^[a", "^🍰$"] {
            assert_eq!(translate(pattern), None, "{pattern}");
        }
    }
}
