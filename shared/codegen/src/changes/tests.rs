//! Variations of the contract of a made-up service, and what a reviewer reads of them.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::{Effect, Styles, compare, markdown};

/// What breaks callers of every style.
const BREAKING: Effect = Effect::Breaking(Styles::IN_STYLES);
const CAUTION: Effect = Effect::Caution(Styles::IN_STYLES);
/// What breaks those who tell cases apart.
const UNHANDLED: Effect = Effect::Breaking(Styles::EXHAUSTIVE);

fn made_up() -> Value {
    serde_json::from_str(include_str!("../../../gateways/fixtures/library.json")).unwrap()
}

fn procedure<'a>(contract: &'a mut Value, name: &str) -> &'a mut Value {
    contract["procedures"].as_array_mut().unwrap().iter_mut().find(|procedure| procedure["name"] == name).unwrap()
}

/// The change of one contract, as lines of the report.
fn said(old: &Value, new: &Value) -> Vec<(Effect, String)> {
    compare(old, new).unwrap().into_iter().map(|change| (change.effect, change.to_string())).collect()
}

/// What is said when the contract is changed, and when the change is taken back.
fn both_ways(change: impl FnOnce(&mut Value)) -> [Vec<(Effect, String)>; 2] {
    let (old, mut new) = (made_up(), made_up());
    change(&mut new);
    [said(&old, &new), said(&new, &old)]
}

fn one(effect: Effect, sentence: &str) -> Vec<(Effect, String)> {
    vec![(effect, sentence.to_owned())]
}

/// A change of the input of `readers.create`, both ways.
fn of_input(field: &str, to: Value) -> [Vec<(Effect, String)>; 2] {
    both_ways(|contract| procedure(contract, "readers.create")["input"]["properties"][field] = to)
}

/// A change of what `readers.get` answers and nobody else does, both ways.
fn of_output(old: Value, new: Value) -> [Vec<(Effect, String)>; 2] {
    let with = |output| {
        let mut contract = made_up();
        procedure(&mut contract, "readers.get")["output"] =
            json!({"type": "object", "properties": {"it": output}, "required": ["it"]});
        contract
    };
    let (old, new) = (with(old), with(new));
    [said(&old, &new), said(&new, &old)]
}

#[test]
fn the_same_contract_has_not_changed() {
    let report = markdown(&compare(&made_up(), &made_up()).unwrap());
    assert!(report.contains("The contract is unchanged."), "{report}");
}

#[test]
fn an_order_that_says_nothing_is_no_change() {
    fn turn_round(value: &mut Value) {
        match value {
            Value::Array(members) => {
                members.reverse();
                members.iter_mut().for_each(turn_round);
            }
            Value::Object(members) => {
                *members = std::mem::take(members).into_iter().rev().collect();
                // What is given by position is meant in the order of the fields.
                members.iter_mut().filter(|(name, _)| *name != "inputFields").for_each(|(_, value)| turn_round(value));
            }
            _ => {}
        }
    }
    let mut turned = made_up();
    turn_round(&mut turned["procedures"]);
    turn_round(&mut turned["inputTypes"]);
    turn_round(&mut turned["outputTypes"]);
    assert_ne!(turned.to_string(), made_up().to_string());
    assert_eq!(said(&made_up(), &turned), []);
}

#[test]
fn what_is_no_contract_is_refused_with_a_reason() {
    let fault = |change: fn(&mut Value)| {
        let mut new = made_up();
        change(&mut new);
        compare(&made_up(), &new).unwrap_err()
    };
    assert_eq!(compare(&json!([]), &made_up()).unwrap_err(), "the old contract is no JSON object");
    assert_eq!(fault(|c| c["format"] = 2.into()), "the new contract has format 2, and format 1 is understood here");
    assert_eq!(fault(|c| *c = json!({})), "the new contract states no `format`");
    assert_eq!(fault(|c| c["procedures"] = json!({})), "the new contract has no list `procedures`");
    assert_eq!(fault(|c| c["procedures"] = json!([{}])), "the new contract has a procedure without a `name`");
    let twice = json!([{"name": "a.b"}, {"name": "a.b"}]);
    assert_eq!(
        compare(&json!({"format": 1, "procedures": twice}), &made_up()).unwrap_err(),
        "the old contract has two procedures named `a.b`"
    );
    assert_eq!(
        fault(|c| drop(c["outputTypes"].as_object_mut().unwrap().remove("Reader"))),
        "the new contract refers to `#/outputTypes/Reader`, which is not in it"
    );
}

