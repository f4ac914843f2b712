//! Each kind of change against each style: whose deployed clients it breaks.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::{Change, Effect, Styles, compare, is_breaking, markdown};

const EVERY: Styles = Styles::IN_STYLES;
const NONE: Styles = Styles::NONE;
const REST: Styles = Styles::REST;
const GRAPHQL: Styles = Styles::GRAPHQL;
const JSON_RPC: Styles = Styles::JSON_RPC;

/// A service with one procedure of each sort.
fn service() -> Value {
    let procedure = |name: &str, kind: &str, rest: Value| {
        json!({
            "name": name, "kind": kind, "docs": "", "rest": rest, "http": null, "grants": [],
            "auth": {"type": "signedIn"}, "timeoutMs": 1000, "cacheSeconds": null,
            "input": null, "inputFields": [], "inputOptional": true, "output": null, "failures": [],
        })
    };
    let mut get = procedure("tools.get", "query", json!("GET /v1/tools/{id}"));
    get["input"] = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "id": {"type": "string", "maxLength": 36},
            "depth": {"type": ["integer", "null"], "default": null, "minimum": 1, "maximum": 9},
            "order": {"$ref": "#/inputTypes/Order"},
        },
        "required": ["id", "order"],
    });
    (get["inputFields"], get["inputOptional"]) = (json!(["id", "depth", "order"]), json!(false));
    get["output"] = json!({"$ref": "#/outputTypes/Tool"});
    get["failures"] = json!([{
        "type": "missing", "code": "NOT_FOUND", "httpStatus": 404, "docs": "",
        "schema": {"type": "object", "properties": {"type": {"const": "missing"}, "value": {"type": "string"}}, "required": ["type", "value"]},
    }]);
    let mut keys = procedure("keys.list", "query", Value::Null);
    keys["http"] = json!("GET /keys.json");
    json!({
        "format": 1,
        "service": "shed",
        "procedures": [get, procedure("tools.sharpen", "mutation", Value::Null), keys],
        "inputTypes": {"Order": {"enum": ["newest", "oldest"]}},
        "outputTypes": {
            "State": {"enum": ["sharp", "blunt"]},
            "Use": {"oneOf": [variant("cut"), variant("saw")]},
            "Tool": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 50},
                    "state": {"$ref": "#/outputTypes/State"},
                    "uses": {"type": "array", "items": {"$ref": "#/outputTypes/Use"}},
                    "weight": {"type": ["number", "null"]},
                },
                "required": ["name", "state", "uses", "weight"],
            },
        },
    })
}

fn variant(name: &str) -> Value {
    json!({"type": "object", "properties": {"type": {"const": name}, "force": {"type": "integer"}}, "required": ["type", "force"]})
}

fn changes(change: impl FnOnce(&mut Value)) -> Vec<Change> {
    let (old, mut new) = (service(), service());
    change(&mut new);
    compare(&old, &new).unwrap()
}

/// Whose clients a change breaks.
#[track_caller]
fn breaks(styles: Styles, change: impl FnOnce(&mut Value)) -> Vec<Change> {
    let changes = changes(change);
    assert!(!changes.is_empty(), "nothing is said");
    let broken = changes.iter().fold(NONE, |all, change| match change.effect {
        Effect::Breaking(styles) => all | styles,
        _ => all,
    });
    assert_eq!(broken, styles, "{changes:#?}");
    assert_eq!(is_breaking(&changes), !styles.is_empty());
    changes
}

const GET: usize = 0;
const SHARPEN: usize = 1;
const KEYS: usize = 2;

/// A change of one procedure.
#[track_caller]
fn of(at: usize, styles: Styles, change: impl FnOnce(&mut Value)) -> Vec<Change> {
    breaks(styles, |service| change(&mut service["procedures"][at]))
}

/// A change of what is taken, with where it stands among the fields.
#[track_caller]
fn taking(styles: Styles, field: &str, schema: Value, required: bool, at: usize) {
    of(GET, styles, |procedure| {
        procedure["input"]["properties"][field] = schema;
        if required {
            procedure["input"]["required"].as_array_mut().unwrap().push(field.into());
        }
        procedure["inputFields"].as_array_mut().unwrap().insert(at, field.into());
    });
}

