//! Display names: what other people see.

/// The longest name, in characters.
pub const MAX_CHARS: usize = 100;

/// Characters that no name has: control characters (Unicode, general category Cc), and those of Cf, Zl and Zp that
/// control direction and line ends.
const UNSEEN: &[(char, char)] = &[
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
];
/// Characters that no name begins or ends with: the remaining blanks (Unicode, property White_Space), and the joiners,
/// which names in Persian and in scripts of India have between letters.
const BLANK: &[(char, char)] = &[
    (' ', ' '),
    ('\u{200c}', '\u{200d}'),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
];

/// Whether a name is what it looks like: no character is invisible or turns the text around, and no blank stands at
/// either end.
pub fn is_plain(name: &str) -> bool {
    !name.chars().any(is_unseen) && name.trim_matches(is_blank) == name
}

/// Returns the part of a text that can be a name, if there is one.
pub fn plain(text: &str) -> Option<String> {
    let seen: String = text.chars().filter(|c| !is_unseen(*c)).collect();
    let cut: String = seen.trim_matches(is_blank).chars().take(MAX_CHARS).collect();
    Some(cut.trim_end_matches(is_blank).to_owned()).filter(|name| !name.is_empty())
}

fn is_unseen(c: char) -> bool {
    UNSEEN.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

fn is_blank(c: char) -> bool {
    BLANK.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_what_it_looks_like() {
        for name in [
            "Reader",
            "M\u{fc}ller & S\u{f6}hne",
            "\u{8aad}\u{66f8}",
            "a b",
            "\u{1f370}",
            "a\u{a0}b",
            "\u{645}\u{6cc}\u{200c}\u{62e}",
        ] {
            assert!(is_plain(name), "{name}");
            assert_eq!(plain(name).as_deref(), Some(name));
        }
        for name in [
            " ",
            "  ",
            " a",
            "a ",
            "a\n",
            "a\0b",
            "a\u{7f}",
            "a\u{200b}b",
            "\u{200d}",
            "a\u{200c}",
            "\u{202e}live",
            "\u{feff}a",
            "\u{a0}",
        ] {
            assert!(!is_plain(name), "{name:?}");
            assert!(plain(name).is_none_or(|name| is_plain(&name)), "{name:?}");
        }
        assert_eq!(plain(&" a".repeat(200)).map(|name| name.chars().count()), Some(99), "cut, and no blank at its end");
    }

    #[test]
    fn blanks_are_those_of_unicode_and_joiners() {
        for c in '\0'..=char::MAX {
            let is_joiner = ['\u{200c}', '\u{200d}'].contains(&c);
            assert_eq!(is_blank(c), is_joiner || (c.is_whitespace() && !is_unseen(c)), "{:x}", u32::from(c));
            assert!(!c.is_control() || is_unseen(c), "{:x}", u32::from(c));
        }
    }
}
