//! Rewrites the paths of input faults to the names that callers of a style know.

use protocol::{Fault, FieldFault};
use serde_json::Value;

use crate::Refusal;

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'p> {
    /// A member of an object.
    Member(&'p str),
    /// An index of a list.
    Item(usize),
}

/// The first step of a path such as `lines[2].amount`, and the rest.
fn first(path: &str) -> Option<(Step<'_>, &str)> {
    if let Some((place, rest)) = path.strip_prefix('[').and_then(|path| path.split_once(']')) {
        return Some((Step::Item(place.parse().ok()?), rest));
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let (name, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    (!name.is_empty()).then_some((Step::Member(name), rest))
}

/// A path into `input` in the names of a style. `into` returns the name of a member where a type of the style is
/// expected, and the type of its value; unknown members stay as they are.
pub fn spelled<'i, T>(
    path: &str,
    input: &'i Value,
    root: T,
    into: impl Fn(T, Step<'_>, &'i Value) -> Option<(String, T)>,
) -> String {
    let (mut spelled, mut rest, mut value, mut known) = (String::new(), path, input, Some(root));
    while let Some((step, after)) = first(rest) {
        let Some((name, next)) = known.take().and_then(|known| into(known, step, value)) else { break };
        if !spelled.is_empty() && !name.starts_with('[') {
            spelled.push('.');
        }
        spelled.push_str(&name);
        value = match step {
            Step::Member(name) => value.get(name),
            Step::Item(place) => value.get(place),
        }
        .unwrap_or(&Value::Null);
        (rest, known) = (after, Some(next));
    }
    if !spelled.is_empty() && !rest.is_empty() && !rest.starts_with(['.', '[']) {
        spelled.push('.');
    }
    spelled + rest
}

/// The tag of a tagged union's value.
pub fn tag(value: &Value) -> Option<&str> {
    value.get("type")?.as_str()
}

impl Refusal {
    /// Rewrites the paths of its faults.
    pub fn spelled(mut self, spell: impl Fn(&str) -> String) -> Self {
        let message = |fields: &[FieldFault]| Fault::invalid(fields.to_vec()).message;
        let names_them = self.message == message(&self.fields);
        for fault in &mut self.fields {
            fault.path = spell(&fault.path);
        }
        if names_them {
            self.message = message(&self.fields);
        }
        self
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_known_is_spelled_and_the_rest_stays() {
        let loud = |path: &str| {
            spelled(path, &json!({"a": [{"type": "b"}]}), 3, |left: u8, step, value| match step {
                _ if left == 0 => None,
                Step::Item(place) => Some((format!("[{place}]"), left - 1)),
                Step::Member(name) => {
                    Some((tag(value).unwrap_or_default().to_owned() + &name.to_uppercase(), left - 1))
                }
            })
        };
        for (path, spelled) in
            [("", ""), ("a", "A"), ("a[0].c", "A[0].bC"), ("a[0].c.d[1]", "A[0].bC.d[1]"), ("a.b[1].c.d", "A.B[1].c.d")]
        {
            assert_eq!(loud(path), spelled);
        }
    }
}
