//! XML and JSON are two forms of one value.

use serde_json::{Value, json};

use super::*;

const NS: &str = "xmlns=\"urn:onefold:test\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"";

/// What the procedure is asked for the content of `thingsGetOne`.
async fn read(content: &str) -> Result<Value, String> {
    let stub = Stub::default();
    let input = format!("<thingsGetOne {NS}><input>{content}</input></thingsGetOne>");
    let answer = send(&stub, Version::V11, &input).await;
    let [(_, _, input)] = &stub.calls()[..] else { panic!("the procedure is asked once: {}", answer.text) };
    if answer.status == 200 {
        return Ok(input.clone());
    }
    // Whatever the procedure's type is by now, it does not take this.
    let is_spoilt = input.get("<>").is_some();
    assert!(is_spoilt, "{content}: {input}");
    Err(format!("{}: {}", answer.the("path"), answer.the("message")))
}

#[tokio::test]
async fn every_kind_of_value_is_read() {
    let read_as = [
        ("<text>a &lt;b> &#38;&#x1F370; &quot;&apos;&gt;</text>", json!({"text": "a <b> &🍰 \"'>"})),
        ("<text> a<!-- no -->b <![CDATA[<c>&amp;]]>\r\n</text>", json!({"text": " ab <c>&amp;\n"})),
        ("<text/>", json!({"text": ""})),
        ("<text i:nil=\"true\"/>", json!({"text": null})),
        (
            "<flag> 1 </flag><whole>\n+007 </whole><real>-1.5E3</real>",
            json!({"flag": true, "whole": 7, "real": -1500.0}),
        ),
        ("<real>.5</real><whole>-0</whole>", json!({"real": 0.5, "whole": 0})),
        ("<bytes> QU\n I= </bytes>", json!({"bytes": "QUI="})),
        (
            "<exact>0.10</exact><time> 2026-01-31T12:00:00Z </time>",
            json!({"exact": "0.10", "time": "2026-01-31T12:00:00Z"}),
        ),
        ("<kind>-odd</kind>", json!({"kind": "-odd"})),
        ("<kind i:nil='1'/>", json!({"kind": null})),
        ("<lists/>", json!({"lists": []})),
        ("<lists><item/><item><item>1</item><item i:nil='true'/></item></lists>", json!({"lists": [[], [1, null]]})),
        ("<map/>", json!({"map": {}})),
        (
            "<map><entry><key>a b</key><value>1</value></entry><entry><value i:nil='true'/><key></key></entry></map>",
            json!({"map": {"a b": 1, "": null}}),
        ),
        ("<shape><empty>true</empty></shape>", json!({"shape": {"type": "empty"}})),
        ("<shape><empty/></shape>", json!({"shape": {"type": "empty"}})),
        ("<shape><circle><radius>2</radius></circle></shape>", json!({"shape": {"type": "circle", "radius": 2}})),
        // Rules are the procedure's to judge: absent, out of range, not of the form.
        ("", json!({})),
        ("<whole>-5</whole><text>123456</text><exact>x</exact>", json!({"whole": -5, "text": "123456", "exact": "x"})),
        ("<x:text xmlns:x='urn:onefold:test' i:type='any'>a</x:text>", json!({"text": "a"})),
    ];
    for (xml, expected) in read_as {
        assert_eq!(read(xml).await, Ok(expected), "{xml}");
    }
}

