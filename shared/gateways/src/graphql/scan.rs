//! Scans a document before it is parsed: its length, and the depth of its brackets. The parser recurses at each
//! bracket, and later steps take time for each token. It also refuses what the parser would misread: of a field that
//! an object has twice it keeps the last one, it splits words that begin with a known one, and accepts directives on
//! variables and empty brackets where the grammar has none.

use std::collections::HashSet;

use super::{fault::Fault, literals::place};

/// It may stand anywhere, and means nothing (September 2025, section 2.1.1).
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The longest document, in bytes.
pub(super) const MAX_BYTES: usize = 100_000;
/// The maximum number of tokens. The introspection query has some 300.
pub(super) const MAX_TOKENS: usize = 5_000;
/// The maximum depth of brackets of all kinds: selections, lists and objects of arguments.
pub(super) const MAX_BRACKETS: usize = 40;
/// The longest name or number, in bytes: errors repeat names, and a response repeats its keys.
pub(super) const MAX_WORD: usize = 200;
/// The maximum number of directives.
pub(super) const MAX_DIRECTIVES: usize = 30;

/// Checks that a document may be parsed.
///
/// # Errors
/// The limit that it exceeds.
pub(super) fn scan(document: &str) -> Result<(), Fault> {
    if document.len() > MAX_BYTES {
        return Err(Fault::limit(format!("The document has more than {MAX_BYTES} bytes.")));
    }
    let bytes = document.as_bytes();
    let (mut at, mut tokens, mut directives) = (0, 0, 0);
    let (mut brackets, mut word, mut before) = (Brackets::default(), &bytes[..0], None);
    let (mut directives_here, mut twice, mut is_behind_first) = (HashSet::new(), None, false);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at = match byte {
            b' ' | b',' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            _ if document[at..].starts_with(BYTE_ORDER_MARK) => {
                at += BYTE_ORDER_MARK.len_utf8();
                continue;
            }
            b'#' => {
                at += bytes[at..].iter().take_while(|byte| !matches!(byte, b'\r' | b'\n')).count();
                continue;
            }
            b'"' => after_string(bytes, at).ok_or_else(|| Fault::invalid("A text in the document has no end."))?,
            b'.' => at + bytes[at..].iter().take_while(|byte| **byte == b'.').count(),
            byte if is_word(byte) => after_word(bytes, at)?,
            _ => at + document[at..].chars().next().map_or(1, char::len_utf8),
        };
        tokens += 1;
        let is_first = brackets.0.is_empty() && matches!(before, None | Some("}"));
        let is_nameless = is_behind_first && before == Some("fragment");
        let message = match &document[start..at] {
            "on" if is_nameless => Some("A fragment is not called `on`.".to_owned()),
            token => misread(&brackets, before, token),
        };
        is_behind_first = is_first;
        if let Some(message) = message {
            return Err(Fault { locations: vec![place(&document[..start])], ..Fault::invalid(message) });
        }
        if !brackets.is_inside() {
            match &document[start..at] {
                name if before == Some("@") && !directives_here.insert(name) => {
                    twice.get_or_insert(name);
                }
                "@" | "(" | ")" => {}
                _ if before == Some("@") => {}
                _ => directives_here.clear(),
            }
        }
        match byte {
            b'{' | b'[' | b'(' => brackets.open(byte),
            b'}' | b']' | b')' => drop(brackets.0.pop()),
            b':' if !brackets.names(word) => {
                let name = String::from_utf8_lossy(word);
                return Err(Fault::invalid(format!(
                    "`{name}` stands twice in one object, or in one list of arguments."
                )));
            }
            b'@' => directives += 1,
            _ => {}
        }
        // Duplicate variables are reported later, with more detail.
        word = if is_word(byte) && before != Some("$") { &bytes[start..at] } else { &[] };
        before = Some(&document[start..at]);
        if brackets.0.len() > MAX_BRACKETS {
            return Err(Fault::limit(format!("The document is nested more than {MAX_BRACKETS} levels deep.")));
        }
        if tokens > MAX_TOKENS {
            return Err(Fault::limit(format!("The document has more than {MAX_TOKENS} tokens.")));
        }
        if directives > MAX_DIRECTIVES {
            return Err(Fault::limit(format!("The document has more than {MAX_DIRECTIVES} directives.")));
        }
    }
    match twice {
        None => Ok(()),
        Some(name) => Err(Fault::invalid(format!("The directive `@{name}` stands twice at one place."))),
    }
}

