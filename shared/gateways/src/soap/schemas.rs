//! Converts the contract's JSON Schemas to [`super::types`].

use std::collections::HashMap;

use protocol::{Cause, contract::Contract};
use serde_json::{Map as Json, Value};

use crate::words::docs_of_value;

use super::{
    pattern,
    types::{Base, List, Map, Member, NamedType, Simple, Slot, Variant, XmlForm, docs, xml_name},
};

/// The maximum depth of types. Those of procedures are far less deep.
const MAX_DEPTH: usize = 32;
/// The greatest double.
const GREATEST: &str = "1.7976931348623157E308";

/// Converts schemas, and collects the named types that they refer to.
pub struct Reader<'a> {
    contract: &'a Contract,
    named: Vec<NamedType>,
    /// References, and their indexes in `named`.
    places: HashMap<String, usize>,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Creates the reader of a contract.
    pub fn new(contract: &'a Contract) -> Self {
        Self { contract, named: Vec::new(), places: HashMap::new(), depth: 0 }
    }

    /// The named types found.
    pub fn finish(self) -> Vec<NamedType> {
        self.named
    }

    /// The type of a schema, and whether it allows null.
    ///
    /// # Errors
    /// When the schema has a form that wire types do not have.
    pub fn slot(&mut self, schema: &Value) -> Result<Slot, Cause> {
        if self.depth == MAX_DEPTH {
            return Err("the type nests without end".into());
        }
        self.depth += 1;
        let slot = self.slot_at(schema);
        self.depth -= 1;
        slot
    }

    fn slot_at(&mut self, schema: &Value) -> Result<Slot, Cause> {
        let docs = docs(schema);
        if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
            let (nulls, others): (Vec<&Value>, Vec<&Value>) = branches.iter().partition(|branch| is_null(branch));
            let [one] = others[..] else { return Err(unknown(schema)) };
            let inner = self.slot(one)?;
            let nullable = inner.nullable || !nulls.is_empty();
            return Ok(Slot { nullable, docs: docs.or(inner.docs), ..inner });
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let place = self.place(reference)?;
            return Ok(Slot { form: XmlForm::Named(place), nullable: self.named[place].slot.nullable, docs });
        }
        let nullable = allows_null(schema);
        Ok(Slot { form: self.form(schema)?, nullable, docs })
    }

    fn form(&mut self, schema: &Value) -> Result<XmlForm, Cause> {
        if let Some(values) = enumerated(schema) {
            return Ok(XmlForm::Simple(Simple { values, ..Simple::default() }));
        }
        if let Some(variants) = schema.get("oneOf").and_then(Value::as_array) {
            let variants = variants.iter().map(|variant| self.variant(variant)).collect::<Result<Vec<_>, _>>()?;
            return Ok(XmlForm::Union(unmistakable(variants, |variant| &variant.xml)?));
        }
        match kind_of(schema) {
            Some("object") => match entries_of(schema) {
                Some((pattern, value)) => {
                    let facets = pattern.and_then(pattern::translate).map(|pattern| ("pattern", pattern));
                    let key = Simple { facets: facets.into_iter().collect(), ..Simple::default() };
                    Ok(XmlForm::Map(Box::new(Map { key, value: self.slot(value)? })))
                }
                None => Ok(XmlForm::Object(self.members(schema)?)),
            },
            Some("array") => {
                let item = self.slot(schema.get("items").ok_or_else(|| unknown(schema))?)?;
                let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
                Ok(XmlForm::List(Box::new(List {
                    item,
                    least: bound("minItems").unwrap_or(0),
                    most: bound("maxItems"),
                })))
            }
            Some(kind) => Ok(XmlForm::Simple(simple(kind, schema).ok_or_else(|| unknown(schema))?)),
            None => Err(unknown(schema)),
        }
    }

    /// The members of an object, without the tag of a union.
    ///
    /// # Errors
    /// As for [`Reader::slot`].
    pub fn members(&mut self, schema: &Value) -> Result<Vec<Member>, Cause> {
        let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut members = Vec::new();
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if name == "type" && schema.get("const").is_some() {
                continue;
            }
            let optional = !required.iter().any(|required| required == name);
            members.push(Member { json: name.clone(), xml: xml_name(name), optional, slot: self.slot(schema)? });
        }
        unmistakable(members, |member| &member.xml)
    }

    /// A variant: its tag, and either its own members or those of the type that it holds.
    fn variant(&mut self, schema: &Value) -> Result<Variant, Cause> {
        let tag = schema.get("properties").and_then(|properties| properties.get("type")?.get("const")?.as_str());
        let json = tag.ok_or_else(|| unknown(schema))?.to_owned();
        let mut members = match schema.get("$ref") {
            Some(_) => {
                let contract = self.contract;
                let referred = serde_json::json!({ "$ref": schema["$ref"] });
                self.members(contract.resolve(&referred))?
            }
            None => Vec::new(),
        };
        members.extend(self.members(schema)?);
        Ok(Variant { xml: xml_name(&json), json, docs: docs(schema), members })
    }

    /// The index of a reference's type; the type is converted on its first use.
    fn place(&mut self, reference: &str) -> Result<usize, Cause> {
        let reference = self.shared(reference);
        if let Some(place) = self.places.get(&reference) {
            return Ok(*place);
        }
        let pointer = serde_json::json!({ "$ref": reference });
        let contract = self.contract;
        let schema = contract.resolve(&pointer);
        if std::ptr::eq(schema, &pointer) {
            return Err(format!("{reference} leads nowhere").into());
        }
        let slot = self.slot(schema)?;
        let name = self.name(&reference);
        self.named.push(NamedType { name, slot });
        self.places.insert(reference, self.named.len() - 1);
        Ok(self.named.len() - 1)
    }

    /// The reference that stands for a type: an input's type that equals the output's of the same name is one with
    /// it.
    fn shared(&self, reference: &str) -> String {
        if let Some(name) = reference.strip_prefix("#/inputTypes/") {
            let (input, output) = (self.contract.input_types.get(name), self.contract.output_types.get(name));
            if let (Some(input), Some(output)) = (input, output)
                && self.written_out(input, 0) == self.written_out(output, 0)
            {
                return format!("#/outputTypes/{name}");
            }
        }
        reference.to_owned()
    }

    /// The type's name in the schema. There is one namespace: an input's type is renamed if an output's has its name.
    fn name(&self, reference: &str) -> String {
        let own = reference.rsplit('/').next().unwrap_or_default();
        let mut name = xml_name(own);
        if reference.starts_with("#/inputTypes/") && self.contract.output_types.contains_key(own) {
            name.push_str("Input");
        }
        while self.named.iter().any(|known| known.name == name) {
            name.push('_');
        }
        name
    }

    /// A schema with its references inlined.
    fn written_out(&self, schema: &Value, depth: usize) -> Value {
        let resolved = if depth < MAX_DEPTH { self.contract.resolve(schema) } else { schema };
        match resolved {
            Value::Object(members) => {
                let written = |(name, value): (&String, &Value)| (name.clone(), self.written_out(value, depth + 1));
                Value::Object(members.iter().map(written).collect::<Json<_, _>>())
            }
            Value::Array(members) => members.iter().map(|member| self.written_out(member, depth + 1)).collect(),
            other => other.clone(),
        }
    }
}

