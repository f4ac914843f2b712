//! WS-Security: a caller signs in for one call.

use serde_json::json;

use super::{
    super::security::{SECEXT, UTILITY},
    *,
};

const PING: &str = "<thingsPing xmlns=\"urn:onefold:test\"/>";
const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";

/// A Security header with this in it.
fn security(content: &str) -> String {
    format!("<s:Security xmlns:s='{SECEXT}' xmlns:u='{UTILITY}' e:mustUnderstand='1'>{content}</s:Security>")
}

fn token(kind: &str) -> String {
    let kind = if kind.is_empty() { String::new() } else { format!(" Type='{kind}'") };
    security(&format!(
        "<s:UsernameToken><s:Username>ada</s:Username><s:Password{kind}> p&lt;w </s:Password></s:UsernameToken>"
    ))
}

fn doors() -> Stub {
    let tokens = json!({"result": {"data": {"tokens": {"accessToken": "A", "refreshToken": "R"}}}});
    Stub::answering("desk.enter", 200, tokens)
}

#[tokio::test]
async fn a_call_is_signed_in_made_and_signed_out() {
    for version in BOTH {
        let stub = doors();
        let answer = ask(&stub, post(version), envelope(version, &token(""), PING)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let login = json!({"email": "ada", "password": " p<w ", "keep": "tokens"});
        assert_eq!(
            stub.calls(),
            [
                ("desk.enter".to_owned(), String::new(), login),
                ("things.ping".to_owned(), "Bearer A".to_owned(), Value::Null),
                ("desk.leave".to_owned(), "Bearer A".to_owned(), json!({"refreshToken": "R"})),
            ]
        );
    }
}

#[tokio::test]
async fn the_session_of_the_request_has_nothing_to_do_with_that_of_the_message() {
    let stub = doors();
    let answer =
        ask(&stub, post(Version::V11).header("cookie", "session=B"), envelope(Version::V11, &token(""), PING)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(*stub.cookies.lock().unwrap(), []);
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["things.ping=1"], "who signs in and out here does not do so there");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_signed_out_in_time() {
    let stub = Stub { hangs: Some("things.ping"), ..doors() };
    let started = tokio::time::Instant::now();
    let answer = ask(&stub, post(Version::V11), envelope(Version::V11, &token(""), PING)).await;
    assert_eq!(answer.the("code"), "GATEWAY_TIMEOUT", "{}", answer.text);
    assert_eq!(stub.calls().last().unwrap().0, "desk.leave");
    assert!(started.elapsed().as_secs() <= 26, "there has to be time for it");
}

#[tokio::test]
async fn a_call_that_fails_is_signed_out_as_well() {
    let mut stub = doors();
    let data = json!({"code": "FORBIDDEN", "httpStatus": 403});
    stub.answers.push(("things.ping", 403, json!({"error": {"message": "No.", "code": 0, "data": data}})));
    let answer = ask(&stub, post(Version::V12), envelope(Version::V12, &token(""), PING)).await;
    assert_eq!(answer.the("code"), "FORBIDDEN");
    assert_eq!(stub.calls().last().unwrap().0, "desk.leave");
}

#[tokio::test]
async fn wrong_credentials_are_a_fault_of_their_own_and_limits_come_through() {
    for (status, code, told, named) in [
        (401, "UNAUTHORIZED", "UNAUTHORIZED", true),
        (400, "BAD_REQUEST", "UNAUTHORIZED", true),
        (429, "TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS", false),
        (500, "INTERNAL_SERVER_ERROR", "INTERNAL_SERVER_ERROR", false),
    ] {
        let data = json!({"code": code, "httpStatus": status, "failure": {"type": "wrongCredentials"}});
        let stub = Stub::answering("desk.enter", status, json!({"error": {"message": "No.", "code": 0, "data": data}}));
        let answer = ask(&stub, post(Version::V11), envelope(Version::V11, &token(""), PING)).await;
        assert_eq!((answer.status, answer.the("code").as_str()), (500, told));
        assert_eq!(answer.the("faultcode") == "wsse:FailedAuthentication", named, "{}", answer.text);
        assert_eq!(stub.calls().len(), 1, "nothing is called");
        if status == 429 {
            assert_eq!(answer.the("retryAfterS"), "7");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_checked_is_refused() {
    let username = "<s:UsernameToken><s:Username>ada</s:Username><s:Password>p</s:Password></s:UsernameToken>";
    let with = |more: &str| security(&username.replace("</s:UsernameToken>", &format!("{more}</s:UsernameToken>")));
    let created = |time: &str| with(&format!("<u:Created>{time}</u:Created>"));
    let expired = "<u:Timestamp><u:Expires>2020-01-01T00:00:00Z</u:Expires></u:Timestamp>";
    for (header, code) in [
        (token(DIGEST), "wsse:UnsupportedSecurityToken"),
        (token("urn:other"), "wsse:UnsupportedSecurityToken"),
        (security("<s:BinarySecurityToken/>"), "wsse:UnsupportedSecurityToken"),
        (security(&format!("{username}{username}")), "wsse:InvalidSecurity"),
        (security("<s:UsernameToken><s:Username>ada</s:Username></s:UsernameToken>"), "wsse:InvalidSecurity"),
        (with("<s:Nonce>AAAA</s:Nonce><s:Nonce>BBBB</s:Nonce>"), "wsse:InvalidSecurity"),
        (with("<s:Salt/>"), "wsse:UnsupportedSecurityToken"),
        (with("<Created>2026-01-01T12:00:00Z</Created>"), "wsse:UnsupportedSecurityToken"),
        (with("<s:Username>eve</s:Username>"), "wsse:InvalidSecurity"),
        (created("2001-01-01T00:00:00Z"), "wsu:MessageExpired"),
        (created("2026-01-01T11:54:59Z"), "wsu:MessageExpired"),
        (created("2026-01-01T12:05:01Z"), "wsse:InvalidSecurity"),
        (created("now"), "wsse:InvalidSecurity"),
        (security("<u:Timestamp><u:Expires>2026-01-01T11:54:59Z</u:Expires></u:Timestamp>"), "wsu:MessageExpired"),
        (token("") + &token(""), "wsse:InvalidSecurity"),
        (security(&format!("{expired}{username}")), "wsu:MessageExpired"),
        (security("<u:Timestamp><u:Expires>soon</u:Expires></u:Timestamp>"), "wsse:InvalidSecurity"),
        (
            security(
                "<u:Timestamp><u:Expires>9999-01-01T00:00:00Z</u:Expires><u:Expires>2020-01-01T00:00:00Z</u:Expires></u:Timestamp>",
            ),
            "wsse:InvalidSecurity",
        ),
        (
            security(&"<u:Timestamp><u:Expires>9999-01-01T00:00:00Z</u:Expires></u:Timestamp>".repeat(2)),
            "wsse:InvalidSecurity",
        ),
    ] {
        let stub = doors();
        let answer = ask(&stub, post(Version::V11), envelope(Version::V11, &header, PING)).await;
        assert_eq!((answer.status, answer.the("faultcode").as_str()), (500, code), "{header}");
        assert!(stub.calls().is_empty());
        let answer = ask(&stub, post(Version::V12), envelope(Version::V12, &header, PING)).await;
        let subcode = find(&answer.content(), "Subcode").map(|code| code.children[0].text.clone());
        assert_eq!((answer.status, subcode.as_deref()), (400, Some(code)));
    }
    let stub = doors();
    let both = post(Version::V11).header("authorization", "Bearer B");
    let answer = ask(&stub, both, envelope(Version::V11, &token(""), PING)).await;
    assert_eq!(answer.the("faultcode"), "wsse:InvalidSecurity");
    assert!(stub.calls().is_empty());
}

#[tokio::test]
async fn a_token_of_now_holds_whichever_way_clients_write_the_time() {
    for time in
        ["2026-01-01T12:00:00Z", "2026-01-01T13:00:00.123+01:00", "2026-01-01T11:55:00Z", "2026-01-01T12:05:00Z"]
    {
        let created = format!("<s:Nonce>AAAA</s:Nonce><u:Created> {time} </u:Created></s:UsernameToken>");
        let header = token("").replace("</s:UsernameToken>", &created);
        let stub = doors();
        let answer = ask(&stub, post(Version::V11), envelope(Version::V11, &header, PING)).await;
        assert_eq!((answer.status, stub.calls().len()), (200, 3), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_security_header_without_a_token_or_for_somebody_else_says_nothing() {
    let far = "<u:Timestamp><u:Created>2026-01-01T00:00:00Z</u:Created><u:Expires>9999-01-01T00:00:00Z</u:Expires></u:Timestamp>";
    let for_others = token("").replace("e:mustUnderstand", "e:actor='urn:else' e:mustUnderstand");
    for header in [security(far), security(""), for_others] {
        let stub = doors();
        let answer = ask(&stub, post(Version::V11), envelope(Version::V11, &header, PING)).await;
        assert_eq!((answer.status, stub.calls().len()), (200, 1), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_service_that_says_nothing_of_it_takes_no_password() {
    let mut contract = contract_json();
    contract["passwordSignIn"] = Value::Null;
    let contract = crate::stub::contract_of(contract);
    let stub = doors();
    let answer = ask_of(&contract, &stub, post(Version::V11), envelope(Version::V11, &token(""), PING)).await;
    assert_eq!(answer.the("faultcode"), "wsse:UnsupportedSecurityToken");
    assert!(stub.calls().is_empty());
}

#[test]
fn a_password_is_not_printed() {
    let token = super::super::security::UsernameToken { name: "ada".into(), password: "hunter2".into() };
    assert_eq!(format!("{token:?}"), "UsernameToken");
}
