//! Compares two contracts and judges each change by its effect on callers, style by style: a pure comparison of JSON.
//!
//! [`compare`] describes each change in one sentence; [`markdown`] prints them for a reviewer. Named types are
//! compared wherever procedures refer to them. A change that the comparison does not understand is
//! [`Effect::Unjudged`]: no difference goes unmentioned.
//!
//! The contracts are read as JSON and not as [`protocol::contract::Contract`]: either may come from a version with
//! members that this one does not know, and deserializing it into a type would silently drop them.
//!
//! The measure is a deployed client: the service must still accept what it sends, and it must be able to read what it
//! gets. A client that no longer compiles against new types is no break, as long as it runs.

mod document;
mod form;
mod procedure;
mod report;
mod rights;
mod schema;
mod service;
mod styles;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_by_style;
mod variables;

use std::{collections::BTreeMap, sync::LazyLock};

use protocol::{case::capitalized, contract::plain, escape};
use serde_json::{Map, Value};

use document::Document;
pub use report::markdown;
use rights::{grants, mail, reach};
use schema::Pair;
pub use styles::Styles;

/// The effect of a change on callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// A caller that worked may fail, in these styles.
    Breaking(Styles),
    /// Calls still work, and in these styles callers may get values that they do not know yet.
    Caution(Styles),
    /// The comparison does not understand the change.
    Unjudged,
    /// The rights of callers, or of a procedure to stored data, have changed.
    Rights,
    /// Callers need not do anything.
    Compatible,
    /// Callers do not see the change.
    Note,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Its effect.
    pub effect: Effect,
    /// The procedure; none for a change of the service.
    pub procedure: Option<String>,
    /// What changed, with the field: one sentence in Markdown.
    pub sentence: String,
}

/// Whether any change breaks a caller that worked.
#[must_use]
pub fn is_breaking(changes: &[Change]) -> bool {
    changes.iter().any(|change| matches!(change.effect, Effect::Breaking(_)))
}