#[test]
fn procedures_come_and_go_with_their_rights() {
    let [gone, back] = both_ways(|contract| {
        contract["procedures"].as_array_mut().unwrap().retain(|procedure| procedure["name"] != "readers.get");
    });
    assert_eq!(gone[0], (BREAKING, "`readers.get`: is gone.".into()));
    assert_eq!(gone[1], (Effect::Rights, "`readers.get`: loses the grant `count` on `Meter`.".into()));
    assert_eq!(gone[2], (Effect::Rights, "`readers.get`: loses the grant `get` on `Pass`.".into()));
    assert_eq!(gone[3], (Effect::Rights, "`readers.get`: loses the grant `read` on `Reader`.".into()));
    assert_eq!((back[0].0, back[1].0, back[2].0), (Effect::Rights, Effect::Rights, Effect::Rights));
    assert!(back[2].1.starts_with("`readers.get`: gets the grant `read` on `Reader`: `actions`"), "{back:?}");
    assert!(back[2].1.contains("dynamodb:Query") && back[2].1.contains("`leadingKeys` `reader#*`"), "{back:?}");
    let new = "`readers.get`: is new, and may be called by callers with the permission `readers:read`.";
    assert_eq!(back[3..], one(Effect::Compatible, new));
}

#[test]
fn a_grant_of_more_or_less_is_a_matter_of_rights() {
    let [more, less] = both_ways(|contract| {
        procedure(contract, "readers.get")["grants"][2]["actions"].as_array_mut().unwrap().push("dynamodb:Scan".into());
    });
    assert_eq!((more.len(), less.len(), more[0].0), (1, 1, Effect::Rights));
    assert!(more[0].1.starts_with("`readers.get`: the grant `read` on `Reader`: `actions` was"), "{more:?}");
    // A member of a later format.
    let [more, _] = both_ways(|contract| procedure(contract, "readers.get")["grants"][2]["rows"] = json!(["own"]));
    let change = "`readers.get`: the grant `read` on `Reader`: `rows` was not stated and is `[\"own\"]`.";
    assert_eq!(more, one(Effect::Rights, change));
    let [fewer, _] = both_ways(|contract| procedure(contract, "readers.get")["grants"][2]["indexes"] = json!(["gsi1"]));
    assert_eq!(fewer[0].0, Effect::Rights);
}

#[test]
fn mail_is_a_matter_of_rights() {
    let [more, less] = both_ways(|contract| procedure(contract, "readers.get")["mail"] = true.into());
    assert_eq!(more, one(Effect::Rights, "`readers.get`: may send mail."));
    assert_eq!(less, one(Effect::Rights, "`readers.get`: may send mail no more."));
    let [unstated, stated] =
        both_ways(|contract| drop(procedure(contract, "readers.get").as_object_mut().unwrap().remove("mail")));
    assert_eq!((unstated.len(), stated.len()), (0, 0), "a contract from before there was mail");
}

#[test]
fn secrets_and_calls_outside_are_a_matter_of_rights() {
    let [more, less] = both_ways(|contract| procedure(contract, "readers.get")["secrets"] = json!(["signing"]));
    assert_eq!(more, one(Effect::Rights, "`readers.get`: reads the secret `signing`."));
    assert_eq!(less, one(Effect::Rights, "`readers.get`: reads the secret `signing` no more."));
    let [more, _] = both_ways(|contract| procedure(contract, "readers.get")["outbound"] = json!(["a bank"]));
    assert_eq!(more, one(Effect::Rights, "`readers.get`: calls, outside the service, `a bank`."));
}

#[test]
fn configurations_are_a_matter_of_the_stages() {
    let shop = |most: u32| json!({"shop": {"type": "object", "properties": {"most": {"maximum": most}}}});
    let [new, gone] = both_ways(|contract| contract["configs"] = shop(1));
    assert_eq!(new, one(Effect::Note, "The configuration `shop` is new: each stage states it."));
    assert_eq!(gone, one(Effect::Note, "The configuration `shop` is gone: no stage may state it."));
    let [more, _] = both_ways(|contract| procedure(contract, "readers.get")["configs"] = json!(["shop"]));
    assert_eq!(more.len(), 1, "{more:?}");
    assert_eq!(more[0].0, Effect::Note);
    let [none, _] = both_ways(|contract| procedure(contract, "readers.get")["configs"] = json!([]));
    assert_eq!(none, [], "a contract from before there were configurations");
}

