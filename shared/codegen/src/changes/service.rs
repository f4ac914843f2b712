//! Compares the members of the service as a whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Changes, Effect, Styles, code, document::Document, list, members, object, pairs, was_and_is};

/// Compares all members that do not belong to one procedure.
pub(super) fn compare(old: &Document<'_>, new: &Document<'_>, changes: &mut Changes) {
    for (member, before, after) in members(old.root, new.root) {
        match member.as_str() {
            // Procedures are compared one by one, and types where procedures refer to them.
            "$comment" | "format" | "procedures" | "inputTypes" | "outputTypes" => {}
            "service" if before != after => changes.add(
                Effect::Breaking(Styles::ALL),
                format!(
                    "The service {}: its stacks, its table and its addresses would be new ones.",
                    was_and_is(before, after)
                ),
            ),
            "table" => {
                for (member, before, after) in members(object(before), object(after)) {
                    changes.note_member(Effect::Note, &format!("table.{member}"), before, after);
                }
            }
            "npmPackage" if before != after && !before.is_null() => changes.add(
                Effect::Breaking(Styles::TYPESCRIPT),
                format!("The npm package {}: who imports it finds it under another name.", was_and_is(before, after)),
            ),
            "index" | "layout" | "operatorRole" if before != after && !before.is_null() => {
                let sentence = format!("{}: only the service's own commands go by it.", was_and_is(before, after));
                changes.add(Effect::Note, format!("{} {sentence}", code(&member)));
            }
            // A contract from before they were stated does not have them.
            "npmPackage" | "index" | "layout" | "operatorRole" => {}
            "session" if before != after => session(before, after, changes),
            "authorizationServer" if before != after => authorization_server(before, after, changes),
            "about" | "domains" if before != after => {
                changes.add(Effect::Note, format!("{} is other words in the documents.", code(&member)));
            }
            "about" | "domains" => {}
            "configs" => configs(object(before), object(after), changes),
            "entities" => entities(list(before), list(after), changes),
            "gateways" => gateways(list(before), list(after), changes),
            "passwordSignIn" if before != after => password_sign_in(before, after, changes),
            _ if before != after => changes.unjudged(&code(&member)),
            _ => {}
        }
    }
    for (name, _, after) in pairs(&old.type_names(), &new.type_names()) {
        if after.is_none() {
            let sentence = format!("The type {} is gone, which clients may name.", code(&name));
            changes.add(Effect::Caution(Styles::EXHAUSTIVE), sentence);
        }
    }
}

/// Compares the configurations, which the stages state: no caller sees them.
fn configs(before: &Map<String, Value>, after: &Map<String, Value>, changes: &mut Changes) {
    for (name, was, is) in members(before, after) {
        let what = match (was.is_null(), is.is_null()) {
            (true, _) => "is new: each stage states it.",
            (_, true) => "is gone: no stage may state it.",
            _ if was != is => "has another form: look at what the stages state.",
            _ => continue,
        };
        changes.add(Effect::Note, format!("The configuration {} {what}", code(&name)));
    }
}

/// Compares the entities that GraphQL resolves by id: documents select these fields.
fn entities(before: &[Value], after: &[Value], changes: &mut Changes) {
    let text = |entity: &Value, member: &str| code(entity[member].as_str().unwrap_or_default());
    let same = |one: &Value, other: &Value| one["name"] == other["name"] && one["id"] == other["id"];
    for gone in before.iter().filter(|entity| !after.iter().any(|other| same(entity, other))) {
        let (name, id) = (text(gone, "name"), text(gone, "id"));
        changes.add(Effect::Breaking(Styles::GRAPHQL), format!("GraphQL does not follow {id} to the {name} any more."));
    }
    for new in after.iter().filter(|entity| !before.iter().any(|other| same(entity, other))) {
        let (name, id) = (text(new, "name"), text(new, "id"));
        changes.add(Effect::Compatible, format!("GraphQL follows {id}: it gives the {name}."));
    }
    for (was, is) in before.iter().filter_map(|was| Some((was, after.iter().find(|is| same(was, is))?))) {
        changes.note_member(
            Effect::Note,
            &format!("entities.{}.loader", was["name"].as_str().unwrap_or_default()),
            &was["loader"],
            &is["loader"],
        );
    }
}

