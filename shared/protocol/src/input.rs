//! From the bytes of an input to its type, with every fault named by its path.

use std::borrow::Cow;

use garde::Validate;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::{Fault, Field, FieldFault, WireType, fault::shortened};

/// A type that can be a procedure's input. `#[wire]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an input",
    label = "not an input",
    note = "put `#[wire]` on it; a type whose name ends in `Input` refuses unknown fields"
)]
pub trait WireInput: WireType + DeserializeOwned + Validate<Context = ()> {
    /// Its fields, in the order of their declaration; none of an enum.
    const FIELDS: &'static [Field] = &[];
}

/// Reads and validates an input. None at all counts as `{}`, so that an input whose fields are all
/// optional may be left out.
///
/// # Errors
/// `BAD_REQUEST` with the faults of the fields: the first one when the JSON has the wrong shape, all
/// of them when its values break rules.
pub fn decode<T: WireInput>(raw: Option<&[u8]>) -> Result<T, Fault> {
    let raw = raw.unwrap_or(b"{}");
    // serde would take the fields of an object from an array, too; no schema says so.
    if !T::FIELDS.is_empty() && raw.trim_ascii_start().starts_with(b"[") {
        let message = "invalid type: sequence, expected an object".to_owned();
        return Err(Fault::invalid(vec![FieldFault { path: String::new(), message }]));
    }
    let mut json = serde_json::Deserializer::from_slice(raw);
    let input: T = serde_path_to_error::deserialize(&mut json).map_err(|error| misshapen(&error))?;
    json.end().map_err(|error| Fault::bad_request(format!("The input is not one JSON value: {error}.")))?;
    match input.validate() {
        Ok(()) => Ok(input),
        Err(report) => Err(invalid(&report)),
    }
}

/// For procedures without an input: nothing, null or an empty object.
///
/// # Errors
/// `BAD_REQUEST` when something else was sent.
pub fn decode_none(raw: Option<&[u8]>) -> Result<(), Fault> {
    match raw.map(serde_json::from_slice::<serde_json::Value>) {
        None | Some(Ok(serde_json::Value::Null)) => Ok(()),
        Some(Ok(serde_json::Value::Object(fields))) if fields.is_empty() => Ok(()),
        Some(Err(error)) => Err(Fault::bad_request(format!("The input is not JSON: {error}."))),
        Some(Ok(_)) => Err(Fault::bad_request("This procedure takes no input.")),
    }
}

#[inline(never)]
fn misshapen(error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    let mut path = path(error.path());
    // serde_json ends its sentence with the place in the text, which says nothing to a person whose
    // client wrote the JSON.
    let message = error.inner().to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(sentence, _)| sentence);
    let message = unquoted(message);
    let message = abridged(&message);
    // serde reports a missing field at the object that lacks it.
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let message = match missing {
        None => message.into_owned(),
        Some(field) => {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(field);
            "is required".to_owned()
        }
    };
    Fault::invalid(vec![FieldFault { path, message }])
}

/// Where in the input; names in it may come from outside. What has no name, such as a key that breaks off, has no place
/// but that of what it is in.
fn path(segments: &serde_path_to_error::Path) -> String {
    let mut path = String::new();
    for segment in segments {
        match segment {
            Segment::Seq { index } => path.push_str(&format!("[{index}]")),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&shortened(name));
            }
            Segment::Unknown => {}
        }
    }
    path
}

/// serde repeats the name of a field that there is not, at any length.
fn abridged(message: &str) -> Cow<'_, str> {
    const START: &str = "unknown field `";
    let Some(rest) = message.strip_prefix(START) else { return Cow::Borrowed(message) };
    // What follows the name is our own text.
    let end = rest.rfind("`, expected ").or_else(|| rest.rfind("`, there are no fields"));
    let (name, expected) = rest.split_at(end.unwrap_or(rest.len()));
    Cow::Owned([START, &shortened(name), expected].concat())
}

/// serde quotes the value that it did not expect, and it may be a secret in the wrong place: what kind of
/// value it was says enough. Names of fields stay, which a caller has to see.
fn unquoted(message: &str) -> Cow<'_, str> {
    for (start, quotes) in
        [("invalid type: ", ['"', '`']), ("invalid value: ", ['"', '`']), ("unknown variant ", ['`'; 2])]
    {
        let Some(found) = message.strip_prefix(start) else { continue };
        // What was expected is our own text; what was found may hold anything.
        let (found, expected) = found.rsplit_once(", expected ").unwrap_or((found, "something else"));
        let kind = found.split(quotes).next().unwrap_or_default();
        return Cow::Owned(format!("{}, expected {expected}", [start, kind].concat().trim_end()));
    }
    Cow::Borrowed(message)
}

