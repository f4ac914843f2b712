//! Rewrites what the library's parser does not read as the specification does (September 2025, sections 2.9.1 and
//! 2.9.4): literals, types of variables with blanks and comments in them, and a comment after `on`.
//!
//! The library's parser keeps the backslash of `\"""`, supports neither `\u{1F370}` nor surrogate pairs, keeps the
//! spaces of blank lines in block strings, does not read `-0` as an integer, and reads `01` as two. Each such literal
//! is rewritten to a form that it reads correctly, with the same length where possible: the locations of errors in
//! the rest of the document stay correct.

use std::borrow::Cow;

use async_graphql::Pos;

use super::{
    fault::Fault,
    scan::{after_string, is_word},
};
use crate::respond::shortened;

/// The tokens before a position, as far as they matter: the first byte of each, and whether the last is `on`.
#[derive(Default)]
struct Before {
    bytes: [u8; 3],
    is_on: bool,
}

impl Before {
    fn push(&mut self, token: &str) {
        let [_, second, third] = self.bytes;
        self.bytes = [second, third, token.bytes().next().unwrap_or_default()];
        self.is_on = token == "on";
    }

    /// Whether the type of a variable comes next: after `$name:`.
    fn is_variable(&self) -> bool {
        matches!(self.bytes, [b'$', _, b':'])
    }
}

/// The document with literals that the parser reads correctly. A malformed text stays, and the parser refuses it.
///
/// # Errors
/// A token that begins like a number and is none.
pub(super) fn legible(document: &str) -> Result<Cow<'_, str>, Fault> {
    let bytes = document.as_bytes();
    let (mut legible, mut copied, mut at, mut before) = (String::new(), 0, 0, Before::default());
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let written = match byte {
            b'#' => {
                at += bytes[at..].iter().take_while(|byte| !matches!(byte, b'\r' | b'\n')).count();
                before.is_on.then(|| " ".to_owned())
            }
            b'[' | b'_' | b'a'..=b'z' | b'A'..=b'Z' if before.is_variable() => {
                let mut compact = String::new();
                at = variable_type(document, at, &mut compact).unwrap_or(at + 1);
                before.push(&document[start..at]);
                (compact != document[start..at] && at > start + 1).then_some(compact)
            }
            b'"' => {
                let Some(end) = after_string(bytes, at) else { break };
                at = end;
                before.push("\"");
                text(&document[start..end])
            }
            byte if is_word(byte) => {
                let is_part = |byte: &u8| is_word(*byte) || *byte == b'.';
                at += bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                let word = &document[start..at];
                before.push(word);
                if word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && !is_number(word) {
                    let locations = vec![place(&document[..start])];
                    return Err(Fault { locations, ..Fault::invalid(format!("`{}` is no number.", shortened(word))) });
                }
                (word == "-0").then(|| " 0".to_owned())
            }
            b' ' | b',' | b'\t' | b'\r' | b'\n' | 0xEF | 0xBB | 0xBF => {
                at += 1;
                None
            }
            _ => {
                at += 1;
                before.push(document.get(start..at).unwrap_or_default());
                None
            }
        };
        if let Some(written) = written {
            legible.push_str(&document[copied..start]);
            legible.push_str(&written);
            legible.push_str(&padding(&document[start..at], &written));
            copied = at;
        }
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(document));
    }
    legible.push_str(&document[copied..]);
    Ok(Cow::Owned(legible))
}

/// Writes a type without blanks and comments, and returns its end; none if it is no type.
fn variable_type(document: &str, start: usize, compact: &mut String) -> Option<usize> {
    let bytes = document.as_bytes();
    let mut end = if bytes.get(start) == Some(&b'[') {
        compact.push('[');
        let inner = variable_type(document, after_ignored(bytes, start + 1), compact)?;
        let close = after_ignored(bytes, inner);
        (bytes.get(close) == Some(&b']')).then_some(close + 1)?
    } else {
        start + bytes.get(start..)?.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
    };
    match bytes.get(start)? {
        b'[' => compact.push(']'),
        _ => compact.push_str(&document[start..end]),
    }
    let next = after_ignored(bytes, end);
    if bytes.get(next) == Some(&b'!') {
        compact.push('!');
        end = next + 1;
    }
    (end > start).then_some(end)
}

