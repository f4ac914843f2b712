//! Writes XML.

use std::borrow::Cow;

use quick_xml::{
    Writer,
    escape::minimal_escape,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::xml::is_allowed;

/// An XML document in memory, where writing cannot fail.
pub struct Document(Writer<Vec<u8>>);

impl Document {
    /// Creates a document on a single line.
    pub fn new() -> Self {
        Self::begun(Writer::new(Vec::new()))
    }

    /// Creates an indented document, for people.
    pub fn indented() -> Self {
        Self::begun(Writer::new_with_indent(Vec::new(), b' ', 2))
    }

    fn begun(writer: Writer<Vec<u8>>) -> Self {
        let mut document = Self(writer);
        document.put(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        document
    }

    fn put(&mut self, event: Event<'_>) {
        // Writing to a `Vec` cannot fail.
        let _ = self.0.write_event(event);
    }

    fn start<'n>(name: &'n str, attributes: &[(&str, &str)]) -> BytesStart<'n> {
        BytesStart::new(name).with_attributes(attributes.iter().copied())
    }

    /// Opens an element.
    pub fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.put(Event::Start(Self::start(name, attributes)));
    }

    /// Closes an element.
    pub fn close(&mut self, name: &str) {
        self.put(Event::End(BytesEnd::new(name)));
    }

    /// Writes an empty element.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.put(Event::Empty(Self::start(name, attributes)));
    }

    /// Writes an element with text.
    pub fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        self.put(Event::Text(BytesText::from_escaped(escaped(writable(text)))));
        self.close(name);
    }

    /// Writes an element with child elements.
    pub fn within(&mut self, name: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        content(self);
        self.close(name);
    }

    /// The document's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner()
    }
}

/// A text that XML 1.0 can hold: control characters that it lacks are replaced by U+FFFD.
fn writable(text: &str) -> Cow<'_, str> {
    match text.chars().all(is_allowed) {
        true => Cow::Borrowed(text),
        false => text.chars().map(|letter| if is_allowed(letter) { letter } else { '\u{FFFD}' }).collect(),
    }
}

/// A text escaped for an element. `>` is escaped only where it would end a CDATA section (XML 1.0, section 2.4):
/// otherwise a text of many would be four times as long.
fn escaped(text: Cow<'_, str>) -> Cow<'_, str> {
    let escaped = minimal_escape(text);
    match escaped.contains("]]>") {
        true => Cow::Owned(escaped.replace("]]>", "]]&gt;")),
        false => escaped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_escaped_than_has_to_be() {
        let mut document = Document::new();
        document.leaf("a", &[], "<&> \"'\r\n]]>]]]>> \u{b}");
        let text = String::from_utf8(document.finish()).unwrap();
        let written = "<a>&lt;&amp;> \"'&#13;\n]]&gt;]]]&gt;> \u{fffd}</a>";
        assert_eq!(text.split_once("?>").map(|(_, element)| element), Some(written));
    }
}
