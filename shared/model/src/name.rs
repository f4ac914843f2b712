//! Names that people see of others.

use protocol::{WireType, WireValue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A name that is what it looks like to whoever reads it: 1 to 100 characters, none of which is invisible or turns the text
/// around, and no blank at either end. It comes in as this; what is stored is the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct DisplayName(String);

/// What no name has: control characters (Unicode, general category Cc), and those of Cf, Zl and Zp that are about direction
/// and the ends of lines.
const UNSEEN: &[(char, char)] = &[
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
];
/// What stands at neither end: the blanks that remain (Unicode, property White_Space), and the joiners, which names in
/// Persian and in scripts of India have between letters.
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

impl DisplayName {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 100;

    /// A name that is not checked yet; `garde` checks it where it comes in.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text is what it looks like, however long it is.
    pub fn is_plain(text: &str) -> bool {
        !text.chars().any(is_unseen) && text.trim_matches(is_blank) == text
    }

    /// What of a text can be a name; none if that is nothing.
    pub fn of(text: &str) -> Option<Self> {
        let kept: String = text.chars().filter(|c| !is_unseen(*c)).collect();
        let kept: String = kept.trim_matches(is_blank).chars().take(Self::MAX_CHARS).collect();
        Some(kept.trim_end_matches(is_blank)).filter(|name| !name.is_empty()).map(Self::new)
    }
}

fn is_unseen(c: char) -> bool {
    UNSEEN.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

fn is_blank(c: char) -> bool {
    BLANK.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

impl From<DisplayName> for String {
    fn from(DisplayName(name): DisplayName) -> Self {
        name
    }
}

impl garde::Validate for DisplayName {
    type Context = ();
    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> garde::Path, report: &mut garde::Report) {
        match self.0.chars().count() {
            0 => report.append(parent(), garde::Error::new("length is lower than 1")),
            count if count > Self::MAX_CHARS => {
                report.append(parent(), garde::Error::new(format!("length is greater than {}", Self::MAX_CHARS)));
            }
            _ => {}
        }
        if !Self::is_plain(&self.0) {
            report.append(parent(), garde::Error::new("has characters that are not seen, or blanks around it"));
        }
    }
}

impl WireType for DisplayName {}
impl WireValue for DisplayName {}

/// What is checked, as a regular expression (ECMA-262).
fn pattern() -> String {
    let class = |ranges: &[(char, char)]| -> String {
        let written = |c: char| format!("\\u{:04x}", u32::from(c));
        let range = |(from, to): &(char, char)| match from == to {
            true => written(*from),
            false => format!("{}-{}", written(*from), written(*to)),
        };
        ranges.iter().map(range).collect()
    };
    let (unseen, blank) = (class(UNSEEN), class(BLANK));
    format!("^[^{unseen}{blank}]([^{unseen}]*[^{unseen}{blank}])?$")
}

impl JsonSchema for DisplayName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DisplayName".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": Self::MAX_CHARS, "pattern": pattern(), "examples": ["Ada"],
        })
    }
}

#[cfg(test)]
mod tests {
    use garde::Validate as _;

    use super::*;

    #[test]
    fn a_name_is_what_it_looks_like() {
        for name in [
            "Reader",
            "M\u{fc}ller & S\u{f6}hne",
            "\u{8aad}\u{66f8}",
            "a b",
            "\u{1f370}",
            "a\u{a0}b",
            "\u{645}\u{6cc}\u{200c}\u{62e}",
            &"a".repeat(100),
        ] {
            assert!(DisplayName::new(name).validate().is_ok(), "{name}");
            assert_eq!(DisplayName::of(name).as_ref().map(DisplayName::as_str), Some(name));
        }
        for name in [
            "",
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
            &"a".repeat(101),
        ] {
            assert!(DisplayName::new(name).validate().is_err(), "{name:?}");
            assert!(DisplayName::of(name).is_none_or(|name| name.validate().is_ok()), "{name:?}");
        }
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
