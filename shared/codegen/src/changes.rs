//! What changed between two contracts, judged for those who call: a pure comparison of JSON.
//!
//! [`compare`] names each change in one sentence; [`markdown`] prints them for a reviewer. Named types
//! are followed wherever procedures refer to them. What is not understood is [`Effect::Unjudged`]:
//! nothing that differs goes unmentioned.

mod form;
mod schema;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use protocol::contract::FORMAT;
use serde_json::{Map, Value};

use schema::{Direction, Pair};

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// A caller that worked may fail.
    Breaking,
    /// What callers send still works, and they may get what they have not seen before.
    Caution,
    /// This comparison cannot tell.
    Unjudged,
    /// Somebody may do more or less than before: callers, or a procedure with what is stored.
    Rights,
    /// Callers need not do anything.
    Compatible,
    /// Callers do not see it.
    Note,
}

/// In the order of the report.
const EFFECTS: [(Effect, &str); 6] = [
    (Effect::Breaking, "Breaking for callers"),
    (Effect::Caution, "May surprise old clients"),
    (Effect::Unjudged, "Changed in a way that this comparison does not judge"),
    (Effect::Rights, "Rights, to be reviewed"),
    (Effect::Compatible, "Compatible"),
    (Effect::Note, "Notes"),
];

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What it means.
    pub effect: Effect,
    /// Which procedure; none when it concerns the service.
    pub procedure: Option<String>,
    /// What changed, with the field: one sentence in Markdown.
    pub sentence: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.procedure {
            Some(procedure) => write!(f, "{}: {}", code(procedure), self.sentence),
            None => f.write_str(&self.sentence),
        }
    }
}

/// What changed from one contract to another, in the order of the report.
///
/// # Errors
/// Which of the two is no contract of the format that is understood here, and why.
pub fn compare(old: &Value, new: &Value) -> Result<Vec<Change>, String> {
    let old = Document::read(old).map_err(|fault| format!("the old contract {fault}"))?;
    let new = Document::read(new).map_err(|fault| format!("the new contract {fault}"))?;
    let mut changes = Changes { procedure: None, list: Vec::new() };
    service(&old, &new, &mut changes);
    for (name, before, after) in pairs(&old.procedures, &new.procedures) {
        changes.procedure = Some(name.clone());
        match (before, after) {
            (Some(before), Some(after)) => procedure(Pair { old: (&old, before), new: (&new, after) }, &mut changes),
            (Some(before), None) => {
                changes.add(Effect::Breaking, "is gone.");
                grants(list(&before["grants"]), &[], &mut changes);
                mail(&before["mail"], &Value::Null, &mut changes);
                reach(before, &Value::Null, &mut changes);
            }
            (None, Some(after)) => {
                changes.add(Effect::Compatible, format!("is new, and may be called by {}.", who(&after["auth"])));
                grants(&[], list(&after["grants"]), &mut changes);
                mail(&Value::Null, &after["mail"], &mut changes);
                reach(&Value::Null, after, &mut changes);
            }
            (None, None) => {}
        }
    }
    changes.list.sort();
    changes.list.dedup();
    Ok(changes.list)
}

/// The report, for people. It begins with a heading.
#[must_use]
pub fn markdown(changes: &[Change]) -> String {
    let mut text = "## Contract\n".to_owned();
    if changes.is_empty() {
        text.push_str("\nThe contract is unchanged.\n");
    }
    for (effect, heading) in EFFECTS {
        let these: Vec<_> = changes.iter().filter(|change| change.effect == effect).collect();
        if !these.is_empty() {
            text.push_str(&format!("\n### {heading}\n\n"));
        }
        for change in these {
            text.push_str(&format!("- {change}\n"));
        }
    }
    text
}

/// A contract whose outline was checked: procedures have names, and references lead to a type.
struct Document<'a> {
    root: &'a Map<String, Value>,
    procedures: BTreeMap<String, &'a Value>,
}

impl<'a> Document<'a> {
    fn read(contract: &'a Value) -> Result<Self, String> {
        let root = contract.as_object().ok_or("is no JSON object")?;
        let format = &root.get("format").ok_or("states no `format`")?;
        if **format != FORMAT {
            return Err(format!("has format {format}, and format {FORMAT} is understood here"));
        }
        let listed = root.get("procedures").and_then(Value::as_array).ok_or("has no list `procedures`")?;
        let mut procedures = BTreeMap::new();
        for procedure in listed {
            let name = procedure["name"].as_str().ok_or("has a procedure without a `name`")?;
            if procedures.insert(name.to_owned(), procedure).is_some() {
                return Err(format!("has two procedures named `{name}`"));
            }
        }
        let document = Self { root, procedures };
        match document.dangling(contract) {
            None => Ok(document),
            Some(reference) => Err(format!("refers to {reference}, which is not in it")),
        }
    }

