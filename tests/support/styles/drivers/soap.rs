//! SOAP, 1.1 for queries and 1.2 for everything else: XML made by the contract's types, and read by them.

use serde_json::{Map, Value, json};

use super::{Driver, Failed, Heard, without_variants, xml::Element};
use crate::{
    support::styles::calls::Procedure,
    support::{Answer, Request},
};

pub struct Soap {
    pub namespace: String,
}

const V11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const V12: &str = "http://www.w3.org/2003/05/soap-envelope";

impl Driver for Soap {
    fn name(&self) -> &'static str {
        "soap"
    }

    fn is_typed(&self) -> bool {
        true
    }

    fn say(&self, procedure: Procedure<'_>, input: Option<&Value>) -> Option<Request> {
        let name = procedure.camel_case_name();
        let mut content = String::new();
        match (procedure.input(), input) {
            (Some(schema), Some(input @ Value::Object(_))) => content = inside(procedure, schema, input)?,
            (None, Some(Value::Object(fields))) => {
                for name in fields.keys() {
                    content.push_str(&element(name, "")?);
                }
            }
            (_, Some(_)) => return None,
            (_, None) => {}
        }
        let (version, kind) = if procedure.is_query() { (V11, "text/xml") } else { (V12, "application/soap+xml") };
        let body = format!(
            "<e:Envelope xmlns:e=\"{version}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body>\
             <{name} xmlns=\"{}\">{content}</{name}></e:Body></e:Envelope>",
            self.namespace
        );
        Some(Request::new("POST", "/soap").header("content-type", format!("{kind}; charset=utf-8")).body(body))
    }

    fn hear(&self, procedure: Procedure<'_>, answer: &Answer) -> Result<Heard, String> {
        let wrong = || format!("{}: {:.400}", answer.status, answer.text());
        let envelope = Element::parse(&answer.text()).ok_or_else(wrong)?;
        let body = envelope.child("Body").and_then(|body| body.children.first()).ok_or_else(wrong)?;
        let response = procedure.camel_case_name() + "Response";
        if body.name == response && answer.status == 200 {
            return match (procedure.output(), body.child("result")) {
                (None, None) => Ok(Ok(None)),
                (Some(schema), Some(result)) => {
                    read(procedure, schema, result).map(|value| Ok(Some(value))).ok_or_else(wrong)
                }
                _ => Err(wrong()),
            };
        }
        let detail = body.child("detail").or_else(|| body.child("Detail")).ok_or_else(wrong)?;
        let fault = detail.child("fault").ok_or_else(wrong)?;
        let code = fault.child("code").map(|code| Value::from(code.text.as_str())).ok_or_else(wrong)?;
        let is_ours = ["INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "GATEWAY_TIMEOUT", "BAD_GATEWAY"]
            .iter()
            .any(|ours| code == *ours);
        // SOAP 1.2 has the caller's faults under 400; 1.1 has all under 500.
        let status = if procedure.is_query() || is_ours { 500 } else { 400 };
        if body.name != "Fault" || answer.status != status {
            return Err(wrong());
        }
        let failure = match detail.children.iter().find(|child| child.name != "fault") {
            None => Value::Null,
            Some(own) => failure(procedure, own).ok_or_else(wrong)?,
        };
        let fields: Vec<_> = fault.child("fields").into_iter().flat_map(|fields| &fields.children).collect();
        let fields: Vec<_> = fields
            .iter()
            .map(|item| json!({"path": item.child("path").map(|path| without_variants(procedure, &path.text))}))
            .collect();
        Ok(Err(Failed::new(&code, &failure, &fields.into())))
    }

    fn spoils(&self, text: &str) -> bool {
        !text.chars().all(is_in_xml)
    }
}

/// XML 1.0, production 2: most control characters have no form in it.
fn is_in_xml(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn escaped(text: &str) -> Option<String> {
    let is_plain = text.chars().all(is_in_xml);
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;");
    is_plain.then_some(text)
}

fn element(name: &str, content: &str) -> Option<String> {
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter));
    is_name.then(|| format!("<{name}>{content}</{name}>"))
}

/// The tag of a union's member, or of a variant.
fn tag(schema: &Value) -> Option<&str> {
    schema["properties"]["type"]["const"].as_str()
}

fn has(schema: &Value, kind: &str) -> bool {
    schema["type"] == kind || schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind))
}

/// The schemas of a variant's own members: its type's, and those beside the tag.
fn members<'a>(procedure: Procedure<'a>, schema: &'a Value) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some(reference) = schema.get("$ref").filter(|_| schema.get("properties").is_some()) {
        let referred = json!({"$ref": reference});
        let target = crate::values::sample::resolve(procedure.document, &referred);
        all.extend(target["properties"].as_object().cloned().unwrap_or_default());
    }
    all.extend(schema["properties"].as_object().cloned().unwrap_or_default());
    all
}

