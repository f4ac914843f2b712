//! Types that the reference service does not have.

use super::*;
use crate::stub::contract_of;

fn procedure(name: &str, kind: &str, input: Value, output: Value, failures: Value) -> Value {
    let fields: Vec<&String> =
        input["properties"].as_object().map(|members| members.keys().collect()).unwrap_or_default();
    json!({
        "name": name, "function": name, "kind": kind, "docs": "Does it.", "auth": {"type": "public"}, "rest": null, "input": input,
        "inputFields": fields, "inputOptional": input.get("required").is_none(), "output": output, "failures": failures, "http": null,
        "timeoutMs": 1000,
    })
}

fn contract(procedures: &[Value]) -> Contract {
    let uuid = |title: &str| json!({"type": "string", "format": "uuid", "title": title});
    let circle = json!({"type": "object", "properties": {"type": {"const": "circle"}, "radius": {"type": "number"}}, "required": ["type", "radius"]});
    let point = json!({"type": "object", "properties": {"type": {"const": "point"}}, "required": ["type"]});
    let group = json!({"type": "object", "properties": {"type": {"const": "group"}, "shapes": {"type": "array", "items": {"$ref": "#/inputTypes/Shape"}}}, "required": ["type", "shapes"]});
    // A variant of the input that is a type of its own.
    let grid = json!({"type": "object", "properties": {"type": {"const": "grid"}}, "required": ["type"], "$ref": "#/inputTypes/GridInput"});
    let cells = json!({"type": "object", "properties": {"cells": {"type": "integer"}}, "required": ["cells"]});
    let team = json!({"type": "object", "required": ["id", "memberIds", "leadId"], "properties": {
        "id": uuid("TeamId"), "memberIds": {"type": "array", "items": {"$ref": "#/outputTypes/PersonId"}},
        "leadId": {"anyOf": [{"$ref": "#/outputTypes/PersonId"}, {"type": "null"}]},
        "places": {"type": "array", "items": {"anyOf": [{"$ref": "#/outputTypes/Shape"}, {"type": "null"}]}},
    }});
    contract_of(json!({
        "procedures": procedures,
        "entities": [{"name": "Person", "id": "PersonId", "loader": "people.byIds"}],
        "outputTypes": {
            "Shape": {"oneOf": [circle, point]}, "Team": team, "PersonId": uuid("PersonId"),
            "Person": {"type": "object", "properties": {"id": {"$ref": "#/outputTypes/PersonId"}, "bossId": {"$ref": "#/outputTypes/PersonId"}}, "required": ["id", "bossId"]},
        },
        "inputTypes": {"GridInput": cells, "Shape": {"oneOf": [circle, point, group, grid]}, "PersonId": uuid("PersonId")},
    }))
}

fn loader() -> Value {
    let ids = json!({"type": "array", "items": {"$ref": "#/inputTypes/PersonId"}});
    let input = json!({"type": "object", "properties": {"ids": ids}, "required": ["ids"]});
    procedure(
        "people.byIds",
        "query",
        input,
        json!({"type": "array", "items": {"$ref": "#/outputTypes/Person"}}),
        json!([]),
    )
}

fn made(procedures: &[Value]) -> Result<String, String> {
    let mut all = vec![loader()];
    all.extend_from_slice(procedures);
    sdl(&contract(&all)).map_err(|fault| fault.to_string())
}

