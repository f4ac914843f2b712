//! Writing XML.

use std::borrow::Cow;

use quick_xml::{
    Writer,
    escape::minimal_escape,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::xml::is_allowed;

/// An XML document that is being written. It is kept in memory, where writing does not fail.
pub struct Document(Writer<Vec<u8>>);

impl Document {
    /// One on a single line.
    pub fn new() -> Self {
        Self::begun(Writer::new(Vec::new()))
    }

    /// One that people read as well.
    pub fn indented() -> Self {
        Self::begun(Writer::new_with_indent(Vec::new(), b' ', 2))
    }

    fn begun(writer: Writer<Vec<u8>>) -> Self {
        let mut document = Self(writer);
        document.put(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        document
    }

    fn put(&mut self, event: Event<'_>) {
        // A `Vec` takes whatever there is.
        let _ = self.0.write_event(event);
    }

    fn start<'n>(name: &'n str, attributes: &[(&str, &str)]) -> BytesStart<'n> {
        BytesStart::new(name).with_attributes(attributes.iter().copied())
    }

    /// Begins an element.
    pub fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.put(Event::Start(Self::start(name, attributes)));
    }

    /// Ends it.
    pub fn close(&mut self, name: &str) {
        self.put(Event::End(BytesEnd::new(name)));
    }

    /// An element with nothing in it.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.put(Event::Empty(Self::start(name, attributes)));
    }

    /// An element with text.
    pub fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        self.put(Event::Text(BytesText::from_escaped(escaped(writable(text)))));
        self.close(name);
    }

    /// An element with others in it.
    pub fn within(&mut self, name: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        content(self);
        self.close(name);
    }

    /// The whole.
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner()
    }
}

/// A text as XML 1.0 can hold it: it has no form for some control characters, which are replaced as Unicode says.
fn writable(text: &str) -> Cow<'_, str> {
    match text.chars().all(is_allowed) {
        true => Cow::Borrowed(text),
        false => text.chars().map(|letter| if is_allowed(letter) { letter } else { '\u{FFFD}' }).collect(),
    }
}

/// A text as it stands in an element. `>` is escaped only where it would be taken for the end of a CDATA section
/// (XML 1.0, section 2.4): a text of them would else be four times as long.
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