#[test]
fn a_look_at_the_session_and_a_route_of_its_own() {
    let [looks, not] = both_ways(|contract| procedure(contract, "readers.get")["sensitive"] = true.into());
    assert_eq!(looks, one(Effect::Note, "`readers.get`: looks at the session of a token in each call."));
    assert_eq!(not, one(Effect::Rights, "`readers.get`: looks at the session of a token no more."));
    let [there, gone] = both_ways(|contract| procedure(contract, "readers.get")["http"] = "GET /readers".into());
    let own = "`readers.get`: has the route of its own `GET /readers`.";
    let leaves = (BREAKING, "`readers.get`: is in no style of API any more.".to_owned());
    assert_eq!(there, [vec![leaves], one(Effect::Compatible, own)].concat());
    let sentence = "`readers.get`: has lost its route of its own `GET /readers`.";
    assert_eq!(gone, one(Effect::Breaking(Styles::OWN), sentence));
}

#[test]
fn how_fresh_a_sign_in_has_to_be_is_a_matter_of_rights() {
    let with =
        |seconds: u32| move |contract: &mut Value| procedure(contract, "readers.get")["freshSeconds"] = seconds.into();
    let [asks, not] = both_ways(with(300));
    assert_eq!(asks, one(Effect::Note, "`readers.get`: wants a sign-in of the last 300 s."));
    assert_eq!(not, one(Effect::Rights, "`readers.get`: may be called however long ago the caller signed in."));
}

#[test]
fn own_items_let_more_callers_in() {
    let [more, fewer] = both_ways(|contract| procedure(contract, "readers.get")["auth"]["own"] = true.into());
    assert_eq!((more[0].0, fewer[0].0), (Effect::Rights, BREAKING));
    assert!(more[0].1.ends_with("`readers:read`, for all items or their own."), "{more:?}");
}

#[test]
fn who_may_call() {
    let [open, shut] = both_ways(|contract| procedure(contract, "readers.get")["auth"] = json!({"type": "public"}));
    let change = "`readers.get`: could be called by callers with the permission `readers:read`, and now by anybody.";
    assert_eq!(open, one(Effect::Rights, change));
    assert_eq!(shut[0].0, BREAKING);
    let [other, _] =
        both_ways(|contract| procedure(contract, "readers.get")["auth"]["permission"] = "people:read".into());
    assert_eq!(other[0].0, BREAKING);
    let [unknown, _] = both_ways(|contract| procedure(contract, "readers.get")["auth"] = json!({"type": "moon"}));
    assert_eq!(unknown[0].0, Effect::Unjudged);
}

#[test]
fn kind_and_route() {
    let [kind, _] = both_ways(|contract| procedure(contract, "readers.get")["kind"] = "mutation".into());
    let roots = Effect::Breaking(Styles::TYPESCRIPT | Styles::GRAPHQL);
    assert_eq!(kind, one(roots, "`readers.get`: `kind` was `query` and is `mutation`."));
    let [gone, back] = both_ways(|contract| procedure(contract, "pulse.ping")["rest"] = Value::Null);
    let rest = Effect::Breaking(Styles::REST);
    assert_eq!(gone, one(rest, "`pulse.ping`: has lost its REST route `GET /v1/pulse`."));
    assert_eq!(back, one(Effect::Compatible, "`pulse.ping`: has the REST route `GET /v1/pulse`."));
    let [other, _] = both_ways(|contract| procedure(contract, "pulse.ping")["rest"] = "GET /v2/health".into());
    assert_eq!(other[0].0, rest);
}

#[test]
fn what_a_route_answers_besides_the_output_is_what_its_clients_look_for() {
    let rest = Effect::Breaking(Styles::REST);
    let [gone, back] =
        both_ways(|contract| procedure(contract, "readers.create")["restAnswer"]["location"] = false.into());
    assert_eq!(gone, one(rest, "`readers.create`: has no `Location` in its answers any more."));
    assert_eq!(back, one(Effect::Compatible, "`readers.create`: has `Location` in its answers."));
    let statuses = both_ways(|contract| procedure(contract, "readers.create")["restAnswer"]["created"] = false.into());
    assert_eq!(statuses[0], one(rest, "`readers.create`: answers 200 to a call that succeeds, and answered 201."));
    assert_eq!(statuses[1], one(rest, "`readers.create`: answers 201 to a call that succeeds, and answered 200."));
    let [gone, back] =
        both_ways(|contract| procedure(contract, "readers.update")["restAnswer"]["ifMatch"] = false.into());
    assert_eq!(gone, one(rest, "`readers.update`: takes no `If-Match` any more."));
    assert_eq!(back, one(Effect::Compatible, "`readers.update`: takes `If-Match`."));
    let unsaid = both_ways(|contract| procedure(contract, "readers.create")["restAnswer"] = Value::Null);
    assert_eq!(unsaid, [vec![], vec![]], "contracts of before do not say it");
}

