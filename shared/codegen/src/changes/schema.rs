//! Compares two JSON Schemas, for those who send the value or receive it.
//!
//! Both are split into alternatives. Those of both sides are matched; the rest came or went. If two schemas differ
//! and nothing was reported, the difference itself is.

use serde_json::Value;

use super::{
    Changes, Document, Effect, Styles, code,
    form::{Alternative, DESCRIPTIONS, Form, alternatives, covering, is_limited, text, whole},
    list, members, object, was_and_is,
};

/// The direction of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// The caller sends it: the new schema must accept every value that the old one accepted.
    Input,
    /// The service sends it: the new schema must not allow values that the old one did not.
    Output,
}

/// A part of the old contract and its successor, with the documents of their references.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub old: (&'a Document<'a>, &'a Value),
    pub new: (&'a Document<'a>, &'a Value),
}

/// Lower bounds: smaller values are refused.
const LEAST: [&str; 5] = ["exclusiveMinimum", "minItems", "minLength", "minProperties", "minimum"];
/// Upper bounds: greater values are refused.
const MOST: [&str; 5] = ["exclusiveMaximum", "maxItems", "maxLength", "maxProperties", "maximum"];
/// Other restrictions; two different values of them cannot be ordered.
const FORM: [&str; 6] = ["contentEncoding", "contentMediaType", "format", "multipleOf", "pattern", "uniqueItems"];

/// Compares and reports, down to each field. `place` is the path of the value, such as `input`.
pub(super) fn compare(pair: Pair<'_>, direction: Direction, place: &str, changes: &mut Changes) {
    let said = changes.list.len();
    let (before, after) = (whole(pair.old, false), whole(pair.new, false));
    if before != after {
        let mut comparison = Comparison { pair, direction, open: Vec::new(), met_itself: false, changes };
        comparison.schema(pair.old.1, pair.new.1, place);
        if changes.list.len() == said {
            changes.unjudged(&code(place));
        }
    } else if whole(pair.old, true) != whole(pair.new, true) {
        changes.add(Effect::Note, format!("{} is documented in other words.", code(place)));
    }
}

struct Comparison<'a, 'c> {
    pair: Pair<'a>,
    direction: Direction,
    /// The named types being compared: a recursive type is compared once.
    open: Vec<(&'a str, &'a str)>,
    /// Whether a recursive type occurred: its differences are reported at the outer occurrence.
    met_itself: bool,
    changes: &'c mut Changes,
}

