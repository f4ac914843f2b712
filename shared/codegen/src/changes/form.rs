//! The alternatives of a JSON Schema: its unions, lists of types and lists of values in one form.

use serde_json::{Map, Value};

use super::{Document, as_set, code, list, object, shown};

/// Members that describe and do not restrict.
pub(super) const DESCRIPTIONS: [&str; 6] =
    ["$comment", "deprecated", "description", "examples", "title", "x-enumDescriptions"];

/// A schema with its references inlined, and with lists sorted whose order has no meaning.
pub(super) fn whole((document, schema): (&Document<'_>, &Value), described: bool) -> Value {
    fn expand(document: &Document<'_>, value: &Value, described: bool, open: &mut Vec<String>) -> Value {
        match value {
            Value::Array(members) => members.iter().map(|member| expand(document, member, described, open)).collect(),
            Value::Object(members) => {
                let mut expanded = Map::new();
                for (name, member) in members {
                    match (name.as_str(), member) {
                        ("$ref", Value::String(reference)) => {
                            let target = match open.iter().position(|one| one == reference) {
                                // A recursive type: the distance to its enclosing occurrence identifies it.
                                Some(at) => Value::from(open.len() - at),
                                None => {
                                    open.push(reference.clone());
                                    let target = document.named(reference).unwrap_or(&Value::Null);
                                    let target = expand(document, target, described, open);
                                    open.pop();
                                    target
                                }
                            };
                            expanded.insert(name.clone(), target);
                        }
                        (annotation, _) if !described && DESCRIPTIONS.contains(&annotation) => {}
                        // This default is how optional fields are written.
                        ("default", Value::Null) => {}
                        ("const" | "default", _) => {
                            expanded.insert(name.clone(), member.clone());
                        }
                        // Keys of fields are names, not keywords.
                        ("$defs" | "patternProperties" | "properties", Value::Object(fields)) => {
                            let mut expand = |field| expand(document, field, described, open);
                            let fields: Map<_, _> =
                                fields.iter().map(|(n, field)| (n.clone(), expand(field))).collect();
                            expanded.insert(name.clone(), fields.into());
                        }
                        ("anyOf" | "enum" | "oneOf" | "required" | "type", Value::Array(_)) => {
                            expanded.insert(name.clone(), as_set(&expand(document, member, described, open)));
                        }
                        _ => {
                            expanded.insert(name.clone(), expand(document, member, described, open));
                        }
                    }
                }
                // A schema of nothing but a reference equals its target.
                match (expanded.len(), expanded.remove("$ref")) {
                    (1, Some(target)) => target,
                    (_, Some(target)) => {
                        expanded.insert("$ref".into(), target);
                        expanded.into()
                    }
                    (_, None) => expanded.into(),
                }
            }
            other => other.clone(),
        }
    }
    expand(document, schema, described, &mut Vec::new())
}

/// One alternative of a value.
#[derive(Clone, Debug)]
pub(super) struct Alternative<'a> {
    pub form: Form,
    /// The schema of this alternative; for a union's member, that member's.
    pub schema: &'a Value,
    /// The named type that contains it.
    pub through: Option<&'a str>,
}

/// The identity of an alternative.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    Any,
    Value(Value),
    /// An object with a field that always has this value.
    Variant(String, Value),
    Type(String),
    Unknown,
}

impl Form {
    pub fn is_null(&self) -> bool {
        *self == Self::Type("null".into()) || *self == Self::Value(Value::Null)
    }

    pub fn is(&self, name: &str) -> bool {
        matches!(self, Self::Type(own) if own == name)
    }

    /// Whether it is a value or a variant: one more case of a union, which leaves types as they are.
    pub fn is_case(&self) -> bool {
        matches!(self, Self::Value(_) | Self::Variant(..)) && !self.is_null()
    }

    pub fn is_object(&self) -> bool {
        self.is("object") || matches!(self, Self::Variant(..))
    }

    /// Whether all values of the other form belong to this type as well.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Type(name), Self::Value(value)) => name == type_of(value) || (name == "number" && value.is_number()),
            (Self::Type(name), Self::Type(other)) => name == "number" && other == "integer",
            _ => false,
        }
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Any => "anything".into(),
            Self::Value(value) => shown(value),
            Self::Variant(field, value) => format!("the variant {}", code(&format!("{field}: {}", text(value)))),
            // The contract comes from a branch that nobody has reviewed.
            Self::Type(name) if !name.chars().all(|c| c.is_ascii_alphabetic()) => {
                format!("a value of type {}", code(name))
            }
            Self::Type(name) => format!("{} {name}", if name.starts_with(['a', 'i', 'o']) { "an" } else { "a" }),
            Self::Unknown => "something".into(),
        }
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Splits a schema into its alternatives.
pub(super) fn alternatives<'a>(
    document: &Document<'a>,
    schema: &'a Value,
    through: &[&'a str],
) -> Vec<Alternative<'a>> {
    let one = |form| vec![Alternative { form, schema, through: through.last().copied() }];
    let Some(members) = schema.as_object() else {
        return if *schema == Value::Bool(false) { Vec::new() } else { one(Form::Any) };
    };
    let restricts = |name: &str| name != "default" && !DESCRIPTIONS.contains(&name);
    let alone = |name: &str| !members.keys().any(|other| other != name && restricts(other));
    if let Some(Value::String(reference)) = members.get("$ref") {
        return match document.named(reference) {
            Some(target) if alone("$ref") && !through.contains(&reference.as_str()) => {
                alternatives(document, target, &[through, &[reference]].concat())
            }
            _ => one(Form::Unknown),
        };
    }
    for union in ["anyOf", "oneOf"] {
        if let Some(Value::Array(all)) = members.get(union) {
            return match alone(union) {
                true => all.iter().flat_map(|schema| alternatives(document, schema, through)).collect(),
                false => one(Form::Unknown),
            };
        }
    }
    if let Some(value) = members.get("const") {
        return one(Form::Value(value.clone()));
    }
    if let Some(Value::Array(values)) = members.get("enum") {
        return values.iter().flat_map(|value| one(Form::Value(value.clone()))).collect();
    }
    match members.get("type") {
        Some(Value::String(name)) => one(tag(members).unwrap_or_else(|| Form::Type(name.clone()))),
        Some(Value::Array(names)) => names.iter().flat_map(|name| one(Form::Type(text(name)))).collect(),
        _ if members.keys().any(|name| restricts(name)) => one(Form::Unknown),
        _ => one(Form::Any),
    }
}

/// The tag of a variant: a required field with one possible value.
fn tag(members: &Map<String, Value>) -> Option<Form> {
    let required = members.get("required").map(list)?;
    let is_required = |name: &str| required.iter().any(|one| one == name);
    let mut fields = object(members.get("properties")?).iter();
    let (field, schema) = fields.find(|(name, schema)| is_required(name) && schema.get("const").is_some())?;
    Some(Form::Variant(field.clone(), schema["const"].clone()))
}

/// Whether a schema restricts more than the type.
pub(super) fn is_limited(schema: &Value) -> bool {
    object(schema).keys().any(|name| !["default", "type"].contains(&&**name) && !DESCRIPTIONS.contains(&&**name))
}

/// An alternative of one side that covers one of the other.
pub(super) fn covering(wide: &[Alternative<'_>], narrow: &[Alternative<'_>]) -> Option<Form> {
    let covers = |form: &Form| narrow.iter().any(|one| form.covers(&one.form));
    wide.iter().map(|one| &one.form).find(|form| covers(form)).cloned()
}
