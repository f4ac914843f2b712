//! From XML to the JSON of an input. Only what the text cannot say is refused here; rules are the procedure's.

use std::{cell::RefCell, collections::HashSet};

use protocol::{
    FieldFault,
    input::{MAX_FAULTS, TWICE},
};
use serde_json::{Map as Json, Number, Value};

use super::{
    types::{Base, Form, Input, Member, Operation, Service, Simple, Slot, Variant},
    xml::{Element, is_space},
};
use crate::{
    paths::{self, Step},
    respond::shortened,
};

/// XML Schema part 1, section 2.6.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The input in an operation's element; none where there is no input.
///
/// # Errors
/// What is wrong, and where.
pub fn input(service: &Service, operation: &Operation, element: &Element) -> Result<Option<Value>, Vec<FieldFault>> {
    let reading = Reading { service, found: RefCell::default() };
    let read = reading.attributes(element, "").and_then(|_| match &operation.input {
        Input::Nothing => reading.members(&[], element, "").map(|_| None),
        Input::Plain(form) => reading.content(form, element, "").map(Some),
        Input::Wrapped(slot) => {
            let member = Member { json: WRAPPED.into(), xml: WRAPPED.into(), optional: true, slot: slot.clone() };
            Ok(reading.members(&[member], element, "")?.remove(WRAPPED))
        }
    });
    let mut found = reading.found.into_inner();
    match read {
        Ok(input) if found.is_empty() => Ok(input),
        read => {
            found.extend(read.err());
            found.truncate(MAX_FAULTS);
            Err(found)
        }
    }
}

/// The element that holds an input which has no members of its own.
const WRAPPED: &str = "input";

/// The path of a member of a procedure's input, as its elements are called.
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

/// What a member is called where a form is expected.
fn into<'s>(service: &'s Service, form: &'s Form, step: Step<'_>, value: &Value) -> Option<(String, &'s Form)> {
    match (service.form(form), step) {
        (Form::List(list), Step::Item(place)) => Some((format!("[{place}]"), &list.item.form)),
        (Form::Map(map), Step::Member(name)) => Some((name.to_owned(), &map.value.form)),
        (Form::Object(members), Step::Member(name)) => member(members, name),
        (Form::Union(variants), Step::Member(name)) => {
            let variant = variants.iter().find(|variant| Some(variant.json.as_str()) == paths::tag(value))?;
            let (name, form) = member(&variant.members, name)?;
            Some((format!("{}.{name}", variant.xml), form))
        }
        _ => None,
    }
}

fn member<'m>(members: &'m [Member], json: &str) -> Option<(String, &'m Form)> {
    let member = members.iter().find(|member| member.json == json)?;
    Some((member.xml.clone(), &member.slot.form))
}

struct Reading<'a> {
    service: &'a Service,
    /// What is wrong beside what ends the reading.
    found: RefCell<Vec<FieldFault>>,
}

fn fault<T>(path: &str, message: impl Into<String>) -> Result<T, FieldFault> {
    Err(FieldFault { path: path.to_owned(), message: message.into() })
}

/// `lines` and `amount` as `lines.amount`.
fn below(path: &str, name: &str) -> String {
    if path.is_empty() { shortened(name) } else { format!("{path}.{}", shortened(name)) }
}

