//! Writes outputs and failures from JSON as XML.

use serde_json::Value;

use super::{
    decode::XSI,
    types::{DeclaredFailure, Input, Member, Operation, Service, Slot, XmlForm},
    write::Document,
};

/// Writes the response's element.
pub fn response(document: &mut Document, service: &Service, operation: &Operation, output: &Value) {
    let attributes = [("xmlns", service.namespace.as_str()), ("xmlns:xsi", XSI)];
    document.within(&operation.response, &attributes, |document| {
        if let Some(slot) = &operation.output {
            slotted(document, service, "result", slot, output);
        }
    });
}

/// Writes the request's element.
pub fn request(document: &mut Document, service: &Service, operation: &Operation, input: &Value) {
    let mut attributes = vec![("xmlns", service.namespace.as_str())];
    // Only null values need the namespace.
    if input.to_string().contains("null") {
        attributes.push(("xmlns:xsi", XSI));
    }
    match &operation.input {
        Input::Nothing => document.empty(&operation.name, &attributes),
        Input::Plain(form) => {
            document.within(&operation.name, &attributes, |document| content(document, service, form, input));
        }
        Input::Wrapped(slot) => {
            document.within(&operation.name, &attributes, |document| slotted(document, service, "input", slot, input));
        }
    }
}

/// Writes a failure's element.
pub fn failure(document: &mut Document, service: &Service, failure: &DeclaredFailure, payload: &Value) {
    let attributes = [("xmlns", service.namespace.as_str()), ("xmlns:xsi", XSI)];
    document.within(&failure.name, &attributes, |document| members(document, service, &failure.members, payload));
}

fn slotted(document: &mut Document, service: &Service, name: &str, slot: &Slot, value: &Value) {
    if value.is_null() {
        return document.empty(name, &[("xsi:nil", "true")]);
    }
    match service.form(&slot.form) {
        XmlForm::Simple(_) => match value {
            Value::String(text) => document.leaf(name, &[], text),
            other => document.leaf(name, &[], &other.to_string()),
        },
        form => document.within(name, &[], |document| content(document, service, form, value)),
    }
}

/// Writes the content of an element. A value that does not match the contract is left out: a newer procedure made it,
/// and the schema cannot express it.
fn content(document: &mut Document, service: &Service, form: &XmlForm, value: &Value) {
    match (form, value) {
        (XmlForm::List(list), Value::Array(items)) => {
            for item in items {
                slotted(document, service, "item", &list.item, item);
            }
        }
        (XmlForm::Map(map), Value::Object(entries)) => {
            for (key, value) in entries {
                document.within("entry", &[], |document| {
                    document.leaf("key", &[], key);
                    slotted(document, service, "value", &map.value, value);
                });
            }
        }
        (XmlForm::Object(known), value) => members(document, service, known, value),
        (XmlForm::Union(variants), value) => {
            let tag = value.get("type").and_then(Value::as_str);
            if let Some(variant) = variants.iter().find(|variant| Some(variant.json.as_str()) == tag) {
                match variant.members.is_empty() {
                    true => document.leaf(&variant.xml, &[], "true"),
                    false => {
                        let content = |document: &mut Document| members(document, service, &variant.members, value);
                        document.within(&variant.xml, &[], content);
                    }
                }
            }
        }
        _ => {}
    }
}

/// Members are written in the order of the schema, since a sequence of XML Schema requires it.
fn members(document: &mut Document, service: &Service, members: &[Member], object: &Value) {
    for member in members {
        if let Some(value) = object.get(&member.json) {
            slotted(document, service, &member.xml, &member.slot, value);
        }
    }
}