    /// A reference that leads to no named type.
    fn dangling(&self, value: &Value) -> Option<String> {
        match value {
            Value::Array(members) => members.iter().find_map(|member| self.dangling(member)),
            Value::Object(members) => match members.get("$ref") {
                Some(Value::String(reference)) if self.named(reference).is_none() => Some(code(reference)),
                _ => members.values().find_map(|member| self.dangling(member)),
            },
            _ => None,
        }
    }

    /// What `#/outputTypes/User` stands for.
    fn named(&self, reference: &str) -> Option<&'a Value> {
        let (room, name) = reference.strip_prefix("#/")?.split_once('/')?;
        self.root.get(room).filter(|_| ["inputTypes", "outputTypes"].contains(&room))?.get(name)
    }

    /// The names of all types, whose declarations clients may import.
    fn type_names(&self) -> BTreeMap<String, ()> {
        let rooms = ["inputTypes", "outputTypes"].into_iter().filter_map(|room| self.root.get(room)?.as_object());
        rooms.flat_map(Map::keys).map(|name| (name.clone(), ())).collect()
    }
}

/// Collects changes of one procedure after the other.
struct Changes {
    procedure: Option<String>,
    list: Vec<Change>,
}

impl Changes {
    fn add(&mut self, effect: Effect, sentence: impl Into<String>) {
        let procedure = self.procedure.clone();
        self.list.push(Change { effect, procedure, sentence: sentence.into() });
    }

    fn unjudged(&mut self, what: &str) {
        self.add(Effect::Unjudged, format!("{what} changed."));
    }

    /// A member that is only told: what it was, and what it is.
    fn told(&mut self, effect: Effect, member: &str, before: &Value, after: &Value) {
        if before != after {
            self.add(effect, format!("{} {}.", code(member), was_and_is(before, after)));
        }
    }
}

fn service(old: &Document<'_>, new: &Document<'_>, changes: &mut Changes) {
    for (member, before, after) in members(old.root, new.root) {
        match member.as_str() {
            // Procedures are compared one by one, and types where procedures refer to them.
            "$comment" | "format" | "procedures" | "inputTypes" | "outputTypes" => {}
            "service" if before != after => changes.add(
                Effect::Breaking,
                format!(
                    "The service {}: its stacks, its table and its addresses would be new ones.",
                    was_and_is(before, after)
                ),
            ),
            "table" => {
                for (member, before, after) in members(object(before), object(after)) {
                    changes.told(Effect::Note, &format!("table.{member}"), before, after);
                }
            }
            "entities" => entities(list(before), list(after), changes),
            "gateways" => gateways(list(before), list(after), changes),
            _ if before != after => changes.unjudged(&code(&member)),
            _ => {}
        }
    }
    for (name, _, after) in pairs(&old.type_names(), &new.type_names()) {
        if after.is_none() {
            changes
                .add(Effect::Note, format!("The type {} is gone, which clients may import by its name.", code(&name)));
        }
    }
}

/// What GraphQL follows by its id.
fn entities(before: &[Value], after: &[Value], changes: &mut Changes) {
    for gone in before.iter().filter(|entity| !after.contains(entity)) {
        changes.unjudged(&format!(
            "What GraphQL follows by the id of {}",
            code(gone["name"].as_str().unwrap_or_default())
        ));
    }
    let is_new = |entity: &&Value| before.iter().all(|known| known["name"] != entity["name"]);
    for new in after.iter().filter(is_new) {
        let [name, id] = ["name", "id"].map(|member| code(new[member].as_str().unwrap_or_default()));
        changes.add(Effect::Note, format!("GraphQL follows {id}: it gives the {name}."));
    }
}

/// Whoever calls by a style calls at its paths.
fn gateways(before: &[Value], after: &[Value], changes: &mut Changes) {
    let paths = |gateways: &[Value]| -> Vec<String> {
        let paths = gateways.iter().flat_map(|gateway| list(&gateway["paths"]));
        paths.filter_map(|path| path.as_str().map(str::to_owned)).collect()
    };
    let (before, after) = (paths(before), paths(after));
    for path in before.iter().filter(|path| !after.contains(path)) {
        changes.add(Effect::Breaking, format!("Nothing answers at {} any more.", code(path)));
    }
    for path in after.iter().filter(|path| !before.contains(path)) {
        changes.add(Effect::Note, format!("A gateway answers at {}.", code(path)));
    }
}