impl<'a> Comparison<'a, '_> {
    fn schema(&mut self, before: &'a Value, after: &'a Value, place: &str) {
        if whole((self.pair.old.0, before), false) == whole((self.pair.new.0, after), false) {
            return;
        }
        let said = self.changes.list.len();
        let met_itself = std::mem::take(&mut self.met_itself);
        self.different(before, after, place);
        if self.changes.list.len() == said && !self.met_itself {
            self.changes.unjudged(&code(place));
        }
        self.met_itself |= met_itself;
    }

    fn different(&mut self, before: &'a Value, after: &'a Value, place: &str) {
        let (was, is) = (&before["default"], &after["default"]);
        if was != is {
            let effect = if self.direction == Direction::Input { Effect::Caution(Styles::ALL) } else { Effect::Note };
            self.add(effect, format!("{}: what it is when left out {}.", code(place), was_and_is(was, is)));
        }
        let mut old = alternatives(self.pair.old.0, before, &[]);
        let mut new = alternatives(self.pair.new.0, after, &[]);
        if old.iter().chain(&new).any(|alternative| alternative.form == Form::Unknown) {
            return self.changes.unjudged(&code(place));
        }
        self.matched(&mut old, &mut new, place);
        self.left_over(old, new, place);
    }

    /// Compares the alternatives of both sides, and removes them.
    fn matched(&mut self, old: &mut Vec<Alternative<'a>>, new: &mut Vec<Alternative<'a>>, place: &str) {
        let Pair { old: (old_document, _), new: (new_document, _) } = self.pair;
        // Equal alternatives first, so that of several strings only the changed one remains.
        old.retain(|before| {
            let same = new.iter().position(|after| {
                before.form == after.form
                    && whole((old_document, before.schema), false) == whole((new_document, after.schema), false)
            });
            same.map(|at| new.remove(at)).is_none()
        });
        let mut at = 0;
        while let Some(before) = old.get(at).cloned() {
            let alike = |all: &[Alternative<'_>]| all.iter().filter(|one| one.form == before.form).count();
            match (alike(old), alike(new)) {
                (1, 1) => {
                    old.remove(at);
                    if let Some(at) = new.iter().position(|after| after.form == before.form) {
                        let after = new.remove(at);
                        self.alternative(&before, &after, &inside(place, &before.form));
                    }
                }
                (_, 0) => at += 1,
                _ => {
                    old.retain(|one| one.form != before.form);
                    new.retain(|one| one.form != before.form);
                    self.changes.unjudged(&code(place));
                }
            }
        }
    }

    /// Reports the alternatives without a counterpart.
    fn left_over(&mut self, mut old: Vec<Alternative<'a>>, mut new: Vec<Alternative<'a>>, place: &str) {
        if let ([before], [after]) = (&old[..], &new[..])
            && before.form.is_object()
            && after.form.is_object()
            && (before.form.is("object") || after.form.is("object"))
        {
            return self.alternative(before, after, place);
        }
        let (wide, narrow) = (covering(&new, &old), covering(&old, &new));
        for (covering, is_new) in [(wide, true), (narrow, false)] {
            let Some(form) = covering else { continue };
            let (wide, narrow) = if is_new { (&mut new, &mut old) } else { (&mut old, &mut new) };
            let covered: Vec<_> =
                narrow.iter().filter(|one| form.covers(&one.form)).map(|one| one.form.describe()).collect();
            narrow.retain(|one| !form.covers(&one.form));
            let is_limited = wide.iter().any(|one| one.form == form && is_limited(one.schema));
            wide.retain(|one| one.form != form);
            // Wider is compatible for senders, narrower for receivers.
            let good = is_new == (self.direction == Direction::Input);
            let is_number = form.is("number");
            let effect = match good {
                false => Effect::Breaking(Styles::ALL),
                true if is_number && is_limited => Effect::Unjudged,
                true if is_number && self.direction == Direction::Output => Effect::Compatible,
                // In GraphQL, a variable has a type by name, and values of an enumeration are not written as texts.
                true => Effect::Breaking(Styles::GRAPHQL),
            };
            let (covered, form) = (covered.join(", "), form.describe());
            let (was, is) = if is_new { (covered, form) } else { (form, covered) };
            self.add(effect, format!("{} was {was} and is {is}.", code(place)));
            if good && is_limited && !is_number && self.direction == Direction::Input {
                self.changes.unjudged(&format!("what {} is limited to", code(place)));
            }
        }
        let plain = |all: &[Alternative<'_>]| all.iter().position(|one| !one.form.is_case() && !one.form.is_null());
        if let (Some(before), Some(after)) = (plain(&old), plain(&new)) {
            let (was, is) = (old.remove(before).form.describe(), new.remove(after).form.describe());
            self.add(Effect::Breaking(Styles::ALL), format!("{} was {was} and is {is}.", code(place)));
        }
        for one in &old {
            self.gone(&one.form, place);
        }
        for one in &new {
            self.came(&one.form, place);
        }
    }

    fn gone(&mut self, form: &Form, place: &str) {
        let (place, what) = (code(place), form.describe());
        match (self.direction, form.is_null()) {
            (Direction::Input, true) => {
                self.add(Effect::Breaking(Styles::ALL), format!("{place} may not be null any more."))
            }
            (Direction::Input, false) => {
                self.add(Effect::Breaking(Styles::ALL), format!("{place} may not be {what} any more."))
            }
            (Direction::Output, true) => self.add(Effect::Compatible, format!("{place} is never null any more.")),
            (Direction::Output, false) => {
                // A document that names a removed member of a union is refused.
                let styles = if matches!(form, Form::Variant(..)) { Styles::GRAPHQL } else { Styles::NONE };
                self.changes.breaks(styles, Effect::Compatible, format!("{place} is never {what} any more."));
            }
        }
    }

    fn came(&mut self, form: &Form, place: &str) {
        let (place, what) = (code(place), if form.is_null() { "null".to_owned() } else { form.describe() });
        match self.direction {
            Direction::Input => {
                // A value with a single named type gets another one.
                let is_retyped = !form.is_case() && !form.is_null();
                let styles = if is_retyped { Styles::GRAPHQL | Styles::SOAP } else { Styles::NONE };
                self.changes.breaks(styles, Effect::Compatible, format!("{place} may be {what} as well."));
            }
            Direction::Output if form.is_case() => {
                let sentence = format!("{place} may be {what}, which old clients may not handle.");
                self.changes.breaks(Styles::EXHAUSTIVE, Effect::Caution(Styles::ALL), sentence);
            }
            Direction::Output => {
                self.add(Effect::Breaking(Styles::ALL), format!("{place} may be {what}, which it never was."))
            }
        }
    }

    /// Compares two alternatives of the same form.
    fn alternative(&mut self, before: &Alternative<'a>, after: &Alternative<'a>, place: &str) {
        let through = before.through.zip(after.through);
        if through.is_some_and(|types| self.open.contains(&types)) {
            self.met_itself = true;
            return;
        }
        self.open.extend(through);
        if !before.form.is_null() && !matches!(before.form, Form::Value(_)) {
            self.keywords(before, after, place);
        }
        if through.is_some() {
            self.open.pop();
        }
    }

    fn keywords(&mut self, before: &Alternative<'a>, after: &Alternative<'a>, place: &str) {
        let number = before.form.is("integer") || before.form.is("number");
        for (keyword, was, is) in members(object(before.schema), object(after.schema)) {
            match keyword.as_str() {
                "type" | "default" | "required" => {}
                description if DESCRIPTIONS.contains(&description) => {}
                // The bounds of a number state what its format means.
                "format" if number => {}
                "properties" if before.form.is_object() => self.properties(before.schema, after.schema, place),
                "items" if !was.is_null() && !is.is_null() => self.schema(was, is, &format!("{place}[]")),
                "additionalProperties" => self.additional(was, is, place),
                bound if LEAST.contains(&bound) => self.bound(bound, was, is, false, place),
                bound if MOST.contains(&bound) => self.bound(bound, was, is, true, place),
                form if FORM.contains(&form) => self.form(form, was, is, place),
                _ => self.unknown(&keyword, was, is, place),
            }
        }
        // A field may be required without being described.
        if before.schema.get("properties").is_none() && after.schema.get("properties").is_none() {
            let required = |one: &'a Value| one.get("required").unwrap_or(&Value::Null);
            self.unknown("required", required(before.schema), required(after.schema), place);
        }
    }

    fn unknown(&mut self, keyword: &str, was: &Value, is: &Value, place: &str) {
        if whole((self.pair.old.0, was), false) != whole((self.pair.new.0, is), false) {
            self.changes.unjudged(&format!("{} of {}", code(keyword), code(place)));
        }
    }

    fn properties(&mut self, before: &'a Value, after: &'a Value, place: &str) {
        let requires = |schema: &Value, field: &str| list(&schema["required"]).iter().any(|name| name == field);
        let (old, new) = (object(&before["properties"]), object(&after["properties"]));
        for field in old.keys().chain(new.keys().filter(|field| !old.contains_key(*field))) {
            let (was_required, is_required) = (requires(before, field), requires(after, field));
            let at = format!("{place}.{field}");
            let shown = code(&at);
            match (old.get(field), new.get(field), self.direction) {
                (Some(_), None, _) => self.add(Effect::Breaking(Styles::ALL), format!("{shown} is gone.")),
                (None, Some(_), Direction::Input) if is_required => {
                    self.add(Effect::Breaking(Styles::ALL), format!("{shown} is new and must be given."));
                }
                (None, Some(_), Direction::Input) => {
                    self.add(Effect::Compatible, format!("{shown} is new and may be given."));
                }
                // Many SOAP clients refuse elements that their copy of the WSDL does not name.
                (None, Some(_), Direction::Output) => {
                    self.add(Effect::Caution(Styles::SOAP), format!("{shown} is new."))
                }
                (Some(was), Some(is), direction) => {
                    match (was_required, is_required, direction) {
                        (false, true, Direction::Input) => {
                            self.add(
                                Effect::Breaking(Styles::ALL),
                                format!("{shown} must be given, and could be left out."),
                            );
                        }
                        (true, false, Direction::Input) => {
                            self.add(Effect::Compatible, format!("{shown} may be left out."));
                        }
                        (false, true, Direction::Output) => {
                            self.add(Effect::Compatible, format!("{shown} is always there."));
                        }
                        (true, false, Direction::Output) => {
                            self.add(
                                Effect::Breaking(Styles::ALL),
                                format!("{shown} may be missing, and was always there."),
                            );
                        }
                        _ => {}
                    }
                    self.schema(was, is, &at);
                }
                (None, None, _) => {}
            }
        }
    }

    /// Compares the schemas of additional fields: the values of a map.
    fn additional(&mut self, was: &'a Value, is: &'a Value, place: &str) {
        let refused = |value: &Value| *value == Value::Bool(false);
        let open = |value: &Value| value.is_null() || *value == Value::Bool(true);
        match (was, is) {
            _ if refused(was) == refused(is) && open(was) == open(is) => {
                if was.is_object() {
                    self.schema(was, is, &format!("{place}.*"));
                }
            }
            _ if self.direction == Direction::Output && !was.is_object() && !is.is_object() => {
                self.add(
                    Effect::Compatible,
                    format!("{} is stated otherwise as to fields it does not name.", code(place)),
                );
            }
            _ if self.direction == Direction::Input && open(is) => {
                self.add(Effect::Compatible, format!("{} takes fields that it does not name.", code(place)));
            }
            _ if self.direction == Direction::Input && refused(is) => {
                self.add(
                    Effect::Breaking(Styles::ALL),
                    format!("{} refuses fields that it does not name.", code(place)),
                );
            }
            _ => self.changes.unjudged(&format!("`additionalProperties` of {}", code(place))),
        }
    }

    fn bound(&mut self, keyword: &str, was: &Value, is: &Value, is_upper: bool, place: &str) {
        if was == is {
            return;
        }
        let tighter = match (was.as_f64(), is.as_f64()) {
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (Some(was), Some(is)) => (is < was) == is_upper,
            (None, None) => return self.changes.unjudged(&format!("{} of {}", code(keyword), code(place))),
        };
        let change = format!("{} {}", code(keyword), was_and_is(was, is));
        self.limit(tighter, !tighter, &change, place);
    }

    fn form(&mut self, keyword: &str, was: &Value, is: &Value, place: &str) {
        if was != is {
            let change = format!("{} {}", code(keyword), was_and_is(was, is));
            self.limit(!is.is_null(), !was.is_null(), &change, place);
        }
    }

    /// A restriction may refuse more values, and may admit more; another pattern may do both.
    fn limit(&mut self, refuses: bool, lets_through: bool, change: &str, place: &str) {
        let place = code(place);
        match self.direction {
            Direction::Input if refuses => {
                self.add(Effect::Breaking(Styles::ALL), format!("{place} takes less: {change}."))
            }
            Direction::Input => self.add(Effect::Compatible, format!("{place} takes more: {change}.")),
            Direction::Output if lets_through => {
                self.add(Effect::Caution(Styles::ALL), format!("{place} may hold more: {change}."));
            }
            Direction::Output => self.add(Effect::Compatible, format!("{place} holds less: {change}.")),
        }
    }

    fn add(&mut self, effect: Effect, sentence: String) {
        self.changes.add(effect, sentence);
    }
}

/// The path of a field of a variant, which names the variant.
fn inside(place: &str, form: &Form) -> String {
    match form {
        Form::Variant(_, value) if !place.is_empty() => format!("{place}({})", text(value)),
        _ => place.to_owned(),
    }
}