#[test]
fn in_another_format_errors_are_not_read() {
    let [oauth, back] = both_ways(|contract| procedure(contract, "badges.token")["errors"] = "problem".into());
    assert_eq!((oauth.len(), oauth[0].0, back[0].0), (1, Effect::Breaking(Styles::OWN), Effect::Breaking(Styles::OWN)));
    let unsaid = both_ways(|contract| procedure(contract, "badges.token")["errors"] = Value::Null);
    assert_eq!(unsaid, [vec![], vec![]], "contracts of before do not say it");
}

#[test]
fn what_a_function_is_given_is_a_note() {
    for (member, value) in [("timeoutMs", 20_000), ("memoryMb", 512), ("reservedConcurrency", 5), ("cacheSeconds", 60)]
    {
        let [up, down] = both_ways(|contract| procedure(contract, "readers.list")[member] = value.into());
        assert_eq!((up.len(), up[0].0, down[0].0), (1, Effect::Note, Effect::Note), "{up:?}");
        assert!(up[0].1.contains(member), "{up:?}");
    }
}

#[test]
fn what_is_not_understood_is_said() {
    let [there, gone] = both_ways(|contract| procedure(contract, "readers.list")["colour"] = "red".into());
    assert_eq!((there.clone(), gone), (there.clone(), there));
    let [there, _] = both_ways(|contract| procedure(contract, "readers.list")["colour"] = "red".into());
    assert_eq!(there, one(Effect::Unjudged, "`readers.list`: `colour` changed."));
    let [there, _] = both_ways(|contract| contract["events"] = json!([]));
    assert_eq!(there, one(Effect::Unjudged, "`events` changed."));
    // A keyword of JSON Schema that no wire type has.
    let [there, _] =
        of_input("name", json!({"type": "string", "minLength": 1, "maxLength": 100, "not": {"const": "Eve"}}));
    assert_eq!(there, one(Effect::Unjudged, "`readers.create`: `not` of `input.name` changed."));
}

#[test]
fn the_service_and_its_table() {
    let [name, _] = both_ways(|contract| contract["service"] = "warehouse".into());
    assert_eq!(name[0].0, Effect::Breaking(Styles::ALL));
    let [ttl, _] = both_ways(|contract| contract["table"]["timeToLive"] = "expires".into());
    assert_eq!(ttl, one(Effect::Note, "`table.timeToLive` was `ttl` and is `expires`."));
}

#[test]
fn a_gateway_comes_or_goes() {
    let gateway = json!({"name": "morse", "paths": ["/morse"], "calls": true});
    let [there, gone] = both_ways(|contract| contract["gateways"].as_array_mut().unwrap().push(gateway.clone()));
    assert_eq!(there, one(Effect::Note, "A gateway answers at `/morse`."));
    assert_eq!(gone, one(Effect::Breaking(Styles::ALL), "Nothing answers at `/morse` any more."));
    let [_, gone] = both_ways(|contract| {
        let soap = json!({"name": "soap", "paths": ["/old-soap"], "calls": true});
        contract["gateways"].as_array_mut().unwrap().push(soap);
    });
    assert_eq!(gone[0].0, Effect::Breaking(Styles::SOAP));
    let [_, gone] = both_ways(|contract| {
        let docs = json!({"name": "docs", "paths": ["/manual"], "calls": false});
        contract["gateways"].as_array_mut().unwrap().push(docs);
    });
    assert_eq!(gone[0].0, Effect::Caution(Styles::ALL));
    let [there, gone] = both_ways(|contract| {
        contract["passwordSignIn"] = Value::Null;
    });
    assert_eq!((there[0].0, gone[0].0), (Effect::Breaking(Styles::SOAP), Effect::Compatible));
}