fn procedure(pair: Pair<'_>, changes: &mut Changes) {
    let Pair { old: (old, before), new: (new, after) } = pair;
    let in_pair = |before, after| Pair { old: (old, before), new: (new, after) };
    for (member, before, after) in members(object(before), object(after)) {
        match member.as_str() {
            "name" => {}
            "docs" if before != after => changes.add(Effect::Note, "is documented in other words."),
            "kind" => changes.told(Effect::Breaking, "kind", before, after),
            "auth" => auth(before, after, changes),
            "rest" => route("REST route", before, after, changes),
            "http" => route("route of its own", before, after, changes),
            "sensitive" => sensitive(before, after, changes),
            "secrets" | "outbound" => {}
            "grants" => grants(list(before), list(after), changes),
            "mail" => mail(before, after, changes),
            "input" => input(in_pair(before, after), changes),
            "output" => output(in_pair(before, after), changes),
            "failures" => failures(in_pair(before, after), changes),
            "inputOptional" => {}
            "timeoutMs" | "memoryMb" | "reservedConcurrency" | "cacheSeconds" => {
                changes.told(Effect::Note, &member, before, after);
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
        // Without an input, nothing, null and `{}` are taken.
        (Value::Null, now) if needs_nothing(now) => {
            changes.add(Effect::Compatible, "takes an input that may be left out.")
        }
        (Value::Null, _) => changes.add(Effect::Breaking, "needs an input, and took none."),
        (_, Value::Null) => changes.add(Effect::Breaking, "takes no input any more."),
        _ => schema::compare(pair, Direction::Input, "input", changes),
    }
}

fn output(pair: Pair<'_>, changes: &mut Changes) {
    match (pair.old.1, pair.new.1) {
        (Value::Null, Value::Null) => {}
        (Value::Null, _) => changes.add(Effect::Compatible, "has an output, and had none."),
        (_, Value::Null) => changes.add(Effect::Breaking, "has no output any more."),
        _ => schema::compare(pair, Direction::Output, "output", changes),
    }
}

/// Whether `{}` is a value of an input.
fn needs_nothing(input: &Value) -> bool {
    input.is_null() || list(&input["required"]).is_empty()
}

/// Reported only where the input itself does not say it.
fn input_optional(before: &Value, after: &Value, changes: &mut Changes) {
    let follows = |procedure: &Value| procedure["inputOptional"] == needs_nothing(&procedure["input"]);
    let (was, is) = (&before["inputOptional"], &after["inputOptional"]);
    if was != is && !(follows(before) && follows(after)) {
        let effect = if *is == true { Effect::Compatible } else { Effect::Breaking };
        changes.told(effect, "inputOptional", was, is);
    }
}

/// How many callers a policy keeps out.
fn strictness(auth: &Value) -> Option<u8> {
    match auth["type"].as_str()? {
        "public" => Some(0),
        "signedIn" => Some(1),
        "permission" => Some(2),
        _ => None,
    }
}

fn who(auth: &Value) -> String {
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
        (Some(_), Some(_)) => Effect::Breaking,
        _ => Effect::Unjudged,
    };
    changes.add(effect, sentence);
}

fn route(what: &str, before: &Value, after: &Value, changes: &mut Changes) {
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Null, route) => changes.add(Effect::Compatible, format!("has the {what} {}.", shown(route))),
        (route, Value::Null) => changes.add(Effect::Breaking, format!("has lost its {what} {}.", shown(route))),
        _ => changes.add(Effect::Breaking, format!("has another {what}: it {}.", was_and_is(before, after))),
    }
}

/// A contract of an earlier format states none of these three.
fn sensitive(before: &Value, after: &Value, changes: &mut Changes) {
    match (*before == true, *after == true) {
        (false, true) => changes.add(Effect::Note, "looks at the session of a token in each call."),
        (true, false) => changes.add(Effect::Rights, "looks at the session of a token no more."),
        _ => {}
    }
}

/// What a function may reach besides what is stored.
fn reach(before: &Value, after: &Value, changes: &mut Changes) {
    words("reads the secret", &before["secrets"], &after["secrets"], changes);
    words("calls, outside the service,", &before["outbound"], &after["outbound"], changes);
}

