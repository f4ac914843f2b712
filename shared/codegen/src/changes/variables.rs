//! Compares types of GraphQL variables: a document states the type of each by its name, so that another name breaks
//! it even if the same values are accepted.

use serde_json::Value;

use super::{Changes, Document, Effect, Styles, code, list, members, object, schema::Pair};

/// The maximum depth of types: those of inputs are far less deep.
const MAX_DEPTH: usize = 16;

/// Compares the names of the types within two inputs.
pub(super) fn compare(pair: Pair<'_>, place: &str, changes: &mut Changes) {
    below(pair, place, 0, changes);
}

fn below(pair: Pair<'_>, place: &str, depth: usize, changes: &mut Changes) {
    let ((old, before), (new, after)) = (pair.old, pair.new);
    if depth > MAX_DEPTH {
        return;
    }
    let (before, after) = (without_null(before), without_null(after));
    let (was, is) = (name(old, before), name(new, after));
    if let (Some(was), Some(is)) = (&was, &is)
        && was != is
    {
        let sentence = format!("{} is of the type {}, and was of {}.", code(place), code(is), code(was));
        changes.breaks(Styles::GRAPHQL, Effect::Note, sentence);
    }
    let (before, after) = (resolved(old, before), resolved(new, after));
    let pair = |before, after| Pair { old: (old, before), new: (new, after) };
    for (field, was, is) in members(object(&before["properties"]), object(&after["properties"])) {
        if !was.is_null() && !is.is_null() {
            below(pair(was, is), &format!("{place}.{field}"), depth + 1, changes);
        }
    }
    if let (Some(was), Some(is)) = (before.get("items"), after.get("items")) {
        below(pair(was, is), &format!("{place}[]"), depth + 1, changes);
    }
}

/// The name that a type has in GraphQL, if it has one of its own: integers by their range, ids, enumerations and
/// objects by the name of the type.
fn name(document: &Document<'_>, schema: &Value) -> Option<String> {
    let target = resolved(document, schema);
    let is = |kind: &str| target["type"] == kind || list(&target["type"]).iter().any(|one| one == kind);
    if is("integer") {
        let bound = |name: &str| target.get(name).and_then(Value::as_i64);
        let name = match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) if least >= i32::MIN.into() && most <= i32::MAX.into() => "Int",
            (Some(0..), Some(most)) if most <= u32::MAX.into() => "UnsignedInt",
            _ => "SafeInteger",
        };
        return Some(name.to_owned());
    }
    let is_named =
        target["format"] == "uuid" || is("object") || target.get("oneOf").is_some() || target.get("enum").is_some();
    let reference = schema["$ref"].as_str().filter(|_| is_named)?;
    reference.rsplit('/').next().map(str::to_owned)
}

fn without_null(schema: &Value) -> &Value {
    let choices = list(&schema["anyOf"]);
    match choices.iter().find(|choice| choice["type"] != "null") {
        Some(choice) if choices.len() == 2 => choice,
        _ => schema,
    }
}

fn resolved<'a>(document: &Document<'a>, schema: &'a Value) -> &'a Value {
    schema["$ref"].as_str().and_then(|reference| document.named(reference)).unwrap_or(schema)
}
