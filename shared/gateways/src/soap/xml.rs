//! Parses received XML into a tree, with a limit on everything. Only the references that XML itself defines are
//! expanded: a document type, which could declare others, is refused at its beginning.

use std::{collections::HashSet, sync::Arc};

use quick_xml::{
    Error, NsReader, XmlVersion,
    errors::IllFormedError as Ill,
    events::{BytesStart, Event},
    name::ResolveResult,
};

use super::strict;
use crate::respond::shortened;

/// The maximum depth of elements.
pub const MAX_DEPTH: usize = 64;
/// The maximum number of elements of a message.
pub const MAX_ELEMENTS: usize = 20_000;
/// The maximum number of attributes of an element, namespace declarations included.
pub const MAX_ATTRIBUTES: usize = 64;
/// The maximum length of a namespace's name, in bytes.
const MAX_NAMESPACE_BYTES: usize = 256;

/// An element.
#[derive(Debug, Default)]
pub struct Element {
    /// Its namespace; empty if it has none.
    pub namespace: Arc<str>,
    /// Its name, without a prefix.
    pub name: String,
    /// Its attributes, without namespace declarations.
    pub attributes: Vec<Attribute>,
    /// The elements in it.
    pub children: Vec<Element>,
    /// The text in it, concatenated.
    pub text: String,
}

/// An attribute.
#[derive(Debug)]
pub struct Attribute {
    /// Its namespace; empty if it has none.
    pub namespace: Arc<str>,
    /// Its name, without a prefix.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Why a text is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl Element {
    /// Whether it has this name.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        &*self.namespace == namespace && self.name == name
    }

    /// An attribute's value.
    pub fn attribute(&self, namespace: &str, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|known| &*known.namespace == namespace && known.name == name);
        found.map(|attribute| attribute.value.as_str())
    }

    /// Whether it has text other than white space.
    pub fn has_text(&self) -> bool {
        self.text.contains(|letter| !is_space(letter))
    }
}

/// Whether a character is white space in XML (XML 1.0, production 3).
pub fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

/// Whether XML allows a character (XML 1.0, production 2).
pub fn is_allowed(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn malformed<T>(why: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed(why.into()))
}

/// The library's messages repeat names of any length, and describe the library: these messages replace them.
fn no_xml<T>(error: &Error, text: &str, position: u64) -> Result<T, Malformed> {
    let what = match error {
        Error::Syntax(_) | Error::IllFormed(Ill::MissingEndTag(_) | Ill::UnclosedReference) => "something does not end",
        Error::IllFormed(Ill::UnmatchedEndTag(_) | Ill::MismatchedEndTag { .. }) => {
            "a tag ends an element that is not the open one"
        }
        Error::IllFormed(Ill::DoubleHyphenInComment) => "there are two hyphens in a comment",
        Error::IllFormed(_) => "its declaration is malformed",
        Error::InvalidAttr(_) => "an attribute is malformed, or given twice",
        Error::Escape(_) => "an attribute refers to an entity or a character that there is not",
        Error::Namespace(_) => "an element declares too many namespaces, or one that is reserved",
        Error::Io(_) | Error::Encoding(_) => "it cannot be read",
    };
    not_xml(what, text, position)
}

fn not_xml<T>(what: &str, text: &str, position: u64) -> Result<T, Malformed> {
    let before = usize::try_from(position).ok().and_then(|position| text.get(..position)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    malformed(format!("The message is not XML: {what}, in line {line}."))
}

/// The text of a message's bytes.
///
/// # Errors
/// When they are not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, Malformed> {
    // XML 1.0, appendix F.1: the first bytes identify UTF-16.
    if matches!(bytes, [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, b'<', ..] | [b'<', 0, ..]) {
        return malformed("Messages are read in UTF-8, and this one is in UTF-16.");
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).or_else(|_| malformed("The message is not UTF-8."))
}

