//! Tests of documents: validation, limits and execution.

use super::*;

/// 100 posts of three authors, one of whom is gone.
fn blog() -> TestGateway {
    TestGateway::new(|procedure, input| match procedure {
        "notes.list" => {
            let items: Vec<Value> = (0..100).map(|number| post(number, &id(number % 3))).collect();
            Ok(json!({"items": items, "next": "sealed"}))
        }
        "readers.byIds" => {
            let ids = input["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
            Ok(ids.filter(|known| *known != id(2)).map(user).collect())
        }
        "readers.get" if input["id"] == id(0) => Ok(user(&id(0))),
        "readers.get" => Err((404, json!({"code": "NOT_FOUND", "failure": {"type": "missing", "value": input["id"]}}))),
        "readers.update" => Ok(user(&id(0))),
        "readers.delete" => Ok(Value::Null),
        "pulse.ping" => Ok(json!("pong")),
        "desk.leave" => Ok(Value::Null),
        other => panic!("{other} was called"),
    })
}

#[tokio::test]
async fn a_hundred_posts_with_their_authors_are_two_calls() {
    let gateway = blog();
    let answer = gateway
        .ask("{ notesList(first: 100) { nodes { title author { name } authorId version } pageInfo { hasNextPage endCursor } } }")
        .await;
    assert!(answer.get("errors").is_none(), "{answer}");
    let nodes = answer["data"]["notesList"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 100);
    assert_eq!(nodes[1]["author"]["name"], format!("Ada {}", id(1)));
    assert_eq!((&nodes[2]["author"], &nodes[2]["version"]), (&Value::Null, &json!(3_000_000_000_u32)));
    assert_eq!(answer["data"]["notesList"]["pageInfo"], json!({"hasNextPage": true, "endCursor": "sealed"}));
    let calls = gateway.calls();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert_eq!(calls[0], ("notes.list".into(), json!({"limit": 100})));
    assert_eq!(calls[1], ("readers.byIds".into(), json!({"ids": [id(0), id(1), id(2)]})));
}

#[tokio::test]
async fn only_a_pages_last_edge_knows_its_cursor() {
    let answer = blog().ask("{ notesList { edges { cursor node { id } ... on Edge { __typename } } } }").await;
    let edges = answer["data"]["notesList"]["edges"].as_array().unwrap();
    assert_eq!(edges[0], json!({"cursor": null, "node": {"id": id(0)}, "__typename": "NoteEdge"}));
    assert_eq!(edges[99]["cursor"], "sealed");
}

#[tokio::test]
async fn many_ids_are_asked_for_in_hundreds_and_a_refused_loader_is_told_where_it_is_missed() {
    let gateway = TestGateway::new(|procedure, input| match procedure {
        "notes.list" => {
            let items: Vec<Value> = (0..150).map(|number| post(number, &id(number))).collect();
            Ok(json!({"items": items, "next": null}))
        }
        "readers.byIds" if input["ids"].as_array().unwrap().len() == 100 => {
            Ok(input["ids"].as_array().unwrap().iter().map(|id| user(id.as_str().unwrap())).collect())
        }
        _ => Err((403, json!({"code": "FORBIDDEN", "requestId": "r1"}))),
    });
    let answer = gateway.ask("{ notesList { nodes { author { id } } } }").await;
    assert_eq!(gateway.calls().len(), 3);
    let nodes = answer["data"]["notesList"]["nodes"].as_array().unwrap();
    assert_eq!((&nodes[99]["author"]["id"], &nodes[100]["author"]), (&json!(id(99)), &Value::Null));
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 50);
    assert_eq!(errors[0]["path"], json!(["notesList", "nodes", 100, "author"]));
    assert_eq!(
        errors[0]["extensions"],
        json!({"code": "FORBIDDEN", "httpStatus": 403, "requestId": "r1", "procedure": "readers.byIds"})
    );
}

