//! Malicious XML.

use super::*;
use crate::respond::shortened;

const PING: &str = "<thingsPing xmlns=\"urn:onefold:test\"/>";

#[tokio::test]
async fn a_document_type_is_refused_where_it_begins() {
    let laughs: String =
        (1..=9).map(|level| format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10))).collect();
    for document_type in [
        format!("<!DOCTYPE lolz [<!ENTITY l0 \"lol\">{laughs}]>"),
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>".to_owned(),
        "<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://127.0.0.1:1/\"> %x;]>".to_owned(),
        "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/\">".to_owned(),
    ] {
        for version in BOTH {
            // What follows would not even be XML: nothing after the declaration is looked at.
            for rest in [envelope(version, "", "<a>&l9;&x;</a>"), "<a></b>&&&".to_owned()] {
                let stub = Stub::default();
                let answer = ask(&stub, post(version), format!("<?xml version='1.0'?>{document_type}{rest}")).await;
                assert_eq!(answer.the("code"), "PARSE_ERROR");
                assert!(answer.text.contains("A message has no document type"), "{}", answer.text);
                assert!(stub.calls().is_empty());
            }
        }
    }
}

#[tokio::test]
async fn everything_has_a_limit() {
    let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    let wide = |count: usize| format!("<w>{}</w>", "<a/>".repeat(count));
    let attributes = |count: usize| {
        let attributes: String = (0..count).map(|place| format!(" a{place}=''")).collect();
        format!("<a{attributes}/>")
    };
    let bindings: String = (0..129).map(|place| format!(" xmlns:a{place}='urn:a'")).collect();
    let long = format!("<a xmlns='{}'/>", "n".repeat(257));
    for (body, shown) in [
        (nested(63), "nests deeper than 64"),
        (wide(19_998), "more than 20000 elements"),
        (attributes(65), "more than 64 attributes"),
        (format!("<a{bindings}/>"), "not XML"),
        (long, "namespace is too long"),
    ] {
        let answer = send(&Stub::default(), Version::V12, &body).await;
        assert_eq!((answer.status, answer.the("code")), (400, "PARSE_ERROR".into()), "{}", answer.text);
        assert!(answer.text.contains(shown), "{shown}: {}", answer.text);
    }
    for body in [nested(62), wide(19_997), attributes(64)] {
        let answer = send(&Stub::default(), Version::V12, &body).await;
        assert_eq!(answer.the("code"), "NOT_FOUND", "within the limits");
    }
}

#[tokio::test]
async fn a_refusal_is_short_whatever_it_refuses() {
    let long = "n".repeat(500_000);
    let blocks = |name: &str, count| format!("<e:{name} e:mustUnderstand='1'/>").repeat(count);
    let header = |blocks: String| envelope(Version::V12, &blocks, PING);
    let body = |content: &str| envelope(Version::V12, "", content);
    for (message, shown) in [
        (header(blocks("a", 9_000)), "NotUnderstood"),
        (header(blocks(&long, 1)), "must be understood"),
        (body(&format!("<a>\n</{long}>")), "not the open one, in line 2."),
        (body(&format!("<{long}>\n\n</b>")), "not the open one, in line 3."),
        (body(&format!("<{long}/>")), "no operation"),
        (body(&format!("<{long}:a/>")), "is not declared"),
        (body(&format!("<a b='&{long};'/>")), "an attribute refers to"),
        (body(&format!("<a {long}='' {long}=''/>")), "given twice"),
        (body(&format!("<a xmlns:xml='{long}'/>")), "reserved"),
        (body(&format!("<thingsKeep xmlns='urn:onefold:test'><{long}/></thingsKeep>")), "BAD_REQUEST"),
        (body(&format!("<thingsPing xmlns='urn:onefold:test' {long}=''/>")), "BAD_REQUEST"),
    ] {
        let answer = ask(&Stub::default(), post(Version::V12), message).await;
        assert!(answer.text.contains(shown), "{shown}: {}", shortened(&answer.text));
        assert!(answer.text.len() < 5_000, "{shown}: {}", answer.text.len());
        assert!(!answer.text.contains("::"), "{}", answer.text);
        answer.xml();
    }
}

#[tokio::test]
async fn what_is_not_well_formed_is_refused() {
    let whole = envelope(Version::V11, "", PING);
    let utf16: Vec<u8> = std::iter::once(0xFEFF).chain(whole.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let body = |content: &str| envelope(Version::V11, "", content).into_bytes();
    for bytes in [
        Vec::new(),
        b"{}".to_vec(),
        whole.as_bytes()[..whole.len() - 3].to_vec(),
        format!("{whole}<a/>").into_bytes(),
        format!("{whole} more").into_bytes(),
        format!("more {whole}").into_bytes(),
        format!("<?php echo 1 ?>{whole}").into_bytes(),
        format!(" <?xml version='1.0'?>{whole}").into_bytes(),
        format!("<?xml version='1.1'?>{whole}").into_bytes(),
        format!("<?xml version='1.0' encoding='iso-8859-1'?>{whole}").into_bytes(),
        utf16,
        body("<a>\u{0}</a>"),
        body("<a>&nbsp;</a>"),
        body("<a>&#0;</a>"),
        body("<a>&#x110000;</a>"),
        body("<a>&#11;</a>"),
        body("<a>& b</a>"),
        body("<a b='&c;'/>"),
        body("<a b='1' b='2'/>"),
        body("<a x:b='1' xmlns:x='urn:a' y:b='2' xmlns:y='urn:a'/>"),
        body("<x:a/>"),
        body("<a></b>"),
        body("<?a b?>"),
        body("<a><![CDATA[b</a>"),
        [&body("<a>")[..], b"\xFF\xFE\x80</a>"].concat(),
    ] {
        let stub = Stub::default();
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let answer = ask(&stub, post(Version::V11), bytes).await;
        assert_eq!((answer.status, answer.the("code")), (500, "PARSE_ERROR".into()), "{shown}: {}", answer.text);
        assert!(stub.calls().is_empty());
    }
}

#[tokio::test]
async fn a_byte_order_mark_and_a_declaration_are_no_harm() {
    for start in ["\u{feff}", "<?xml version=\"1.0\" encoding=\"Utf-8\" standalone=\"yes\"?>\n<!-- a -->"] {
        let message = format!("{start}{}\n<!-- b -->\n", envelope(Version::V12, "", PING));
        let answer = ask(&Stub::default(), post(Version::V12), message).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}
