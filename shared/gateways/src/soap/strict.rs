//! Refuses what XML 1.0 and its namespaces forbid and the parser accepts: in names, in tags, in references.

use super::xml::{is_allowed, is_space};

/// The namespace of the prefix `xml`, which has no other (Namespaces in XML 1.0, section 3).
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of the prefix `xmlns`, which cannot be declared.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Checks the inside of a start tag, between `<` and `>` or `/>` (XML 1.0, productions 40 and 41).
///
/// # Errors
/// Why it is malformed.
pub fn start_tag(tag: &str) -> Result<(), &'static str> {
    let (name, rest) = tag.split_at(tag.find(is_space).unwrap_or(tag.len()));
    let attributes = attributes(rest).ok_or("a tag is malformed")?;
    if !is_qualified(name) || name.starts_with("xmlns:") {
        return Err("an element has a name that is none");
    }
    for (name, value) in attributes {
        let declares = match name.split_once(':') {
            Some(("xmlns", prefix)) => Some(prefix),
            None if name == "xmlns" => Some(""),
            _ => None,
        };
        if !is_qualified(name) {
            return Err("an attribute has a name that is none");
        }
        if value.contains('<') {
            return Err("`<` stands in an attribute");
        }
        if !has_references(value) {
            return Err("an attribute refers to an entity or a character that there is not");
        }
        if declares.is_some_and(|prefix| !may_declare(prefix, value)) {
            return Err("an element declares a namespace that is reserved, or a prefix for none");
        }
    }
    Ok(())
}

/// Whether this is an XML declaration, between `<?` and `?>` (XML 1.0, production 23).
pub fn is_declaration(declaration: &str) -> bool {
    let Some(said) = declaration.strip_prefix("xml").and_then(attributes) else { return false };
    let rest = match &said[..] {
        [("version", _), rest @ ..] => rest,
        _ => return false,
    };
    let rest = match rest {
        [("encoding", name), rest @ ..] if name.starts_with(|letter: char| letter.is_ascii_alphabetic()) => rest,
        rest => rest,
    };
    matches!(rest, [] | [("standalone", "yes" | "no")])
}

/// Whether this is valid text between tags (XML 1.0, production 14).
pub fn is_text(text: &str) -> bool {
    !text.contains("]]>")
}

/// The character of a reference, without its `&` and `;`: a character reference, or one of the five entities that XML
/// predefines (XML 1.0, production 66 and section 4.6).
pub fn reference(name: &str) -> Option<char> {
    let number = |digits: &str, radix: u32| {
        let is_number = digits.chars().all(|digit| digit.is_digit(radix));
        is_number.then(|| u32::from_str_radix(digits, radix).ok()).flatten().and_then(char::from_u32)
    };
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        name => match name.strip_prefix('#')?.strip_prefix('x') {
            Some(digits) => number(digits, 16),
            None => number(&name[1..], 10),
        }
        .filter(|letter| is_allowed(*letter)),
    }
}

fn has_references(value: &str) -> bool {
    let named = |after: &str| after.split_once(';').is_some_and(|(name, _)| reference(name).is_some());
    value.split('&').skip(1).all(named)
}

/// Names and values of attributes, each preceded by white space; none if the text is anything else.
fn attributes(mut rest: &str) -> Option<Vec<(&str, &str)>> {
    let mut attributes = Vec::new();
    loop {
        let next = rest.trim_start_matches(is_space);
        if next.is_empty() {
            return Some(attributes);
        }
        let (name, value) = next.split_once('=').filter(|_| next.len() < rest.len())?;
        let value = value.trim_start_matches(is_space);
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = value[1..].split_once(quote)?;
        attributes.push((name.trim_end_matches(is_space), value));
        rest = after;
    }
}

/// Whether a prefix, or the default if it is empty, may be bound to a namespace (Namespaces in XML 1.0, sections 2.2
/// and 3).
fn may_declare(prefix: &str, namespace: &str) -> bool {
    match prefix {
        "xmlns" => false,
        "xml" => namespace == XML,
        "" => ![XML, XMLNS].contains(&namespace),
        _ => !["", XML, XMLNS].contains(&namespace),
    }
}

/// `QName` (Namespaces in XML 1.0, production 7).
fn is_qualified(name: &str) -> bool {
    name.split_once(':').map_or_else(|| is_name(name), |(prefix, name)| is_name(prefix) && is_name(name))
}

/// `NCName` (production 4).
fn is_name(name: &str) -> bool {
    name.starts_with(begins_name) && name.chars().all(is_of_name)
}

/// XML 1.0, production 4, without the colon.
fn begins_name(letter: char) -> bool {
    matches!(letter, 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// XML 1.0, production 4a.
fn is_of_name(letter: char) -> bool {
    begins_name(letter)
        || matches!(letter, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::super::xml::parse;

    /// Each was given to libxml2 2.14.6, which says the same of it.
    #[test]
    fn what_is_no_xml_is_not_taken_for_it() {
        let is_read = |document: &str| parse(document).is_ok();
        let good = include_str!("well_formed.txt").lines();
        let bad = include_str!("not_well_formed.txt").lines();
        let refused: Vec<&str> = good.clone().filter(|document| !is_read(document)).collect();
        let taken: Vec<&str> = bad.clone().filter(|document| is_read(document)).collect();
        assert_eq!((refused, taken), (Vec::new(), Vec::new()));
        assert!(good.count() > 30 && bad.count() > 60);
    }
}