#[tokio::test]
async fn a_failure_is_a_member_of_the_union() {
    let gateway = blog();
    let query = "query($id: ReaderId!) { readersGet(id: $id) { __typename ... on Reader { name role } \
        ... on Failure { message code } ... on ReadersGetMissing { value type } } }";
    let found = gateway.ask_with(query, json!({"id": id(0)})).await;
    let expected = json!({"__typename": "Reader", "name": format!("Ada {}", id(0)), "role": "CHILD"});
    assert_eq!(found, json!({"data": {"readersGet": expected}}));
    let missing = gateway.ask_with(query, json!({"id": id(7)})).await;
    let expected = json!({"__typename": "ReadersGetMissing", "message": "No.", "code": "NOT_FOUND", "value": id(7), "type": "missing"});
    assert_eq!(missing, json!({"data": {"readersGet": expected}}));
}

#[tokio::test]
async fn any_other_fault_is_an_error_and_leaves_its_neighbours_alone() {
    let gateway = TestGateway::new(|procedure, _| match procedure {
        "pulse.ping" => Ok(json!("pong")),
        _ => Err((
            429,
            json!({"code": "TOO_MANY_REQUESTS", "requestId": "r9", "fields": [{"path": "id", "message": "is odd"}]}),
        )),
    });
    let (status, answer) = gateway
        .post(&json!({"query": format!("{{ b: readersGet(id: \"{}\") {{ __typename }} a: pulsePing }}", id(1))}))
        .await;
    assert_eq!(status, 200);
    assert_eq!(answer["data"], json!({"b": null, "a": "pong"}));
    let error = &answer["errors"][0];
    assert_eq!((&error["message"], &error["path"]), (&json!("No."), &json!(["b"])));
    let expected = json!({
        "code": "TOO_MANY_REQUESTS", "httpStatus": 429, "requestId": "r9", "procedure": "readers.get",
        "fields": [{"path": "id", "message": "is odd"}],
    });
    assert_eq!(error["extensions"], expected);
}

#[tokio::test]
async fn absent_and_null_reach_the_procedure_as_such() {
    let gateway = blog();
    let query = "mutation($age: Int, $name: String, $role: Role) { readersUpdate(input: {id: \"x\", age: $age, name: $name, \
        role: $role}) { __typename } }";
    for (variables, expected) in [
        (json!({}), json!({"id": "x"})),
        (json!({"age": null}), json!({"id": "x", "age": null})),
        (json!({"age": 3, "role": "MEMBER"}), json!({"id": "x", "age": 3, "role": "member"})),
        (json!({"unknown": 1, "name": "A"}), json!({"id": "x", "name": "A"})),
    ] {
        let answer = gateway.ask_with(query, variables).await;
        assert_eq!(answer["data"]["readersUpdate"]["__typename"], "Reader", "{answer}");
        assert_eq!(gateway.calls(), [("readers.update".to_owned(), expected)]);
    }
    let query = "mutation { readersUpdate(input: {id: \"x\", age: null}) { __typename } }";
    gateway.ask(query).await;
    assert_eq!(gateway.calls()[0].1, json!({"id": "x", "age": null}));
    let query =
        "query($sort: ReaderSort = AGE_DESC) { readersList(sort: $sort, ageMin: 3, after: \"c\") { nodes { id } } }";
    let gateway = TestGateway::new(|_, _| Ok(json!({"items": [], "next": null})));
    gateway.ask(query).await;
    assert_eq!(gateway.calls()[0].1, json!({"sort": "-age", "ageMin": 3, "cursor": "c"}));
}

#[tokio::test]
async fn what_says_nothing_is_done() {
    let gateway = blog();
    let answer = gateway
        .ask("mutation { readersDelete(input: {id: \"x\"}) { ... on ReadersDeleteDone { ok } } deskLeave { ok } }");
    assert_eq!(answer.await, json!({"data": {"readersDelete": {"ok": true}, "deskLeave": {"ok": true}}}));
    assert_eq!(
        gateway.calls(),
        [("readers.delete".to_owned(), json!({"id": "x"})), ("desk.leave".to_owned(), json!("absent")),]
    );
}