/// The enclosing brackets, each with the names that its object has so far, if it is one: braces are an object within
/// arguments and within definitions of variables, both of which are in parentheses.
#[derive(Default)]
struct Brackets<'d>(Vec<(u8, HashSet<&'d [u8]>)>);

impl<'d> Brackets<'d> {
    fn open(&mut self, bracket: u8) {
        self.0.push((bracket, HashSet::new()));
    }

    /// Whether the position is within arguments or definitions of variables.
    fn is_inside(&self) -> bool {
        self.0.iter().any(|(bracket, _)| *bracket == b'(')
    }

    /// Adds a name before a colon. False if the object has it already.
    fn names(&mut self, name: &'d [u8]) -> bool {
        let is_inside = self.is_inside();
        match self.0.last_mut() {
            Some((b'{' | b'(', names)) if is_inside && !name.is_empty() => names.insert(name),
            _ => true,
        }
    }
}

/// Why the parser would misread a token in these brackets after another one.
fn misread(brackets: &Brackets<'_>, before: Option<&str>, token: &str) -> Option<String> {
    let begins = |words: &[&str]| words.iter().any(|word| token.starts_with(word) && token != *word);
    let inside = brackets.0.last().map(|(bracket, _)| *bracket);
    let is_first = matches!(before, None | Some("}"));
    if inside.is_none() && is_first && begins(&["query", "mutation", "subscription", "fragment"]) {
        return Some(format!("`{token}` begins no operation and no fragment."));
    }
    let is_value = matches!(before, Some(":" | "=")) || inside == Some(b'[') && before != Some("$");
    if brackets.is_inside() && is_value && begins(&["true", "false", "null"]) {
        return Some(format!("`{token}` is no value: no name of one begins with `true`, `false` or `null`."));
    }
    match (inside, before, token) {
        (Some(b'('), _, "@") => Some("A variable has no directives.".to_owned()),
        (Some(b'('), Some("("), ")") => Some("There is nothing between `(` and `)`.".to_owned()),
        _ => None,
    }
}

/// Whether a byte belongs to a name or a number. Bytes outside of GraphQL's grammar count as well.
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+')
}

/// The end of a name or a number that begins here.
fn after_word(bytes: &[u8], start: usize) -> Result<usize, Fault> {
    let length = bytes[start..].iter().take_while(|byte| is_word(**byte)).count();
    match length > MAX_WORD {
        true => Err(Fault::limit(format!("The document has a name or a number of more than {MAX_WORD} bytes."))),
        false => Ok(start + length),
    }
}