#[test]
fn what_a_service_states_of_itself_is_judged_by_whom_it_concerns() {
    let [other, _] = both_ways(|contract| contract["npmPackage"] = "@library/client".into());
    let sentence =
        "The npm package was `library` and is `@library/client`: who imports it finds it under another name.";
    assert_eq!(other, one(Effect::Breaking(Styles::TYPESCRIPT), sentence));
    let [gone, stated] = both_ways(|contract| contract["session"] = Value::Null);
    let sentence = "The client of the npm package has no `createSession` any more.";
    assert_eq!(gone, one(Effect::Breaking(Styles::TYPESCRIPT), sentence));
    assert_eq!(stated[0].0, Effect::Note);
    let [gone, stated] = both_ways(|contract| contract["authorizationServer"] = Value::Null);
    assert_eq!((gone[0].0, stated[0].0), (Effect::Note, Effect::Note));
    // A contract from before these were stated, and what only the service's own commands go by.
    let own = ["npmPackage", "operatorRole", "index", "layout", "session", "authorizationServer"];
    let mut before = made_up();
    own.iter().for_each(|member| drop(before.as_object_mut().unwrap().remove(*member)));
    let notes = said(&before, &made_up());
    assert!(notes.len() == 2 && notes.iter().all(|(effect, _)| *effect == Effect::Note), "{notes:?}");
    let (mut old, mut new) = (made_up(), made_up());
    (old["index"], old["layout"]) = ("library".into(), json!({"bindings": "bindings"}));
    (new["index"], new["layout"]) = ("acts".into(), json!({"bindings": "clients"}));
    new["operatorRole"] = "owner".into();
    let moved = said(&old, &new);
    assert!(moved.iter().all(|(effect, _)| *effect == Effect::Note), "{moved:?}");
    let expected =
        ["`index` was `library` and is `acts`", "`layout` was", "`operatorRole` was `librarian` and is `owner`"];
    assert_eq!(moved.len(), expected.len(), "{moved:?}");
    assert!(moved.iter().zip(expected).all(|((_, sentence), begin)| sentence.starts_with(begin)), "{moved:?}");
    let [slower, _] = both_ways(|contract| contract["gateways"][0]["memoryMb"] = 128.into());
    assert!(slower.len() == 1 && slower[0].1.contains("memoryMb"), "{slower:?}");
}

#[test]
fn a_field_of_an_input_comes_goes_or_must_be_given() {
    let [may, gone] = of_input("nickname", json!({"type": ["string", "null"], "default": null}));
    assert_eq!(may, one(Effect::Compatible, "`readers.create`: `input.nickname` is new and may be given."));
    assert_eq!(gone, one(BREAKING, "`readers.create`: `input.nickname` is gone."));
    let [must, _] = both_ways(|contract| {
        let input = &mut procedure(contract, "readers.create")["input"];
        input["properties"]["nickname"] = json!({"type": "string"});
        input["required"].as_array_mut().unwrap().push("nickname".into());
    });
    assert_eq!(must, one(BREAKING, "`readers.create`: `input.nickname` is new and must be given."));
    let [must, may] = both_ways(|contract| {
        procedure(contract, "readers.create")["input"]["required"].as_array_mut().unwrap().push("age".into());
    });
    assert_eq!(must, one(BREAKING, "`readers.create`: `input.age` must be given, and could be left out."));
    assert_eq!(may, one(Effect::Compatible, "`readers.create`: `input.age` may be left out."));
}

#[test]
fn an_input_comes_or_goes() {
    let id = json!({"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"], "additionalProperties": false});
    let [comes, goes] = both_ways(|contract| {
        let ping = procedure(contract, "pulse.ping");
        (ping["input"], ping["inputOptional"]) = (id, false.into());
    });
    assert_eq!(comes, one(BREAKING, "`pulse.ping`: needs an input, and took none."));
    assert_eq!(goes, one(BREAKING, "`pulse.ping`: takes no input any more."));
    let [comes, _] = both_ways(|contract| procedure(contract, "pulse.ping")["input"] = json!({"type": "object"}));
    assert_eq!(comes, one(Effect::Compatible, "`pulse.ping`: takes an input that may be left out."));
    let [must, _] = both_ways(|contract| procedure(contract, "readers.list")["inputOptional"] = false.into());
    assert_eq!(must, one(BREAKING, "`readers.list`: `inputOptional` was `true` and is `false`."));
}

#[test]
fn bounds_and_patterns_of_an_input() {
    let name = |rule: Value| {
        let mut schema = json!({"type": "string", "minLength": 1, "maxLength": 100});
        schema.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
        of_input("name", schema)
    };
    let [tighter, looser] = name(json!({"maxLength": 50}));
    assert_eq!(tighter, one(BREAKING, "`readers.create`: `input.name` takes less: `maxLength` was `100` and is `50`."));
    assert_eq!(
        looser,
        one(Effect::Compatible, "`readers.create`: `input.name` takes more: `maxLength` was `50` and is `100`.")
    );
    let [tighter, looser] = name(json!({"minLength": 2}));
    assert_eq!((tighter[0].0, looser[0].0), (BREAKING, Effect::Compatible));
    let [tighter, looser] = name(json!({"pattern": "^[a-z]+$"}));
    assert_eq!((tighter[0].0, looser[0].0), (BREAKING, Effect::Compatible));
    let [tighter, looser] =
        of_input("age", json!({"type": ["integer", "null"], "format": "uint32", "minimum": 18, "maximum": 150}));
    assert_eq!((tighter.len(), tighter[0].0, looser[0].0), (1, BREAKING, Effect::Compatible), "{tighter:?}");
}