#[tokio::test]
async fn what_says_nothing_is_refused_where_it_is() {
    let refused = [
        ("<whole>one</whole>", "input.whole: is no integer"),
        ("<whole></whole>", "input.whole: is no integer"),
        ("<whole>10.0</whole>", "input.whole: is no integer"),
        ("<real>INF</real>", "input.real: is no number"),
        ("<real>NaN</real>", "input.real: is no number"),
        ("<real>1e999</real>", "input.real: is no number"),
        ("<flag>yes</flag>", "input.flag: is no boolean"),
        ("<lists><item/><item><item>1</item><item>x</item></item></lists>", "input.lists[1][1]: is no integer"),
        ("<lists><one/></lists>", "input.lists[0].one: unknown element: expected `item`"),
        ("<map><entry><key>a</key><value>x</value></entry></map>", "input.map.a: is no number"),
        (
            "<map><entry><key>a</key><value>1</value></entry><entry><key>a</key><value>1</value></entry></map>",
            "input.map.a: is given more than once",
        ),
        ("<map><entry><key>a</key></entry></map>", "input.map: an entry holds one `key` and one `value`"),
        ("<shape/>", "input.shape: holds one element, which is one of `empty`, `circle`"),
        ("<shape><empty/><empty/></shape>", "input.shape: holds one element, which is one of `empty`, `circle`"),
        ("<shape><empty>false</empty></shape>", "input.shape.empty: holds nothing but `true`"),
        ("<shape><star/></shape>", "input.shape.star: unknown element: expected one of `empty`, `circle`"),
        ("<shape><circle><radius>x</radius></circle></shape>", "input.shape.circle.radius: is no number"),
        ("<text>a</text><text>b</text>", "input.text: is given more than once"),
        ("<text>a<b/></text>", "input.text.b: is in a place where text is due"),
        ("<text lang='de'>a</text>", "input.text: unknown attribute `lang`"),
        ("<text i:nil='true'>a</text>", "input.text: says that it is nil, and holds something"),
        ("<text i:nil='maybe'/>", "input.text: `xsi:nil` is true or false"),
        ("<text xmlns=''>a</text>", "input.text: `text` is in the namespace urn:onefold:test"),
        ("<map><entry at='1'><key>a</key><value>1</value></entry></map>", "input.map: unknown attribute `at`"),
        ("<map><entry><key at='1'>a</key><value>1</value></entry></map>", "input.map: unknown attribute `at`"),
        ("words", "input: holds elements, and there is text"),
    ];
    for (xml, expected) in refused {
        assert_eq!(read(xml).await, Err(expected.to_owned()), "{xml}");
    }
    let unknown = read("<other>1</other>").await.unwrap_err();
    assert!(unknown.starts_with("input.other: unknown element: expected one of `bytes`, `exact`"), "{unknown}");
}

/// What is wrong with the text of a message, and what the procedure says of the rest.
#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let expected = json!([
        {"path": "<>", "message": "unknown member"}, {"path": "shape.<>", "message": "unknown member"},
        {"path": "lists[1]", "message": "expected an array"}, {"path": "lists", "message": "length is lower than 3"},
        {"path": "real", "message": "is required"}, {"path": "map.a", "message": "expected a number"},
    ]);
    let data = json!({"code": "BAD_REQUEST", "httpStatus": 400, "fields": expected, "requestId": "r7"});
    let stub = Stub::answering("things.getOne", 400, json!({"error": {"message": "No.", "code": 0, "data": data}}));
    let content = "<foo/><bar/><whole at='1'>1.0</whole><lists><item/><one/></lists><text>a</text><text>b</text>\
                   <shape><circle><foo/></circle></shape><map><entry><key>a</key><value>x</value></entry><entry/></map>";
    for version in BOTH {
        let body = format!("<thingsGetOne {NS}><input>{content}</input></thingsGetOne>");
        let answer = send(&stub, version, &body).await;
        let xml = answer.xml();
        let all = find(&xml, "fields").unwrap().children.iter().map(|item| item.children[0].text.as_str());
        assert_eq!(
            all.collect::<Vec<_>>(),
            [
                "input.foo",
                "input.bar",
                "input.whole",
                "input.whole",
                "input.lists[1].one",
                "input.text",
                "input.shape.circle.foo",
                "input.map.a",
                "input.map",
                "input.lists",
                "input.real",
            ]
        );
        assert_eq!((answer.the("requestId"), answer.the("code")), ("r7".into(), "BAD_REQUEST".into()));
    }
    let calls = stub.calls().pop().unwrap().2;
    let spoilt = json!({
        "<>": null, "whole": {}, "lists": [[], 0], "text": {}, "shape": {"type": "circle", "<>": null},
        "map": {"a": {}, "<>": {}},
    });
    assert_eq!(calls, spoilt, "nothing that a procedure would take");
}