/// The start of the next token.
fn after_ignored(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut is_comment) = (start, false);
    while let Some(&byte) = bytes.get(at) {
        is_comment = match byte {
            b'#' => true,
            b'\r' | b'\n' => false,
            _ => is_comment,
        };
        if !is_comment && !matches!(byte, b' ' | b',' | b'\t' | b'\r' | b'\n' | 0xEF | 0xBB | 0xBF) {
            break;
        }
        at += 1;
    }
    at
}

/// The location of the text that follows. Line breaks are those of the specification of October 2021, section 2.1.2,
/// and columns count characters, as the parser does.
pub(super) fn place(before: &str) -> Pos {
    let before = before.replace("\r\n", "\n");
    let line = before.matches(['\r', '\n']).count() + 1;
    let column = before.rsplit(['\r', '\n']).next().unwrap_or_default().chars().count() + 1;
    Pos { line, column }
}

/// Whether a word is an `IntValue` or `FloatValue`, which must be separated from names and numbers that follow.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let word = word.strip_prefix('-').unwrap_or(word);
    let (number, exponent) = match word.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (word, "0"),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && digits(fraction) && digits(exponent)
}

/// A text in another form, if the parser does not read this one; none if it is malformed.
fn text(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix("\"\"\"").and_then(|rest| rest.strip_suffix("\"\"\"")) {
        let is_plain = !raw.contains(['\r', '\n']) && !raw.contains("\\\"\"\"");
        return (!is_plain).then(|| quoted(&block(&raw.replace("\\\"\"\"", "\"\"\""))));
    }
    let raw = literal.strip_prefix('"')?.strip_suffix('"')?;
    if raw.contains("\\u") { Some(quoted(&unescaped(raw)?)) } else { None }
}

/// `BlockStringValue` of the specification.
fn block(raw: &str) -> String {
    let raw = raw.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = raw.split('\n').collect();
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let is_blank = |line: &str| indent(line) == line.len();
    let common = lines.iter().skip(1).filter(|line| !is_blank(line)).map(|line| indent(line)).min().unwrap_or(0);
    let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
    let end = lines.iter().rposition(|line| !is_blank(line)).map_or(first, |last| last + 1);
    let shown = (first..end).map(|place| if place == 0 { lines[0] } else { lines[place].get(common..).unwrap_or("") });
    shown.collect::<Vec<_>>().join("\n")
}

/// The content of a quoted text, without its escapes.
fn unescaped(raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let escape = after.chars().next()?;
        rest = &after[escape.len_utf8()..];
        text.push(match escape {
            '"' | '\\' | '/' => escape,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (code, after) = code_unit(rest)?;
                rest = after;
                match code {
                    0xD800..=0xDBFF => {
                        let (low, after) = code_unit(rest.strip_prefix("\\u")?)?;
                        rest = after;
                        let low = (0xDC00..=0xDFFF).contains(&low).then(|| low - 0xDC00)?;
                        char::from_u32(0x1_0000 + ((code - 0xD800) << 10) + low)?
                    }
                    code => char::from_u32(code)?,
                }
            }
            _ => return None,
        });
    }
    Some(text + rest)
}

/// The number after `\u`, in four digits or in braces, and the rest of the text.
fn code_unit(rest: &str) -> Option<(u32, &str)> {
    let (digits, after, is_whole) = match rest.strip_prefix('{') {
        Some(rest) => rest.split_once('}').map(|(digits, after)| (digits, after, true))?,
        None => (rest.get(..4)?, &rest[4..], false),
    };
    let code =
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())??;
    // Surrogates must not be written in braces.
    let is_half = (0xD800..=0xDFFF).contains(&code);
    (!(is_whole && is_half)).then_some((code, after))
}