#[test]
fn types_of_an_input() {
    let [other, _] = of_input("name", json!({"type": "boolean"}));
    assert_eq!(other, one(BREAKING, "`readers.create`: `input.name` was a string and is a boolean."));
    let [not_null, null] =
        of_input("age", json!({"type": "integer", "format": "uint32", "minimum": 0, "maximum": 150}));
    assert_eq!(not_null, one(BREAKING, "`readers.create`: `input.age` may not be null any more."));
    assert_eq!(null, one(Effect::Compatible, "`readers.create`: `input.age` may be null as well."));
}

/// A named type is followed to every procedure that takes it.
#[test]
fn values_of_an_enumeration_that_is_taken() {
    let [fewer, more] = both_ways(|contract| {
        contract["inputTypes"]["ReaderSort"]["enum"].as_array_mut().unwrap().retain(|value| value != "-email");
    });
    assert_eq!(fewer, one(BREAKING, "`readers.list`: `input.sort` may not be `-email` any more."));
    assert_eq!(more, one(Effect::Compatible, "`readers.list`: `input.sort` may be `-email` as well."));
}

#[test]
fn values_of_an_enumeration_that_is_given() {
    let [more, fewer] = both_ways(|contract| {
        contract["outputTypes"]["Role"]["enum"].as_array_mut().unwrap().push("visitor".into());
    });
    let in_list = "`readers.list`: `output.items[].role` may be `visitor`, which old clients may not handle.";
    assert!(more.contains(&(UNHANDLED, in_list.into())), "{more:?}");
    assert!(more.len() >= 4 && more.iter().all(|(effect, _)| *effect == UNHANDLED), "{more:?}");
    assert!(fewer.iter().all(|(effect, _)| *effect == Effect::Compatible), "{fewer:?}");
}

#[test]
fn fields_of_an_output() {
    let [gone, new] = both_ways(|contract| {
        let user = &mut contract["outputTypes"]["Reader"];
        user["properties"].as_object_mut().unwrap().remove("age");
        user["required"].as_array_mut().unwrap().retain(|name| name != "age");
    });
    assert!(gone.contains(&(BREAKING, "`readers.list`: `output.items[].age` is gone.".into())), "{gone:?}");
    let strict = Effect::Caution(Styles::SOAP);
    assert!(new.contains(&(strict, "`readers.get`: `output.age` is new.".into())), "{new:?}");
    let [missing, always] = both_ways(|contract| {
        contract["outputTypes"]["Reader"]["required"].as_array_mut().unwrap().retain(|name| name != "age");
    });
    let sentence = "`readers.get`: `output.age` may be missing, and was always there.";
    assert!(missing.contains(&(BREAKING, sentence.into())), "{missing:?}");
    assert!(
        always.contains(&(Effect::Compatible, "`readers.get`: `output.age` is always there.".into())),
        "{always:?}"
    );
}

#[test]
fn types_of_an_output() {
    let (string, number, integer) = (json!({"type": "string"}), json!({"type": "number"}), json!({"type": "integer"}));
    let [other, _] = of_output(string.clone(), integer.clone());
    assert_eq!(other, one(BREAKING, "`readers.get`: `output.it` was a string and is an integer."));
    let [wider, narrower] = of_output(integer, number);
    assert_eq!((wider[0].0, narrower[0].0), (BREAKING, Effect::Compatible));
    let [null, never] = of_output(string.clone(), json!({"type": ["string", "null"]}));
    assert_eq!(null, one(BREAKING, "`readers.get`: `output.it` may be null, which it never was."));
    assert_eq!(never, one(Effect::Compatible, "`readers.get`: `output.it` is never null any more."));
    let [wider, narrower] = of_output(json!({"enum": ["a", "b"]}), string);
    assert_eq!(wider, one(BREAKING, "`readers.get`: `output.it` was `a`, `b` and is a string."));
    let written_otherwise = Effect::Breaking(Styles::GRAPHQL);
    assert_eq!(narrower, one(written_otherwise, "`readers.get`: `output.it` was a string and is `a`, `b`."));
    let [any, _] = of_output(json!({"type": "string"}), json!(true));
    assert_eq!(any[0].0, BREAKING);
    let [gone, has] = both_ways(|contract| procedure(contract, "readers.get")["output"] = Value::Null);
    let empty = Styles::REST | Styles::GRAPHQL | Styles::SOAP;
    assert_eq!((gone[0].0, has[0].0), (BREAKING, Effect::Breaking(empty)));
}

