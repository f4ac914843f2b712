//! Compares one procedure, for its callers in each style.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Changes, Effect, Styles, code, list, members, object, pairs,
    rights::{fresh, grants, mail, reach, sensitive},
    schema::{self, Direction, Pair},
    shown, variables, was_and_is,
};

/// Compares two contracts of one procedure.
pub(super) fn compare(pair: Pair<'_>, changes: &mut Changes) {
    let Pair { old: (old, before), new: (new, after) } = pair;
    let in_pair = |before, after| Pair { old: (old, before), new: (new, after) };
    for (member, before, after) in members(object(before), object(after)) {
        match member.as_str() {
            "name" => {}
            // Earlier contracts do not state it.
            "function" if before.is_null() => {}
            "function" => changes.note_member(Effect::Note, &member, before, after),
            "docs" if before != after => changes.add(Effect::Note, "is documented in other words."),
            // In REST, the route states the method.
            "kind" => {
                changes.note_member(Effect::Breaking(Styles::TYPESCRIPT | Styles::GRAPHQL), "kind", before, after)
            }
            "auth" => auth(before, after, changes),
            "rest" => route("REST route", Styles::REST, before, after, changes),
            // Earlier contracts do not state it; a route that comes or goes is reported itself.
            "restAnswer" if before.is_null() || after.is_null() => {}
            "restAnswer" => rest_answer(before, after, changes),
            "http" => own_route(before, after, changes),
            // Earlier contracts do not state it; a path that comes or goes is reported itself.
            "errors" if before.is_null() || after.is_null() => {}
            "errors" => changes.note_member(Effect::Breaking(Styles::OWN), &member, before, after),
            "sensitive" => sensitive(before, after, changes),
            "freshSeconds" => fresh(before, after, changes),
            "secrets" | "outbound" => {}
            // Earlier contracts do not state it.
            "configs" if list(before) == list(after) => {}
            "configs" => changes.note_member(Effect::Note, &member, before, after),
            "grants" => grants(list(before), list(after), changes),
            "mail" => mail(before, after, changes),
            "input" => input(in_pair(before, after), changes),
            "output" => output(in_pair(before, after), changes),
            "failures" => failures(in_pair(before, after), changes),
            "inputFields" => positions(list(before), list(after), changes),
            "inputOptional" => {}
            // Earlier contracts do not state it.
            "forApplications" if before.is_null() => {}
            "forApplications" => changes.note_member(Effect::Rights, &member, before, after),
            "session" | "timeoutMs" | "memoryMb" | "reservedConcurrency" | "cacheSeconds" => {
                changes.note_member(Effect::Note, &member, before, after);
            }
            _ if before != after => changes.unjudged(&code(&member)),
            _ => {}
        }
    }
    reach(before, after, changes);
    input_optional(before, after, changes);
}

fn input(pair: Pair<'_>, changes: &mut Changes) {
    match (pair.old.1, pair.new.1) {
        (Value::Null, Value::Null) => {}
        // Without an input, nothing, null and `{}` are accepted.
        (Value::Null, now) if needs_nothing(now) => {
            changes.add(Effect::Compatible, "takes an input that may be left out.")
        }
        (Value::Null, _) => changes.add(Effect::Breaking(Styles::ALL), "needs an input, and took none."),
        (_, Value::Null) => changes.add(Effect::Breaking(Styles::ALL), "takes no input any more."),
        _ => {
            schema::compare(pair, Direction::Input, "input", changes);
            variables::compare(pair, "input", changes);
        }
    }
}

fn output(pair: Pair<'_>, changes: &mut Changes) {
    match (pair.old.1, pair.new.1) {
        (Value::Null, Value::Null) => {}
        // It was a 204, a field without a selection, an element without content.
        (Value::Null, _) => {
            let styles = Styles::REST | Styles::GRAPHQL | Styles::SOAP;
            changes.breaks(styles, Effect::Compatible, "has an output, and had none.");
        }
        (_, Value::Null) => changes.add(Effect::Breaking(Styles::ALL), "has no output any more."),
        _ => schema::compare(pair, Direction::Output, "output", changes),
    }
}

/// Whether `{}` is a valid input.
fn needs_nothing(input: &Value) -> bool {
    input.is_null() || list(&input["required"]).is_empty()
}

/// Reports the change only if the input itself does not show it.
fn input_optional(before: &Value, after: &Value, changes: &mut Changes) {
    let follows = |procedure: &Value| procedure["inputOptional"] == needs_nothing(&procedure["input"]);
    let (was, is) = (&before["inputOptional"], &after["inputOptional"]);
    if was != is && !(follows(before) && follows(after)) {
        let effect = if *is == true { Effect::Compatible } else { Effect::Breaking(Styles::ALL) };
        changes.note_member(effect, "inputOptional", was, is);
    }
}

/// A rank of the policies: a greater one admits fewer callers.
fn strictness(auth: &Value) -> Option<u8> {
    match auth["type"].as_str()? {
        "public" => Some(0),
        "signedIn" => Some(1),
        "permission" => Some(2),
        _ => None,
    }
}

/// Describes who may call.
pub(super) fn who(auth: &Value) -> String {
    match (auth["type"].as_str(), auth["permission"].as_str()) {
        (Some("public"), _) => "anybody".to_owned(),
        (Some("signedIn"), _) => "anybody who is signed in".to_owned(),
        (Some("permission"), Some(permission)) => {
            let own = if auth["own"] == true { ", for all items or their own" } else { "" };
            format!("callers with the permission {}{own}", code(permission))
        }
        _ => code(&auth.to_string()),
    }
}

