use http::Request;
use protocol::{Auth, Kind, RestDeclaration, Spec};
use serde_json::json;

use super::*;
use crate::{Callers, Definition};

const SERVICE: Definition = Definition { callers: Callers::Custom(|_| Ok(None)), ..Definition::named("test") };

const FIELDS: &[Field] = &[
    field("id", Form::Text),
    field("count", Form::Number),
    field("isNew", Form::Boolean),
    field("tags", Form::List(&Form::Text)),
    field("place", Form::Json),
    field("version", Form::Integer),
    field("cursor", Form::Text),
];

const fn field(name: &'static str, form: Form) -> Field {
    Field { name, form, is_nullable: false }
}

/// The stored value, as the procedure returns it.
const THING: &[Field] = &[field("id", Form::Text), field("version", Form::Integer)];

/// A procedure that returns this.
const fn entry(kind: Kind, rest: &'static str, fields: &'static [Field], output: &'static [Field]) -> Entry {
    let declaration = RestDeclaration { kind, route: rest, input: fields, output };
    let rest_answer = RestAnswer::of(declaration, RestAnswer::NONE).among(rest, &[Some("GET /things/{id}")]);
    Entry {
        name: "things.do",
        spec: Spec {
            kind,
            auth: Auth::Public,
            rest: Some(rest),
            rest_answer,
            timeout_ms: 1_000,
            memory_mb: 128,
            concurrency: None,
            cache_s: None,
            http: None,
            errors: protocol::ErrorFormat::Problem,
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
        configs: crate::ConfigReaders::NONE,
        run: |_| Box::pin(async { Ok(Output::Nothing) }),
    }
}

const GET: Entry = entry(Kind::Mutation, "GET /things/{id}", FIELDS, THING);
const LIST: Entry = entry(
    Kind::Query,
    "GET /things",
    FIELDS,
    &[field("items", Form::List(&Form::Json)), Field { is_nullable: true, ..field("next", Form::Text) }],
);
const PATCH: Entry = entry(Kind::Mutation, "PATCH /things/{id}", FIELDS, THING);
const POST: Entry = entry(Kind::Mutation, "POST /things", FIELDS, THING);

/// The same, with some parts of its responses declined.
fn with(entry: Entry, rest_answer: RestAnswer) -> Entry {
    Entry { spec: Spec { rest_answer, ..entry.spec }, ..entry }
}

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let request = headers.iter().fold(Request::builder().method(method).uri(uri), |r, (k, v)| r.header(*k, *v));
    request.body(()).unwrap().into_parts().0
}

/// The address of a request, with the path's parameters.
fn address_of(parts: &Parts, parameters: &[(&str, &str)]) -> Address {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Address { method: parts.method.clone(), uri: parts.uri.clone(), parameters }
}

/// Reads a request without a body and without parameters in its path.
fn read_of(entry: &Entry, parts: &Parts) -> Result<Reading, Fault> {
    read(entry, &address_of(parts, &[]), parts, Bytes::new())
}

fn text(input: Option<Bytes>) -> Option<String> {
    input.map(|input| String::from_utf8(input.into()).unwrap())
}