#[test]
fn rules_of_an_output() {
    let [more, less] = of_output(json!({"type": "string", "maxLength": 5}), json!({"type": "string", "maxLength": 9}));
    assert_eq!(more, one(CAUTION, "`readers.get`: `output.it` may hold more: `maxLength` was `5` and is `9`."));
    assert_eq!(less[0].0, Effect::Compatible);
    let [more, less] = of_output(json!({"type": "string", "format": "uuid"}), json!({"type": "string"}));
    assert_eq!((more[0].0, less[0].0), (CAUTION, Effect::Compatible));
}

#[test]
fn variants_of_an_output() {
    let variant = |name: &str, field: Value| json!({"type": "object", "properties": {"type": {"const": name}, "value": field}, "required": ["type", "value"]});
    let (card, cash) = (variant("card", json!({"type": "string"})), variant("cash", json!({"type": "integer"})));
    let union = |variants: &[&Value]| json!({"oneOf": variants});
    let [more, fewer] = of_output(union(&[&card]), union(&[&card, &cash]));
    let sentence = "`readers.get`: `output.it` may be the variant `type: cash`, which old clients may not handle.";
    assert_eq!(more, one(UNHANDLED, sentence));
    assert_eq!(fewer[0].0, Effect::Breaking(Styles::GRAPHQL), "a document may name the variant");
    let other = variant("cash", json!({"type": "string"}));
    let [other, _] = of_output(union(&[&card, &cash]), union(&[&other, &card]));
    assert_eq!(other, one(BREAKING, "`readers.get`: `output.it(cash).value` was an integer and is a string."));
}

#[test]
fn maps_and_closed_objects() {
    let map = |of: &str| json!({"type": "object", "additionalProperties": {"type": of}});
    let [other, _] = of_output(map("string"), map("integer"));
    assert_eq!(other, one(BREAKING, "`readers.get`: `output.it.*` was a string and is an integer."));
    let [open, shut] = both_ways(|contract| {
        procedure(contract, "readers.create")["input"].as_object_mut().unwrap().remove("additionalProperties");
    });
    assert_eq!((open[0].0, shut[0].0), (Effect::Compatible, BREAKING));
}

#[test]
fn failures_come_go_and_change() {
    let [gone, new] = both_ways(|contract| procedure(contract, "readers.get")["failures"] = json!([]));
    let sentence = "`readers.get`: failure `missing` is not given any more.";
    assert_eq!(gone, one(Effect::Breaking(Styles::GRAPHQL), sentence));
    assert_eq!(new, one(UNHANDLED, "`readers.get`: failure `missing` is new, with the code `NOT_FOUND`."));
    let [code, _] = both_ways(|contract| procedure(contract, "readers.get")["failures"][0]["code"] = "CONFLICT".into());
    assert_eq!(code, one(BREAKING, "`readers.get`: failure `missing`: `code` was `NOT_FOUND` and is `CONFLICT`."));
    let [payload, _] = both_ways(|contract| {
        procedure(contract, "readers.get")["failures"][0]["schema"]["properties"]["value"] = json!({"type": "integer"});
    });
    assert_eq!(payload, one(BREAKING, "`readers.get`: `failure(missing).value` was a string and is an integer."));
}

#[test]
fn a_type_inside_itself_is_compared_once() {
    let tree = |label: Value| {
        let mut contract = made_up();
        contract["outputTypes"]["Tree"] = json!({
            "type": "object",
            "properties": {"label": label, "branches": {"type": "array", "items": {"$ref": "#/outputTypes/Tree"}}},
            "required": ["label", "branches"],
        });
        procedure(&mut contract, "readers.get")["output"] = json!({"$ref": "#/outputTypes/Tree"});
        contract
    };
    let (old, new) = (tree(json!({"type": "string"})), tree(json!({"type": "integer"})));
    assert_eq!(said(&old, &old), []);
    assert_eq!(said(&old, &new), one(BREAKING, "`readers.get`: `output.label` was a string and is an integer."));
}

#[test]
fn another_name_for_the_same_type_is_told() {
    let text = made_up()
        .to_string()
        .replace("#/outputTypes/ReaderPage", "#/outputTypes/Readers")
        .replace("\"ReaderPage\":", "\"Readers\":");
    let renamed: Value = serde_json::from_str(&text).unwrap();
    let change = "The type `ReaderPage` is gone, which clients may name.";
    assert_eq!(said(&made_up(), &renamed), one(Effect::Caution(Styles::EXHAUSTIVE), change));
}