fn auth(before: &Value, after: &Value, changes: &mut Changes) {
    if before == after {
        return;
    }
    let sentence = format!("could be called by {}, and now by {}.", who(before), who(after));
    let wider = before["permission"] == after["permission"] && before["own"] != true && after["own"] == true;
    let effect = match (strictness(before), strictness(after)) {
        (Some(2), Some(2)) if wider => Effect::Rights,
        (Some(was), Some(is)) if is < was => Effect::Rights,
        (Some(_), Some(_)) => Effect::Breaking(Styles::ALL),
        _ => Effect::Unjudged,
    };
    changes.add(effect, sentence);
}

fn route(what: &str, style: Styles, before: &Value, after: &Value, changes: &mut Changes) {
    let breaking = Effect::Breaking(style);
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Null, route) => changes.add(Effect::Compatible, format!("has the {what} {}.", shown(route))),
        (route, Value::Null) => changes.add(breaking, format!("has lost its {what} {}.", shown(route))),
        // Clients see the value of a parameter, and not its name.
        _ if address(before) == address(after) => changes
            .add(Effect::Note, format!("names what is in its {what} otherwise: it {}.", was_and_is(before, after))),
        _ => changes.add(breaking, format!("has another {what}: it {}.", was_and_is(before, after))),
    }
}

/// The route without names: `GET /v1/orders/{}`.
fn address(route: &Value) -> Option<String> {
    let mut parts = route.as_str()?.split('{');
    let first = parts.next()?.to_owned();
    Some(parts.fold(first, |address, part| address + "{}" + part.split_once('}').map_or(part, |(_, rest)| rest)))
}

/// Compares what a route's responses state in addition to the output. Clients rely on what was there, and ignore
/// additions.
fn rest_answer(before: &Value, after: &Value, changes: &mut Changes) {
    let breaking = Effect::Breaking(Styles::REST);
    let status = |answer: &Value| if answer["created"] == true { 201 } else { 200 };
    if status(before) != status(after) {
        let sentence = format!("answers {} to a call that succeeds, and answered {}.", status(after), status(before));
        changes.add(breaking, sentence);
    }
    for (member, header) in [("location", "Location"), ("etag", "ETag"), ("link", "Link")] {
        match (before[member] == true, after[member] == true) {
            (true, false) => changes.add(breaking, format!("has no `{header}` in its answers any more.")),
            (false, true) => changes.add(Effect::Compatible, format!("has `{header}` in its answers.")),
            _ => {}
        }
    }
    match (before["ifMatch"] == true, after["ifMatch"] == true) {
        (true, false) => changes.add(breaking, "takes no `If-Match` any more."),
        (false, true) => changes.add(Effect::Compatible, "takes `If-Match`."),
        _ => {}
    }
}

/// A procedure that gets `http` leaves all styles, and the other way round.
fn own_route(before: &Value, after: &Value, changes: &mut Changes) {
    route("route of its own", Styles::OWN, before, after, changes);
    if before.is_null() && !after.is_null() {
        changes.add(Effect::Breaking(Styles::IN_STYLES), "is in no style of API any more.");
    }
}

/// JSON-RPC takes an input by position as well: new fields must come after the existing ones. Removed fields are
/// reported where the input is compared.
fn positions(before: &[Value], after: &[Value], changes: &mut Changes) {
    let is_there = |field: &&Value| after.contains(field);
    if after.starts_with(before) || !before.iter().all(|field| is_there(&field)) {
        return;
    }
    let names = |fields: &[Value]| fields.iter().map(shown).collect::<Vec<_>>().join(", ");
    let sentence = format!("takes its input by position as {}, and took {}.", names(after), names(before));
    changes.add(Effect::Breaking(Styles::JSON_RPC), sentence);
}

fn failures(pair: Pair<'_>, changes: &mut Changes) {
    let by_type = |failures| -> BTreeMap<String, &Value> {
        list(failures)
            .iter()
            .map(|failure| (failure["type"].as_str().unwrap_or_default().to_owned(), failure))
            .collect()
    };
    for (name, before, after) in pairs(&by_type(pair.old.1), &by_type(pair.new.1)) {
        let what = format!("failure {}", code(&name));
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => (before, after),
            (_, None) => {
                // GraphQL documents name the member of the union, whose type no longer exists.
                let sentence = format!("{what} is not given any more.");
                changes.breaks(Styles::GRAPHQL, Effect::Compatible, sentence);
                continue;
            }
            (None, Some(after)) => {
                let sentence = format!("{what} is new, with the code {}.", shown(&after["code"]));
                changes.breaks(Styles::EXHAUSTIVE, Effect::Caution(Styles::ALL), sentence);
                continue;
            }
        };
        for (member, was, is) in members(object(before), object(after)) {
            match member.as_str() {
                "type" => {}
                "docs" if was != is => changes.add(Effect::Note, format!("{what} is documented in other words.")),
                "code" | "httpStatus" if was != is => {
                    changes.add(
                        Effect::Breaking(Styles::ALL),
                        format!("{what}: {} {}.", code(&member), was_and_is(was, is)),
                    );
                }
                "schema" => {
                    let schemas = Pair { old: (pair.old.0, was), new: (pair.new.0, is) };
                    schema::compare(schemas, Direction::Output, "failure", changes);
                }
                _ if was != is => changes.unjudged(&format!("{what}: {}", code(&member))),
                _ => {}
            }
        }
    }
}