#[tokio::test]
async fn each_alias_is_a_call_and_the_same_field_twice_is_one() {
    let gateway = blog();
    let answer =
        gateway.ask("{ b: pulsePing a: pulsePing b: pulsePing ...F } fragment F on Query { a: pulsePing }").await;
    assert_eq!(answer.to_string(), r#"{"data":{"a":"pong","b":"pong"}}"#, "serde_json sorts what it reads");
    assert_eq!(gateway.calls().len(), 2);
    let gateway = blog();
    gateway.ask("mutation { readersDelete(input: {id: \"x\"}) { __typename } ...F } fragment F on Mutation { readersDelete(input: {id: \"x\"}) { ... on ReadersDeleteDone { ok } } }").await;
    assert_eq!(gateway.calls().len(), 1);
}

#[tokio::test]
async fn an_answer_has_the_order_of_its_document() {
    let body = json!({"query": "{ z: pulsePing notesList(first: 1) { pageInfo { hasNextPage } nodes { title author { name id } id } } a: pulsePing }"});
    let request = Request::post("/graphql").header("content-type", "application/json").body(body.to_string().into());
    let response = blog().send(request.unwrap()).await;
    let text = std::str::from_utf8(response.body()).unwrap();
    let places: Vec<_> = [
        "\"z\"",
        "\"notesList\"",
        "\"pageInfo\"",
        "\"nodes\"",
        "\"title\"",
        "\"author\"",
        "\"name\"",
        "\"id\"",
        "\"a\"",
    ]
    .iter()
    .map(|name| text.find(name).unwrap())
    .collect();
    assert!(places.is_sorted(), "{text}");
}

#[tokio::test]
async fn what_is_skipped_is_not_called() {
    let gateway = blog();
    let query = "query($no: Boolean = false, $yes: Boolean!) { pulsePing @include(if: $no) ... @skip(if: $yes) { p: pulsePing } \
        q: pulsePing @include(if: $yes) }";
    assert_eq!(gateway.ask_with(query, json!({"yes": true})).await, json!({"data": {"q": "pong"}}));
    assert_eq!(gateway.calls().len(), 1);
}

#[tokio::test]
async fn what_does_not_fit_the_schema_calls_nothing() {
    let gateway = TestGateway::idle();
    for (query, message) in [
        ("{", "expected"),
        ("{ nothing }", "nothing"),
        ("{ readersGet { __typename } }", "id"),
        ("{ pulsePing { a } }", "pulsePing"),
        ("{ readersList(first: \"a\") { nodes { id } } }", "first"),
        ("{ readersList(sort: UP) { nodes { id } } }", "sort"),
        ("{ notesList }", "notesList"),
        ("query($id: ReaderId!) { readersGet(id: $id) { __typename } }", "$id"),
        ("query A { pulsePing } query B { pulsePing }", "operationName"),
        ("subscription { pulsePing }", "subscriptions"),
        ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "itself"),
        ("{ a: pulsePing a: deskMe { __typename } }", "conflict"),
        ("fragment A on Query { pulsePing }", "operation"),
    ] {
        let refused = gateway.refused(query).await;
        assert!(refused.to_lowercase().contains(&message.to_lowercase()), "{query}: {refused}");
    }
}