#[inline(never)]
fn invalid(report: &garde::Report) -> Fault {
    let fault = |(path, error): &(garde::Path, garde::Error)| FieldFault {
        path: camel_case(&path.to_string()),
        message: error.message().to_owned(),
    };
    Fault::invalid(report.iter().map(fault).collect())
}

/// `garde` names fields as Rust does; the caller knows them in camel case.
fn camel_case(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    let mut upper = false;
    for c in path.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                name.extend(c.to_uppercase());
                upper = false;
            }
            c => name.push(c),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Lines = Vec<BTreeMap<String, u8>>;

    #[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema, ts_rs::TS, garde::Validate)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Order {
        #[garde(range(max = 9))]
        max_lines: u8,
        #[garde(length(chars, min = 1))]
        the_name: String,
        #[garde(skip)]
        lines: Option<Lines>,
    }
    impl WireType for Order {}
    impl WireInput for Order {}

    fn faults(json: &str) -> Vec<(String, String)> {
        let fault = decode::<Order>(Some(json.as_bytes())).unwrap_err();
        assert_eq!(fault.code, crate::Code::BadRequest);
        fault.fields.into_iter().map(|fault| (fault.path, fault.message)).collect()
    }

    #[test]
    fn every_broken_rule_is_reported_with_the_callers_names() {
        let faults = faults(r#"{"maxLines": 10, "theName": ""}"#);
        let paths: Vec<_> = faults.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["maxLines", "theName"]);
    }

    #[test]
    fn a_wrong_shape_is_reported_where_it_is() {
        assert_eq!(faults(r#"{"maxLines": 1}"#)[0], ("theName".into(), "is required".into()));
        assert_eq!(faults(r#"{"maxLines": 1, "theName": "a", "lines": [{"a": 300}]}"#)[0].0, "lines[0].a");
        assert_eq!(faults(r#"{"maxLines": 1, "theName": "a", "other": 1}"#)[0].0, "other");
        assert!(decode::<Order>(Some(br#"{"maxLines": 1, "theName": "a"} {}"#)).is_err());
    }

    #[test]
    fn names_from_outside_are_not_repeated_at_any_length() {
        let long = "n".repeat(1_000_000);
        let short = format!("{}…", "n".repeat(64));
        let told = format!("unknown field `{short}`, expected one of `maxLines`, `theName`, `lines`");
        assert_eq!(faults(&format!(r#"{{"{long}": 1}}"#)), [(short.clone(), told)]);
        let there = format!(r#"{{"maxLines": 1, "theName": "a", "lines": [{{"{long}": 300}}]}}"#);
        assert_eq!(faults(&there)[0].0, format!("lines[0].{short}"));
        let odd = "unknown field `a`, expected `b`, expected `c`";
        assert_eq!(abridged(odd), odd);
        let told = format!("unknown field `{short}`, there are no fields");
        assert_eq!(abridged(&format!("unknown field `{long}`, there are no fields")), told);
    }

    #[test]
    fn a_key_that_is_none_is_at_the_place_of_its_object() {
        for broken in [r#"{1: 2}"#, r#"{"maxLines": 1, x}"#, r#"{"maxLines"#] {
            assert_eq!(faults(broken)[0].0, "", "{broken}");
        }
        assert_eq!(faults(r#"{"lines": [{1: 2}]}"#)[0].0, "lines[0]");
    }

    #[test]
    fn a_wrong_value_is_not_quoted() {
        let told = |json: &str| faults(json)[0].1.clone();
        assert_eq!(told(r#"{"maxLines": "hunter2, expected `\"no\"`"}"#), "invalid type: string, expected u8");
        assert_eq!(told(r#"{"maxLines": 31415}"#), "invalid value: integer, expected u8");
        assert_eq!(told(r#"{"maxLines": 3.1415}"#), "invalid type: floating point, expected u8");
        assert_eq!(told(r#"{"maxLines": true}"#), "invalid type: boolean, expected u8");
        assert_eq!(told(r#"{"maxLines": null}"#), "invalid type: null, expected u8");
        assert_eq!(told(r#""hunter2""#), "invalid type: string, expected struct Order");
        assert_eq!(unquoted("unknown variant `hunter2`, expected `a` or `b`"), "unknown variant, expected `a` or `b`");
        assert_eq!(
            unquoted("unknown variant `hunter2`, there are no variants"),
            "unknown variant, expected something else"
        );
        assert_eq!(unquoted("invalid length 3, expected a pair"), "invalid length 3, expected a pair");
    }

    #[test]
    fn nothing_is_nothing() {
        for nothing in [None, Some(&b"null"[..]), Some(b"{}")] {
            assert!(decode_none(nothing).is_ok());
        }
        for something in [&b"1"[..], b"{\"a\":1}", b"{", b"[]"] {
            assert_eq!(decode_none(Some(something)).unwrap_err().code, crate::Code::BadRequest);
        }
    }
}