/// A change of one field of what is given.
#[track_caller]
fn giving(styles: Styles, field: &str, schema: Value) -> Vec<Change> {
    breaks(styles, |service| service["outputTypes"]["Tool"]["properties"][field] = schema)
}

#[test]
fn procedures() {
    breaks(EVERY, |service| drop(service["procedures"].as_array_mut().unwrap().remove(GET)));
    breaks(EVERY - REST, |service| drop(service["procedures"].as_array_mut().unwrap().remove(SHARPEN)));
    breaks(Styles::OWN, |service| drop(service["procedures"].as_array_mut().unwrap().remove(KEYS)));
    breaks(NONE, |service| {
        let mut more = service["procedures"][SHARPEN].clone();
        more["name"] = "tools.oil".into();
        service["procedures"].as_array_mut().unwrap().push(more);
    });
    breaks(Styles::ALL, |service| service["service"] = "barn".into());
}

#[test]
fn another_name() {
    let changes = of(GET, EVERY - REST, |procedure| procedure["name"] = "tools.fetch".into());
    let sentences: Vec<_> = changes.iter().map(ToString::to_string).collect();
    let expected = [
        "`tools.get`: is called `tools.fetch` now: clients that call it by its old name break.",
        "`tools.get`: names its problems (RFC 9457, `type`) after `tools.fetch`.",
    ];
    assert_eq!(sentences, expected);
    // Without an address it is another procedure.
    let changes = of(SHARPEN, EVERY - REST, |procedure| procedure["name"] = "tools.whet".into());
    assert_eq!(changes[0].to_string(), "`tools.sharpen`: is gone.");
    of(KEYS, NONE, |procedure| procedure["name"] = "keys.all".into());
    // What else changed with the name is felt by those who call the address.
    of(GET, EVERY, |procedure| {
        procedure["name"] = "tools.fetch".into();
        procedure["output"] = json!({"type": "string"});
    });
}

#[test]
fn kinds_and_addresses() {
    of(SHARPEN, Styles::TYPESCRIPT | GRAPHQL, |procedure| procedure["kind"] = "query".into());
    of(GET, Styles::TYPESCRIPT | GRAPHQL | REST, |procedure| {
        (procedure["kind"], procedure["rest"]) = ("mutation".into(), "POST /v1/tools/{id}".into());
    });
    of(GET, REST, |procedure| procedure["rest"] = "GET /v2/tools/{id}".into());
    of(GET, REST, |procedure| procedure["rest"] = "PUT /v1/tools/{id}".into());
    of(GET, REST, |procedure| procedure["rest"] = Value::Null);
    of(GET, NONE, |procedure| procedure["rest"] = "GET /v1/tools/{tool}".into());
    of(SHARPEN, NONE, |procedure| procedure["rest"] = "POST /v1/sharp-tools".into());
    of(KEYS, Styles::OWN, |procedure| procedure["http"] = "GET /all-keys.json".into());
    of(KEYS, Styles::OWN, |procedure| procedure["http"] = Value::Null);
    of(SHARPEN, EVERY - REST, |procedure| procedure["http"] = "POST /sharpen".into());
}

#[test]
fn policies_and_limits() {
    of(GET, EVERY, |procedure| procedure["auth"] = json!({"type": "permission", "permission": "a:b", "own": false}));
    of(KEYS, Styles::OWN, |p| p["auth"] = json!({"type": "permission", "permission": "a:b", "own": false}));
    of(GET, NONE, |procedure| procedure["auth"] = json!({"type": "public"}));
    of(GET, NONE, |procedure| procedure["cacheSeconds"] = 60.into());
    of(GET, NONE, |procedure| procedure["timeoutMs"] = 500.into());
}

#[test]
fn fields_that_are_taken() {
    let text = || json!({"type": ["string", "null"], "default": null});
    taking(NONE, "owner", text(), false, 3);
    taking(JSON_RPC, "owner", text(), false, 0);
    taking(JSON_RPC, "owner", text(), false, 2);
    taking(EVERY, "owner", json!({"type": "string"}), true, 3);
    of(GET, JSON_RPC, |procedure| procedure["inputFields"] = json!(["order", "depth", "id"]));
    of(GET, EVERY, |procedure| {
        drop(procedure["input"]["properties"].as_object_mut().unwrap().remove("depth"));
        procedure["inputFields"] = json!(["id", "order"]);
    });
    of(GET, EVERY, |procedure| procedure["input"]["required"] = json!(["id", "order", "depth"]));
    of(GET, NONE, |procedure| procedure["input"]["required"] = json!(["id"]));
}

