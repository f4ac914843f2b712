use std::collections::BTreeMap;

use macros::wire;

use super::{faults::MAX_FAULTS, *};
use crate::{Code, Decimal, Patch, SafeInteger};

#[wire]
struct OrderInput {
    #[garde(range(max = 9))]
    max_lines: u8,
    #[garde(length(chars, min = 1))]
    the_name: String,
    lines: Option<Vec<BTreeMap<String, u8>>>,
    #[serde(rename = "type")]
    #[garde(length(chars, min = 1))]
    kind: Option<String>,
    #[garde(length(max = 2), dive)]
    shapes: Option<Vec<ShapeInput>>,
    /// Whose own rules do not hold: the field does not say `dive`.
    unruled: Option<CornersInput>,
    #[garde(dive)]
    by_word: Option<BTreeMap<String, CornersInput>>,
    #[garde(inner(inner(length(chars, max = 3))))]
    words: Option<Vec<String>>,
    #[garde(range(min = 1, max = 5))]
    stars: Patch<Option<u32>>,
    volume: Option<Volume>,
    large: Option<SafeInteger>,
    exact: Option<Decimal>,
}

#[wire]
enum ShapeInput {
    Empty {},
    Circle {
        #[garde(range(min = 1))]
        full_radius: u32,
    },
    Polygon(#[garde(dive)] CornersInput),
}

#[wire]
struct CornersInput {
    #[garde(range(min = 3))]
    corner_count: u32,
    #[serde(rename = "in")]
    unit: Option<String>,
}

#[wire]
enum Volume {
    Low,
    #[serde(rename = "-high")]
    High,
}

fn faults(json: &str) -> Vec<(String, String)> {
    let fault = decode::<OrderInput>(Some(json.as_bytes())).unwrap_err();
    assert_eq!(fault.code, Code::BadRequest);
    fault.fields.into_iter().map(|fault| (fault.path, fault.message)).collect()
}

/// What is told of an input that is right but for these members.
fn told(members: &str) -> Vec<(String, String)> {
    faults(&format!(r#"{{"maxLines": 1, "theName": "a", {members}}}"#))
}

fn paths(faults: &[(String, String)]) -> Vec<&str> {
    faults.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let faults = faults(
        r#"{"maxLines": 10, "theName": 5, "other": 1, "type": "", "stars": 6, "lines": [{"a_b": 300, "c": -1}, 7],
            "shapes": [{"type": "circle", "fullRadius": 0}, {"type": "star"}, {}]}"#,
    );
    let expected = [
        (
            "other",
            "unknown member: expected one of `maxLines`, `theName`, `lines`, `type`, `shapes`, `unruled`, \
                   `byWord`, `words`, `stars`, `volume`, `large`, `exact`",
        ),
        ("maxLines", "greater than 9"),
        ("theName", "expected a string, found a number"),
        ("lines[0].a_b", "expected an integer from 0 to 255"),
        ("lines[0].c", "expected an integer from 0 to 255"),
        ("lines[1]", "expected an object, found a number"),
        ("type", "length is lower than 1"),
        ("shapes[0].fullRadius", "lower than 1"),
        ("shapes[1].type", "expected one of `empty`, `circle`, `polygon`"),
        ("shapes[2].type", "is required"),
        ("stars", "greater than 5"),
    ];
    assert_eq!(faults, expected.map(|(path, message)| (path.to_owned(), message.to_owned())));
}

#[test]
fn a_path_leads_into_every_kind_of_type() {
    for (members, path, message) in [
        (
            r#""shapes": [{"type": "polygon", "cornerCount": -1}]"#,
            "shapes[0].cornerCount",
            "expected an integer from 0",
        ),
        (r#""shapes": [{"type": "polygon", "cornerCount": 2}]"#, "shapes[0].cornerCount", "lower than 3"),
        (r#""shapes": [{"type": "polygon", "cornerCount": 3, "x": 1}]"#, "shapes[0].x", "unknown member"),
        (r#""shapes": [{"type": "polygon"}]"#, "shapes[0].cornerCount", "is required"),
        (r#""shapes": [{"type": "circle", "fullRadius": 0}]"#, "shapes[0].fullRadius", "lower than 1"),
        (r#""shapes": [{"type": "empty", "x": 1}]"#, "shapes[0].x", "unknown member: there are none here"),
        (r#""shapes": [{"type": 7}]"#, "shapes[0].type", "expected one of"),
        (r#""shapes": [7]"#, "shapes[0]", "expected an object, found a number"),
        (r#""shapes": {}"#, "shapes", "expected an array, found an object"),
        (r#""shapes": [{"type":"empty"},{"type":"empty"},{"type":"empty"}]"#, "shapes", "length is greater than 2"),
        (r#""byWord": {"snake_case": {"cornerCount": 1}}"#, "byWord.snake_case.cornerCount", "lower than 3"),
        (r#""byWord": {"a": {"cornerCount": 3, "in": 1}}"#, "byWord.a.in", "expected a string, found a number"),
        (r#""words": ["ab", "abcd"]"#, "words[1]", "length is greater than 3"),
        (r#""stars": 0"#, "stars", "lower than 1"),
        (r#""stars": "5""#, "stars", "expected an integer, found a string"),
        (r#""volume": "loud""#, "volume", "expected one of `low`, `-high`"),
        (r#""exact": "1e5""#, "exact", "not a decimal number"),
        (r#""large": 9007199254740992"#, "large", "expected an integer from -(2^53 - 1) to 2^53 - 1"),
    ] {
        let told = told(members);
        assert_eq!(paths(&told), [path], "{members}: {told:?}");
        assert!(told[0].1.starts_with(message), "{members}: {told:?}");
    }
}

/// They do not hold when they are all that is wrong, so they do not beside something else either.
#[test]
fn rules_that_do_not_hold_are_not_told_beside_others() {
    let fine = br#"{"maxLines": 1, "theName": "a", "unruled": {"cornerCount": 0}}"#;
    assert!(decode::<OrderInput>(Some(fine)).is_ok());
    assert_eq!(paths(&told(r#""unruled": {"cornerCount": 0}, "large": "1""#)), ["large"]);
}

#[test]
fn a_member_that_is_there_twice_is_told_by_its_path() {
    let twice = || TWICE.to_owned();
    assert_eq!(told(r#""theName": "b""#), [("theName".into(), twice())]);
    let union = r#""shapes": [{"type": "polygon", "cornerCount": 3, "cornerCount": 4}]"#;
    assert_eq!(told(union), [("shapes[0].cornerCount".into(), twice())]);
    let tag = r#""shapes": [{"type": "empty", "type": "circle", "fullRadius": 1}]"#;
    assert_eq!(told(tag), [("shapes[0].type".into(), twice())]);
    assert_eq!(paths(&told(r#""theName": "b", "other": 1, "large": """#)), ["other", "theName", "large"]);
}

/// JSON Schema 2020-12 core, section 4.2.1: a number without a fraction is an integer, however it is written.
#[test]
fn an_integer_is_one_however_it_is_written() {
    let input = |json: &str| decode::<OrderInput>(Some(json.as_bytes())).unwrap();
    let read = input(r#"{"maxLines": 1.0, "theName": "a", "large": 1e3, "stars": 5.0, "lines": [{"a": 2.50e1}]}"#);
    assert_eq!((read.max_lines, read.large, read.stars), (1, SafeInteger::new(1000), Patch::Set(Some(5))));
    assert_eq!(told(r#""large": 1.5"#), [("large".into(), "expected an integer, found a fraction".into())]);
    assert_eq!(paths(&told(r#""large": 1e300"#)), ["large"]);
}

#[test]
fn what_is_no_json_says_where() {
    for (text, place) in [
        ("{nope", "key must be a string at line 1 column 2"),
        ("{\n1: 2}", "key must be a string at line 2 column 1"),
        (r#"{"maxLines": 1, "theName": "a"} {}"#, "trailing characters at line 1 column 33"),
        (r#"{"maxLines"#, "EOF while parsing a string at line 1 column 10"),
    ] {
        let fault = decode::<OrderInput>(Some(text.as_bytes())).unwrap_err();
        assert_eq!(fault.message, format!("The input is not JSON that can be read: {place}."));
        assert!(fault.fields.is_empty());
        assert_eq!(decode_none(Some(text.as_bytes())).unwrap_err().code, Code::BadRequest);
    }
}

#[test]
fn names_from_outside_are_not_repeated_at_any_length() {
    let long = "n".repeat(1_000_000);
    let short = format!("{}…", "n".repeat(64));
    let found = told(&format!(r#""{long}": 1, "lines": [{{"{long}": 300}}]"#));
    assert_eq!(paths(&found), [short.clone(), format!("lines[0].{short}")]);
    assert!(found.iter().all(|(_, message)| message.len() < 200));
    let many = format!(r#""lines": [{}7]"#, "7,".repeat(100_000));
    assert_eq!(told(&many).len(), MAX_FAULTS);
}

#[test]
fn a_wrong_value_is_not_quoted() {
    let told = |json: &str| faults(&format!(r#"{{"theName": "a", "maxLines": {json}}}"#))[0].1.clone();
    assert_eq!(told(r#""hunter2, expected `\"no\"`""#), "expected an integer, found a string");
    assert_eq!(told("31415"), "expected an integer from 0 to 255");
    assert_eq!(told("3.1415"), "expected an integer, found a fraction");
    assert_eq!(told("true"), "expected an integer, found a boolean");
    assert_eq!(told("null"), "expected an integer, found null");
    assert_eq!(faults(r#""hunter2""#), [(String::new(), "expected an object, found a string".to_owned())]);
    assert_eq!(faults("[1, \"a\"]"), [(String::new(), "expected an object, found an array".to_owned())]);
}

#[test]
fn nothing_is_nothing() {
    for nothing in [None, Some(&b"null"[..]), Some(b"{}")] {
        assert!(decode_none(nothing).is_ok());
    }
    for (something, path) in [(&b"1"[..], ""), (b"{\"a\":1}", "a"), (b"[]", "")] {
        let fault = decode_none(Some(something)).unwrap_err();
        assert_eq!((fault.code, fault.fields[0].path.as_str()), (Code::BadRequest, path));
    }
}
