//! Reads an input from XML as JSON. Only malformed values are refused here; the procedure checks all rules, and is
//! called in any case: its faults are reported together with those found here.

use std::{cell::RefCell, collections::HashSet};

use protocol::{
    FieldFault,
    input::{DUPLICATE, MAX_FAULTS},
};
use serde_json::{Map as Json, Value};

use super::{
    lexical,
    types::{Input, Member, Operation, Service, Simple, Slot, Variant, XmlForm},
    xml::{Element, is_space},
};
use crate::{
    paths::{self, Step},
    respond::shortened,
};

/// XML Schema part 1, section 2.6.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The content of an operation's element.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The input; none where there is none. A malformed value is replaced by one that every procedure refuses, so
    /// that the procedure reports all other faults.
    pub input: Option<Value>,
    /// The faults, with their paths.
    pub faults: Vec<FieldFault>,
    /// The paths of replaced values.
    placeholders: HashSet<String>,
}

/// The name of a member that no input has: no XML element can have it.
const INVALID_MEMBER: &str = "<>";

/// Reads an operation's element.
pub fn input(service: &Service, operation: &Operation, element: &Element) -> Decoded {
    let reading = Reading { service, decoded: RefCell::default() };
    reading.attributes(element, "");
    reading.not_nil(element, "").unwrap_or_else(|fault| reading.note(fault));
    let mut input = match &operation.input {
        Input::Nothing => {
            reading.members(&[], element, "");
            None
        }
        Input::Plain(form) => Some(reading.or_placeholder(form, "", reading.content(form, element, ""))),
        Input::Wrapped(slot) => {
            let member = Member { json: WRAPPED.into(), xml: WRAPPED.into(), optional: true, slot: slot.clone() };
            reading.members(&[member], element, "").get_mut(WRAPPED).map(Value::take)
        }
    };
    if !reading.decoded.borrow().faults.is_empty() {
        reading.invalidate(operation, &mut input);
    }
    Decoded { input, ..reading.decoded.into_inner() }
}

impl Decoded {
    /// The faults of the input, together with those that the procedure reported.
    pub fn with(self, reported: Vec<FieldFault>) -> Vec<FieldFault> {
        let Self { mut faults, placeholders, .. } = self;
        let is_own = |path: &str| placeholders.contains(path) || path == INVALID_MEMBER || path.ends_with(".<>");
        faults.extend(reported.into_iter().filter(|fault| !is_own(&fault.path)));
        faults.truncate(MAX_FAULTS);
        faults
    }
}

/// The element that holds an input without members.
const WRAPPED: &str = "input";

/// The path of a member of a procedure's input, in the names of its elements.
pub fn spelled(service: &Service, operation: &Operation, input: Option<&Value>, path: &str) -> String {
    let (within, form) = match &operation.input {
        Input::Nothing => return path.to_owned(),
        Input::Plain(form) => (None, form),
        Input::Wrapped(slot) => (Some(WRAPPED), &slot.form),
    };
    let input = input.unwrap_or(&Value::Null);
    let path = paths::spelled(path, input, form, |form, step, value| into(service, form, step, value));
    match within {
        None => path,
        Some(within) if path.is_empty() || path.starts_with('[') => format!("{within}{path}"),
        Some(within) => format!("{within}.{path}"),
    }
}

/// The name of a member where a form is expected, and the form of its value.
fn into<'s>(service: &'s Service, form: &'s XmlForm, step: Step<'_>, value: &Value) -> Option<(String, &'s XmlForm)> {
    match (service.form(form), step) {
        (XmlForm::List(list), Step::Item(place)) => Some((format!("[{place}]"), &list.item.form)),
        (XmlForm::Map(map), Step::Member(name)) => Some((name.to_owned(), &map.value.form)),
        (XmlForm::Object(members), Step::Member(name)) => member(members, name),
        (XmlForm::Union(variants), Step::Member(name)) => {
            let variant = variants.iter().find(|variant| Some(variant.json.as_str()) == paths::tag(value))?;
            let (name, form) = member(&variant.members, name)?;
            Some((format!("{}.{name}", variant.xml), form))
        }
        _ => None,
    }
}

fn member<'m>(members: &'m [Member], json: &str) -> Option<(String, &'m XmlForm)> {
    let member = members.iter().find(|member| member.json == json)?;
    Some((member.xml.clone(), &member.slot.form))
}

struct Reading<'a> {
    service: &'a Service,
    decoded: RefCell<Decoded>,
}

fn fault<T>(path: &str, message: impl Into<String>) -> Result<T, FieldFault> {
    Err(FieldFault { path: path.to_owned(), message: message.into() })
}