/// The input of a request with the path parameter `id`, or the status and the first field at fault.
fn input(
    entry: &Entry,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<String, (u16, String)> {
    let (body, parts) = (Bytes::copy_from_slice(body.as_bytes()), parts(method, uri, headers));
    match read(entry, &address_of(&parts, &[("id", "a\"b")]), &parts, body) {
        Ok(reading) => Ok(text(reading.inputs[0].clone()).unwrap_or_default()),
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
    for (sent, kept) in [("", ""), ("x", "x"), ("+1", " 1"), ("1,2", "1,2"), ("0x1", "0x1"), ("NaN", "NaN")] {
        assert_eq!(address(&format!("count={sent}")).unwrap(), format!(r#"{{"id":"a\"b","count":"{kept}"}}"#));
    }
    assert_eq!(address("place=%7B").unwrap(), r#"{"id":"a\"b","place":"{"}"#);
    assert_eq!(address("unknown=1").unwrap(), r#"{"id":"a\"b","unknown":"1"}"#);
}

#[test]
fn a_boolean_is_true_or_false_in_any_case_and_nothing_else() {
    for (sent, read) in [("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false)] {
        assert_eq!(address(&format!("isNew={sent}")).unwrap(), format!(r#"{{"id":"a\"b","isNew":{read}}}"#));
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
        let request = |entry: &Entry, more: &[(&str, &str)]| {
            let headers = [&[("accept", accept)], more].concat();
            read_of(entry, &parts("GET", "/things/x", &headers)).unwrap()
        };
        for (entry, is_held_back) in [(&GET, true), (&nothing, false), (&query, false)] {
            assert_eq!(request(entry, &[]).is_held_back, is_held_back, "{accept}");
        }
        let got = address_of(&parts("GET", "/things/x", &[]), &[]);
        let status = |request: Reading, output| {
            success(&query, &got, &request.conditions, Ok(output)).map_err(|fault| fault.code)
        };
        let output = || Output::Json(br#"{"version":3}"#.to_vec());
        assert_eq!(status(request(&query, &[]), output()).unwrap_err(), Code::NotAcceptable, "{accept}");
        let known = request(&query, &[("if-none-match", "\"3\"")]);
        assert_eq!(status(known, output()).unwrap().status(), 304, "{accept}");
        assert_eq!(status(request(&nothing, &[]), Output::Nothing).unwrap().status(), 204, "{accept}");
    }
    for accept in ["application/json", "*/*", "text/html, application/*;q=0.1", ""] {
        let got = parts("GET", "/things/x", &[("accept", accept)]);
        assert!(!read_of(&GET, &got).unwrap().is_held_back, "{accept}");
    }
}

#[test]
fn a_refused_type_is_answered_with_those_that_are_taken() {
    let taken = |entry: &Entry, headers: &[(&str, &str)]| {
        let (method, path) = entry.rest().unwrap();
        let path = path.replace("{id}", "x");
        let parts = parts(method, &path, headers);
        read(entry, &address_of(&parts, &[("id", "x")]), &parts, Bytes::from_static(b"{}")).unwrap_err().accepted
    };
    let plain = [("content-type", "text/plain")];
    assert_eq!((taken(&PATCH, &plain), taken(&POST, &plain)), (AcceptedBody::Patch, AcceptedBody::JsonByPost));
    for entry in [&PATCH, &POST] {
        assert_eq!(
            taken(entry, &[("content-type", "application/json"), ("content-encoding", "gzip")]),
            AcceptedBody::Uncoded
        );
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
        read_of(&GET, &parts).unwrap_err()
    };
    assert_eq!(refused(None).allow.as_deref(), Some("GET, HEAD"));
    assert_eq!(refused(Some("GET, HEAD, PATCH")).allow.as_deref(), Some("GET, HEAD, PATCH"));
    assert_eq!(refused(None).code, Code::MethodNotSupported);
}

#[test]
fn a_condition_of_a_change_is_a_version() {
    let condition = |tag: &str| {
        let parts = parts("PATCH", "/things/x", &[("if-match", tag)]);
        let Reading { inputs, conditions, .. } = read_of(&PATCH, &parts).map_err(|fault| fault.code)?;
        let [input] = <[_; 1]>::try_from(inputs).unwrap();
        Ok::<_, Code>((text(input), conditions.if_match))
    };
    assert_eq!(condition("\"7\""), Ok((Some(r#"{"version":7}"#.into()), Some(vec![7]))));
    assert_eq!(condition("*"), Ok((None, None)));
    for other in ["W/\"7\"", "7", "\"x\"", "\"-1\"", "\"+7\"", "\"07\"", ""] {
        assert_eq!(condition(other), Err(Code::PreconditionFailed), "{other}");
    }
    let eleven = (1..12).map(|version| format!("\"{version}\"")).collect::<Vec<_>>().join(",");
    assert_eq!(condition(&eleven), Err(Code::BadRequest));
    let request = |entry: &Entry, method, name| {
        let parts = parts(method, "/things/x", &[(name, "\"1\"")]);
        read_of(entry, &parts).err().map(|fault| fault.code)
    };
    const UNVERSIONED: Entry = entry(Kind::Mutation, "DELETE /things/{id}", &[], &[]);
    assert_eq!(request(&UNVERSIONED, "DELETE", "if-match"), Some(Code::BadRequest));
    assert_eq!(request(&GET, "GET", "if-match"), None);
    assert_eq!(request(&PATCH, "PATCH", "if-none-match"), Some(Code::BadRequest));
    assert_eq!(request(&GET, "GET", "if-none-match"), None);
    let parts = parts("PATCH", "/things/x", &[("if-none-match", "*")]);
    let refused = read_of(&PATCH, &parts).unwrap_err();
    assert_eq!(refused.code, Code::PreconditionFailed, "it is there, or there is nothing to change");
}

#[test]
fn of_several_versions_each_is_tried() {
    let tried = |method: &str, lines: &[&str]| {
        let headers: Vec<_> = lines.iter().map(|tag| ("if-match", *tag)).collect();
        let entry = if method == "GET" { &GET } else { &PATCH };
        let inputs = read_of(entry, &parts(method, "/things/x", &headers)).unwrap().inputs;
        inputs.into_iter().map(text).collect::<Vec<_>>()
    };
    let with = |version: u32| Some(format!("{{\"version\":{version}}}"));
    assert_eq!(tried("PATCH", &["\"1\", W/\"5\", \"3\"", "\"x\", \"1\""]), [with(3), with(1)]);
    for (method, lines, input) in [
        ("PATCH", &["\"1\""][..], with(1)),
        ("PATCH", &["*"], None),
        ("PATCH", &[], None),
        ("GET", &["\"1\",\"2\""], None),
    ] {
        assert_eq!(tried(method, lines), [input], "{method} {lines:?}");
    }
    let late = Fault::new(Code::Conflict, "Changed.");
    let request = Conditions { if_match: Some(vec![1]), ..Conditions::default() };
    assert!(request.is_unmet(&late));
    assert!(!request.is_unmet(&Fault::new(Code::NotFound, "Nothing.")));
}

#[test]
fn what_is_read_has_one_of_the_versions_that_are_named() {
    let got = address_of(&parts("GET", "/things/a", &[]), &[]);
    let outcome = |entry: &Entry, tags: &str, output: &str| {
        let request = read_of(entry, &parts("GET", "/things/a", &[("if-match", tags)])).map_err(|fault| fault.code)?;
        let output = Ok(Output::Json(output.as_bytes().to_vec()));
        let answer = success(entry, &got, &request.conditions, output).map_err(|fault| fault.code)?;
        Ok::<_, Code>(answer.status().as_u16())
    };
    for tags in ["*", "\"3\"", "\"1\", \"3\"", "W/\"1\",\"3\""] {
        assert_eq!(outcome(&GET, tags, r#"{"id":"a","version":3}"#), Ok(200), "{tags}");
    }
    for tags in ["\"1\"", "W/\"3\"", "3", "\"1\", \"2\""] {
        assert_eq!(outcome(&GET, tags, r#"{"id":"a","version":3}"#), Err(Code::PreconditionFailed), "{tags}");
    }
    assert_eq!(outcome(&LIST, "\"3\"", r#"{"items":[]}"#), Err(Code::PreconditionFailed), "it has no version");
    assert_eq!(outcome(&LIST, "*", r#"{"items":[]}"#), Ok(200));
}

fn answer(entry: &Entry, address: &Address, request: &Conditions, output: &str) -> Response<Bytes> {
    success(entry, address, request, Ok(Output::Json(output.as_bytes().to_vec()))).unwrap()
}

fn the<'a>(response: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn what_was_created_is_somewhere() {
    let posted = address_of(&parts("POST", "/things", &[]), &[]);
    let said = |entry: &Entry, output: &str| {
        let answer = answer(entry, &posted, &Conditions::default(), output);
        assert_eq!(answer.body().as_ref(), output.as_bytes());
        (answer.status().as_u16(), the(&answer, "location").map(str::to_owned), the(&answer, "etag").map(str::to_owned))
    };
    let thing = r#"{"id":"a/b c","version":3}"#;
    let (place, tag) = (Some("/things/a%2Fb%20c".to_owned()), Some("\"3\"".to_owned()));
    assert_eq!(said(&POST, thing), (201, place, tag.clone()));
    let declared = POST.spec.rest_answer;
    let nowhere = with(POST, declared.among("POST /things", &[Some("GET /things")]));
    assert_eq!(said(&nowhere, thing), (201, None, tag.clone()), "nothing is there to GET");
    // Whatever an output holds, its declaration says what is told of it.
    let done = with(POST, RestAnswer { created: false, location: false, ..declared });
    assert_eq!(said(&done, thing), (200, None, tag));
    let plain = with(POST, RestAnswer::NONE);
    for output in [thing, r#"{"id":7}"#, r#"["id"]"#, "null", r#"{"user":{"id":"a"}}"#] {
        assert_eq!(said(&plain, output), (200, None, None), "{output}");
    }
    let nothing = success(&POST, &posted, &Conditions::default(), Ok(Output::Nothing)).unwrap();
    assert_eq!((nothing.status().as_u16(), the(&nothing, "location")), (204, None));
}

#[test]
fn a_known_version_is_not_sent_again() {
    let got = address_of(&parts("GET", "/things/a", &[]), &[]);
    let status = |entry: &Entry, tags: &'static str, output| {
        let request = Conditions { if_none_match: Some(tags.to_owned()), ..Conditions::default() };
        answer(entry, &got, &request, output).status().as_u16()
    };
    let thing = r#"{"id":"a","version":3}"#;
    for known in ["\"3\"", "W/\"3\"", "\"1\", \"3\"", "*"] {
        assert_eq!(status(&GET, known, thing), 304, "{known}");
        assert_eq!(status(&with(GET, RestAnswer::NONE), known, thing), 200, "{known}: its version is no tag");
    }
    for other in ["\"2\"", "W/W/\"3\"", "3", ""] {
        assert_eq!(status(&GET, other, thing), 200, "{other}");
    }
    for unversioned in [r#"{"items":[],"next":null}"#, r#"{"id":"a"}"#, "[]"] {
        assert_eq!(status(&LIST, "*", unversioned), 200, "{unversioned}: nobody can have it already");
    }
}

#[test]
fn a_page_leads_to_the_next() {
    let got = address_of(&parts("GET", "/things?count=1&cursor=old&isNew=true", &[]), &[]);
    let encoded = address_of(&parts("GET", "/things?%63ursor=old", &[]), &[]);
    let again = answer(&LIST, &encoded, &Conditions::default(), r#"{"items":[],"next":"n"}"#);
    assert_eq!(the(&again, "link"), Some(r#"</things?cursor=n>; rel="next""#));
    let link =
        |entry: &Entry, output| the(&answer(entry, &got, &Conditions::default(), output), "link").map(str::to_owned);
    let next = r#"</things?count=1&isNew=true&cursor=n%2Bw>; rel="next""#;
    assert_eq!(link(&LIST, r#"{"items":[],"next":"n+w"}"#).as_deref(), Some(next));
    assert_eq!(link(&LIST, r#"{"items":[],"next":null}"#), None);
    assert_eq!(link(&with(LIST, RestAnswer::NONE), r#"{"items":[],"next":"n"}"#), None);
}

#[test]
fn a_version_that_its_author_makes_no_condition_of_is_none() {
    let plain = with(PATCH, RestAnswer::NONE);
    let refused = read_of(&plain, &parts("PATCH", "/things/x", &[("if-match", "\"7\"")])).unwrap_err();
    assert_eq!(refused.code, Code::BadRequest);
}

#[test]
fn a_conflict_is_a_failed_precondition_where_there_was_one() {
    let conflict = |failure| Fault { failure, ..Fault::new(Code::Conflict, "Changed.") };
    let conditional = Conditions { if_match: Some(vec![1]), ..Conditions::default() };
    assert_eq!(
        conditional.translate(conflict(Some(json!({"type": "changed", "version": 2})))).code,
        Code::PreconditionFailed
    );
    assert_eq!(conditional.translate(conflict(None)).code, Code::PreconditionFailed);
    assert_eq!(conditional.translate(conflict(Some(json!({"type": "emailTaken"})))).code, Code::Conflict);
    assert_eq!(Conditions::default().translate(conflict(None)).code, Code::Conflict);
}