/// The changes from one contract to another, in the order of the report.
///
/// # Errors
/// Which of the two contracts cannot be read, and why.
pub fn compare(old: &Value, new: &Value) -> Result<Vec<Change>, String> {
    // An older contract may have another form of the same schema.
    let (old, new) = (&plain(old.clone()), &plain(new.clone()));
    let old = Document::read(old).map_err(|fault| format!("the old contract {fault}"))?;
    let new = Document::read(new).map_err(|fault| format!("the new contract {fault}"))?;
    let mut changes = Changes { procedure: None, styles: Styles::ALL, list: Vec::new() };
    service::compare(&old, &new, &mut changes);
    let renamed = renamed(&old, &new);
    for (name, before, after) in pairs(&old.procedures, &new.procedures) {
        changes.procedure = Some(name.clone());
        changes.styles = styles_of(before.or(after).copied().unwrap_or(&Value::Null));
        match (before, after) {
            (Some(before), Some(after)) => {
                procedure::compare(Pair { old: (&old, before), new: (&new, after) }, &mut changes);
            }
            (Some(before), None) => match renamed.get(name.as_str()) {
                Some(now) => rename(Pair { old: (&old, before), new: (&new, new.procedures[*now]) }, &mut changes),
                None => {
                    changes.add(Effect::Breaking(Styles::ALL), "is gone.");
                    grants(list(&before["grants"]), &[], &mut changes);
                    mail(&before["mail"], &Value::Null, &mut changes);
                    reach(before, &Value::Null, &mut changes);
                }
            },
            (None, Some(_)) if renamed.values().any(|now| **now == name) => {}
            (None, Some(after)) => {
                let who = procedure::who(&after["auth"]);
                changes.add(Effect::Compatible, format!("is new, and may be called by {who}."));
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

/// The styles that call a procedure.
fn styles_of(procedure: &Value) -> Styles {
    match (&procedure["http"], &procedure["rest"]) {
        (Value::Null, Value::Null) => Styles::IN_STYLES - Styles::REST,
        (Value::Null, _) => Styles::IN_STYLES,
        _ => Styles::OWN,
    }
}

/// Renamed procedures, by their old name: they answer the same address, or have the same name in styles with one-word
/// names.
fn renamed<'a>(old: &'a Document<'_>, new: &'a Document<'_>) -> BTreeMap<&'a str, &'a str> {
    let address = |procedure: &Value| {
        let addresses = (procedure["rest"].clone(), procedure["http"].clone());
        (addresses != (Value::Null, Value::Null)).then_some(addresses)
    };
    let gone = old.procedures.iter().filter(|(name, _)| !new.procedures.contains_key(*name));
    gone.filter_map(|(name, before)| {
        let address_before = address(before);
        let come = || new.procedures.iter().filter(|(name, _)| !old.procedures.contains_key(*name));
        let same_address = |after: &Value| address_before.is_some() && address(after) == address_before;
        let (now, _) = come()
            .find(|(_, after)| same_address(after))
            .or_else(|| come().find(|(now, _)| one_word(now) == one_word(name)))?;
        Some((name.as_str(), now.as_str()))
    })
    .collect()
}

/// A procedure's name in GraphQL, SOAP and OpenAPI, where it is one word: `orders.mark_paid` and `orders.markPaid`
/// are both `ordersMarkPaid`.
fn one_word(name: &str) -> String {
    let mut words = name.split(['.', '_']);
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalized(word))
}

/// Compares a renamed procedure: callers by address, or by the same one-word name, still work; all others call a
/// missing procedure.
fn rename(pair: Pair<'_>, changes: &mut Changes) {
    let (was, is) = (&pair.old.1["name"], &pair.new.1["name"]);
    let by_address = Styles::REST | Styles::OWN;
    let is_same_word = one_word(was.as_str().unwrap_or_default()) == one_word(is.as_str().unwrap_or_default());
    let by_word = if is_same_word { Styles::GRAPHQL | Styles::SOAP } else { Styles::NONE };
    let stay = by_address | by_word;
    if (changes.styles - stay).is_empty() {
        changes.add(Effect::Note, format!("is called {} now.", shown(is)));
    } else {
        let sentence = format!("is called {} now: clients that call it by its old name break.", shown(is));
        changes.add(Effect::Breaking(Styles::ALL - stay), sentence);
    }
    let has_problems = pair.new.1["errors"] != "oauth" && !list(&pair.new.1["failures"]).is_empty();
    if has_problems && !(changes.styles & by_address).is_empty() {
        // `…/docs#orders.markPaid:missing`
        let sentence = format!("names its problems (RFC 9457, `type`) after {}.", shown(is));
        changes.add(Effect::Caution(by_address), sentence);
    }
    changes.styles = changes.styles & stay;
    procedure::compare(pair, changes);
}

/// Collects the changes of one procedure after the other.
struct Changes {
    procedure: Option<String>,
    /// The styles that call the current procedure.
    styles: Styles,
    list: Vec<Change>,
}

impl Changes {
    fn add(&mut self, effect: Effect, sentence: impl Into<String>) {
        let effect = match effect {
            Effect::Breaking(styles) if (styles & self.styles).is_empty() => Effect::Note,
            Effect::Breaking(styles) => Effect::Breaking(styles & self.styles),
            Effect::Caution(styles) if (styles & self.styles).is_empty() => Effect::Compatible,
            Effect::Caution(styles) => Effect::Caution(styles & self.styles),
            other => other,
        };
        let procedure = self.procedure.clone();
        self.list.push(Change { effect, procedure, sentence: sentence.into() });
    }

    /// Adds a change that breaks callers in some styles; `otherwise` is its effect if the procedure is not called in
    /// those.
    fn breaks(&mut self, styles: Styles, otherwise: Effect, sentence: impl Into<String>) {
        let is_felt = !(styles & self.styles).is_empty();
        self.add(if is_felt { Effect::Breaking(styles) } else { otherwise }, sentence);
    }

    fn unjudged(&mut self, what: &str) {
        self.add(Effect::Unjudged, format!("{what} changed."));
    }

    /// Adds a change of a member, with its old and its new value.
    fn note_member(&mut self, effect: Effect, member: &str, before: &Value, after: &Value) {
        if before != after {
            self.add(effect, format!("{} {}.", code(member), was_and_is(before, after)));
        }
    }
}

/// A list of texts without its order, which has no meaning.
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

/// The members of two objects by name; a missing one is null.
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

/// The maximum length of a quoted text, in characters.
const MAX_QUOTED: usize = 200;

/// Code in Markdown, on one line. The text comes from a branch that is not reviewed yet.
fn code(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => escape::code_span(&format!("{}…", &text[..end])),
        None => escape::code_span(text),
    }
}
