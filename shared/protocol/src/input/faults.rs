//! Collects all faults of an input. serde stops at the first fault; here each part of a value is examined by its own
//! type, so that all faults are reported together.

use std::{collections::HashSet, fmt};

use garde::Report;
use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::{FieldFault, fault::shortened};

/// The maximum number of reported faults of one input.
pub const MAX_FAULTS: usize = 100;

/// The message for a duplicate member.
pub const DUPLICATE: &str = "is given more than once";

/// A position in the input that is being examined, and the faults found so far.
#[derive(Debug)]
pub struct Faults {
    path: String,
    found: Vec<FieldFault>,
    /// The paths of duplicate members, up to [`MAX_FAULTS`] of them.
    duplicates: HashSet<String>,
    /// Whether validation rules apply here: they do below a field with `dive`.
    has_rules: bool,
}

/// A field of a structure, as `#[wire]` generates it.
#[derive(Clone, Copy)]
pub struct Member {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether the member may be absent.
    pub optional: bool,
    /// Whether the rules of the nested value apply as well.
    pub dives: bool,
    /// Examines the member's value.
    pub examine: fn(&mut Value, &mut Faults),
    /// The member's own rules; they apply to readable values only.
    pub rules: Option<fn(&Value) -> Option<Report>>,
}

impl Faults {
    pub(super) fn new(duplicates: HashSet<String>) -> Self {
        Self { path: String::new(), found: Vec::new(), duplicates, has_rules: true }
    }

    /// The faults that were found. If there are none, but a duplicate member stands in a place that no type examines,
    /// that duplicate is the fault: an ambiguous input is never accepted.
    pub(super) fn into_found(self) -> Vec<FieldFault> {
        if self.found.is_empty() {
            let mut duplicates: Vec<String> = self.duplicates.into_iter().collect();
            duplicates.sort_unstable();
            return duplicates.into_iter().map(|path| FieldFault { path, message: DUPLICATE.to_owned() }).collect();
        }
        self.found
    }

    /// Whether the maximum is reached: nothing more is examined then.
    fn is_full(&self) -> bool {
        self.found.len() >= MAX_FAULTS
    }

    /// Reports a fault at this position.
    pub fn push(&mut self, message: impl Into<String>) {
        if !self.is_full() {
            self.found.push(FieldFault { path: self.path.clone(), message: message.into() });
        }
    }

    /// Reports that another kind of value was expected at this position.
    pub fn expected(&mut self, expected: &str, found: &Value) {
        self.push(format!("expected {expected}, found {}", kind_of(found)));
    }

    /// Expects a value that the type deserializes by itself.
    pub fn value<T: DeserializeOwned>(&mut self, value: &Value) {
        if let Err(error) = T::deserialize(value) {
            self.push(in_terms_of_json(&error.to_string(), value));
        }
    }

    /// Expects a list.
    pub fn items(&mut self, value: &mut Value, examine: fn(&mut Value, &mut Self)) {
        let Value::Array(items) = value else { return self.expected("an array", value) };
        for (place, item) in items.iter_mut().enumerate() {
            if self.is_full() {
                return;
            }
            self.within(&format!("[{place}]"), |faults| examine(item, faults));
        }
    }

    /// Expects a map.
    pub fn entries<K: DeserializeOwned>(&mut self, value: &mut Value, examine: fn(&mut Value, &mut Self)) {
        let Value::Object(entries) = value else { return self.expected("an object", value) };
        for (key, value) in entries {
            if self.is_full() {
                return;
            }
            self.below(key, |faults| {
                if faults.duplicates.contains(&faults.path) {
                    return faults.push(DUPLICATE);
                }
                faults.value::<K>(&Value::from(key.as_str()));
                examine(value, faults);
            });
        }
    }

    /// Expects one of these texts.
    pub fn one_of(&mut self, value: &Value, known: &[&str]) {
        if !value.as_str().is_some_and(|text| known.contains(&text)) {
            self.push(format!("expected {}", one_of(known)));
        }
    }

