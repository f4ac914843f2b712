use std::collections::BTreeMap;

use macros::wire;

use super::{faults::MAX_FAULTS, *};
use crate::{Code, Decimal, Finite, Patch, SafeInteger};

#[wire(input)]
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

#[wire(input)]
enum ShapeInput {
    Empty {},
    Circle {
        #[garde(range(min = 1))]
        full_radius: u32,
    },
    Polygon(#[garde(dive)] CornersInput),
}

#[wire(input)]
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

/// The faults of an input that is valid except for these members.
fn messages(members: &str) -> Vec<(String, String)> {
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
        ("shapes", "length is greater than 2"),
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
        let messages = messages(members);
        assert_eq!(paths(&messages), [path], "{members}: {messages:?}");
        assert!(messages[0].1.starts_with(message), "{members}: {messages:?}");
    }
}

/// They do not hold when they are all that is wrong, so they do not beside something else either.
#[test]
fn rules_that_do_not_hold_are_not_told_beside_others() {
    let fine = br#"{"maxLines": 1, "theName": "a", "unruled": {"cornerCount": 0}}"#;
    assert!(decode::<OrderInput>(Some(fine)).is_ok());
    assert_eq!(paths(&messages(r#""unruled": {"cornerCount": 0}, "large": "1""#)), ["large"]);
}

#[test]
fn a_member_that_is_there_twice_is_told_by_its_path() {
    let twice = || DUPLICATE.to_owned();
    assert_eq!(messages(r#""theName": "b""#), [("theName".into(), twice())]);
    let union = r#""shapes": [{"type": "polygon", "cornerCount": 3, "cornerCount": 4}]"#;
    assert_eq!(messages(union), [("shapes[0].cornerCount".into(), twice())]);
    let tag = r#""shapes": [{"type": "empty", "type": "circle", "fullRadius": 1}]"#;
    assert_eq!(messages(tag), [("shapes[0].type".into(), twice())]);
    assert_eq!(paths(&messages(r#""theName": "b", "other": 1, "large": """#)), ["other", "theName", "large"]);
}

/// JSON Schema 2020-12 core, section 4.2.1: a number without a fraction is an integer, however it is written.
#[test]
fn an_integer_is_one_however_it_is_written() {
    let input = |json: &str| decode::<OrderInput>(Some(json.as_bytes())).unwrap();
    let read = input(r#"{"maxLines": 1.0, "theName": "a", "large": 1e3, "stars": 5.0, "lines": [{"a": 2.50e1}]}"#);
    assert_eq!((read.max_lines, read.large, read.stars), (1, SafeInteger::new(1000), Patch::Set(Some(5))));
    assert_eq!(messages(r#""large": 1.5"#), [("large".into(), "expected an integer, found a fraction".into())]);
    assert_eq!(paths(&messages(r#""large": 1e300"#)), ["large"]);
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
fn a_number_beyond_all_is_json_and_wrong_in_its_place() {
    let beyond = "is out of the range of numbers";
    let long = "9".repeat(400);
    for number in ["1e400", "-1E+309", "9e308", "1.5e999999999999", &long, &format!("-{long}.5")] {
        let faults =
            faults(&format!(r#"{{"maxLines": {number}, "theName": "", "exact": {number}, "a\"1e400": "1e400"}}"#));
        let of = |path| faults.iter().find(|(known, _)| known == path).map(|(_, message)| message.as_str());
        assert_eq!(of("maxLines"), Some("expected an integer from 0 to 255"), "{number}");
        assert!(of("theName").is_some() && of("exact").is_some() && of("a\"1e400").is_some(), "{number}: {faults:?}");
        assert_eq!(faults.len(), 4, "{number}: {faults:?}");
    }
    let floats = |text: &str| {
        decode::<MeasuredInput>(Some(text.as_bytes()))
            .map(|input| input.lengths.into_iter().map(Finite::get).collect::<Vec<_>>())
            .map_err(|fault| fault.fields)
    };
    let messages = floats(r#"{"lengths": [1e308, 1e400, 0e400, -1e400]}"#).unwrap_err();
    let messages: Vec<_> = messages.iter().map(|fault| (fault.path.as_str(), fault.message.as_str())).collect();
    assert!(messages.contains(&("lengths[1]", beyond)) && messages.contains(&("lengths[3]", beyond)), "{messages:?}");
    assert_eq!(floats(r#"{"lengths": [1e308, 0e400]}"#).unwrap(), [1e308, 0.0]);
    // What is no JSON besides keeps its place.
    for text in [r#"{"maxLines": 1e400, nope}"#, r#"{"maxLines": 01e400}"#, r#"{"maxLines": 1.e400}"#] {
        let fault = decode::<OrderInput>(Some(text.as_bytes())).unwrap_err();
        assert!(fault.fields.is_empty() && fault.message.contains("not JSON"), "{text}: {}", fault.message);
    }
    let fault = decode::<OrderInput>(Some(br#"{"maxLines": 1e400, nope}"#)).unwrap_err();
    assert!(fault.message.ends_with("at line 1 column 21."), "{}", fault.message);
}

#[wire(input)]
struct MeasuredInput {
    lengths: Vec<Finite>,
}

#[test]
fn names_from_outside_are_not_repeated_at_any_length() {
    let long = "n".repeat(1_000_000);
    let short = format!("{}…", "n".repeat(64));
    let found = messages(&format!(r#""{long}": 1, "lines": [{{"{long}": 300}}]"#));
    assert_eq!(paths(&found), [short.clone(), format!("lines[0].{short}")]);
    assert!(found.iter().all(|(_, message)| message.len() < 200));
    let many = format!(r#""lines": [{}7]"#, "7,".repeat(100_000));
    assert_eq!(messages(&many).len(), MAX_FAULTS);
}

#[test]
fn a_wrong_value_is_not_quoted() {
    let messages = |json: &str| faults(&format!(r#"{{"theName": "a", "maxLines": {json}}}"#))[0].1.clone();
    assert_eq!(messages(r#""hunter2, expected `\"no\"`""#), "expected an integer, found a string");
    assert_eq!(messages("31415"), "expected an integer from 0 to 255");
    assert_eq!(messages("3.1415"), "expected an integer, found a fraction");
    assert_eq!(messages("true"), "expected an integer, found a boolean");
    assert_eq!(messages("null"), "expected an integer, found null");
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

/// A recursive type.
#[wire(input)]
enum TreeInput {
    Leaf {},
    Branch { below: Vec<TreeInput>, volume: Option<Volume> },
}

/// A schema says object or text; serde's own implementations take an array, and an object of one member, beside.
#[test]
fn nothing_is_taken_that_no_schema_says() {
    for (members, path, message) in [
        (r#""unruled": [3, null]"#, "unruled", "expected an object, found an array"),
        (r#""shapes": [["circle", 3]]"#, "shapes[0]", "expected an object, found an array"),
        (r#""shapes": [["polygon", 3, "cm"]]"#, "shapes[0]", "expected an object, found an array"),
        (r#""byWord": {"a": [3, null]}"#, "byWord.a", "expected an object, found an array"),
        (r#""volume": {"low": null}"#, "volume", "expected one of `low`, `-high`"),
        (r#""volume": ["low"]"#, "volume", "expected one of `low`, `-high`"),
    ] {
        assert_eq!(messages(members), [(path.to_owned(), message.to_owned())], "{members}");
    }
    for tree in [
        r#"{"type": "branch", "below": [["leaf"]]}"#,
        r#"["branch", []]"#,
        r#"{"type": "branch", "below": [{"type": ["leaf"]}]}"#,
        r#"{"type": "branch", "below": [], "volume": {"low": null}}"#,
        r#"{"type": {"branch": null}, "below": []}"#,
    ] {
        assert!(decode::<TreeInput>(Some(tree.as_bytes())).is_err(), "{tree}");
    }
    // Escapes and the order of members are nobody's concern.
    let tree = r#"{"below": [{"type": "le\u0061f"}], "volume": "l\u006fw", "type": "branch"}"#;
    let read = TreeInput::Branch { below: vec![TreeInput::Leaf {}], volume: Some(Volume::Low) };
    assert_eq!(decode::<TreeInput>(Some(tree.as_bytes())).unwrap(), read);
    assert_eq!(serde_json::from_str::<Volume>(r#""-high""#).unwrap(), Volume::High);
}

#[test]
fn members_that_are_there_twice_are_noted_up_to_a_number() {
    let (depth, member) = (100, "m".repeat(64));
    let inner = format!("{{\"a\": 0{}}}", r#","a":0,"b":1"#.repeat(5_000));
    let text = (0..depth).fold(inner, |inner, _| format!("{{\"{member}\": {inner}}}"));
    assert!(super::faults::tree(text.as_bytes()).unwrap().duplicates.len() <= MAX_FAULTS);
    let many: String = (0..1000).map(|place| format!(r#""{place}":0,"{place}":1,"#)).collect();
    assert_eq!(super::faults::tree(format!("{{{many}\"\":0}}").as_bytes()).unwrap().duplicates.len(), MAX_FAULTS);
    // Beyond the number, too, nothing is taken that says two things, wherever that is.
    let twice: String = (0..1000).map(|place| format!(r#""{}":1,"{}":1.0,"#, place % 100, place % 100)).collect();
    let messages = messages(&format!(r#""lines": [{{{twice}"x":1}}], "stars": 1, "stars": 2"#));
    assert_eq!(messages.len(), MAX_FAULTS);
    assert!(messages.iter().all(|(path, message)| path.starts_with("lines[0].") && message == DUPLICATE));
}

#[test]
fn nothing_is_looked_at_when_no_more_is_told() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static LOOKED: AtomicUsize = AtomicUsize::new(0);
    fn wrong(_: &mut Value, faults: &mut Faults) {
        LOOKED.fetch_add(1, Ordering::Relaxed);
        faults.push("wrong");
    }
    let looked = |look: &dyn Fn(&mut Faults)| {
        LOOKED.store(0, Ordering::Relaxed);
        let mut faults = Faults::new(std::collections::HashSet::new());
        look(&mut faults);
        look(&mut faults);
        assert_eq!(faults.into_found().len(), MAX_FAULTS);
        LOOKED.load(Ordering::Relaxed)
    };
    let many = vec![Value::Null; 10_000];
    assert_eq!(looked(&|faults| faults.items(&mut many.clone().into(), wrong)), MAX_FAULTS);
    let entries = || Value::Object((0..10_000).map(|key| (key.to_string(), Value::Null)).collect());
    assert_eq!(looked(&|faults| faults.entries::<String>(&mut entries(), wrong)), MAX_FAULTS);
    let member = super::Member { name: "a", optional: true, dives: false, examine: wrong, rules: None };
    let mut with_unknown = entries();
    with_unknown["a"] = Value::Null;
    assert_eq!(looked(&|faults| faults.members(&mut with_unknown.clone(), &[member])), 0);
    assert_eq!(
        looked(&|faults| (0..MAX_FAULTS * 2).for_each(|_| faults.member(&mut Value::Null, &member))),
        MAX_FAULTS
    );
}

/// The tag is taken out while the rest is looked at.
#[test]
fn a_value_is_as_it_was_when_it_was_looked_at() {
    let deep = (0..40).fold(
        serde_json::json!({"type": "leaf"}),
        |below, _| serde_json::json!({"type": "branch", "below": [below, {"type": "star"}, {"type": "leaf", "x": 1}]}),
    );
    let (mut value, mut faults) = (deep.clone(), Faults::new(std::collections::HashSet::new()));
    TreeInput::examine(&mut value, &mut faults);
    assert_eq!(value, deep);
    let found: Vec<_> = faults.into_found().into_iter().map(|fault| fault.path).collect();
    assert_eq!(found.len(), 80);
    let branch = "below[0].".repeat(39);
    assert!(found.contains(&format!("{branch}below[1].type")) && found.contains(&format!("{branch}below[2].x")));
}

#[wire(input)]
struct DiversInput {
    #[garde(custom(is_diver))]
    diver: Option<CornersInput>,
    #[garde(custom(dive))]
    other: Option<CornersInput>,
    #[garde(length(max = 2), dive)]
    pair: Option<Vec<CornersInput>>,
    count: u32,
}

#[allow(clippy::unnecessary_wraps, clippy::trivially_copy_pass_by_ref)]
fn is_diver(_: &Option<CornersInput>, (): &()) -> garde::Result {
    Ok(())
}

#[allow(clippy::unnecessary_wraps, clippy::trivially_copy_pass_by_ref)]
fn dive(_: &Option<CornersInput>, (): &()) -> garde::Result {
    Ok(())
}

/// What is told beside another fault is what is told alone.
#[test]
fn rules_of_what_is_in_a_field_hold_where_it_says_dive() {
    let corners = r#"{"cornerCount": 0}"#;
    for (member, path) in [
        (format!(r#""diver": {corners}"#), None),
        (format!(r#""other": {corners}"#), None),
        (format!(r#""pair": [{corners}]"#), Some("pair[0].cornerCount")),
    ] {
        let paths = |count: &str| {
            let fault = decode::<DiversInput>(Some(format!(r#"{{{member}, "count": {count}}}"#).as_bytes())).err();
            fault.into_iter().flat_map(|fault| fault.fields).map(|fault| fault.path).collect::<Vec<_>>()
        };
        assert_eq!(paths("1"), path.into_iter().collect::<Vec<_>>(), "{member}");
        assert_eq!(paths("true"), path.into_iter().chain(["count"]).collect::<Vec<_>>(), "{member}");
    }
}

/// How often a rule was checked.
static HELD: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_low(number: &Option<u32>, (): &()) -> garde::Result {
    HELD.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    if number.is_some_and(|number| number > 5) { Err(garde::Error::new("is too high")) } else { Ok(()) }
}

#[wire(input)]
enum NestInput {
    Leaf {},
    Nest {
        #[garde(length(max = 9), dive)]
        below: Vec<NestInput>,
        #[garde(custom(is_low))]
        number: Option<u32>,
    },
}

/// At each depth, a value would else be read, and all rules below held against it, once more.
#[test]
fn a_rule_is_held_a_few_times_however_deep_it_is() {
    let (depth, mut messages) = (50, Vec::new());
    for number in [1, 6] {
        let bottom = format!(r#"{{"type": "nest", "below": [], "number": {number}}}"#);
        let text = (0..depth)
            .fold(bottom, |inner, _| format!(r#"{{"type": "nest", "below": [{inner}, {{"type": "leaf"}}]}}"#));
        HELD.store(0, std::sync::atomic::Ordering::Relaxed);
        messages.push(decode::<NestInput>(Some(text.as_bytes())).err().map(|fault| fault.fields));
        assert!(HELD.load(std::sync::atomic::Ordering::Relaxed) <= 3 * (depth + 1), "{HELD:?}");
    }
    let deepest = messages.pop().flatten().unwrap();
    assert_eq!((messages.pop(), deepest.len()), (Some(None), 1));
    assert_eq!(deepest[0].path, "below[0].".repeat(depth) + "number");
}

/// How many there are is known, whatever is wrong with one of them.
#[test]
fn a_length_is_told_beside_what_is_wrong_with_an_item() {
    let three = r#"[{"type":"empty"},{"type":"star"},{"type":"empty"}]"#;
    assert_eq!(paths(&messages(&format!(r#""shapes": {three}"#))), ["shapes[1].type", "shapes"]);
}