/// Compares the gateways' paths, which their callers use.
fn gateways(before: &[Value], after: &[Value], changes: &mut Changes) {
    let paths = |gateways: &[Value]| -> BTreeMap<String, Styles> {
        let of_one = |gateway: &Value| {
            let styles = styles_of(gateway);
            list(&gateway["paths"])
                .iter()
                .filter_map(move |path| Some((path.as_str()?.to_owned(), styles)))
                .collect::<Vec<_>>()
        };
        gateways.iter().flat_map(of_one).collect()
    };
    let named = |gateways: &[Value]| -> BTreeMap<String, Value> {
        let named = gateways.iter().filter_map(|gateway| Some((gateway["name"].as_str()?.to_owned(), gateway.clone())));
        named.collect()
    };
    for (name, was, is) in pairs(&named(before), &named(after)) {
        let (Some(was), Some(is)) = (was, is) else { continue };
        for (member, was, is) in members(object(was), object(is)) {
            // Paths are compared below, and procedures that come and go say so themselves.
            if !["paths", "invokes"].contains(&member.as_str()) {
                changes.note_member(Effect::Note, &format!("gateways.{name}.{member}"), was, is);
            }
        }
    }
    for (path, was, is) in pairs(&paths(before), &paths(after)) {
        match (was, is) {
            (Some(styles), None) => {
                let sentence = format!("Nothing answers at {} any more.", code(&path));
                changes.breaks(*styles, Effect::Caution(Styles::ALL), sentence);
            }
            (None, Some(_)) => changes.add(Effect::Note, format!("A gateway answers at {}.", code(&path))),
            _ => {}
        }
    }
}

/// The styles of a gateway. The documents' gateway has none.
fn styles_of(gateway: &Value) -> Styles {
    match gateway["name"].as_str() {
        _ if gateway["calls"] == false => Styles::NONE,
        Some("trpc") => Styles::TYPESCRIPT,
        Some("graphql") => Styles::GRAPHQL,
        Some("jsonrpc") => Styles::JSON_RPC,
        Some("soap") => Styles::SOAP,
        _ => Styles::ALL,
    }
}

/// Compares what `createSession` of the npm package relies on. A contract from before it existed does not have it,
/// and clients of that version do not either.
fn session(before: &Value, after: &Value, changes: &mut Changes) {
    match (before, after) {
        (Value::Null, _) => changes.add(Effect::Note, "It is stated how the client of the npm package signs in."),
        (_, Value::Null) => {
            let sentence = "The client of the npm package has no `createSession` any more.";
            changes.add(Effect::Breaking(Styles::TYPESCRIPT), sentence);
        }
        _ => changes.add(Effect::Note, "The client of the npm package signs in by other procedures or fields."),
    }
}

/// Compares how documents describe access for applications. The paths belong to procedures, which are compared
/// themselves.
fn authorization_server(before: &Value, after: &Value, changes: &mut Changes) {
    let sentence = match (before, after) {
        (Value::Null, _) => "It is stated how applications of others are let in (OAuth 2.1).",
        (_, Value::Null) => "Documents say no more how applications of others are let in (OAuth 2.1).",
        _ => "Applications of others are let in by other procedures (OAuth 2.1).",
    };
    changes.add(Effect::Note, sentence);
}

/// Compares the sign-in by a name and a password in a SOAP message (WS-Security).
fn password_sign_in(before: &Value, after: &Value, changes: &mut Changes) {
    match (before, after) {
        (Value::Null, _) => changes.add(Effect::Compatible, "Messages may say who calls by name and password."),
        (_, Value::Null) => {
            let sentence = "Messages may not say any more who calls by name and password.";
            changes.add(Effect::Breaking(Styles::SOAP), sentence);
        }
        _ => changes.add(Effect::Note, "Who calls by name and password is signed in by other procedures or fields."),
    }
}