    /// Expects an object with these members.
    pub fn members(&mut self, value: &mut Value, known: &[Member]) {
        let Value::Object(members) = value else { return self.expected("an object", value) };
        for name in members.keys().filter(|name| known.iter().all(|member| member.name != name.as_str())) {
            if self.is_full() {
                return;
            }
            self.below(name, |faults| match known {
                [] => faults.push("unknown member: there are none here"),
                known => {
                    let names: Vec<&str> = known.iter().map(|member| member.name).collect();
                    faults.push(format!("unknown member: expected {}", one_of(&names)));
                }
            });
        }
        for member in known {
            self.below(member.name, |faults| match members.get_mut(member.name) {
                None if member.optional => {}
                None => faults.push("is required"),
                Some(value) => faults.member(value, member),
            });
        }
    }

    /// Expects a tagged union, and examines the members beside the tag by the variant's name.
    pub fn variant(&mut self, value: &mut Value, known: &[&str], look: impl FnOnce(&str, &mut Value, &mut Self)) {
        let Value::Object(members) = value else { return self.expected("an object", value) };
        // The tag is removed meanwhile: a copy without it would cost one copy at each depth.
        let tag = members.remove(TAG);
        let name = tag.as_ref().and_then(Value::as_str).filter(|name| known.contains(name));
        self.below(TAG, |faults| match &tag {
            None => faults.push("is required"),
            Some(_) if faults.duplicates.contains(&faults.path) => faults.push(DUPLICATE),
            Some(tag) => faults.one_of(tag, known),
        });
        if let Some(name) = name {
            look(name, value, self);
        }
        if let (Value::Object(members), Some(tag)) = (value, tag) {
            members.insert(TAG.to_owned(), tag);
        }
    }

    /// Examines one member's value.
    pub fn member(&mut self, value: &mut Value, member: &Member) {
        if self.is_full() {
            return;
        }
        let before = self.found.len();
        if self.duplicates.contains(&self.path) {
            return self.push(DUPLICATE);
        }
        let has_rules = self.has_rules;
        self.has_rules &= member.dives;
        (member.examine)(value, self);
        self.has_rules = has_rules;
        let is_well_formed = self.found.len() == before;
        let report = member.rules.filter(|_| self.has_rules && !self.is_full()).and_then(|rules| rules(value));
        for (path, error) in report.iter().flat_map(Report::iter) {
            if self.is_full() {
                return;
            }
            // The nested value reports its own rules at its own position.
            if is_well_formed || path.is_empty() {
                self.within(&path.to_string(), |faults| faults.push(error.message()));
            }
        }
    }

    fn below(&mut self, name: &str, look: impl FnOnce(&mut Self)) {
        let separator = if self.path.is_empty() { "" } else { "." };
        self.within(&format!("{separator}{}", shortened(name)), look);
    }

    fn within(&mut self, step: &str, look: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(step);
        look(self);
        self.path.truncate(length);
    }
}

/// The tag of a tagged union.
const TAG: &str = "type";

fn one_of(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.len() > 1 { format!("one of {}", names.join(", ")) } else { names.concat() }
}

/// The kind of a value in terms of JSON.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() != 0.0) => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// serde's message in terms of JSON. It does not quote the value found: that may be a secret in the wrong place.
fn in_terms_of_json(message: &str, found: &Value) -> String {
    let is_of_type =
        ["invalid type: ", "invalid value: ", "invalid length "].iter().any(|start| message.starts_with(start));
    // The expected part is our own text; the found part may hold anything.
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    match expected {
        Some(expected) if is_of_type => match integers(expected) {
            Some(range) if found.is_number() && kind_of(found) != "a fraction" => {
                format!("expected an integer {range}")
            }
            Some(_) => format!("expected an integer, found {}", kind_of(found)),
            None => format!("expected {}, found {}", in_json(expected), kind_of(found)),
        },
        _ if is_of_type || message.starts_with("unknown variant ") => "expected another value".to_owned(),
        _ => message.to_owned(),
    }
}

/// The range of a Rust integer type, if the name is one.
fn integers(name: &str) -> Option<String> {
    Some(match name {
        "i8" => "from -128 to 127".to_owned(),
        "i16" => format!("from {} to {}", i16::MIN, i16::MAX),
        "i32" => format!("from {} to {}", i32::MIN, i32::MAX),
        "i64" => "from -(2^53 - 1) to 2^53 - 1".to_owned(),
        "u8" => "from 0 to 255".to_owned(),
        "u16" => format!("from 0 to {}", u16::MAX),
        "u32" => format!("from 0 to {}", u32::MAX),
        _ => return None,
    })
}