/// The end of a text that begins here.
pub(super) fn after_string(bytes: &[u8], start: usize) -> Option<usize> {
    let is_block = bytes[start..].starts_with(b"\"\"\"");
    let mut at = start + if is_block { 3 } else { 1 };
    loop {
        let rest = &bytes[at..];
        match (*rest.first()?, is_block) {
            (b'"', false) => return Some(at + 1),
            (b'\r' | b'\n', false) => return None,
            (b'\\', false) => at += 2,
            (b'"', true) if rest.starts_with(b"\"\"\"") => return Some(at + 3),
            (b'\\', true) if rest.starts_with(b"\\\"\"\"") => at += 4,
            _ => at += 1,
        }
        if at > bytes.len() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(document: &str) -> String {
        scan(document).unwrap_err().message
    }

    #[test]
    fn documents_have_limits_that_are_seen_before_parsing() {
        assert!(
            scan(
                "query A($x: [Int!] = [1, 2]) { a(b: \"{{{{\", c: \"\"\"[[[ \\\"\"\" {{\"\"\") { ...F @skip(if: $x) } }"
            )
            .is_ok()
        );
        assert!(refused(&"{a".repeat(1_000)).contains("nested"));
        assert!(refused(&"[".repeat(50_000)).contains("nested"));
        assert!(refused(&format!("{{{}}}", "a ".repeat(5_000))).contains("tokens"));
        assert!(refused(&format!("{{{}}}", "a".repeat(100_000))).contains("bytes"));
        assert!(refused(&format!("query {} {{ a }}", "L".repeat(201))).contains("name or a number"));
        assert!(scan(&format!("query {} {{ a(b: \"{}\") }}", "L".repeat(200), "L".repeat(201))).is_ok());
        assert!(refused(&format!("{{ a {} }}", "@b ".repeat(31))).contains("directives"));
        assert!(scan(&format!("{{a}} # {}", "{".repeat(5_000))).is_ok());
    }

    #[test]
    fn an_object_has_a_field_once() {
        for document in [
            "{ a(input: {b: 1, c: {d: 2, b: 3}, b: 4}) }",
            "{ a(input: {b: \"x\" b: \"y\"}) }",
            "query($a: A = {b: 1 c: 2 b # a comment\n : 3}) { a(b: $a) }",
            "{ a(input: [{b: 1}, {b: 1, b: 2}]) }",
            "{ a @skip(if: {b: 1, b: 1}) }",
            "{ a(b: 1, b: 2) }",
            "{ a @skip(b: true, b: false) }",
            "{ a @b(c: 1) @d @b }",
            "query @b @b { a }",
            "{ ...A @b @b }",
            "{ ... on A @b @b { a } }",
        ] {
            assert!(
                ["`b` stands twice", "`@b` stands twice"].iter().any(|said| refused(document).contains(said)),
                "{document}"
            );
        }
        assert!(
            scan("query @b { a @b(c: 1) @d(c: 1) a @b ...A @b ... @b { c @b } } fragment A on B @b { a @b }").is_ok()
        );
        for document in ["{ b: a b: a }", "{ a(b: 1) { b: c b: c } }", "{ a(b: {c: 1}, d: {c: [{c: 1}, {c: 1}]}) }"] {
            assert!(scan(document).is_ok(), "{document}");
        }
    }

    #[test]
    fn what_the_parser_would_misread_is_refused() {
        for (document, message) in [
            ("{ a(b: trueish) }", "`trueish` is no value"),
            ("{ a(b: [true1 false]) }", "`true1` is no value"),
            ("{ a(b: {c: nullable d: 1}) }", "`nullable` is no value"),
            ("query($a: [A] = [falsey]) { a(b: $a) }", "`falsey` is no value"),
            ("query($a: A = # true\n truefalse) { a(b: $a) }", "`truefalse` is no value"),
            ("{ a @include(if: trueish) }", "`trueish` is no value"),
            ("queryA { a }", "`queryA` begins no operation"),
            ("{ a } fragmentA on B { a }", "`fragmentA` begins no operation"),
            ("query A { ...on } fragment on on B { a }", "not called `on`"),
            ("query($a: A @skip(if: true)) { a(b: $a) }", "no directives"),
            ("query($a: A @b = 1) { a(b: $a) }", "no directives"),
            ("query($a: A = 1 @b) { a(b: $a) }", "no directives"),
            ("query() { a }", "nothing between"),
            ("{ a( # none\n ) }", "nothing between"),
        ] {
            assert!(refused(document).contains(message), "{document}: {}", refused(document));
        }
        let place = scan("{\n  a(b: trueish) }").unwrap_err().locations;
        assert_eq!(place, [async_graphql::Pos { line: 2, column: 8 }]);
        for document in [
            "{ trueish nullable: falsey(trueish: true, nullable: {falsey: [null true]}) @skip(if: false) }",
            "query query($trueish: A) { query: queryA(b: $trueish, c: [$trueish]) { ...fragmentA ... on nullable { a } } }",
            "query true { a } query queryA { a } fragment fragment on A { a }",
        ] {
            assert!(scan(document).is_ok(), "{document}");
        }
    }

    #[test]
    fn brackets_do_not_hide_behind_texts_without_an_end() {
        for document in ["{ a(b: \"", "{ a(b: \"\n\")", "{ a(b: \"\"\" \" [[[", "\"\\", "{ a(b: \"\\"] {
            assert!(refused(document).contains("no end"), "{document}");
        }
    }
}
