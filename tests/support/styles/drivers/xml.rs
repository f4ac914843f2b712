//! A tree of XML, as far as answers need it: names without prefixes, text, and whether an element is nil.

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};

#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    pub text: String,
    pub is_nil: bool,
    pub children: Vec<Self>,
}

impl Element {
    /// The root of a document. None when it is not well-formed.
    pub fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => open.push(Self::begun(&start)),
                Event::End(_) => {
                    let done = open.pop()?;
                    open.last_mut()?.children.push(done);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => open.last_mut()?.text.push(letter(&reference)?),
                Event::Eof => break,
                _ => {}
            }
        }
        let mut root = open.pop().filter(|_| open.is_empty())?;
        root.children.pop()
    }

    fn begun(start: &BytesStart<'_>) -> Self {
        let name = start.local_name().as_ref().to_owned();
        let is_nil = start.attributes().flatten().any(|attribute| attribute.key.as_ref() == "xsi:nil");
        Self { name, is_nil, ..Self::default() }
    }

    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

fn letter(reference: &BytesRef<'_>) -> Option<char> {
    match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}
