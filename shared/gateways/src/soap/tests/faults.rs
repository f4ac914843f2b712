//! Faults in the form of each version of SOAP.

use serde_json::json;

use runtime::cors::Cors;

use super::*;
use crate::{Gateway, respond::MAX_WEIGHT};

const PING: &str = "<thingsPing xmlns=\"urn:onefold:test\"/>";

#[tokio::test]
async fn a_failure_travels_whole_in_the_detail() {
    let error = json!({"error": {"message": "No thing.", "code": -32004, "data": {
        "code": "NOT_FOUND", "httpStatus": 404, "requestId": "r7", "failure": {"type": "missing", "value": "a<b"},
    }}});
    let stub = Stub::answering("things.getOne", 404, error);
    for version in BOTH {
        let answer = send(&stub, version, "<thingsGetOne xmlns=\"urn:onefold:test\"/>").await;
        let fault = answer.content();
        assert!(fault.is(version.namespace(), "Fault"));
        match version {
            Version::V11 => {
                assert_eq!((answer.status, answer.the("faultcode")), (500, "soap:Client".into()));
                assert_eq!(answer.the("faultstring"), "No thing.");
            }
            Version::V12 => {
                assert_eq!((answer.status, answer.the("Value")), (400, "soap:Sender".into()));
                assert_eq!(find(find(&fault, "Subcode").unwrap(), "Value").unwrap().text, "tns:NOT_FOUND");
                assert_eq!(answer.the("Text"), "No thing.");
            }
        }
        let failure = find(&fault, "thingsGetOneMissing").unwrap();
        assert_eq!((&*failure.namespace, failure.children[0].text.as_str()), ("urn:onefold:test", "a<b"));
        assert_eq!((answer.the("code"), answer.the("requestId")), ("NOT_FOUND".into(), "r7".into()));
    }
}

#[tokio::test]
async fn fields_waiting_times_and_our_own_faults_are_told() {
    let error = |code: &str, status: u16, fields: Value| {
        let data = json!({"code": code, "httpStatus": status, "fields": fields});
        Stub::answering("things.ping", status, json!({"error": {"message": "No.", "code": 0, "data": data}}))
    };
    let fields = json!([{"path": "lines[2].amount", "message": "is required"}]);
    let answer = send(&error("BAD_REQUEST", 400, fields), Version::V12, PING).await;
    assert_eq!((answer.the("path"), answer.the("message")), ("lines[2].amount".into(), "is required".into()));
    let answer = send(&error("TOO_MANY_REQUESTS", 429, json!([])), Version::V12, PING).await;
    assert_eq!((answer.status, answer.the("retryAfterS")), (400, "7".into()));
    assert_eq!(answer.headers["retry-after"], "7");
    for version in BOTH {
        let answer = send(&error("INTERNAL_SERVER_ERROR", 500, json!([])), version, PING).await;
        let code = if version == Version::V11 { answer.the("faultcode") } else { answer.the("Value") };
        let ours = if version == Version::V11 { "soap:Server" } else { "soap:Receiver" };
        assert_eq!((answer.status, code.as_str()), (500, ours));
        assert_eq!(answer.the("requestId"), "r1");
    }
}

#[tokio::test]
async fn a_version_that_is_not_spoken_is_told_so() {
    for (spoken, sent) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0])] {
        let answer = ask(&Stub::default(), post(spoken), envelope(sent, "", PING)).await;
        assert_eq!(answer.status, 500);
        assert!(answer.text.contains("soap:VersionMismatch"), "{}", answer.text);
        assert_eq!(answer.text.contains("<soap:Upgrade><soap:SupportedEnvelope "), spoken == Version::V12);
    }
}

#[tokio::test]
async fn header_blocks_that_must_be_understood_are_not_passed_over() {
    for (version, block, understood) in [
        (Version::V11, "<a:b xmlns:a='urn:a'/>", true),
        (Version::V11, "<a:b xmlns:a='urn:a' e:mustUnderstand='0'/>", true),
        (Version::V11, "<a:b xmlns:a='urn:a' e:mustUnderstand='1' e:actor='urn:else'/>", true),
        (Version::V11, "<a:b xmlns:a='urn:a' e:mustUnderstand='1'/>", false),
        (Version::V12, "<a:b xmlns:a='urn:a' e:mustUnderstand='false'/>", true),
        (Version::V12, "<a:b xmlns:a='urn:a' e:mustUnderstand='true'/>", false),
        (
            Version::V12,
            "<a:b xmlns:a='urn:a' e:mustUnderstand='1' e:role='http://www.w3.org/2003/05/soap-envelope/role/next'/>",
            false,
        ),
        (
            Version::V12,
            "<a:b xmlns:a='urn:a' e:mustUnderstand='1' e:role='http://www.w3.org/2003/05/soap-envelope/role/none'/>",
            true,
        ),
    ] {
        let stub = Stub::default();
        let answer = ask(&stub, post(version), envelope(version, block, PING)).await;
        assert_eq!(answer.status == 200, understood, "{block}");
        assert_eq!(stub.calls().len(), usize::from(understood));
        if !understood {
            assert!(answer.status == 500 && answer.text.contains("soap:MustUnderstand"), "{}", answer.text);
            let not_understood = "<soap:NotUnderstood qname=\"unknown:b\" xmlns:unknown=\"urn:a\"/>";
            assert_eq!(answer.text.contains(not_understood), version == Version::V12);
        }
    }
}