/// A Rust type that serde expected, in terms of JSON.
fn in_json(expected: &str) -> &str {
    match expected {
        "f32" | "f64" => "a number",
        "unit" => "null",
        "string" | "a borrowed string" => "a string",
        "a sequence" => "an array",
        "a map" => "an object",
        "a boolean" => "`true` or `false`",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

/// A JSON value, with details that `serde_json::Value` does not keep.
pub(super) struct Tree {
    pub(super) value: Value,
    /// The paths of duplicate members, up to [`MAX_FAULTS`] of them. The last one counts.
    pub(super) duplicates: HashSet<String>,
    /// The paths of numbers out of range, up to [`MAX_FAULTS`] of them.
    pub(super) beyond: Vec<String>,
}

/// Parses JSON. A number without a fraction is an integer, in any notation (JSON Schema 2020-12 core, section 4.2.1:
/// `10.0` is `10`).
///
/// # Errors
/// When the text is not JSON.
pub(super) fn tree(text: &[u8]) -> serde_json::Result<Tree> {
    match read(text, false) {
        // The text is JSON all the same (RFC 8259 section 6): only that number is at fault, and other faults are
        // reported as well.
        Err(error) if is_out_of_range(&error) => read(&bounded(text), true),
        read => read,
    }
}

fn read(text: &[u8], is_bounded: bool) -> serde_json::Result<Tree> {
    let mut reader = Reader { path: String::new(), duplicates: HashSet::new(), is_bounded, beyond: Vec::new() };
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = reader.deserialize(&mut json)?;
    json.end()?;
    Ok(Tree { value, duplicates: reader.duplicates, beyond: reader.beyond })
}

fn is_out_of_range(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("number out of range")
}

/// The replacement of a number out of range: no longer than the shortest of them.
const BOUND: &[u8] = b"1e308";

/// The text with [`BOUND`] in place of each number out of range; everything else keeps its position.
fn bounded(text: &[u8]) -> Vec<u8> {
    let (mut bounded, mut at, mut is_text) = (text.to_vec(), 0, false);
    while at < text.len() {
        match text[at] {
            b'\\' if is_text => at += 1,
            b'"' => is_text = !is_text,
            b'-' | b'0'..=b'9' if !is_text => {
                let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = text[at..].iter().take_while(|byte| is_of_number(byte)).count();
                let number = &mut bounded[at..at + length];
                if serde_json::from_slice::<f64>(number).is_err_and(|error| is_out_of_range(&error)) {
                    number.fill(b' ');
                    number[..BOUND.len()].copy_from_slice(BOUND);
                }
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    bounded
}

struct Reader {
    path: String,
    duplicates: HashSet<String>,
    /// Whether [`BOUND`] stands for numbers out of range.
    is_bounded: bool,
    beyond: Vec<String>,
}

impl Reader {
    fn within<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(step);
        let read = read(self);
        self.path.truncate(length);
        read
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reader {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// The greatest integer that every JSON number holds exactly, as a floating-point number.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

impl<'de> Visitor<'de> for &mut Reader {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    #[allow(clippy::cast_possible_truncation)]
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if self.is_bounded && value >= 1e308 && self.beyond.len() < MAX_FAULTS {
            self.beyond.push(self.path.clone());
        }
        let is_integer = value.fract() == 0.0 && value.abs() <= MAX_EXACT;
        Ok(if is_integer { (value as i64).into() } else { value.into() })
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = self.within(&format!("[{}]", items.len()), |reader| list.next_element_seed(reader))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let separator = if self.path.is_empty() { "" } else { "." };
            let step = format!("{separator}{}", shortened(&name));
            let value = self.within(&step, |reader| {
                if reader.duplicates.len() < MAX_FAULTS && members.contains_key(&name) {
                    reader.duplicates.insert(reader.path.clone());
                }
                map.next_value_seed(reader)
            })?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}