/// What is in the element of a value. None when XML would say something else.
fn inside(procedure: Procedure<'_>, schema: &Value, value: &Value) -> Option<String> {
    let schema = &core_of(procedure, schema);
    match value {
        Value::Object(fields) => {
            if let Some(entry) = entry_of(schema) {
                let mut content = String::new();
                for (key, value) in fields {
                    let value = slot(procedure, entry, "value", value)?;
                    content += &format!("<entry><key>{}</key>{value}</entry>", escaped(key)?);
                }
                return Some(content);
            }
            if let Some(variants) = schema["oneOf"].as_array() {
                let kind = fields.get("type")?.as_str()?;
                let mut rest = fields.clone();
                rest.remove("type");
                let variant = variants.iter().find(|variant| tag(variant) == Some(kind));
                let content = match variant {
                    Some(variant) => object(procedure, &members(procedure, variant), &rest)?,
                    None => String::new(),
                };
                return element(kind, &content);
            }
            if !has(schema, "object") {
                return None;
            }
            object(procedure, &members(procedure, schema), fields)
        }
        Value::Array(entries) => {
            if !has(schema, "array") {
                return None;
            }
            let items = entries.iter().map(|entry| slot(procedure, &schema["items"], "item", entry));
            items.collect::<Option<String>>()
        }
        Value::String(text) => {
            let reads_otherwise = has(schema, "boolean") && ["true", "false", "1", "0"].contains(&text.trim())
                || (has(schema, "integer") || has(schema, "number")) && text.trim().parse::<f64>().is_ok()
                || schema["format"] == "date-time" && text.trim() != text
                || schema["contentEncoding"] == "base64" && text.contains(char::is_whitespace)
                || (has(schema, "object") || has(schema, "array") || is_union(schema)) && text.trim().is_empty();
            if reads_otherwise { None } else { escaped(text) }
        }
        Value::Number(number) if has(schema, "integer") || has(schema, "number") => Some(number.to_string()),
        Value::Bool(flag) if has(schema, "boolean") => Some(flag.to_string()),
        _ => None,
    }
}

fn is_union(schema: &Value) -> bool {
    schema["oneOf"].as_array().is_some_and(|variants| variants.iter().any(|variant| tag(variant).is_some()))
}

/// What a schema comes down to, without null. A copy, as those of variants are: references begin at the document all the same.
fn core_of(procedure: Procedure<'_>, schema: &Value) -> Value {
    if let Some(branches) = schema["anyOf"].as_array() {
        let one = branches.iter().find(|branch| branch["type"] != "null").unwrap();
        return core_of(procedure, one);
    }
    if tag(schema).is_some() || schema.get("$ref").is_none() {
        return schema.clone();
    }
    core_of(procedure, &crate::values::sample::resolve(procedure.document, schema).clone())
}

/// The schema of a map's values.
fn entry_of(schema: &Value) -> Option<&Value> {
    let by_pattern = schema["patternProperties"].as_object().and_then(|patterns| patterns.values().next());
    by_pattern.or_else(|| Some(&schema["additionalProperties"]).filter(|entry| entry.is_object()))
}

fn object(procedure: Procedure<'_>, known: &Map<String, Value>, fields: &Map<String, Value>) -> Option<String> {
    let mut content = String::new();
    for (name, value) in fields {
        content += &match known.get(name) {
            Some(schema) => slot(procedure, schema, name, value)?,
            None => element(name, "")?,
        };
    }
    Some(content)
}

fn slot(procedure: Procedure<'_>, schema: &Value, name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => element(name, "").map(|_| format!("<{name} xsi:nil=\"true\"/>")),
        value => element(name, &inside(procedure, schema, value)?),
    }
}

/// The value of an element.
fn read(procedure: Procedure<'_>, schema: &Value, element: &Element) -> Option<Value> {
    if element.is_nil {
        return Some(Value::Null);
    }
    let schema = &core_of(procedure, schema);
    let words = schema.get("enum").is_some();
    if is_union(schema) {
        let chosen = element.children.first()?;
        let variant = schema["oneOf"].as_array()?.iter().find(|variant| tag(variant) == Some(&chosen.name))?;
        let mut value = fields(procedure, &members(procedure, variant), chosen)?;
        value.insert("type".into(), chosen.name.as_str().into());
        return Some(value.into());
    }
    if let Some(entry) = entry_of(schema) {
        let pair = |one: &Element| Some((one.child("key")?.text.clone(), read(procedure, entry, one.child("value")?)?));
        return element.children.iter().map(pair).collect::<Option<Map<_, _>>>().map(Value::Object);
    }
    if has(schema, "object") {
        return fields(procedure, &members(procedure, schema), element).map(Value::Object);
    }
    if has(schema, "array") {
        return element.children.iter().map(|item| read(procedure, &schema["items"], item)).collect();
    }
    if !element.children.is_empty() {
        return None;
    }
    let text = element.text.as_str();
    match schema {
        _ if words => Some(text.into()),
        schema if has(schema, "boolean") => text.parse::<bool>().ok().map(Value::Bool),
        schema if has(schema, "integer") || has(schema, "number") => serde_json::from_str(text).ok(),
        _ => Some(text.into()),
    }
}

fn fields(procedure: Procedure<'_>, known: &Map<String, Value>, element: &Element) -> Option<Map<String, Value>> {
    let one = |child: &Element| Some((child.name.clone(), read(procedure, known.get(&child.name)?, child)?));
    element.children.iter().map(one).collect()
}

/// The procedure's own failure in a fault's detail.
fn failure(procedure: Procedure<'_>, element: &Element) -> Option<Value> {
    let named = |failure: &&Value| {
        let kind = failure["type"].as_str().unwrap_or_default();
        let name = procedure.camel_case_name() + &kind[..1].to_uppercase() + &kind[1..];
        element.name.trim_end_matches("Failure") == name.trim_end_matches("Failure")
    };
    let failure = procedure.failures().iter().find(named)?;
    let mut value = fields(procedure, &members(procedure, &failure["schema"]), element)?;
    value.insert("type".into(), failure["type"].clone());
    Some(value.into())
}