#[test]
fn an_input_as_a_whole() {
    let input = |required: Value| json!({"type": "object", "additionalProperties": false, "properties": {"hard": {"type": "boolean"}}, "required": required});
    let with = |required: Value| {
        move |procedure: &mut Value| {
            procedure["inputOptional"] = required.as_array().unwrap().is_empty().into();
            (procedure["input"], procedure["inputFields"]) = (input(required), json!(["hard"]));
        }
    };
    of(SHARPEN, NONE, with(json!([])));
    of(SHARPEN, EVERY - REST, with(json!(["hard"])));
    of(GET, EVERY, |procedure| {
        (procedure["input"], procedure["inputFields"], procedure["inputOptional"]) =
            (Value::Null, json!([]), true.into());
    });
}

#[test]
fn values_that_are_taken() {
    let field = |styles, field: &str, schema: Value| {
        of(GET, styles, |procedure| procedure["input"]["properties"][field] = schema);
    };
    field(EVERY, "id", json!({"type": "string", "maxLength": 30}));
    field(NONE, "id", json!({"type": "string", "maxLength": 40}));
    field(EVERY, "id", json!({"type": "string", "maxLength": 36, "pattern": "^a"}));
    field(NONE, "id", json!({"type": ["string", "null"], "maxLength": 36}));
    field(EVERY, "id", json!({"type": "integer"}));
    // A type of its own elsewhere is one that takes both.
    field(GRAPHQL | Styles::SOAP, "id", json!({"anyOf": [{"type": "string", "maxLength": 36}, {"type": "integer"}]}));
    field(EVERY, "depth", json!({"type": "integer", "default": null, "minimum": 1, "maximum": 9}));
    field(EVERY, "depth", json!({"type": ["integer", "null"], "default": null, "minimum": 2, "maximum": 9}));
    let default = json!({"type": ["integer", "null"], "default": 3, "minimum": 1, "maximum": 9});
    field(NONE, "depth", default);
    // What the words of an enumeration were is written otherwise as a text there, and a variable has its type's name.
    field(GRAPHQL, "order", json!({"type": "string"}));
    breaks(NONE, |service| service["inputTypes"]["Order"] = json!({"enum": ["newest", "oldest", "heaviest"]}));
    breaks(EVERY, |service| service["inputTypes"]["Order"] = json!({"enum": ["newest"]}));
}

#[test]
fn types_that_variables_name() {
    let changes = breaks(GRAPHQL, |service| {
        let order = service["inputTypes"].as_object_mut().unwrap().remove("Order").unwrap();
        service["inputTypes"]["Sequence"] = order;
        service["procedures"][GET]["input"]["properties"]["order"] = json!({"$ref": "#/inputTypes/Sequence"});
    });
    let sentence = "`tools.get`: `input.order` is of the type `Sequence`, and was of `Order`.";
    assert_eq!(changes[0].to_string(), sentence);
    let depth = |most: i64| json!({"type": ["integer", "null"], "default": null, "minimum": 1, "maximum": most});
    let taking = |styles, most| of(GET, styles, |procedure| procedure["input"]["properties"]["depth"] = depth(most));
    taking(NONE, 99);
    let changes = taking(GRAPHQL, 4_000_000_000);
    assert_eq!(changes[0].to_string(), "`tools.get`: `input.depth` is of the type `UnsignedInt`, and was of `Int`.");
    taking(GRAPHQL, 1 << 50);
}

#[test]
fn fields_that_are_given() {
    let changes = giving(NONE, "colour", json!({"type": "string"}));
    assert_eq!(changes[0].effect, Effect::Caution(Styles::SOAP), "a strict client takes what its WSDL names");
    breaks(EVERY, |service| {
        drop(service["outputTypes"]["Tool"]["properties"].as_object_mut().unwrap().remove("name"));
        service["outputTypes"]["Tool"]["required"] = json!(["state", "uses", "weight"]);
    });
    breaks(EVERY, |service| service["outputTypes"]["Tool"]["required"] = json!(["state", "uses", "weight"]));
    giving(EVERY, "name", json!({"type": ["string", "null"], "maxLength": 50}));
    giving(NONE, "weight", json!({"type": "number"}));
}

