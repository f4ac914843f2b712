use http::Request;
use protocol::{Auth, Kind, Spec};

use super::*;
use crate::{Callers, Definition};

const SERVICE: Definition = Definition { callers: Callers::Custom(|_| Ok(None)), ..Definition::named("test") };

const FIELDS: &[Field] = &[
    Field { name: "id", form: Form::Text },
    Field { name: "count", form: Form::Number },
    Field { name: "isNew", form: Form::Boolean },
    Field { name: "tags", form: Form::List(&Form::Text) },
    Field { name: "place", form: Form::Json },
    Field { name: "version", form: Form::Number },
    Field { name: "cursor", form: Form::Text },
];

const fn entry(rest: &'static str, fields: &'static [Field]) -> Entry {
    Entry {
        name: "things.do",
        spec: Spec {
            kind: Kind::Mutation,
            auth: Auth::Public,
            rest: Some(rest),
            timeout_ms: 1_000,
            memory_mb: 128,
            concurrency: None,
            cache_s: None,
            http: None,
            sensitive: false,
            session: None,
            fresh_s: None,
            fresh_if: false,
            has_output: true,
            asks_caller: false,
            metered: false,
            fields,
        },
        service: &SERVICE,
        has_item: false,
        run: |_| Box::pin(async { Ok(Output::Nothing) }),
    }
}

const GET: Entry = entry("GET /things/{id}", FIELDS);
const PATCH: Entry = entry("PATCH /things/{id}", FIELDS);
const POST: Entry = entry("POST /things", FIELDS).with_item();

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let request = headers.iter().fold(Request::builder().method(method).uri(uri), |r, (k, v)| r.header(*k, *v));
    request.body(()).unwrap().into_parts().0
}

fn route(parameters: &[(&str, &str)]) -> Route {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Route { parameters }
}

/// The input of a request with the path parameter `id`, or the status and the first field at fault.
fn input(
    entry: &Entry,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<String, (u16, String)> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    match take_input(entry, &route(&[("id", "a\"b")]), &parts(method, uri, headers), body) {
        Ok((input, _)) => Ok(input.map(|input| String::from_utf8(input.into()).unwrap()).unwrap_or_default()),
        Err(fault) => {
            Err((fault.code.http_status(), fault.fields.first().map(|field| field.path.clone()).unwrap_or_default()))
        }
    }
}

fn address(query: &str) -> Result<String, (u16, String)> {
    input(&GET, "GET", &format!("/things/x?{query}"), &[], "")
}