/// `lines` and `amount` as `lines.amount`.
fn below(path: &str, name: &str) -> String {
    if path.is_empty() { shortened(name) } else { format!("{path}.{}", shortened(name)) }
}

impl Reading<'_> {
    /// Records a fault; reading goes on.
    fn note(&self, fault: FieldFault) {
        self.decoded.borrow_mut().faults.push(fault);
    }

    /// A value, or its replacement if it is malformed.
    fn or_placeholder(&self, form: &XmlForm, path: &str, read: Result<Value, FieldFault>) -> Value {
        read.unwrap_or_else(|fault| {
            self.note(fault);
            self.placeholder(form, path)
        })
    }

    /// A replacement that every procedure refuses.
    fn placeholder(&self, form: &XmlForm, path: &str) -> Value {
        self.decoded.borrow_mut().placeholders.insert(path.to_owned());
        match self.service.form(form) {
            XmlForm::Simple(_) => Value::Object(Json::new()),
            _ => 0.into(),
        }
    }

    /// Makes sure that the procedure refuses an input with faults, whatever they are.
    fn invalidate(&self, operation: &Operation, input: &mut Option<Value>) {
        let (form, path) = match &operation.input {
            Input::Nothing => return *input = Some(Json::from_iter([(INVALID_MEMBER.to_owned(), Value::Null)]).into()),
            Input::Plain(form) => (form, ""),
            Input::Wrapped(slot) => (&slot.form, WRAPPED),
        };
        match (self.service.form(form), input) {
            (XmlForm::List(list), Some(Value::Array(items))) => {
                let path = format!("{path}[{}]", items.len());
                items.push(self.placeholder(&list.item.form, &path));
            }
            (XmlForm::Map(map), Some(Value::Object(entries))) => {
                entries.insert(INVALID_MEMBER.to_owned(), self.placeholder(&map.value.form, INVALID_MEMBER));
            }
            (XmlForm::Object(_) | XmlForm::Union(_), Some(Value::Object(members))) => {
                members.insert(INVALID_MEMBER.to_owned(), Value::Null);
            }
            (_, input) => *input = Some(self.placeholder(form, path)),
        }
    }

    fn slot(&self, slot: &Slot, element: &Element, path: &str) -> Result<Value, FieldFault> {
        self.attributes(element, path);
        match self.is_nil(element, path)? {
            false => self.content(&slot.form, element, path),
            true if element.children.is_empty() && element.text.is_empty() => Ok(Value::Null),
            true => fault(path, "says that it is nil, and holds something"),
        }
    }

    /// `xsi:type` adds nothing to the schema; no other attribute than `xsi:nil` is known.
    fn attributes(&self, element: &Element, path: &str) {
        for unknown in element.attributes.iter().filter(|attribute| attribute.namespace.is_empty()) {
            let message = format!("unknown attribute `{}`", shortened(&unknown.name));
            self.note(FieldFault { path: path.to_owned(), message });
        }
    }

    fn is_nil(&self, element: &Element, path: &str) -> Result<bool, FieldFault> {
        let Some(value) = element.attribute(XSI, "nil") else { return Ok(false) };
        lexical::boolean(value).map_or_else(|| fault(path, "`xsi:nil` is true or false"), Ok)
    }

    /// For a value that does not allow null: its element is not `nillable`.
    fn not_nil(&self, element: &Element, path: &str) -> Result<(), FieldFault> {
        match self.is_nil(element, path)? {
            false => Ok(()),
            true => fault(path, format!("`{}` is not nil", shortened(&element.name))),
        }
    }

    fn content(&self, form: &XmlForm, element: &Element, path: &str) -> Result<Value, FieldFault> {
        let form = self.service.form(form);
        if !matches!(form, XmlForm::Simple(_) | XmlForm::Object(_)) {
            self.no_text(element, path);
        }
        match form {
            XmlForm::Simple(simple) => self.simple(simple, element, path),
            XmlForm::List(list) => {
                let items = element.children.iter().enumerate().map(|(place, child)| {
                    let path = format!("{path}[{place}]");
                    let item = self.expect(child, "item", &path).and_then(|()| self.slot(&list.item, child, &path));
                    self.or_placeholder(&list.item.form, &path, item)
                });
                Ok(Value::Array(items.collect()))
            }
            XmlForm::Map(map) => {
                let mut entries = Json::new();
                for child in &element.children {
                    let (key, value, path) = match self.key(&map.key, child, path) {
                        Ok((key, held)) => {
                            let path = below(path, &key);
                            let value = match entries.contains_key(&key) {
                                true => fault(&path, DUPLICATE),
                                false => {
                                    self.expect(held, "value", &path).and_then(|()| self.slot(&map.value, held, &path))
                                }
                            };
                            (key, value, path)
                        }
                        Err(fault) => (INVALID_MEMBER.to_owned(), Err(fault), below(path, INVALID_MEMBER)),
                    };
                    entries.insert(key, self.or_placeholder(&map.value.form, &path, value));
                }
                Ok(Value::Object(entries))
            }
            XmlForm::Object(members) => Ok(self.members(members, element, path)),
            XmlForm::Union(variants) => self.variant(variants, element, path),
            XmlForm::Named(_) => fault(path, "is of a type that has no form"),
        }
    }

    fn no_text(&self, element: &Element, path: &str) {
        if element.has_text() {
            self.note(FieldFault { path: path.to_owned(), message: "holds elements, and there is text".into() });
        }
    }

    fn members(&self, members: &[Member], element: &Element, path: &str) -> Value {
        self.no_text(element, path);
        let mut object = Json::new();
        for child in &element.children {
            let Some(member) = members.iter().find(|member| member.xml == child.name) else {
                self.note(unknown(child, path, members.iter().map(|member| member.xml.as_str())));
                object.insert(INVALID_MEMBER.to_owned(), Value::Null);
                continue;
            };
            let path = below(path, &member.xml);
            let value = match object.contains_key(&member.json) {
                true => fault(&path, DUPLICATE),
                false => self.expect(child, &member.xml, &path).and_then(|()| self.slot(&member.slot, child, &path)),
            };
            object.insert(member.json.clone(), self.or_placeholder(&member.slot.form, &path, value));
        }
        Value::Object(object)
    }

    fn variant(&self, variants: &[Variant], element: &Element, path: &str) -> Result<Value, FieldFault> {
        let [child] = &element.children[..] else {
            let names: Vec<String> = variants.iter().map(|variant| format!("`{}`", variant.xml)).collect();
            return fault(path, format!("holds one element, which is one of {}", names.join(", ")));
        };
        let Some(variant) = variants.iter().find(|variant| variant.xml == child.name) else {
            return Err(unknown(child, path, variants.iter().map(|variant| variant.xml.as_str())));
        };
        self.expect(child, &variant.xml, path)?;
        let path = &below(path, &variant.xml);
        self.attributes(child, path);
        self.not_nil(child, path)?;
        let is_there = matches!(child.text.trim_matches(is_space), "" | "true" | "1") && child.children.is_empty();
        let mut object = match variant.members.is_empty() {
            false => self.members(&variant.members, child, path),
            true if is_there => Value::Object(Json::new()),
            true => return fault(path, "holds nothing but `true`"),
        };
        object["type"] = variant.json.as_str().into();
        Ok(object)
    }

    /// The key of an entry, and the element that holds its value.
    fn key<'e>(&self, key: &Simple, entry: &'e Element, path: &str) -> Result<(String, &'e Element), FieldFault> {
        self.expect(entry, "entry", path)?;
        self.attributes(entry, path);
        self.no_text(entry, path);
        self.not_nil(entry, path)?;
        let [first, second] = &entry.children[..] else {
            return fault(path, "an entry holds one `key` and one `value`");
        };
        let (named, held) = match (first.name.as_str(), second.name.as_str()) {
            ("key", "value") => (first, second),
            ("value", "key") => (second, first),
            _ => return fault(path, "an entry holds one `key` and one `value`"),
        };
        self.expect(named, "key", path)?;
        self.attributes(named, path);
        self.not_nil(named, path)?;
        match self.simple(key, named, path)? {
            Value::String(name) => Ok((name, held)),
            _ => fault(path, "a key is text"),
        }
    }

    fn simple(&self, simple: &Simple, element: &Element, path: &str) -> Result<Value, FieldFault> {
        if let Some(child) = element.children.first() {
            return fault(&below(path, &child.name), "is in a place where text is due");
        }
        lexical::value(simple.base, &element.text).or_else(|message| fault(path, message))
    }

    fn expect(&self, element: &Element, name: &str, path: &str) -> Result<(), FieldFault> {
        if element.name != name {
            return Err(unknown(element, path, std::iter::once(name)));
        }
        match *element.namespace == *self.service.namespace {
            true => Ok(()),
            false => fault(path, format!("`{name}` is in the namespace {}", self.service.namespace)),
        }
    }
}

fn unknown<'n>(element: &Element, path: &str, known: impl Iterator<Item = &'n str>) -> FieldFault {
    let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    let message = match &known[..] {
        [] => "unknown element: there are none here".to_owned(),
        [one] => format!("unknown element: expected {one}"),
        known => format!("unknown element: expected one of {}", known.join(", ")),
    };
    FieldFault { path: below(path, &element.name), message }
}
