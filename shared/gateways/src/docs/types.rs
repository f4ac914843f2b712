//! Renders types for people.

use protocol::{contract::Contract, escape};
use serde_json::Value;

use crate::{names::Names, words::docs_of_value};

/// Writes types as HTML.
pub struct Types<'a> {
    pub contract: &'a Contract,
    pub names: Names,
}

/// The maximum nesting of types in one line.
const MAX_DEPTH: usize = 16;

impl Types<'_> {
    /// A type reference in one line: `User[]`, `string | null`.
    pub fn line(&self, schema: &Value) -> String {
        self.at(schema, 0)
    }

    fn at(&self, schema: &Value, depth: usize) -> String {
        if depth > MAX_DEPTH {
            return "…".to_owned();
        }
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        if let Some(reference) = text("$ref") {
            let name = escape::html(self.names.get(reference).unwrap_or(reference));
            return format!("<a href=\"#type-{name}\">{name}</a>");
        }
        if let Some(constant) = schema.get("const") {
            return literal(constant);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.iter().map(literal).collect::<Vec<_>>().join(" | ");
        }
        for (key, between) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " &amp; ")] {
            if let Some(branches) = schema.get(key).and_then(Value::as_array) {
                return branches.iter().map(|branch| self.at(branch, depth + 1)).collect::<Vec<_>>().join(between);
            }
        }
        match schema.get("type") {
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str).map(|kind| self.kind(schema, kind, depth));
                kinds.collect::<Vec<_>>().join(" | ")
            }
            Some(Value::String(kind)) => self.kind(schema, kind, depth),
            _ if schema.get("properties").is_some() => self.kind(schema, "object", depth),
            _ => "anything".to_owned(),
        }
    }

    fn kind(&self, schema: &Value, kind: &str, depth: usize) -> String {
        match kind {
            "array" => {
                let entry = schema.get("items").map_or("anything".to_owned(), |items| self.at(items, depth + 1));
                if entry.contains(" | ") { format!("({entry})[]") } else { format!("{entry}[]") }
            }
            "object" => self.object(schema, depth),
            other => escape::html(other),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> String {
        let fields = fields(schema).into_iter().map(|(name, field, is_required)| {
            let mark = if is_required { "" } else { "?" };
            format!("{}{mark}: {}", escape::html(name), self.at(field, depth + 1))
        });
        let patterns = schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
        let entries = patterns.map(|(_, entry)| entry);
        let entries = entries.chain(schema.get("additionalProperties").filter(|entry| entry.is_object()));
        let entries = entries.map(|entry| format!("[key]: {}", self.at(entry, depth + 1)));
        let members: Vec<String> = fields.chain(entries).collect();
        if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
    }

    /// The fields of a type with their descriptions; or the members of a union; or the type itself. Fields in `order`
    /// come in that order.
    pub fn whole(&self, schema: &Value, order: &[String]) -> String {
        let mut fields = fields(schema);
        fields.sort_by_key(|(name, ..)| order.iter().position(|known| known == name));
        if !fields.is_empty() {
            let rows = fields.into_iter().map(|(name, field, is_required)| self.row(name, field, is_required));
            return format!(
                "<table><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Type</th>\
                 <th scope=\"col\">What it is</th></tr></thead><tbody>{}</tbody></table>",
                rows.collect::<String>()
            );
        }
        if let Some(variants) = schema.get("oneOf").and_then(Value::as_array) {
            let variant = |variant: &Value| {
                let docs = inline(variant.get("description").and_then(Value::as_str).unwrap_or_default());
                format!("<dt><code>{}</code></dt><dd>{docs}</dd>", self.line(variant))
            };
            return format!("<dl>{}</dl>", variants.iter().map(variant).collect::<String>());
        }
        if let (Some(Value::Array(values)), Some(_)) = (schema.get("enum"), schema.get("x-enumDescriptions")) {
            let one = |value: &Value| {
                let docs = value.as_str().and_then(|value| docs_of_value(schema, value)).unwrap_or_default();
                format!("<dt><code>{}</code></dt><dd>{}</dd>", literal(value), inline(docs))
            };
            return format!("<dl>{}</dl>", values.iter().map(one).collect::<String>());
        }
        let limits = limits(schema);
        let limits = if limits.is_empty() { limits } else { format!(" <span class=\"limits\">{limits}</span>") };
        format!("<p><code>{}</code>{limits}</p>", self.line(schema))
    }

    fn row(&self, name: &str, field: &Value, is_required: bool) -> String {
        let optional = if is_required { "" } else { " <span class=\"limits\">may be left out</span>" };
        let docs = inline(field.get("description").and_then(Value::as_str).unwrap_or_default());
        let limits = limits(field);
        let limits = if limits.is_empty() { limits } else { format!("<br><span class=\"limits\">{limits}</span>") };
        format!(
            "<tr><th scope=\"row\"><code>{}</code>{optional}</th><td><code>{}</code>{limits}</td><td>{docs}</td></tr>",
            escape::html(name),
            self.line(field)
        )
    }
}

/// Name, schema and whether it is required, of each field.
fn fields(schema: &Value) -> Vec<(&str, &Value, bool)> {
    let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties.map(|(name, field)| (name.as_str(), field, required.iter().any(|known| known == name))).collect()
}

fn literal(value: &Value) -> String {
    escape::html(&value.to_string())
}

/// The limits of a value.
fn limits(schema: &Value) -> String {
    let number = |key: &str| schema.get(key).map(ToString::to_string);
    let range = |least: Option<String>, most: Option<String>, of: &str| match (least, most) {
        (None, None) => None,
        (Some(least), None) => Some(format!("at least {least}{of}")),
        (None, Some(most)) => Some(format!("at most {most}{of}")),
        (Some(least), Some(most)) => Some(format!("{least} to {most}{of}")),
    };
    let format = schema.get("format").and_then(Value::as_str);
    let format = format.filter(|format| !format.contains("int")).map(escape::html);
    // The full range of a number is not worth showing.
    let is_whole = format.is_none() && number("maximum").is_some_and(|most| most == u32::MAX.to_string());
    let value = if is_whole { None } else { range(number("minimum"), number("maximum"), "") };
    let parts = [
        format,
        value,
        range(number("minLength"), number("maxLength"), " characters"),
        range(number("minItems"), number("maxItems"), " entries"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A line of a doc comment, with the parts in backticks as code.
pub fn inline(text: &str) -> String {
    let mut html = String::new();
    for (place, part) in text.split('`').enumerate() {
        match place % 2 {
            0 => html.push_str(&escape::html(part)),
            _ => html.push_str(&format!("<code>{}</code>", escape::html(part))),
        }
    }
    html
}

/// A doc comment: paragraphs, and lists with dashes.
pub fn prose(text: &str) -> String {
    let paragraph = |paragraph: &str| match paragraph.strip_prefix("- ") {
        None => format!("<p>{}</p>", inline(paragraph)),
        Some(list) => {
            let entries = list.split("\n- ").map(|entry| format!("<li>{}</li>", inline(entry)));
            format!("<ul>{}</ul>", entries.collect::<String>())
        }
    };
    text.split("\n\n").filter(|part| !part.trim().is_empty()).map(paragraph).collect()
}