/// A text in quotes, with one-letter escapes only.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Line breaks and spaces that keep the text after a literal in its place.
fn padding(literal: &str, written: &str) -> String {
    let lines = literal.replace("\r\n", "\n").matches(['\r', '\n']).count();
    let last = literal.rsplit(['\r', '\n']).next().unwrap_or_default().chars().count();
    let columns = if lines == 0 { last.saturating_sub(written.chars().count()) } else { last };
    "\n".repeat(lines) + &" ".repeat(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_written_as_it_is_meant_and_what_follows_keeps_its_place() {
        for (literal, written) in [
            (r#""""one \""" two""""#, r#""one \"\"\" two"  "#),
            (r#""\ud83c\udf70""#, "\"🍰\"           "),
            (r#""\u{1F370}\u0022\\""#, "\"🍰\\\"\\\\\"            "),
            ("\"\"\"\n    a\n  \n    b\\n\n  \"\"\"", "\"a\\n\\nb\\\\n\"\n\n\n\n     "),
            ("-0", " 0"),
        ] {
            assert_eq!(legible(&format!("{{ a(b: {literal}) }}")).unwrap(), format!("{{ a(b: {written}) }}"));
        }
    }

    #[test]
    fn types_and_conditions_have_no_blanks_where_the_parser_knows_none() {
        for (document, written) in [
            ("query($a: [ Int ! ] !) { a }", "query($a: [Int!]!    ) { a }"),
            ("query ( $ a : Int ! ) { a }", "query ( $ a : Int!  ) { a }"),
            ("query($a: [# one\n[Int]\n]! = [] $b: A) { a }", "query($a: [[Int]]!\n\n   = [] $b: A) { a }"),
            ("{ ... on # User\n User { a } }", "{ ... on       \n User { a } }"),
            ("{ ... on# User\nUser { a } }", "{ ... on      \nUser { a } }"),
        ] {
            assert_eq!(legible(document).unwrap(), written);
        }
        for document in ["query($a: [ Int }) { a }", "query($a: [", "query($a: )", "{ a(b: $c d: [ 1 ]) }"] {
            assert!(matches!(legible(document), Ok(Cow::Borrowed(_))), "{document}");
        }
    }

    #[test]
    fn whatever_else_stays() {
        for literal in [
            r#""plain \" \n""#,
            r#""""plain " \n""""#,
            r#""\ud83c""#,
            r#""\udf70\ud83c""#,
            r#""\u{d83c}\u{df70}""#,
            r#""\u{110000}""#,
            r#""\u12""#,
            r#""\u{}""#,
            r#""\x\u0041""#,
            "-0.0",
            "-0e1",
            "1.5E+3",
            "...a1",
            "_0",
            "# -0 \"\\u0041\"",
        ] {
            let document = format!("{{ a(b: {literal}\n) }}");
            assert!(matches!(legible(&document), Ok(Cow::Borrowed(_))), "{document}");
        }
    }

    #[test]
    fn what_begins_as_a_number_is_one() {
        for word in ["01", "-01", "1a", "1_000", "0x1", "1.", "1.e1", "1e", "1e+", "--1", "-", "1.5.5", "00.1", "1-2"] {
            assert!(legible(&format!("{{ a(b: [{word}]) }}")).is_err(), "{word}");
        }
    }

    #[test]
    fn what_is_no_number_is_told_by_its_place() {
        for (before, line, column) in [
            ("{a(b:", 1, 6),
            ("{\n  a(b: ", 2, 8),
            ("{\r\n\ra(b: ", 3, 6),
            ("# Ä\n{a(c: \"\"\"\n🍰\"\"\", b: ", 3, 10),
            ("{a(c: \"\\ud83c\\udf70🍰\", b: ", 1, 27),
        ] {
            let fault = legible(&format!("{before}01)}}")).unwrap_err();
            assert_eq!(fault.locations, [Pos { line, column }], "{before}");
        }
    }
}