#[tokio::test]
async fn fields_of_one_name_are_one_field_wherever_they_stand() {
    let gateway = TestGateway::idle();
    for query in [
        "mutation { readersDelete(input: {id: \"a\"}) { __typename } ...F } fragment F on Mutation { readersDelete(input: {id: \"b\"}) { __typename } }",
        "mutation { readersDelete(input: {id: \"a\"}) { __typename } ... on Mutation { readersDelete(input: {id: \"b\"}) { __typename } } }",
        "mutation { ... { readersDelete(input: {id: \"a\"}) { __typename } } readersDelete(input: {id: \"b\"}) { __typename } }",
        "{ a: pulsePing ...F } fragment F on Query { a: __typename }",
        "{ readersList { edges { node { x: name } } } readersList { edges { node { x: age } } } }",
        "{ readersList { edges { node { x: name } } } ...F } fragment F on Query { readersList { edges { node { x: email } } } }",
        "{ readersList { edges { node { ...A x: email } } } } fragment A on Reader { x: name }",
        "{ readersList { edges { ... on Edge { x: cursor } ... on ReaderEdge { x: __typename } } } }",
        "{ readersGet(id: \"a\") { ... on Reader { x: name } ... on ReadersGetMissing { x: code } } }",
        "{ readersGet(id: \"a\") { ... on Failure { x: message } ... on ReadersGetMissing { x: type } } }",
        "{ readersList(first: 1) { __typename } readersList { __typename } }",
        "{ __type(name: \"Reader\") { x: name ...T } } fragment T on __Type { x: description }",
    ] {
        let refused = gateway.refused(query).await;
        assert!(refused.contains("conflict: "), "{query}: {refused}");
    }
    let gateway = blog();
    for query in [
        "{ readersGet(id: \"a\") { ... on Reader { x: name } ... on ReadersGetMissing { x: message } } }",
        "{ notesList { nodes { author { name } } } notesList { ...P } } fragment P on NoteConnection { nodes { author { id name } title } }",
        "{ readersGet(id: \"a\") { ... on Reader { __typename } ... on Failure { __typename } __typename } }",
        "{ a: pulsePing ...F ...F } fragment F on Query { a: pulsePing ... { a: pulsePing } }",
    ] {
        let answer = gateway.ask(query).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
    }
}

#[tokio::test]
async fn looking_for_conflicts_comes_to_an_end() {
    let gateway = TestGateway::idle();
    let fragment: String = (0..200).map(|_| "pulsePing ").collect();
    let spread = "... on Query { ...F } ".repeat(20);
    let refused = gateway.refused(&format!("{{ {spread} nothing }} fragment F on Query {{ {fragment} }}")).await;
    assert!(refused.contains("more than"), "{refused}");
    let same = "pageInfo { hasNextPage } ".repeat(1_200);
    let document = format!(
        "{{ notesList {{ ... on Connection {{ {same} }} ... on NoteConnection {{ pageInfo {{ hasNextPage: endCursor }} }} }} }}"
    );
    let refused = gateway.refused(&document).await;
    assert!(refused.contains("conflict"), "{refused}");
}