fn draw() -> Value {
    procedure(
        "draw",
        "mutation",
        json!({"type": "object", "properties": {"shape": {"$ref": "#/inputTypes/Shape"}}, "required": ["shape"]}),
        json!({"$ref": "#/outputTypes/Shape"}),
        json!([{"type": "full", "code": "CONFLICT", "docs": "", "schema": {"properties": {"type": {"const": "full"}, "left": {"type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32}}}}]),
    )
}

#[tokio::test]
async fn tagged_unions_go_in_and_come_out() {
    let draw = draw();
    let gateway = TestGateway::of(contract(&[loader(), draw]), |procedure, input| {
        assert_eq!(procedure, "draw");
        match input["shape"]["type"].as_str().unwrap() {
            "group" => Ok(json!({"type": "point"})),
            "point" => Err((409, json!({"code": "CONFLICT", "failure": {"type": "full", "left": 4_000_000_000_u32}}))),
            _ => Ok(input["shape"].clone()),
        }
    });
    let query = "mutation($s: ShapeInput!) { draw(input: {shape: $s}) { __typename ... on ShapeCircle { type radius } ... on DrawFull { left } } }";
    let drawn = gateway.ask_with(query, json!({"s": {"circle": {"radius": 1.5}}})).await;
    assert_eq!(drawn["data"]["draw"], json!({"__typename": "ShapeCircle", "type": "circle", "radius": 1.5}), "{drawn}");
    assert_eq!(gateway.calls()[0].1, json!({"shape": {"type": "circle", "radius": 1.5}}));
    let full = gateway.ask_with(query, json!({"s": {"point": true}})).await;
    assert_eq!(full["data"]["draw"], json!({"__typename": "DrawFull", "left": 4_000_000_000_u32}));
    let point = gateway.ask("mutation { draw(input: {shape: {group: {shapes: [{point: true}, {circle: {radius: 2}}]}}}) { __typename } }").await;
    assert_eq!(point["data"]["draw"], json!({"__typename": "ShapePoint"}), "{point}");
    assert_eq!(
        gateway.calls()[1].1,
        json!({"shape": {"type": "group", "shapes": [{"type": "point"}, {"type": "circle", "radius": 2}]}})
    );
    gateway.ask_with(query, json!({"s": {"grid": {"cells": 4}}})).await;
    assert_eq!(gateway.calls()[0].1, json!({"shape": {"type": "grid", "cells": 4}}));
    for wrong in
        [json!({}), json!({"grid": {}}), json!({"point": true, "circle": {"radius": 1}}), json!({"point": null})]
    {
        let answer = gateway.ask_with(query, json!({"s": wrong})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{answer}");
    }
    assert!(gateway.calls().is_empty());
}

#[tokio::test]
async fn samples_of_tagged_unions_are_operations_of_the_schema() {
    let object = |member: Value| json!({"type": "object", "properties": {"it": member}, "required": ["it"]});
    let lists = object(json!({"type": "array", "items": {"$ref": "#/inputTypes/Shape"}}));
    let maybe = object(json!({"anyOf": [{"$ref": "#/inputTypes/Shape"}, {"type": "null"}]}));
    let point = json!({"type": "object", "properties": {"type": {"const": "dot"}}, "required": ["type"]});
    let bare = object(json!({"oneOf": [point]}));
    let output = json!({"$ref": "#/outputTypes/Shape"});
    let gateway = TestGateway::of(
        contract(&[
            loader(),
            draw(),
            procedure("draw_all", "mutation", lists, output.clone(), json!([])),
            procedure("draw_or_not", "mutation", maybe, output.clone(), json!([])),
            procedure("draw_dot", "mutation", bare, output, json!([])),
        ]),
        |_, _| Err((404, json!({"code": "NOT_FOUND"}))),
    );
    super::documents::samples_arrive(&gateway).await;
    let sample = crate::samples::input(&gateway.contract, gateway.contract.find_in_styles("draw").unwrap()).unwrap();
    assert_eq!(sample["shape"]["type"], "circle");
}

#[tokio::test]
async fn several_ids_lead_to_several_entities_and_gaps_stay_gaps() {
    let team = procedure(
        "team",
        "query",
        Value::Null,
        json!({"anyOf": [{"$ref": "#/outputTypes/Team"}, {"type": "null"}]}),
        json!([]),
    );
    let gateway = TestGateway::of(contract(&[loader(), team]), |procedure, input| match procedure {
        "team" => Ok(
            json!({"id": id(1), "memberIds": [id(2), id(3), id(2)], "leadId": null, "places": [null, {"type": "point"}]}),
        ),
        _ => Ok(input["ids"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|known| **known != id(3))
            .map(|id| json!({"id": id, "bossId": id}))
            .collect()),
    });
    let answer = gateway.ask("{ team { member { id } lead { id } places { __typename } } }").await;
    let expected = json!({"member": [{"id": id(2)}, null, {"id": id(2)}], "lead": null, "places": [null, {"__typename": "ShapePoint"}]});
    assert_eq!(answer, json!({"data": {"team": expected}}));
    assert_eq!(gateway.calls()[1], ("people.byIds".to_owned(), json!({"ids": [id(2), id(3)]})));
}

#[test]
fn each_type_has_its_place() {
    let integer = |least: i64, most: i64| json!({"type": "integer", "minimum": least, "maximum": most});
    let members = json!({
        "a": integer(0, 150), "b": integer(0, u32::MAX.into()), "c": integer(-(1 << 53) + 1, (1 << 53) - 1),
        "d": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}, "e": {"type": "string", "contentEncoding": "base64"},
        "f": {"type": "object", "additionalProperties": {"type": "string"}}, "g": {"type": "string", "format": "date-time"},
        "h": {"type": ["number", "null"]}, "i": {"type": "array", "items": {"type": "boolean"}}, "j": {"type": "string", "format": "uuid"},
        "k": {"enum": ["a", "-a"], "x-enumDescriptions": {"-a": "Down."}}, "l": {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]},
        "m": {}, "n": {"type": "integer"},
    });
    let names: Vec<&String> = members.as_object().unwrap().keys().collect();
    let schema = json!({"type": "object", "properties": members, "required": names});
    let sdl = made(&[procedure("odd.all", "mutation", schema.clone(), schema, json!([]))]).unwrap();
    let flat: String = sdl
        .lines()
        .filter(|line| !line.trim_start().starts_with('"'))
        .map(|line| line.trim().to_owned() + "\n")
        .collect();
    for block in [
        "type OddAll {\na: Int!\nb: UnsignedInt!\nc: SafeInteger!\nd: Decimal!\ne: Base64!\nf: JSON!\ng: DateTime!\nh: Float\ni: [Boolean!]!\nj: UUID!\nk: OddAllK!\nl: OddAllL!\nm: JSON!\nn: SafeInteger!\n}",
        "input OddAllInput {\na: Int!\nb: UnsignedInt!\n",
        "l: OddAllLInput!\n",
        "oddAll(input: OddAllInput!): OddAll\n",
        "enum OddAllK {\nA\n",
        "A_DESC\n",
        "scalar DateTime @specifiedBy(url: \"https://www.rfc-editor.org/rfc/rfc3339#section-5.6\")",
    ] {
        assert!(flat.contains(block), "{block}\n{flat}");
    }
}

#[test]
fn what_graphql_cannot_say_is_a_sentence() {
    let object =
        |member: &str| json!({"type": "object", "properties": {member: {"type": "string"}}, "required": [member]});
    let enumeration = |values: &[&str]| json!({"type": "object", "properties": {"e": {"enum": values}}});
    let failure = |member: &str| json!([{"type": "no", "code": "CONFLICT", "docs": "", "schema": {"properties": {"type": {}, member: {"type": "string"}}}}]);
    for (procedures, message) in [
        (vec![procedure("a", "query", Value::Null, object("__a"), json!([]))], "reserved"),
        (vec![procedure("a", "query", Value::Null, object("a-b"), json!([]))], "cannot be called `a-b`"),
        (vec![procedure("a", "query", object("a b"), json!({"type": "string"}), json!([]))], "cannot be called `a b`"),
        (vec![procedure("a", "query", Value::Null, enumeration(&["a_b", "aB"]), json!([]))], "would both be A_B"),
        (vec![procedure("a", "query", Value::Null, object("x"), failure("message"))], "which every failure has"),
        (
            vec![
                procedure("a.b.c", "query", Value::Null, object("x"), json!([])),
                procedure("a.bC", "query", Value::Null, object("x"), json!([])),
            ],
            "two",
        ),
        (vec![procedure("pageInfo", "query", Value::Null, object("x"), json!([]))], "two types"),
        (
            vec![
                procedure("team", "query", Value::Null, json!({"$ref": "#/outputTypes/Team"}), json!([])),
                procedure("shapeCircle", "query", Value::Null, object("x"), json!([])),
            ],
            "two types",
        ),
    ] {
        let refused = made(&procedures).unwrap_err();
        assert!(refused.contains(message), "{message}: {refused}");
    }
    let unknown = json!({"entities": [{"name": "A", "id": "AId", "loader": "a.byIds"}]});
    assert!(sdl(&contract_of(unknown)).unwrap_err().to_string().contains("is no procedure"));
}