fn unknown(schema: &Value) -> Cause {
    let names: Vec<&str> = schema.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    format!("a schema of {} has no counterpart in XML Schema", names.join(", ")).into()
}

/// Checks that no two have the same name.
fn unmistakable<T>(all: Vec<T>, name: impl Fn(&T) -> &String) -> Result<Vec<T>, Cause> {
    for (place, one) in all.iter().enumerate() {
        if all[..place].iter().any(|other| name(other) == name(one)) {
            return Err(format!("two elements of one type would be named {}", name(one)).into());
        }
    }
    Ok(all)
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null") || schema.get("const").is_some_and(Value::is_null)
}

fn allows_null(schema: &Value) -> bool {
    let listed =
        |name: &str, null: &Value| schema.get(name).and_then(Value::as_array).is_some_and(|l| l.contains(null));
    listed("type", &"null".into()) || listed("enum", &Value::Null) || is_null(schema)
}

/// The type, apart from null. A schema that allows only null counts as text.
fn kind_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(one) if one == "null" => Some("string"),
        Value::String(one) => Some(one),
        Value::Array(several) => several.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => None,
    }
}

/// The values of an enumeration of texts, with their doc comments.
fn enumerated(schema: &Value) -> Option<Vec<(String, Option<String>)>> {
    let Some(values) = schema.get("enum").and_then(Value::as_array) else {
        return Some(vec![(schema.get("const")?.as_str()?.to_owned(), None)]);
    };
    let docs = |value: &str| docs_of_value(schema, value).map(str::to_owned);
    let texts = values.iter().filter(|value| !value.is_null());
    texts.map(|value| value.as_str().map(|value| (value.to_owned(), docs(value)))).collect()
}