#[tokio::test]
async fn variables_fit_where_they_stand() {
    let gateway = TestGateway::idle();
    for (query, a, message) in [
        (
            "query($a: String!) { readersList(first: $a) { __typename } }",
            json!("1"),
            "`$a` of type `String!` cannot stand where `Int`",
        ),
        (
            "query($a: ReaderId) { readersGet(id: $a) { __typename } }",
            json!("x"),
            "`$a` of type `ReaderId` cannot stand where `ReaderId!`",
        ),
        ("query($a: ReaderId = null) { readersGet(id: $a) { __typename } }", json!("x"), "cannot stand"),
        ("query($a: [Int!] = [1]) { readersList(first: $a) { __typename } }", json!([1]), "`[Int!]` cannot stand"),
        (
            "query($a: [ReaderId]!) { readersByIds(ids: $a) { __typename } }",
            json!(["x"]),
            "cannot stand where `[ReaderId!]!`",
        ),
        ("query($a: Boolean) { pulsePing @skip(if: $a) }", json!(true), "cannot stand where `Boolean!`"),
        ("query($a: Boolean) { ... @include(if: $a) { pulsePing } }", json!(true), "cannot stand"),
        ("query($a: Int!) { __type(name: $a) { kind } }", json!(1), "cannot stand where `String!`"),
        (
            "query($a: Int = 1) { ...F } fragment F on Query { readersList(sort: $a) { __typename } }",
            json!(1),
            "cannot stand",
        ),
        (
            "mutation($a: Int = 1) { readersUpdate(input: {id: \"x\", name: $a}) { __typename } }",
            json!(1),
            "cannot stand where `String`",
        ),
        ("query($a: [Nope] = [1]) { pulsePing }", Value::Null, "no input has: `[Nope]`"),
        ("query($a: Reader) { pulsePing }", Value::Null, "no input has"),
        ("mutation { readersDelete(input: {id: \"a\", id: \"b\"}) { __typename } }", Value::Null, "twice"),
    ] {
        let (status, answer) = gateway.post(&json!({"query": query, "variables": {"a": a}})).await;
        let refused = answer["errors"][0]["message"].as_str().unwrap();
        assert!(status == 400 && refused.contains(message), "{query}: {refused}");
    }
    let gateway = blog();
    for (query, variables) in [
        ("query($a: ReaderId = \"x\") { readersGet(id: $a) { __typename } }", json!({})),
        ("query($a: Int!) { notesList(first: $a) { nodes { id } } }", json!({"a": 3})),
        ("query($a: Boolean = true) { pulsePing @skip(if: $a) }", json!({})),
        ("query($a: ReaderId!) { readersByIds(ids: [$a]) { id } }", json!({"a": id(0)})),
        ("query($a: Boolean!) { ... @include(if: $a) { __typename } }", json!({"a": true})),
    ] {
        let answer = gateway.ask_with(query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
    }
}

#[tokio::test]
async fn what_is_given_fits_the_variables_type() {
    let gateway = TestGateway::idle();
    let update = "mutation($a: ReadersUpdateInput!) { readersUpdate(input: $a) { __typename } }";
    for (query, value, message) in [
        ("query($a: Int) { readersList(first: $a) { __typename } }", json!("1"), "`$a` is no `Int`"),
        ("query($a: Int) { readersList(first: $a) { __typename } }", json!(1.5), "`$a` is no `Int`"),
        ("query($a: Int) { readersList(first: $a) { __typename } }", json!(3_000_000_000_u32), "`$a` is no `Int`"),
        ("query($a: Int) { readersList(first: $a) { __typename } }", json!([1]), "`$a` is no `Int`"),
        ("query($a: ReaderSort) { readersList(sort: $a) { __typename } }", json!("UP"), "`$a` is no `ReaderSort`"),
        (
            "query($a: [ReaderId!]!) { readersByIds(ids: $a) { __typename } }",
            json!(["x", null]),
            "`$a[1]` cannot be null",
        ),
        (update, json!(7), "`$a` is no `ReadersUpdateInput`"),
        (update, json!({"id": "x", "name": 7}), "`$a.name` is no `String`"),
        (update, json!({"id": "x", "nom": 7}), "has no member `nom`"),
        (update, json!({"name": "A"}), "has to have `id`"),
        // A limit of the library that checks documents: it does not look there.
        ("query($a: Boolean!) { __typename @skip(if: $a) pulsePing }", json!(true), "not used"),
    ] {
        let answer = gateway.ask_with(query, json!({"a": value})).await;
        let error = &answer["errors"][0];
        assert!(error["message"].as_str().unwrap().contains(message), "{query} {value}: {answer}");
        assert_eq!(error["extensions"]["code"], "BAD_REQUEST");
        assert!(answer.get("data").is_none());
    }
}

#[tokio::test]
async fn hostile_documents_are_refused_before_anything_is_called() {
    let gateway = TestGateway::idle();
    let aliases: String = (0..10_000).map(|number| format!("a{number}: pulsePing ")).collect();
    let few: String = (0..31).map(|number| format!("a{number}: __typename ")).collect();
    let roots = "pulsePing ".repeat(21);
    let bomb: String = (0..15).map(|n| format!("fragment F{n} on Query {{ ...F{} ...F{} }} ", n + 1, n + 1)).collect();
    let bomb = format!("{{ ...F0 }} {bomb} fragment F15 on Query {{ __typename }}");
    let chain = |length: usize| {
        let links: String = (0..length).map(|n| format!("fragment F{n} on Query {{ ...F{} }} ", n + 1)).collect();
        format!("{{ ...F0 }} {links} fragment F{length} on Query {{ pulsePing }}")
    };
    // What is not used is not measured, and has to be got through all the same.
    let unused = chain(600).replace("{ ...F0 }", "{ pulsePing }");
    let refused = gateway.refused(&unused).await;
    assert!(refused.contains("never used"), "{refused}");
    let types = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    for (document, message) in [
        (format!("{{ {aliases} }}"), "bytes"),
        (format!("{{ {} }}", &aliases[..50_000]), "tokens"),
        (format!("{{ {few} }}"), "aliases"),
        (format!("{{ {roots} }}"), "root"),
        ("{a".repeat(1_000), "nested"),
        (bomb, "more than"),
        (format!("{{ pulsePing {} }}", "@skip(if: true) ".repeat(31)), "directives"),
        (
            format!("{{ ...F ...F }} fragment F on Query {{ {} }}", "... @skip(if: true) { __typename } ".repeat(16)),
            "directives",
        ),
        (chain(25), "use each other"),
        (types.to_owned(), "types of types"),
        (format!("{} }} }} }}", types.replace("{ fields", "{ ... on __Type { fields")), "types of types"),
        (format!("{{ __schema {{ types {{ {} }} }} }}", "name ".repeat(4_800)), "fields of introspection"),
        (
            format!("{{ __schema {{ types {{ {} }} }} }}", "...on __Type{name fields{name args{name}}} ".repeat(300)),
            "fields of introspection",
        ),
        (format!("{{ __schema {{ types {{ {} name {} }} }} }}", "ofType {".repeat(20), "}".repeat(20)), "levels"),
    ] {
        let refused = gateway.refused(&document).await;
        assert!(refused.contains(message), "{message}: {refused}");
    }
    let lists: String = (0..15).map(|n| format!("a{n}: notesList(first: 100) {{ nodes {{ author {{ name id age email role version }} id title body version createdAt updatedAt authorId }} }} ")).collect();
    assert!(gateway.refused(&format!("{{ {lists} }}")).await.contains("costs"));
    // What a variable says counts as well.
    let answer =
        gateway.ask_with(&format!("query($n: Int) {{ {} }}", lists.replace("100", "$n")), json!({"n": 100})).await;
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("costs"), "{answer}");
}