/// Parses a message.
///
/// # Errors
/// When it is not well-formed, or exceeds a limit.
pub fn parse(text: &str) -> Result<Element, Malformed> {
    if !text.chars().all(is_allowed) {
        return malformed("The message has characters that XML does not have.");
    }
    let mut reader = NsReader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = true;
    let mut builder = Builder::default();
    let mut is_first = true;
    loop {
        let event = reader.read_event().or_else(|error| no_xml(&error, text, reader.error_position()))?;
        match event {
            Event::Start(start) => {
                strict::start_tag(&start).or_else(|what| not_xml(what, text, reader.buffer_position()))?;
                builder.open(&reader, &start, text)?;
            }
            Event::End(_) => builder.close()?,
            Event::Text(part) if strict::is_text(&part) => builder.text(&part.xml10_content())?,
            Event::Text(_) => return not_xml("`]]>` ends nothing", text, reader.buffer_position()),
            Event::CData(text) => match builder.open.is_empty() {
                true => return malformed("There is text outside of the message."),
                false => builder.text(&text.xml10_content())?,
            },
            Event::GeneralRef(_) if builder.open.is_empty() => {
                return malformed("There is text outside of the message.");
            }
            Event::GeneralRef(reference) => match strict::reference(&reference) {
                Some(letter) => builder.text(letter.encode_utf8(&mut [0; 4]))?,
                None => return malformed("The message refers to an entity or a character that there is not."),
            },
            Event::Comment(_) => {}
            Event::Decl(declaration) if is_first => {
                if !strict::is_declaration(&declaration) {
                    return not_xml("its declaration is malformed", text, 0);
                }
                if declaration.version().ok().as_deref() != Some("1.0") {
                    return malformed("The message is not XML 1.0.");
                }
                match declaration.encoding() {
                    None => {}
                    Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => {}
                    Some(_) => {
                        return malformed("Messages are read in UTF-8, and this one says it is in another encoding.");
                    }
                }
            }
            Event::Decl(_) => return malformed("An XML declaration stands at the very beginning."),
            // SOAP 1.1, section 3, and SOAP 1.2 part 1, section 5, forbid both.
            Event::DocType(_) => return malformed("A message has no document type: nothing in it is expanded."),
            Event::PI(_) => return malformed("A message has no processing instructions."),
            Event::Eof => return builder.finish(),
            Event::Empty(_) => return malformed("The message is not XML."),
        }
        is_first = false;
    }
}

/// The state of the parser.
#[derive(Default)]
struct Builder {
    open: Vec<Element>,
    root: Option<Element>,
    count: usize,
    /// The names of namespaces, each once: otherwise a long one would be copied for each element.
    namespaces: HashSet<Arc<str>>,
}

impl Builder {
    fn open(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>, text: &str) -> Result<(), Malformed> {
        self.count += 1;
        if self.count > MAX_ELEMENTS {
            return malformed(format!("The message has more than {MAX_ELEMENTS} elements."));
        }
        if self.open.len() == MAX_DEPTH {
            return malformed(format!("The message nests deeper than {MAX_DEPTH} elements."));
        }
        if self.root.is_some() {
            return malformed("The message has a second root.");
        }
        let (namespace, name) = reader.resolver().resolve_element(start.name());
        let mut element = Element { namespace: self.namespace(&namespace)?, ..Element::default() };
        element.name = name.as_ref().to_owned();
        let place_in_text = reader.buffer_position();
        for (place, attribute) in start.attributes().enumerate() {
            if place == MAX_ATTRIBUTES {
                return malformed(format!("An element has more than {MAX_ATTRIBUTES} attributes."));
            }
            let attribute = attribute.or_else(|error| no_xml(&error.into(), text, place_in_text))?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            let value = value.or_else(|error| no_xml(&error, text, place_in_text))?.into_owned();
            let namespace = self.namespace(&namespace)?;
            let name = name.as_ref().to_owned();
            if element.attribute(&namespace, &name).is_some() || !value.chars().all(is_allowed) {
                return malformed("An element has an attribute twice, or with characters that XML does not have.");
            }
            element.attributes.push(Attribute { namespace, name, value });
        }
        self.open.push(element);
        Ok(())
    }

    fn namespace(&mut self, resolved: &ResolveResult<'_>) -> Result<Arc<str>, Malformed> {
        let name = match resolved {
            ResolveResult::Unbound => "",
            ResolveResult::Bound(namespace) => namespace.0,
            ResolveResult::Unknown(prefix) => {
                return malformed(format!("The prefix {:?} is not declared.", shortened(prefix)));
            }
        };
        if name.len() > MAX_NAMESPACE_BYTES {
            return malformed("The name of a namespace is too long.");
        }
        if let Some(known) = self.namespaces.get(name) {
            return Ok(Arc::clone(known));
        }
        let name: Arc<str> = name.into();
        self.namespaces.insert(Arc::clone(&name));
        Ok(name)
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.chars().all(is_space) => {}
            None => return malformed("There is text outside of the message."),
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Malformed> {
        let Some(element) = self.open.pop() else { return malformed("The message is not XML.") };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, Malformed> {
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ if self.count == 0 => malformed("There is no message."),
            _ => malformed("The message breaks off."),
        }
    }
}