fn words(what: &str, before: &Value, after: &Value, changes: &mut Changes) {
    let (before, after) = (list(before), list(after));
    for gone in before.iter().filter(|word| !after.contains(word)) {
        changes.add(Effect::Rights, format!("{what} {} no more.", shown(gone)));
    }
    for new in after.iter().filter(|word| !before.contains(word)) {
        changes.add(Effect::Rights, format!("{what} {}.", shown(new)));
    }
}

/// A contract from before there was mail does not state it.
fn mail(before: &Value, after: &Value, changes: &mut Changes) {
    match (*before == true, *after == true) {
        (false, true) => changes.add(Effect::Rights, "may send mail."),
        (true, false) => changes.add(Effect::Rights, "may send mail no more."),
        _ => {}
    }
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
                changes.add(Effect::Compatible, format!("{what} is not given any more."));
                continue;
            }
            (None, Some(after)) => {
                changes.add(Effect::Caution, format!("{what} is new, with the code {}.", shown(&after["code"])));
                continue;
            }
        };
        for (member, was, is) in members(object(before), object(after)) {
            match member.as_str() {
                "type" => {}
                "docs" if was != is => changes.add(Effect::Note, format!("{what} is documented in other words.")),
                "code" | "httpStatus" if was != is => {
                    changes.add(Effect::Breaking, format!("{what}: {} {}.", code(&member), was_and_is(was, is)));
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

/// Whatever changes in a grant is a matter of rights, members of later formats included.
fn grants(before: &[Value], after: &[Value], changes: &mut Changes) {
    let key = |grant: &Value| (grant["entity"].clone(), grant["prefix"].clone(), grant["access"].clone());
    let name = |grant: &Value| format!("{} on {}", shown(&grant["access"]), shown(&grant["entity"]));
    let mut gone: Vec<&Value> = before.iter().filter(|grant| !after.contains(grant)).collect();
    for grant in after.iter().filter(|grant| !before.contains(grant)) {
        let Some(at) = gone.iter().position(|other| key(other) == key(grant)) else {
            let what: Vec<_> = object(grant)
                .iter()
                .filter(|(member, _)| !["entity", "access", "prefix"].contains(&member.as_str()))
                .map(|(member, value)| format!("{} {}", code(member), shown(value)))
                .collect();
            changes.add(Effect::Rights, format!("gets the grant {}: {}.", name(grant), what.join(", ")));
            continue;
        };
        let other = gone.remove(at);
        for (member, was, is) in members(object(other), object(grant)) {
            if as_set(was) != as_set(is) {
                let change = format!("the grant {}: {} {}.", name(grant), code(&member), was_and_is(was, is));
                changes.add(Effect::Rights, change);
            }
        }
    }
    for grant in gone {
        changes.add(Effect::Rights, format!("loses the grant {}.", name(grant)));
    }
}

/// The order of a list of texts says nothing.
fn as_set(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Array(members) = &mut value {
        members.sort_by_key(ToString::to_string);
    }
    value
}

/// The members of two maps by name.
fn pairs<'m, T>(
    old: &'m BTreeMap<String, T>,
    new: &'m BTreeMap<String, T>,
) -> impl Iterator<Item = (String, Option<&'m T>, Option<&'m T>)> {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    old.keys().chain(added).map(|name| (name.clone(), old.get(name), new.get(name)))
}

/// The members of two objects by name; one that is not there is null.
fn members<'m>(
    old: &'m Map<String, Value>,
    new: &'m Map<String, Value>,
) -> impl Iterator<Item = (String, &'m Value, &'m Value)> {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    let of = |object: &'m Map<String, Value>, name| object.get(name).unwrap_or(&Value::Null);
    old.keys().chain(added).map(move |name| (name.clone(), of(old, name), of(new, name)))
}

fn object(value: &Value) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn was_and_is(before: &Value, after: &Value) -> String {
    match (before, after) {
        (Value::Null, after) => format!("was not stated and is {}", shown(after)),
        (before, Value::Null) => format!("was {} and is not stated", shown(before)),
        _ => format!("was {} and is {}", shown(before), shown(after)),
    }
}

/// A value as code in Markdown: texts without quotation marks.
fn shown(value: &Value) -> String {
    code(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// The longest text that is quoted, in characters.
const MAX_QUOTED: usize = 200;

/// Code in Markdown, on one line. What is in it comes from a branch that nobody has reviewed yet.
fn code(text: &str) -> String {
    let mut short: String =
        text.chars().take(MAX_QUOTED).map(|c| if c == '`' || c.is_control() { '\'' } else { c }).collect();
    if text.chars().nth(MAX_QUOTED).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}