#[tokio::test]
async fn what_is_wrong_is_told_in_few_short_sentences() {
    let gateway = TestGateway::idle();
    let name = "L".repeat(70_000);
    assert!(
        gateway
            .refused(&format!("query {name} {{ readersList(first: $a1, search: $a2) {{ __typename }} }}"))
            .await
            .contains("bytes")
    );
    let unknown: String = (0..1_000).map(|number| format!("field{number} ")).collect();
    let document = format!("query {} {{ pulsePing {{ {unknown} }} }}", "L".repeat(200));
    let (_, answer) = gateway.post(&json!({"query": document})).await;
    let errors = answer["errors"].as_array().unwrap();
    assert!((1..=20).contains(&errors.len()) && answer.to_string().len() < 20_000, "{}", errors.len());
    let inside = format!("query({}) {{ pulsePing }}", "$a: Int ".repeat(1_200));
    let (_, answer) = gateway.post(&json!({"query": inside})).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 20);
    for broken in ["{", "{ a(", "query A { a } query A { a }", "{ a } { b }", "fragment A on Query { a }", "{ a(b: ) }"]
    {
        let (_, answer) = gateway.post(&json!({"query": broken})).await;
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.ends_with('.') && !message.contains(['\n', '|']), "{broken}: {message}");
    }
    let (_, answer) = gateway.post(&json!({"query": "{ a("})).await;
    assert_eq!(answer["errors"][0]["locations"][0], json!({"line": 1, "column": 5}));
}