#[test]
fn values_that_are_given() {
    giving(EVERY, "name", json!({"type": "integer"}));
    let changes = giving(NONE, "name", json!({"type": "string", "maxLength": 90}));
    assert_eq!(changes[0].effect, Effect::Caution(EVERY));
    giving(NONE, "name", json!({"type": "string", "maxLength": 9}));
    giving(NONE, "weight", json!({"type": ["integer", "null"]}));
    giving(EVERY, "state", json!({"type": "string"}));
    // As a value of an enumeration it is written otherwise.
    giving(GRAPHQL, "name", json!({"enum": ["axe", "saw"]}));
    breaks(Styles::EXHAUSTIVE, |s| s["outputTypes"]["State"] = json!({"enum": ["sharp", "blunt", "broken"]}));
    breaks(NONE, |service| service["outputTypes"]["State"] = json!({"enum": ["sharp"]}));
    let uses = |names: &[&str]| json!({"oneOf": names.iter().map(|name| variant(name)).collect::<Vec<_>>()});
    breaks(Styles::EXHAUSTIVE, |service| service["outputTypes"]["Use"] = uses(&["cut", "saw", "dig"]));
    breaks(GRAPHQL, |service| service["outputTypes"]["Use"] = uses(&["cut"]));
}

#[test]
fn an_output_as_a_whole() {
    of(GET, EVERY, |procedure| procedure["output"] = Value::Null);
    of(GET, EVERY, |procedure| procedure["output"] = json!({"type": "array", "items": {"type": "string"}}));
    of(SHARPEN, GRAPHQL | Styles::SOAP, |procedure| procedure["output"] = json!({"type": "boolean"}));
}

#[test]
fn failures() {
    let new = |name: &str| {
        let mut failure = service()["procedures"][GET]["failures"][0].clone();
        (failure["type"], failure["schema"]["properties"]["type"]["const"]) = (name.into(), name.into());
        failure
    };
    of(GET, Styles::EXHAUSTIVE, |p| p["failures"].as_array_mut().unwrap().push(new("lent")));
    of(SHARPEN, Styles::EXHAUSTIVE, |procedure| procedure["failures"] = json!([new("blunt")]));
    let changes = of(KEYS, NONE, |procedure| procedure["failures"] = json!([new("lost")]));
    assert_eq!(changes[0].effect, Effect::Caution(Styles::OWN));
    of(GET, GRAPHQL, |procedure| procedure["failures"] = json!([]));
    of(GET, EVERY, |procedure| procedure["failures"][0]["code"] = "CONFLICT".into());
    of(GET, EVERY, |p| p["failures"][0]["schema"]["properties"]["value"] = json!({"type": "integer"}));
}

#[test]
fn the_report_stands_under_each_style_that_breaks() {
    let report = markdown(&changes(|service| {
        service["procedures"][GET]["rest"] = "GET /v2/tools/{id}".into();
        service["procedures"][GET]["auth"] = json!({"type": "permission", "permission": "a:b", "own": false});
        service["outputTypes"]["State"]["enum"].as_array_mut().unwrap().push("broken".into());
        service["outputTypes"]["Tool"]["properties"]["colour"] = json!({"type": "string"});
    }));
    let headings: Vec<_> = report.lines().filter(|line| line.starts_with('#')).collect();
    let expected = [
        "## Contract",
        "### Breaks callers in every style",
        "### Breaks callers: tRPC and TypeScript",
        "### Breaks callers: REST",
        "### Breaks callers: GraphQL",
        "### Breaks callers: SOAP",
        "### May surprise old clients",
    ];
    assert_eq!(headings, expected, "{report}");
    assert!(report.contains("### Breaks callers: REST\n\n- `tools.get`: has another REST route"), "{report}");
    assert!(report.contains("`output.colour` is new. (SOAP)\n"), "{report}");
    assert_eq!(report.matches("`output.state` may be `broken`").count(), 3, "{report}");
}