#[tokio::test]
async fn the_body_decides_and_an_action_must_not_contradict_it() {
    let action = |action: &str| {
        let v12 = format!("application/soap+xml; charset=UTF-8; action=\"{action}\"");
        let request = |kind: &str| Request::post("/soap").header("content-type", kind);
        [
            (Version::V11, request("text/xml").header("soapaction", format!("\"{action}\""))),
            (Version::V12, request(&v12)),
        ]
    };
    for (said, status) in [
        ("urn:onefold:test/thingsPing", [200, 200]),
        // So do clients name it that read no WSDL (SOAP::Lite).
        ("urn:onefold:test#thingsPing", [200, 200]),
        ("", [200, 200]),
        ("urn:other", [500, 400]),
        ("urn:onefold:test#thingsKeep", [500, 400]),
        ("urn:onefold:test##thingsPing", [500, 400]),
        ("thingsPing", [500, 400]),
    ] {
        for ((version, request), status) in action(said).into_iter().zip(status) {
            let answer = ask(&Stub::default(), request, envelope(version, "", PING)).await;
            assert_eq!(answer.status, status, "{said}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn an_action_is_given_once() {
    let request = Request::post("/soap").header("content-type", "text/xml").header("soapaction", "");
    let answer = ask(&Stub::default(), request.header("soapaction", ""), envelope(Version::V11, "", PING)).await;
    assert_eq!(answer.the("faultstring"), "The header SOAPAction is given more than once.");
}

#[tokio::test]
async fn what_is_no_call_is_a_fault_of_the_sender() {
    for (body, code) in [
        ("", "BAD_REQUEST"),
        ("text", "BAD_REQUEST"),
        ("<a/><b/>", "BAD_REQUEST"),
        ("<thingsPing/>", "NOT_FOUND"),
        ("<thingsPing xmlns='urn:onefold:other'/>", "NOT_FOUND"),
        ("<things.ping xmlns='urn:onefold:test'/>", "NOT_FOUND"),
    ] {
        let stub = Stub::default();
        let answer = send(&stub, Version::V12, body).await;
        assert_eq!((answer.status, answer.the("code").as_str()), (400, code), "{body}");
        assert!(stub.calls().is_empty());
    }
}

#[tokio::test]
async fn other_types_of_content_are_not_read() {
    for kind in [
        "application/json",
        "text/xml; charset=utf-16",
        "text/xml; charset=\"iso-8859-1\"",
        "multipart/related; type=\"application/xop+xml\"",
        "text/xml; charset=utf-8; charset=iso-8859-1",
        "",
    ] {
        let request = Request::post("/soap").header("content-type", kind);
        let answer = ask(&Stub::default(), request, envelope(Version::V11, "", PING)).await;
        assert_eq!((answer.status, answer.the("code")), (415, "UNSUPPORTED_MEDIA_TYPE".into()), "{kind}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_a_fault_of_the_version_that_is_spoken() {
    for (version, code) in [(Version::V11, "soap:Client"), (Version::V12, "soap:Sender")] {
        for (text, fits) in [("x".repeat(MAX_WEIGHT), false), (">'".repeat(MAX_WEIGHT / 3), true)] {
            let contract = Arc::new(contract());
            let gateway = Gateway {
                style: Box::new(Soap::new(&contract).unwrap()),
                contract,
                transport: Arc::new(Stub::answering("things.ping", 200, json!({"result": {"data": text}}))),
                cors: Cors::AnyOrigin,
                site: Arc::new(Site::new("http://127.0.0.1:9000", "", "")),
            };
            let message = envelope(version, "", "<thingsPing xmlns=\"urn:onefold:test\"/>");
            let response = gateway.answer("r1", post(version).body(message.into()).unwrap()).await;
            assert_eq!(response.headers()["content-type"], version.content_type());
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let text = String::from_utf8(response.into_body().to_vec()).unwrap();
            let answer = Answer { status, headers, text };
            if fits {
                assert_eq!((answer.status, answer.the("result").len()), (200, MAX_WEIGHT / 3 * 2));
                continue;
            }
            assert_eq!((answer.status, answer.the("code")), (413, "PAYLOAD_TOO_LARGE".to_owned()));
            assert_eq!(answer.the(if version == Version::V11 { "faultcode" } else { "Value" }), code);
        }
    }
}