/// Each procedure's sample reaches the procedure as it is.
pub(super) async fn samples_arrive(gateway: &TestGateway) {
    for procedure in gateway.contract.in_styles() {
        let input = crate::samples::input(&gateway.contract, procedure);
        let operation = crate::samples::graphql::request(&gateway.contract, procedure, input.as_ref());
        let (_, answer) = gateway.post(&serde_json::from_str(&operation).unwrap()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND", "{operation}: {answer}");
        let calls = gateway.calls();
        assert_eq!(calls[0].0, procedure.name);
        if let Some(input) = input.filter(|input| *input != json!({})) {
            assert_eq!(calls[0].1, input, "{operation}");
        }
    }
}

#[tokio::test]
async fn every_sample_is_an_operation_of_the_schema() {
    samples_arrive(&TestGateway::new(|_, _| Err((404, json!({"code": "NOT_FOUND"}))))).await;
}

#[tokio::test]
async fn an_answer_has_a_bound() {
    let gateway = TestGateway::new(|_, _| {
        let items: Vec<Value> = (0..60_000).map(|number| post(number, &id(0))).collect();
        Ok(json!({"items": items, "next": null}))
    });
    let answer = gateway.ask("{ notesList { nodes { id title body } } }").await;
    assert_eq!(
        (&answer["data"], &answer["errors"][0]["extensions"]["code"]),
        (&Value::Null, &json!("PAYLOAD_TOO_LARGE"))
    );
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
}

/// Pages of posts whose text is `text`.
fn texts(count: usize, text: &'static str) -> TestGateway {
    TestGateway::new(move |_, _| {
        let with = |number| {
            let mut post = post(number, &id(0));
            post["body"] = text.into();
            post
        };
        Ok(json!({"items": (0..count).map(with).collect::<Vec<_>>(), "next": null}))
    })
}

/// What an answer weighs, and how many operations are refused for that.
async fn weighed(gateway: &TestGateway, body: &Value) -> (usize, usize) {
    let request = Request::post("/graphql").header("content-type", "application/json");
    let response = gateway.send(request.body(body.to_string().into()).unwrap()).await;
    let refused = String::from_utf8_lossy(response.body()).matches("PAYLOAD_TOO_LARGE").count();
    (crate::respond::weight(response.body()), refused)
}

#[tokio::test]
async fn an_answer_weighs_what_it_takes_escaped() {
    let bodies = json!({"query": "{ notesList { nodes { body } } }"});
    // As many letters as there is room for, if they are plain; each of these takes seven.
    for (text, count, refused) in [
        ("aaaaaaaaaaaaaaaaaaaaaaaa", 90_000, 0),
        ("\"\"\"\"\"\"\"\"", 90_000, 0),
        ("\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}", 90_000, 1),
    ] {
        let (weight, said) = weighed(&texts(count, text), &bodies).await;
        assert!(said == refused && weight <= crate::respond::MAX_WEIGHT, "{text:?} {count}: {weight} {said}");
    }
}

#[tokio::test]
async fn operations_of_one_request_share_the_room_of_its_answer() {
    let large = json!({"query": "{ notesList { nodes { id title body } } }"});
    let (weight, refused) = weighed(&texts(25_000, "Text."), &json!(vec![large; 6])).await;
    assert!(refused > 0 && refused < 6, "what is too much is refused, and the rest answered: {refused}");
    assert!((2_000_000..=crate::respond::MAX_WEIGHT).contains(&weight), "{weight}");
}

#[tokio::test]
async fn faults_of_many_entries_have_a_bound() {
    let gateway = TestGateway::new(|_, _| {
        let items: Vec<Value> = (0..60_000).map(|_| json!({"role": "newer"})).collect();
        Ok(json!({"items": items, "next": null}))
    });
    let answer = gateway.ask("{ readersList { nodes { role } } }").await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn introspection_can_be_switched_off() {
    let mut gateway = blog();
    let query =
        "{ ...A pulsePing } fragment A on Query { __schema { queryType { name } } __type(name: \"Reader\") { kind } }";
    let expected =
        json!({"pulsePing": "pong", "__schema": {"queryType": {"name": "Query"}}, "__type": {"kind": "OBJECT"}});
    assert_eq!(gateway.ask(query).await, json!({"data": expected}));
    gateway.calls();
    gateway.style = GraphQl::with(&gateway.contract, Settings { documents: false }).unwrap();
    assert_eq!(gateway.refused(query).await, "Introspection is switched off.");
    assert_eq!(
        gateway.ask("{ __typename pulsePing }").await,
        json!({"data": {"__typename": "Query", "pulsePing": "pong"}})
    );
}