/// The pattern of a map's keys and the schema of its values, if it is a map.
fn entries_of(schema: &Value) -> Option<(Option<&str>, &Value)> {
    if let Some(patterns) = schema.get("patternProperties").and_then(Value::as_object) {
        return patterns.iter().next().map(|(pattern, value)| (Some(pattern.as_str()), value));
    }
    schema.get("additionalProperties").filter(|entry| entry.is_object()).map(|entry| (None, entry))
}

fn simple(kind: &str, schema: &Value) -> Option<Simple> {
    let text = |name: &str| schema.get(name).and_then(Value::as_str);
    let number = |name: &str| schema.get(name).and_then(Value::as_number).map(ToString::to_string);
    let mut facets = Vec::new();
    let mut facet = |name, value: Option<String>| facets.extend(value.map(|value| (name, value)));
    let base = match kind {
        "boolean" => Base::Boolean,
        "integer" => {
            let (name, least, most) = whole(text("format"));
            facet("minInclusive", number("minimum").filter(|value| value != least));
            facet("maxInclusive", number("maximum").filter(|value| value != most));
            Base::Number(name)
        }
        "number" => {
            // XML Schema has NaN and infinities, and JSON has not: a bound excludes them.
            facet("minInclusive", Some(number("minimum").unwrap_or_else(|| format!("-{GREATEST}"))));
            facet("maxInclusive", Some(number("maximum").unwrap_or_else(|| GREATEST.to_owned())));
            Base::Number("double")
        }
        "string" if text("format") == Some("date-time") => {
            // A time needs a zone and the grammar of RFC 3339.
            let pattern = text("pattern").and_then(pattern::translate);
            facet("pattern", pattern.or_else(|| Some(r".*(Z|[+\-][0-9]{2}:[0-9]{2})".to_owned())));
            Base::Time
        }
        "string" if text("contentEncoding") == Some("base64") => Base::Bytes,
        "string" => {
            facet("minLength", number("minLength"));
            facet("maxLength", number("maxLength"));
            facet("pattern", text("pattern").and_then(pattern::translate));
            Base::Text
        }
        _ => return None,
    };
    Some(Simple { base, facets, values: Vec::new() })
}

/// The XML Schema type of an integer format, with its bounds.
fn whole(format: Option<&str>) -> (&'static str, &'static str, &'static str) {
    match format {
        Some("uint8") => ("unsignedByte", "0", "255"),
        Some("int8") => ("byte", "-128", "127"),
        Some("uint16") => ("unsignedShort", "0", "65535"),
        Some("int16") => ("short", "-32768", "32767"),
        Some("uint32") => ("unsignedInt", "0", "4294967295"),
        Some("int32") => ("int", "-2147483648", "2147483647"),
        _ => ("long", "", ""),
    }
}
