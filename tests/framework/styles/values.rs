//! One value is the same in each style: what is taken, what is refused, and how much there is room for.

use serde_json::{Value, json};

use crate::support::{Folder, Request, Service, cargo::conformance_program};

/// The second service has types of every kind.
async fn conformance_service(data: &Folder) -> Service {
    Service::start(&conformance_program(), &["--data", &data.path().to_string_lossy()]).await
}

async fn posted(service: &Service, target: &str, body: &Value) -> Value {
    posted_text(service, target, &body.to_string()).await
}

async fn posted_text(service: &Service, target: &str, body: &str) -> Value {
    let request = Request::new("POST", target).header("content-type", "application/json").body(body.to_owned());
    service.send(&request).await.json()
}

fn json_rpc(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

async fn by_graphql(service: &Service, query: &str, variables: Value) -> Value {
    posted(service, "/graphql", &json!({"query": query, "variables": variables})).await
}

/// A message of SOAP 1.1 with this in its body.
async fn by_soap(service: &Service, body: &str) -> String {
    let envelope = format!(
        "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' xmlns='urn:onefold:conformance' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><e:Body>{body}</e:Body></e:Envelope>"
    );
    let request = Request::new("POST", "/soap").header("content-type", "text/xml").body(envelope);
    service.send(&request).await.text()
}

/// An input of `kinds.echo`, as JSON that ends where its `byName` begins.
const ECHO: &str = r#"{"tiny":1,"whole":1,"large":1,"exact":"1","real":-0,"bytes":"","volume":"low","listOfLists":[],"time":"2026-01-31T12:00:00Z","byName":"#;

const ECHO_MUTATION: &str = "mutation($i: KindsEchoInput!) { kindsEcho(input: $i) { ... on Echo { real time } } }";

/// As elements, with these in its map.
fn echo_elements(entries: &str, real: &str, time: &str) -> String {
    format!(
        "<kindsEcho><bytes/><byName>{entries}</byName><exact>1</exact><large>1</large><listOfLists/><real>{real}</real>\
         <time>{time}</time><tiny>1</tiny><volume>low</volume><whole>1</whole></kindsEcho>"
    )
}

fn echo_for_graphql() -> Value {
    let mut input: Value = serde_json::from_str(&format!("{ECHO}{{}}}}")).unwrap();
    input["volume"] = "LOW".into();
    input
}

#[tokio::test]
async fn a_query_by_post_has_room_for_more_than_an_address() {
    let data = Folder::new();
    let service = conformance_service(&data).await;
    let note = "ж".repeat(11_000);
    let input = json!({"shapes": [{"type": "circle", "radius": 1.5, "note": note}]});
    let holds = |text: &str| text.contains(&note);
    assert!(holds(&posted(&service, "/trpc/kinds.draw", &input).await["result"].to_string()));
    let batch = posted(&service, "/trpc/kinds.draw,health.ping?batch=1", &json!({"0": input})).await;
    assert!(holds(&batch[0]["result"].to_string()), "{}", batch[0]["error"]);
    let called = posted_text(&service, "/jsonrpc", &json_rpc("kinds.draw", &input.to_string())).await;
    assert!(holds(&called["result"].to_string()), "{}", called["error"]);
    let query = "query($s: [ShapeInput!]!) { kindsDraw(shapes: $s) { ... on ShapeCircle { note } } }";
    let drawn = by_graphql(&service, query, json!({"s": [{"circle": {"radius": 1.5, "note": note}}]})).await;
    assert!(holds(&drawn["data"].to_string()), "{}", drawn["errors"]);
    let shapes = format!("<item><circle><radius>1.5</radius><note>{note}</note></circle></item>");
    let drawn = by_soap(&service, &format!("<kindsDraw><shapes>{shapes}</shapes></kindsDraw>")).await;
    assert!(holds(&drawn) && drawn.contains("kindsDrawResponse"), "{}", &drawn[..500]);
}

#[tokio::test]
async fn an_entry_of_a_map_stands_there_once() {
    let data = Folder::new();
    let service = conformance_service(&data).await;
    let twice = format!(r#"{ECHO}{{"b":"0","a":"1","a":"2"}}}}"#);
    let told = json!([{"path": "byName.a", "message": "is given more than once"}]);
    let by_trpc = posted_text(&service, "/trpc/kinds.echo", &twice).await;
    assert_eq!(by_trpc["error"]["data"]["fields"], told, "{by_trpc}");
    let batch = posted_text(&service, "/trpc/kinds.echo,health.ping?batch=1", &format!(r#"{{"0":{twice}}}"#)).await;
    assert_eq!(batch[0]["error"]["data"]["fields"], told, "{batch}");
    let by_json_rpc = posted_text(&service, "/jsonrpc", &json_rpc("kinds.echo", &twice)).await;
    assert_eq!(by_json_rpc["error"]["data"]["fields"], told, "{by_json_rpc}");
    let body = format!(r#"{{"query":"{ECHO_MUTATION}","variables":{{"i":{twice}}}}}"#);
    let by_graphql = posted_text(&service, "/graphql", &body).await;
    assert_eq!(by_graphql["errors"][0]["message"], "`variables.i.byName.a` is given more than once.");
    let entry = |key: &str| format!("<entry><key>{key}</key><value>1</value></entry>");
    let entries = ["b", "a", "a"].map(entry).concat();
    let by_soap = by_soap(&service, &echo_elements(&entries, "1", "2026-01-31T12:00:00Z")).await;
    assert!(by_soap.contains("<path>byName.a</path><message>is given more than once</message>"), "{by_soap}");

    // However many, and whatever else is wrong.
    let many: Vec<String> = (0..101).map(|place| format!(r#""k{place}":"1","k{place}":"2""#)).collect();
    let many = format!("{ECHO}{{{}}}}}", many.join(","));
    for input in [many.clone(), many.replace(r#""large":1"#, r#""large":1.0"#)] {
        let refused = posted_text(&service, "/trpc/kinds.echo", &input).await;
        let fields = refused["error"]["data"]["fields"].as_array().unwrap();
        assert!(fields.len() == 100 && fields.iter().all(|field| field["message"] == told[0]["message"]), "{refused}");
    }
}

#[tokio::test]
async fn zero_has_no_sign() {
    let data = Folder::new();
    let service = conformance_service(&data).await;
    for zero in ["-0", "-0.0", "0", "-0e5"] {
        let input = format!("{ECHO}{{}}}}").replace("\"real\":-0", &format!("\"real\":{zero}"));
        let by_trpc = posted_text(&service, "/trpc/kinds.echo", &input).await["result"]["data"]["real"].clone();
        let by_json_rpc = posted_text(&service, "/jsonrpc", &json_rpc("kinds.echo", &input)).await;
        let mut variables = echo_for_graphql();
        variables["real"] = serde_json::from_str(zero).unwrap();
        let by_variable = by_graphql(&service, ECHO_MUTATION, json!({"i": variables})).await;
        let literal = format!(
            "mutation {{ kindsEcho(input: {{tiny: 1, whole: 1, large: 1, exact: 1, real: {zero}, bytes: \"\", volume: LOW, \
             listOfLists: [], time: \"2026-01-31T12:00:00Z\", byName: {{}}}}) {{ ... on Echo {{ real }} }} }}"
        );
        let literal = literal.replace("exact: 1", "exact: \"1\"");
        let by_literal = by_graphql(&service, &literal, Value::Null).await;
        for told in [
            &by_trpc,
            &by_json_rpc["result"]["real"],
            &by_variable["data"]["kindsEcho"]["real"],
            &by_literal["data"]["kindsEcho"]["real"],
        ] {
            assert_eq!(told.to_string(), "0.0", "{zero}: {by_variable} {by_literal}");
        }
        let by_soap = by_soap(&service, &echo_elements("", zero, "2026-01-31T12:00:00Z")).await;
        assert!(by_soap.contains("<real>0.0</real>"), "{zero}: {by_soap}");
    }
}

/// Times are kept in UTC, in the years of RFC 3339. XML Schema 1.0 has no year 0, ISO 8601 and XML Schema 1.1 have it.
#[tokio::test]
async fn a_time_is_in_the_years_0_to_9999_of_utc() {
    let data = Folder::new();
    let service = conformance_service(&data).await;
    for (time, told) in [
        ("9999-12-31T23:59:59-00:01", None),
        ("0000-01-01T00:00:00+00:01", None),
        ("9999-12-31T23:59:59.999Z", Some("9999-12-31T23:59:59.999Z")),
        ("0000-01-01T00:00:00Z", Some("0000-01-01T00:00:00.000Z")),
    ] {
        let input = format!("{ECHO}{{}}}}").replace("2026-01-31T12:00:00Z", time);
        let by_trpc = posted_text(&service, "/trpc/kinds.echo", &input).await;
        let mut variables = echo_for_graphql();
        variables["time"] = time.into();
        let by_graphql = by_graphql(&service, ECHO_MUTATION, json!({"i": variables})).await;
        let by_soap = by_soap(&service, &echo_elements("", "1", time)).await;
        assert_eq!(by_trpc["result"]["data"]["time"].as_str(), told, "{by_trpc}");
        assert_eq!(by_graphql["data"]["kindsEcho"]["time"].as_str(), told, "{by_graphql}");
        match told {
            Some(told) => assert!(by_soap.contains(&format!("<time>{told}</time>")), "{by_soap}"),
            None => assert!(by_soap.contains("<path>time</path>"), "{by_soap}"),
        }
    }
}

#[tokio::test]
async fn graphql_tells_all_that_does_not_fit_at_once() {
    let data = Folder::new();
    let service = conformance_service(&data).await;
    let paths = |answer: &Value| {
        let fields = answer["errors"][0]["extensions"]["fields"].as_array().unwrap_or_else(|| panic!("{answer}"));
        fields.iter().map(|field| field["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let wrong = json!({
        "tiny": "1", "whole": "1", "exact": 1.5, "real": "1", "bytes": 1, "volume": "loud", "time": 1, "odd": 1,
        "listOfLists": [["x"], 1], "byName": {},
    });
    let by_variable = by_graphql(&service, ECHO_MUTATION, json!({"i": wrong})).await;
    let told = paths(&by_variable);
    for path in ["$i.tiny", "$i.whole", "$i.real", "$i.volume", "$i.odd", "$i.large"] {
        assert!(told.iter().any(|known| known == path), "{path}: {by_variable}");
    }
    let literal = "mutation { kindsEcho(input: {tiny: \"1\", whole: 1.5, real: \"1\", volume: \"LOW\", odd: 1}) \
                   { real } again: kindsEcho(input: {tiny: true}) { real } }";
    let by_literal = by_graphql(&service, literal, Value::Null).await;
    let told = paths(&by_literal);
    for path in ["tiny", "whole", "real", "volume", "odd", "large"] {
        assert!(told.iter().any(|known| known == path), "{path}: {by_literal}");
    }
    assert_eq!(by_literal["errors"].as_array().unwrap().len(), 2, "{by_literal}");

    // Each variable by itself.
    let query = "query($a: Int!, $b: Int, $c: Int!) { __typename }";
    let answer = by_graphql(&service, query, json!({"b": "x", "c": null})).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 3, "{answer}");
    // No more than a hundred faults of one value.
    let shapes: Vec<Value> = (0..300).map(|_| json!({"circle": {"radius": "x"}})).collect();
    let query = "query($s: [ShapeInput!]!) { kindsDraw(shapes: $s) { __typename } }";
    assert_eq!(paths(&by_graphql(&service, query, json!({"s": shapes})).await).len(), 100);
}

#[tokio::test]
async fn a_variant_without_members_is_true_where_it_is_given() {
    let data = Folder::new();
    let service = conformance_service(&data).await;
    let by_variable = "query($s: [ShapeInput!]!) { kindsDraw(shapes: $s) { __typename } }";
    let within = "query($s: Boolean) { kindsDraw(shapes: [{empty: $s}]) { __typename } }";
    let within = within.replace("$s: Boolean)", "$s: Boolean!)");
    let literal = "{ kindsDraw(shapes: [{empty: false}]) { __typename } }";
    for (query, variables) in
        [(by_variable, json!({"s": [{"empty": false}]})), (&within, json!({"s": false})), (literal, Value::Null)]
    {
        let answer = by_graphql(&service, query, variables).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{query}: {answer}"));
        assert!(message.contains("is `true`, where it is given"), "{answer}");
    }
    let answer = by_graphql(&service, &within, json!({"s": true})).await;
    assert_eq!(answer["data"]["kindsDraw"][0]["__typename"], "ShapeEmpty", "{answer}");
    let by_soap = by_soap(&service, "<kindsDraw><shapes><item><empty>false</empty></item></shapes></kindsDraw>").await;
    assert!(by_soap.contains("<path>shapes[0].empty</path>"), "{by_soap}");
}

#[tokio::test]
async fn an_entry_of_a_map_in_xml_holds_what_the_schema_says() {
    let data = Folder::new();
    let service = conformance_service(&data).await;
    let time = "2026-01-31T12:00:00Z";
    let good = by_soap(&service, &echo_elements("<entry><key>a</key><value>1</value></entry>", "1", time)).await;
    assert!(good.contains("kindsEchoResponse"), "{good}");
    for entry in [
        "<entry a='b'><key>a</key><value>1</value></entry>",
        "<entry>x<key>a</key><value>1</value></entry>",
        "<entry xsi:nil='true'><key>a</key><value>1</value></entry>",
        "<entry><key a='b'>a</key><value>1</value></entry>",
        "<entry><key xsi:nil='true'/><value>1</value></entry>",
        "<entry><key>a<b/></key><value>1</value></entry>",
        "<entry><key>a</key><value a='b'>1</value></entry>",
        "<entry><key>a</key><value>1</value><value>1</value></entry>",
        "<entry><key>a</key></entry>",
        "<entry/>",
        "x",
    ] {
        let answer = by_soap(&service, &echo_elements(entry, "1", time)).await;
        assert!(answer.contains("<path>byName") && answer.contains("BAD_REQUEST"), "{entry}: {answer}");
    }
    let nil = by_soap(&service, "<kindsLabel xsi:nil='true'><type>a</type></kindsLabel>").await;
    assert!(nil.contains("`kindsLabel` is not nil"), "{nil}");
}

#[tokio::test]
async fn what_a_request_is_not_is_said_in_a_way_that_helps() {
    let data = Folder::new();
    let service = conformance_service(&data).await;
    let not_xml = by_soap(&service, "<kindsLabel><type>]]></type></kindsLabel>").await;
    assert!(not_xml.contains("The message is not XML: `]]&gt;` ends nothing, in line 1."), "{not_xml}");
    let none = by_soap(&service, "<kindsLabel xmlns=''><type>a</type></kindsLabel>").await;
    let told = "The element \"kindsLabel\" is in no namespace; the operation is in urn:onefold:conformance.";
    assert!(none.replace("&quot;", "\"").contains(told), "{none}");
    let other = by_soap(&service, "<kindsLabel xmlns='urn:x'><type>a</type></kindsLabel>").await;
    assert!(other.replace("&quot;", "\"").contains("is in the namespace \"urn:x\"; the operation"), "{other}");
    let plain = posted_text(&service, "/graphql", "{ healthPing }").await;
    let message = plain["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("is not JSON at line 1, column 3"), "{message}");
    assert!(message.ends_with("A body is an object such as {\"query\": \"{ … }\", \"variables\": {}}."), "{message}");
}