/// Who may not call is told that, as in every style.
#[tokio::test]
async fn whoever_may_not_call_is_told_that_and_not_what_is_wrong() {
    let data = json!({"code": "FORBIDDEN", "httpStatus": 403});
    let stub = Stub::answering("things.getOne", 403, json!({"error": {"message": "No.", "code": 0, "data": data}}));
    let answer = send(&stub, Version::V12, &format!("<thingsGetOne {NS}><foo/></thingsGetOne>")).await;
    assert_eq!((answer.the("code"), answer.text.contains("<fields>")), ("FORBIDDEN".into(), false));
}

/// What a procedure without input, or with another one, is asked when something is wrong.
#[tokio::test]
async fn nothing_is_called_with_a_part_of_what_was_said() {
    for (content, calls) in [
        ("<thingsPing at='1' NS/>", json!({"<>": null})),
        ("<thingsPing NS>words</thingsPing>", json!({"<>": null})),
        (
            "<thingsKeep at='1' NS><first>1</first><last>2</last></thingsKeep>",
            json!({"<>": null, "first": "1", "last": "2"}),
        ),
        ("<thingsGetOne NS><foo/></thingsGetOne>", json!(0)),
        ("<thingsGetOne NS><foo/><input><text>a</text></input></thingsGetOne>", json!({"<>": null, "text": "a"})),
        ("<thingsGetOne NS><input i:nil='maybe'/></thingsGetOne>", json!(0)),
    ] {
        let stub = Stub::default();
        let answer = send(&stub, Version::V12, &content.replace("NS", NS)).await;
        assert_eq!((answer.status, answer.the("code").as_str()), (400, "BAD_REQUEST"), "{content}");
        assert_eq!(stub.calls().pop().unwrap().2, calls, "{content}");
    }
}

#[tokio::test]
async fn outputs_are_written_in_the_order_of_the_schema_and_read_the_same_again() {
    let whole = json!({
        "bytes": "QUI=", "exact": "-0.10", "flag": null, "kind": "-odd", "lists": [[], [1, null]],
        "map": {"": null, "a<b": 1.5}, "real": 1e300, "shape": {"type": "circle", "radius": 2.0},
        "text": " <\r\n\t&]]>", "time": "2026-01-31T12:00:00.000Z", "whole": 7,
    });
    for value in [whole, json!({"lists": [], "map": {}, "shape": {"type": "empty"}, "text": "", "whole": 1})] {
        let stub = Stub::answering("things.getOne", 200, json!({"result": {"data": value.clone()}}));
        for version in BOTH {
            let answer = send(&stub, version, &format!("<thingsGetOne {NS}/>")).await;
            assert_eq!((answer.status, &answer.headers["content-type"]), (200, &version.content_type()));
            let response = answer.content();
            assert!(response.is("urn:onefold:test", "thingsGetOneResponse"));
            let names: Vec<&str> = response.children[0].children.iter().map(|child| child.name.as_str()).collect();
            assert!(names.is_sorted(), "the schema's order is that of the contract: {names:?}");
            let start = answer.text.find("<result>").unwrap() + 8;
            let content = &answer.text[start..answer.text.find("</result>").unwrap()];
            // The prefix is declared under another name here.
            assert_eq!(read(&content.replace("xsi:nil", "i:nil")).await, Ok(value.clone()));
        }
    }
}