#[test]
fn what_can_be_followed_comes_or_goes() {
    let entity = json!({"name": "Order", "id": "OrderId", "loader": "orders.byIds"});
    let [there, gone] = both_ways(|contract| contract["entities"].as_array_mut().unwrap().push(entity));
    assert_eq!(there, one(Effect::Compatible, "GraphQL follows `OrderId`: it gives the `Order`."));
    let sentence = "GraphQL does not follow `OrderId` to the `Order` any more.";
    assert_eq!(gone, one(Effect::Breaking(Styles::GRAPHQL), sentence));
    let [other, _] = both_ways(|contract| contract["entities"][0]["loader"] = "orders.list".into());
    assert_eq!((other.len(), other[0].0), (1, Effect::Note), "{other:?}");
}

/// A contract in which `readers.get` is `readers.card_of`, and one in which it is `readers.cardOf`.
fn in_another_case(change: impl FnOnce(&mut Value)) -> Vec<(Effect, String)> {
    let (mut old, mut new) = (made_up(), made_up());
    procedure(&mut old, "readers.get")["name"] = "readers.card_of".into();
    procedure(&mut new, "readers.get")["name"] = "readers.cardOf".into();
    change(&mut new);
    said(&old, &new)
}

#[test]
fn a_name_in_another_case_breaks_those_who_call_by_it_and_no_others() {
    let by_name = Effect::Breaking(Styles::TYPESCRIPT | Styles::JSON_RPC);
    let called = "`readers.card_of`: is called `readers.cardOf` now: clients that call it by its old name break.";
    let problems = "`readers.card_of`: names its problems (RFC 9457, `type`) after `readers.cardOf`.";
    let with_failures = [one(by_name, called), one(Effect::Caution(Styles::REST), problems)].concat();
    assert_eq!(in_another_case(|_| {}), with_failures);
    // What else is new concerns those who still find it.
    let other = in_another_case(|new| procedure(new, "readers.cardOf")["output"] = json!({"type": "string"}));
    let styles = Styles::REST | Styles::GRAPHQL | Styles::SOAP;
    assert!(other.iter().any(|(effect, _)| *effect == Effect::Breaking(styles)), "{other:?}");
}

#[test]
fn without_an_address_it_is_known_by_its_words() {
    let (mut old, mut new) = (made_up(), made_up());
    for (contract, name) in [(&mut old, "readers.card_of"), (&mut new, "readers.cardOf")] {
        let procedure = procedure(contract, "readers.get");
        (procedure["name"], procedure["rest"]) = (name.into(), Value::Null);
        (procedure["restAnswer"], procedure["failures"]) = (Value::Null, json!([]));
    }
    let by_name = Effect::Breaking(Styles::TYPESCRIPT | Styles::JSON_RPC);
    let sentence = "`readers.card_of`: is called `readers.cardOf` now: clients that call it by its old name break.";
    assert_eq!(said(&old, &new), one(by_name, sentence));
    procedure(&mut new, "readers.cardOf")["name"] = "readers.badgeOf".into();
    assert_eq!(
        said(&old, &new)[0],
        (Effect::Breaking(Styles::IN_STYLES - Styles::REST), "`readers.card_of`: is gone.".into())
    );
}

#[test]
fn a_function_of_another_name_is_a_note() {
    let [other, _] = both_ways(|contract| procedure(contract, "readers.get")["function"] = "readers-fetch".into());
    assert_eq!(other, one(Effect::Note, "`readers.get`: `function` was `readers-get` and is `readers-fetch`."));
    let [_, stated] =
        both_ways(|contract| drop(procedure(contract, "readers.get").as_object_mut().unwrap().remove("function")));
    assert_eq!(stated, [], "contracts of before do not say it");
}

#[test]
fn other_words_are_a_note() {
    let [procedure_docs, _] = both_ways(|contract| procedure(contract, "readers.get")["docs"] = "Find one.".into());
    assert_eq!(procedure_docs, one(Effect::Note, "`readers.get`: is documented in other words."));
    let [field, _] =
        both_ways(|contract| contract["inputTypes"]["ReaderSort"]["description"] = "In which order.".into());
    assert_eq!(field, one(Effect::Note, "`readers.list`: `input` is documented in other words."));
}

/// Texts of an unreviewed branch stay inside their quotation marks and on their line.
#[test]
fn the_report_quotes_what_it_did_not_write() {
    let [change, _] =
        both_ways(|contract| procedure(contract, "readers.get")["rest"] = "GET /`@all`\n# Approved".into());
    let report = markdown(
        &compare(&made_up(), &{
            let mut new = made_up();
            procedure(&mut new, "readers.get")["rest"] = "GET /`@all`\n# Approved".into();
            new
        })
        .unwrap(),
    );
    assert!(change[0].1.contains("`GET /'@all''# Approved`"), "{change:?}");
    assert!(report.contains("### Breaks callers: REST\n\n- `readers.get`: has another REST route"), "{report}");
}