impl Reading<'_> {
    /// A part, or none where something is wrong with it: the others are read all the same.
    fn part<T>(&self, read: Result<T, FieldFault>) -> Option<T> {
        read.map_err(|fault| self.found.borrow_mut().push(fault)).ok()
    }

    fn slot(&self, slot: &Slot, element: &Element, path: &str) -> Result<Value, FieldFault> {
        let is_nil = self.attributes(element, path)?;
        if !is_nil {
            return self.content(&slot.form, element, path);
        }
        match element.children.is_empty() && element.text.is_empty() {
            true => Ok(Value::Null),
            false => fault(path, "says that it is nil, and holds something"),
        }
    }

    /// Whether the element is nil. `xsi:type` says nothing that the schema does not; no other attribute is known.
    fn attributes(&self, element: &Element, path: &str) -> Result<bool, FieldFault> {
        if let Some(unknown) = element.attributes.iter().find(|attribute| attribute.namespace.is_empty()) {
            return fault(path, format!("unknown attribute `{}`", shortened(&unknown.name)));
        }
        match element.attribute(XSI, "nil").map(|value| value.trim_matches(is_space)) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => fault(path, "`xsi:nil` is true or false"),
        }
    }

    fn content(&self, form: &Form, element: &Element, path: &str) -> Result<Value, FieldFault> {
        let form = self.service.form(form);
        if !matches!(form, Form::Simple(_)) && element.has_text() {
            return fault(path, "holds elements, and there is text");
        }
        match form {
            Form::Simple(simple) => self.simple(simple, element, path),
            Form::List(list) => {
                let items = element.children.iter().enumerate().filter_map(|(place, child)| {
                    let path = format!("{path}[{place}]");
                    let item = self.expect(child, "item", &path).and_then(|()| self.slot(&list.item, child, &path));
                    self.part(item)
                });
                Ok(Value::Array(items.collect()))
            }
            Form::Map(map) => {
                let mut entries = Json::new();
                for child in &element.children {
                    let entry = self.expect(child, "entry", path);
                    let entry = entry.and_then(|()| self.entry(&map.key, &map.value, child, path));
                    let Some((key, value)) = self.part(entry) else { continue };
                    if entries.contains_key(&key) {
                        self.part::<()>(fault(&below(path, &key), TWICE));
                    }
                    entries.insert(key, value);
                }
                Ok(Value::Object(entries))
            }
            Form::Object(members) => self.members(members, element, path).map(Value::Object),
            Form::Union(variants) => self.variant(variants, element, path),
            Form::Named(_) => fault(path, "is of a type that has no form"),
        }
    }

    fn members(&self, members: &[Member], element: &Element, path: &str) -> Result<Json<String, Value>, FieldFault> {
        if element.has_text() {
            return fault(path, "holds elements, and there is text");
        }
        let mut object = Json::new();
        let mut given = HashSet::new();
        for child in &element.children {
            let Some(member) = members.iter().find(|member| member.xml == child.name) else {
                self.part::<()>(self.unknown(child, path, members.iter().map(|member| member.xml.as_str())));
                continue;
            };
            let path = below(path, &member.xml);
            if !given.insert(&member.xml) {
                self.part::<()>(fault(&path, TWICE));
                continue;
            }
            let value = self.expect(child, &member.xml, &path).and_then(|()| self.slot(&member.slot, child, &path));
            object.extend(self.part(value).map(|value| (member.json.clone(), value)));
        }
        Ok(object)
    }

    fn variant(&self, variants: &[Variant], element: &Element, path: &str) -> Result<Value, FieldFault> {
        let [child] = &element.children[..] else {
            let names: Vec<String> = variants.iter().map(|variant| format!("`{}`", variant.xml)).collect();
            return fault(path, format!("holds one element, which is one of {}", names.join(", ")));
        };
        let Some(variant) = variants.iter().find(|variant| variant.xml == child.name) else {
            return self.unknown(child, path, variants.iter().map(|variant| variant.xml.as_str()));
        };
        self.expect(child, &variant.xml, path)?;
        let path = &below(path, &variant.xml);
        if self.attributes(child, path)? {
            return fault(path, "a variant is not nil");
        }
        let mut object = Json::from_iter([("type".to_owned(), Value::from(variant.json.as_str()))]);
        let is_there = matches!(child.text.trim_matches(is_space), "" | "true" | "1") && child.children.is_empty();
        if !variant.members.is_empty() {
            object.extend(self.members(&variant.members, child, path)?);
        } else if !is_there {
            return fault(path, "holds nothing but `true`");
        }
        Ok(Value::Object(object))
    }

    fn entry(&self, key: &Simple, value: &Slot, entry: &Element, path: &str) -> Result<(String, Value), FieldFault> {
        let [(one, first), (other, second)] = match &entry.children[..] {
            [a, b] => [(a.name.as_str(), a), (b.name.as_str(), b)],
            _ => return fault(path, "an entry holds one `key` and one `value`"),
        };
        let (named, held) = match (one, other) {
            ("key", "value") => (first, second),
            ("value", "key") => (second, first),
            _ => return fault(path, "an entry holds one `key` and one `value`"),
        };
        self.expect(named, "key", path)?;
        let Value::String(name) = self.simple(key, named, path)? else { return fault(path, "a key is text") };
        let path = below(path, &name);
        self.expect(held, "value", &path)?;
        let value = self.slot(value, held, &path)?;
        Ok((name, value))
    }

    fn simple(&self, simple: &Simple, element: &Element, path: &str) -> Result<Value, FieldFault> {
        if let Some(child) = element.children.first() {
            return fault(&below(path, &child.name), "is in a place where text is due");
        }
        let text = element.text.as_str();
        let trimmed = text.trim_matches(is_space);
        match simple.base {
            Base::Text => Ok(text.into()),
            Base::Time => Ok(trimmed.into()),
            Base::Bytes => Ok(text.replace(is_space, "").into()),
            Base::Boolean => match trimmed {
                "true" | "1" => Ok(true.into()),
                "false" | "0" => Ok(false.into()),
                _ => fault(path, "is no boolean"),
            },
            Base::Number(_) => number(trimmed).map_or_else(|| fault(path, "is no number"), |number| Ok(number.into())),
        }
    }

    fn expect(&self, element: &Element, name: &str, path: &str) -> Result<(), FieldFault> {
        if element.name != name {
            return self.unknown(element, path, std::iter::once(name));
        }
        match *element.namespace == *self.service.namespace {
            true => Ok(()),
            false => fault(path, format!("`{name}` is in the namespace {}", self.service.namespace)),
        }
    }

    fn unknown<'n, T>(
        &self,
        element: &Element,
        path: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Result<T, FieldFault> {
        let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
        let message = match &known[..] {
            [] => "unknown element: there are none here".to_owned(),
            [one] => format!("unknown element: expected {one}"),
            known => format!("unknown element: expected one of {}", known.join(", ")),
        };
        fault(&below(path, &element.name), message)
    }
}

/// The number that a text of XML Schema's numeric types says; `INF` and `NaN` are none in JSON.
fn number(text: &str) -> Option<Number> {
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    if digits.bytes().all(|digit| digit.is_ascii_digit()) {
        // JSON has no leading zeros, and takes `-0` for a fraction.
        let digits = digits.trim_start_matches('0');
        return if digits.is_empty() { Some(0.into()) } else { format!("{minus}{digits}").parse().ok() };
    }
    let is_decimal = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    let value: f64 = text.parse().ok().filter(|_| is_decimal)?;
    Number::from_f64(value)
}