#[tokio::test]
async fn characters_that_xml_does_not_have_are_replaced() {
    let stub = Stub::answering("things.ping", 200, json!({"result": {"data": "a\u{0}\u{b}\u{ffff}b"}}));
    let answer = send(&stub, Version::V12, &format!("<thingsPing {NS}/>")).await;
    assert_eq!(answer.the("result"), "a\u{fffd}\u{fffd}\u{fffd}b");
}

#[tokio::test]
async fn an_operation_without_input_or_output_takes_and_gives_nothing() {
    let stub = Stub::default();
    let answer = send(&stub, Version::V11, &format!("<thingsPing {NS}><any/></thingsPing>")).await;
    assert_eq!(answer.the("message"), "unknown element: there are none here");
    let input = format!("<thingsKeep {NS}><first>1</first><last>2</last></thingsKeep>");
    let answer = send(&stub, Version::V11, &input).await;
    assert!(answer.content().is("urn:onefold:test", "thingsKeepResponse") && answer.content().children.is_empty());
    assert_eq!(stub.calls().pop().unwrap().2, json!({"first": "1", "last": "2"}), "in any order");
}

#[test]
fn the_schema_has_the_contracts_order_rules_and_names() {
    let wsdl = super::super::wsdl(&contract(), "").unwrap();
    let squeezed: String = wsdl.lines().map(str::trim).collect();
    for part in [
        // The order of the input's declaration.
        r#"<xsd:sequence><xsd:element name="last" type="xsd:string"/><xsd:element name="first" type="xsd:string"/>"#,
        // What an input and an output have in common is one type; what differs is two.
        r#"<xsd:simpleType name="Same"><xsd:restriction base="xsd:string"><xsd:enumeration value="plain"/>"#,
        r#"<xsd:complexType name="Thing">"#,
        r#"<xsd:complexType name="ThingInput">"#,
        r#"<xsd:element name="input" type="tns:ThingInput"/>"#,
        r#"<xsd:element name="whole"><xsd:simpleType><xsd:restriction base="xsd:unsignedInt"><xsd:minInclusive value="1"/></xsd:restriction>"#,
        r#"<xsd:element name="flag" type="xsd:boolean" minOccurs="0" nillable="true"/>"#,
        r#"<xsd:element name="kind" type="tns:Same" minOccurs="0" nillable="true"/>"#,
        r#"<xsd:maxLength value="64"/><xsd:pattern value="-?[0-9]+(\.[0-9]+)?"/>"#,
        r#"<xsd:choice><xsd:element name="empty"><xsd:simpleType><xsd:restriction base="xsd:boolean"><xsd:pattern value="true|1"/>"#,
        r#"<xsd:element name="thingsGetOneMissing">"#,
        r#"<wsdl:fault name="thingsGetOneMissing" message="tns:thingsGetOneMissing"/>"#,
        r#"<soap12:operation soapAction="urn:onefold:test/thingsGetOne" style="document"/>"#,
    ] {
        assert!(squeezed.contains(part), "{part}\n{wsdl}");
    }
    assert!(!wsdl.contains("SameInput"));
}

#[tokio::test]
async fn what_is_written_as_a_message_is_read_as_it_was() {
    let library = Contract::parse(include_str!("../../../fixtures/library.json")).unwrap();
    for contract in [contract(), library] {
        for procedure in contract.in_styles() {
            let Some(schema) = &procedure.input else { continue };
            for input in [crate::example::of(&contract, schema), crate::example::whole(&contract, schema)] {
                let message = super::super::request(&contract, procedure, &input).unwrap();
                let stub = Stub::default();
                let answer = ask_of(&contract, &stub, post(Version::V11), message.clone()).await;
                assert_eq!(answer.status, 200, "{message}: {}", answer.text);
                let calls = stub.calls().pop().unwrap();
                assert_eq!((calls.0, calls.2), (procedure.name.clone(), input), "{message}");
            }
        }
    }
}