#[test]
fn an_address_is_read_as_the_fields_are_typed() {
    assert_eq!(address("count=30&isNew=true").unwrap(), r#"{"id":"a\"b","count":30,"isNew":true}"#);
    assert_eq!(address("tags=1&tags=b+c").unwrap(), r#"{"id":"a\"b","tags":["1","b c"]}"#);
    assert_eq!(address("place=%7B%22x%22%3A1%7D").unwrap(), r#"{"id":"a\"b","place":{"x":1}}"#);
    assert_eq!(address("&&count=1&").unwrap(), r#"{"id":"a\"b","count":1}"#);
}

#[test]
fn what_is_no_number_stays_a_text_that_the_procedure_refuses() {
    for (given, kept) in [("", ""), ("x", "x"), ("+1", " 1"), ("1,2", "1,2"), ("0x1", "0x1"), ("NaN", "NaN")] {
        assert_eq!(address(&format!("count={given}")).unwrap(), format!(r#"{{"id":"a\"b","count":"{kept}"}}"#));
    }
    assert_eq!(address("place=%7B").unwrap(), r#"{"id":"a\"b","place":"{"}"#);
    assert_eq!(address("unknown=1").unwrap(), r#"{"id":"a\"b","unknown":"1"}"#);
}

#[test]
fn a_boolean_is_true_or_false_in_any_case_and_nothing_else() {
    for (given, read) in [("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false)] {
        assert_eq!(address(&format!("isNew={given}")).unwrap(), format!(r#"{{"id":"a\"b","isNew":{read}}}"#));
    }
    for other in ["1", "0", "yes", "", "truer", "null"] {
        let text = format!(r#"{{"id":"a\"b","isNew":"{other}"}}"#);
        assert_eq!(address(&format!("isNew={other}")).unwrap(), text, "the procedure refuses it");
    }
}

/// Before the input is taken, nothing is refused for what the answer would be.
#[test]
fn what_is_answered_without_a_body_or_as_a_problem_is_no_406() {
    let nothing = Entry { spec: Spec { has_output: false, ..GET.spec }, ..GET };
    let query = Entry { spec: Spec { kind: Kind::Query, ..GET.spec }, ..GET };
    for accept in ["application/problem+json", "text/html", "application/json;q=0", "*/*;q=0"] {
        let asked = |entry: &Entry, more: &[(&str, &str)]| {
            let headers = [&[("accept", accept)], more].concat();
            take_input(entry, &route(&[]), &parts("GET", "/things/x", &headers), Bytes::new()).unwrap().1
        };
        for (entry, is_held_back) in [(&GET, true), (&nothing, false), (&query, false)] {
            assert_eq!(asked(entry, &[]).holds_back(&entry.spec), is_held_back, "{accept}");
        }
        let got = parts("GET", "/things/x", &[]);
        let status = |asked: &Asked, output| success(&query, &got, asked, &output).map_err(|fault| fault.code);
        let output = || Output::Json(br#"{"version":3}"#.to_vec());
        assert_eq!(status(&asked(&query, &[]), output()).unwrap_err(), Code::NotAcceptable, "{accept}");
        let known = asked(&query, &[("if-none-match", "\"3\"")]);
        assert_eq!(status(&known, output()).unwrap().status(), 304, "{accept}");
        assert_eq!(status(&asked(&nothing, &[]), Output::Nothing).unwrap().status(), 204, "{accept}");
    }
    for accept in ["application/json", "*/*", "text/html, application/*;q=0.1", ""] {
        let got = parts("GET", "/things/x", &[("accept", accept)]);
        assert!(!take_input(&GET, &route(&[]), &got, Bytes::new()).unwrap().1.holds_back(&GET.spec), "{accept}");
    }
}

#[test]
fn a_refused_type_is_answered_with_those_that_are_taken() {
    let taken = |entry: &Entry, headers: &[(&str, &str)]| {
        let (method, path) = entry.rest().unwrap();
        let path = path.replace("{id}", "x");
        let parts = parts(method, &path, headers);
        take_input(entry, &route(&[("id", "x")]), &parts, Bytes::from_static(b"{}")).unwrap_err().taken
    };
    let plain = [("content-type", "text/plain")];
    assert_eq!((taken(&PATCH, &plain), taken(&POST, &plain)), (Taken::Patch, Taken::JsonByPost));
    for entry in [&PATCH, &POST] {
        assert_eq!(taken(entry, &[("content-type", "application/json"), ("content-encoding", "gzip")]), Taken::Uncoded);
    }
}

#[test]
fn an_address_is_in_utf_8_and_what_it_says_twice_the_procedure_refuses() {
    assert_eq!(address("count=1&isNew=true&count=x").unwrap(), r#"{"id":"a\"b","count":1,"count":"x","isNew":true}"#);
    assert_eq!(address("id=other").unwrap(), r#"{"id":"a\"b","id":"other"}"#);
    assert_eq!(address("count=%FF"), Err((400, String::new())));
    assert_eq!(address("count=%2"), Err((400, String::new())));
}

#[test]
fn a_path_parameter_is_a_field_of_the_body() {
    let json = ("content-type", "application/json; charset=utf-8");
    let merge = ("content-type", "application/merge-patch+json");
    let patch = |headers: &[(&str, &str)], body| input(&PATCH, "PATCH", "/things/x", headers, body);
    assert_eq!(patch(&[json], r#" {"count":null}"#).unwrap(), r#" {"count":null,"id":"a\"b"}"#);
    assert_eq!(patch(&[merge], "{ }").unwrap(), r#"{ "id":"a\"b"}"#);
    assert_eq!(patch(&[], "").unwrap(), r#"{"id":"a\"b"}"#);
    // The procedure refuses what is there twice.
    assert_eq!(patch(&[json], r#"{"id":"c"}"#).unwrap(), r#"{"id":"c","id":"a\"b"}"#);
    // What is no JSON keeps its place.
    assert_eq!(patch(&[json], r#"{"count":1,"#).unwrap(), r#"{"count":1,"#);
    assert_eq!(patch(&[json], "{nope}").unwrap(), r#"{nope,"id":"a\"b"}"#);
    assert_eq!(patch(&[json], "[1]"), Err((400, String::new())));
    assert_eq!(patch(&[("content-type", "text/plain")], "{}"), Err((415, String::new())));
    assert_eq!(patch(&[], "{}"), Err((415, String::new())));
    let post = |content_type| input(&POST, "POST", "/things", &[("content-type", content_type)], "{}");
    assert_eq!(post("application/merge-patch+json"), Err((415, String::new())));
}

#[test]
fn an_input_stands_in_one_place() {
    assert_eq!(input(&PATCH, "PATCH", "/things/x?count=1", &[], ""), Err((400, "count".into())));
    assert_eq!(input(&GET, "GET", "/things/x", &[], "{}"), Err((400, String::new())));
    let large = "x".repeat(trpc::MAX_INPUT_BYTES + 1);
    assert_eq!(
        input(&PATCH, "PATCH", "/things/x", &[("content-type", "application/json")], &large).unwrap_err().0,
        413
    );
}

#[test]
fn another_method_is_told_which_there_are() {
    let refused = |methods: Option<&str>| {
        let mut parts = parts("PUT", "/things/x", &[]);
        if let Some(methods) = methods {
            parts.extensions.insert(Allowed(methods.into()));
        }
        take_input(&GET, &Route::default(), &parts, Bytes::new()).unwrap_err()
    };
    assert_eq!(refused(None).allow.as_deref(), Some("GET, HEAD"));
    assert_eq!(refused(Some("GET, HEAD, PATCH")).allow.as_deref(), Some("GET, HEAD, PATCH"));
    assert_eq!(refused(None).code, Code::MethodNotSupported);
}

#[test]
fn a_condition_of_a_change_is_a_version() {
    let condition = |tag: &str| {
        let parts = parts("PATCH", "/things/x", &[("if-match", tag)]);
        let (input, asked) = take_input(&PATCH, &route(&[]), &parts, Bytes::new()).map_err(|fault| fault.code)?;
        Ok::<_, Code>((input.map(|input| String::from_utf8(input.into()).unwrap()), asked.if_match))
    };
    assert_eq!(condition("\"7\""), Ok((Some(r#"{"version":7}"#.into()), Some(vec![7]))));
    assert_eq!(condition("*"), Ok((None, None)));
    for other in ["W/\"7\"", "7", "\"x\"", "\"-1\"", "\"+7\"", "\"07\"", ""] {
        assert_eq!(condition(other), Err(Code::PreconditionFailed), "{other}");
    }
    let eleven = (1..12).map(|version| format!("\"{version}\"")).collect::<Vec<_>>().join(",");
    assert_eq!(condition(&eleven), Err(Code::BadRequest));
    let asked = |entry: &Entry, method, name| {
        let parts = parts(method, "/things/x", &[(name, "\"1\"")]);
        take_input(entry, &route(&[]), &parts, Bytes::new()).err().map(|fault| fault.code)
    };
    const UNVERSIONED: Entry = entry("DELETE /things/{id}", &[]);
    assert_eq!(asked(&UNVERSIONED, "DELETE", "if-match"), Some(Code::BadRequest));
    assert_eq!(asked(&GET, "GET", "if-match"), None);
    assert_eq!(asked(&PATCH, "PATCH", "if-none-match"), Some(Code::BadRequest));
    assert_eq!(asked(&GET, "GET", "if-none-match"), None);
    let parts = parts("PATCH", "/things/x", &[("if-none-match", "*")]);
    let refused = take_input(&PATCH, &route(&[]), &parts, Bytes::new()).unwrap_err();
    assert_eq!(refused.code, Code::PreconditionFailed, "it is there, or there is nothing to change");
}

#[test]
fn of_several_versions_each_is_tried() {
    let tried = |method: &str, lines: &[&str], is_rest: bool| {
        let request =
            lines.iter().fold(Request::builder().method(method), |request, tag| request.header("if-match", *tag));
        let mut request = request.body(Bytes::new()).unwrap();
        if is_rest {
            request.extensions_mut().insert(Route::default());
        }
        let tags = attempts(request)
            .into_iter()
            .map(|attempt| listed(attempt.headers(), &header::IF_MATCH).unwrap_or_default());
        tags.collect::<Vec<_>>()
    };
    assert_eq!(tried("PATCH", &["\"1\", W/\"5\", \"3\"", "\"x\", \"1\""], true), ["\"3\"", "\"1\""]);
    for (method, lines, is_rest) in [
        ("PATCH", &["\"1\""][..], true),
        ("PATCH", &["*"], true),
        ("PATCH", &[], true),
        ("PATCH", &["\"1\",\"2\""], false),
        ("GET", &["\"1\",\"2\""], true),
    ] {
        assert_eq!(tried(method, lines, is_rest).len(), 1, "{method} {lines:?}");
    }
    let late = Fault::new(Code::Conflict, "Changed.");
    let asked = Asked { if_match: Some(vec![1]), ..Asked::default() };
    assert!(is_late(&asked, &Err::<(), _>(late)) && !is_late(&asked, &Ok(())));
    assert!(!is_late(&asked, &Err::<(), _>(Fault::new(Code::NotFound, "Nothing."))));
}

#[test]
fn what_is_read_has_one_of_the_versions_that_are_named() {
    let got = parts("GET", "/things/a", &[]);
    let outcome = |tags: &str, output: &str| {
        let asked = parts("GET", "/things/a", &[("if-match", tags)]);
        let (_, asked) = take_input(&GET, &route(&[]), &asked, Bytes::new()).map_err(|fault| fault.code)?;
        let answer =
            success(&GET, &got, &asked, &Output::Json(output.as_bytes().to_vec())).map_err(|fault| fault.code)?;
        Ok::<_, Code>(answer.status().as_u16())
    };
    for tags in ["*", "\"3\"", "\"1\", \"3\"", "W/\"1\",\"3\""] {
        assert_eq!(outcome(tags, r#"{"id":"a","version":3}"#), Ok(200), "{tags}");
    }
    for tags in ["\"1\"", "W/\"3\"", "3", "\"1\", \"2\""] {
        assert_eq!(outcome(tags, r#"{"id":"a","version":3}"#), Err(Code::PreconditionFailed), "{tags}");
    }
    assert_eq!(outcome("\"3\"", r#"{"items":[]}"#), Err(Code::PreconditionFailed), "it has no version");
    assert_eq!(outcome("*", r#"{"items":[]}"#), Ok(200));
}

fn answer(entry: &Entry, parts: &Parts, asked: &Asked, output: &str) -> Response<Bytes> {
    success(entry, parts, asked, &Output::Json(output.as_bytes().to_vec())).unwrap()
}

fn the<'a>(response: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn what_was_created_is_somewhere() {
    let posted = parts("POST", "/things", &[]);
    let created = answer(&POST, &posted, &Asked::default(), r#"{"id":"a/b c","version":3}"#);
    assert_eq!((created.status().as_u16(), the(&created, "location")), (201, Some("/things/a%2Fb%20c")));
    assert_eq!(the(&created, "etag"), Some("\"3\""));
    let nowhere = answer(&Entry { has_item: false, ..POST }, &posted, &Asked::default(), r#"{"id":"a"}"#);
    assert_eq!((nowhere.status().as_u16(), the(&nowhere, "location")), (201, None), "nothing is there to GET");
    let named = Asked { names_id: true, ..Asked::default() };
    assert_eq!(answer(&POST, &posted, &named, r#"{"id":"a"}"#).status(), 200);
    for other in [r#"{"id":7}"#, r#"["id"]"#, "null", r#"{"user":{"id":"a"}}"#] {
        let plain = answer(&POST, &posted, &Asked::default(), other);
        assert_eq!((plain.status().as_u16(), plain.body().as_ref()), (200, other.as_bytes()));
    }
    assert_eq!(success(&POST, &posted, &Asked::default(), &Output::Nothing).unwrap().status(), 204);
}

#[test]
fn a_known_version_is_not_sent_again() {
    let got = parts("GET", "/things/a", &[]);
    let status = |tags: &'static str, output| {
        let asked = Asked { if_none_match: Some(tags.to_owned()), ..Asked::default() };
        answer(&GET, &got, &asked, output).status().as_u16()
    };
    for known in ["\"3\"", "W/\"3\"", "\"1\", \"3\"", "*"] {
        assert_eq!(status(known, r#"{"id":"a","version":3}"#), 304, "{known}");
    }
    for other in ["\"2\"", "W/W/\"3\"", "3", ""] {
        assert_eq!(status(other, r#"{"id":"a","version":3}"#), 200, "{other}");
    }
    assert_eq!(status("\"3\"", r#"{"id":"a","version":"3"}"#), 200);
    for unversioned in [r#"{"items":[],"next":null}"#, r#"{"id":"a"}"#, "[]"] {
        assert_eq!(status("*", unversioned), 200, "{unversioned}: nobody can have it already");
    }
}

#[test]
fn a_page_leads_to_the_next() {
    let got = parts("GET", "/things?count=1&cursor=old&isNew=true", &[]);
    let encoded = parts("GET", "/things?%63ursor=old", &[]);
    let again = answer(&GET, &encoded, &Asked::default(), r#"{"items":[],"next":"n"}"#);
    assert_eq!(the(&again, "link"), Some(r#"</things?cursor=n>; rel="next""#));
    let link = |output| the(&answer(&GET, &got, &Asked::default(), output), "link").map(str::to_owned);
    let next = r#"</things?count=1&isNew=true&cursor=n%2Bw>; rel="next""#;
    assert_eq!(link(r#"{"items":[],"next":"n+w"}"#).as_deref(), Some(next));
    assert_eq!(link(r#"{"items":[],"next":null}"#), None);
    assert_eq!(link(r#"{"next":"n"}"#), None);
}

#[test]
fn a_conflict_is_a_failed_precondition_where_there_was_one() {
    let conflict = |failure| Fault { failure, ..Fault::new(Code::Conflict, "Changed.") };
    let conditional = Asked { if_match: Some(vec![1]), ..Asked::default() };
    assert_eq!(
        judged(&conditional, conflict(Some(json!({"type": "changed", "version": 2})))).code,
        Code::PreconditionFailed
    );
    assert_eq!(judged(&conditional, conflict(None)).code, Code::PreconditionFailed);
    assert_eq!(judged(&conditional, conflict(Some(json!({"type": "emailTaken"})))).code, Code::Conflict);
    assert_eq!(judged(&Asked::default(), conflict(None)).code, Code::Conflict);
}

#[test]
fn a_problem_says_everything_but_its_cause() {
    let site = Site::new("https://api.example.com", "", "");
    let fault = Fault {
        failure: Some(json!({"type": "missing", "value": "x"})),
        ..Fault::new(Code::NotFound, "No thing has this id.").because("the secret cause")
    };
    let problem: serde_json::Value =
        serde_json::from_slice(&problem(&fault, &site, "things.get", "/things/x", "r1")).unwrap();
    assert_eq!(
        problem,
        json!({
            "type": "https://api.example.com/docs#things.get:missing", "title": "Not Found", "status": 404,
            "detail": "No thing has this id.", "instance": "/things/x", "code": "NOT_FOUND", "requestId": "r1",
            "failure": {"type": "missing", "value": "x"},
        })
    );
}
