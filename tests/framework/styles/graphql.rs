//! GraphQL, over the wire. How often procedures were called is counted in the service's log.

use serde_json::{Value, json};
use testbed::Role;

use crate::{
    identity::limits::a_whole_span,
    support::{Answer, Browser, Folder, Request, Service, TestServer, browser::CSRF, cargo::conformance_program},
};

fn posted(body: &Value) -> Request {
    Request::new("POST", "/graphql").header("content-type", "application/json").body(body.to_string())
}

async fn asked(server: &TestServer, token: &str, query: &str, variables: Value) -> Value {
    let request = posted(&json!({"query": query, "variables": variables})).bearer(token);
    let answer = server.service.send(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// How often a procedure ran in a request.
async fn calls(server: &TestServer, answer: &Answer, procedure: &str) -> usize {
    let id = answer.header("x-request-id").unwrap().to_owned();
    // The gateway's own line is the last one.
    server.service.logged(|line| line["gateway"] == "graphql" && line["request_id"] == *id).await;
    let is_call =
        |line: &&Value| line["message"] == "call" && line["procedure"] == procedure && line["request_id"] == *id;
    server.service.log().iter().filter(is_call).count()
}

#[tokio::test]
async fn authors_of_a_hundred_posts_are_one_call() {
    let server = TestServer::open().await;
    let mut authors = Vec::new();
    for name in ["ada", "bob", "eve"] {
        let user = server.user(name).await;
        let author = server.key.token_of(Role::Employee, user["id"].as_str().unwrap());
        authors.push((user, author));
    }
    for number in 0..100 {
        let (_, author) = &authors[number % 3];
        let input = json!({"title": format!("Post {number}"), "body": "Text."});
        server.service.mutation(author, "posts.create", input).await.data();
    }
    let gone = &authors[2].0["id"];
    server.mutation("users.delete", json!({"id": gone})).await;
    let query =
        "{ postsList(first: 100) { nodes { title authorId author { id name } } } me: usersList { nodes { id } } }";
    let answer = server.service.send(&posted(&json!({"query": query})).bearer(&server.admin)).await;
    let nodes = answer.json()["data"]["postsList"]["nodes"].as_array().cloned().unwrap_or_default();
    assert_eq!(nodes.len(), 100, "{}", answer.text());
    for node in nodes {
        let expected = if node["authorId"] == *gone { &Value::Null } else { &node["authorId"] };
        assert_eq!(&node["author"]["id"], expected);
    }
    assert_eq!(calls(&server, &answer, "posts.list").await, 1);
    assert_eq!(calls(&server, &answer, "users.byIds").await, 1);
    assert_eq!(calls(&server, &answer, "users.list").await, 1);
}

#[tokio::test]
async fn what_asks_for_too_much_calls_nothing() {
    let server = TestServer::open().await;
    let aliases = |count| (0..count).map(|number| format!("a{number}: healthPing ")).collect::<String>();
    let bomb: String = (0..18).map(|n| format!("fragment F{n} on Query {{ ...F{0} ...F{0} }} ", n + 1)).collect();
    let token = &server.admin;
    for query in [
        format!("{{ {} }}", aliases(10_000)),
        format!("{{ {} }}", aliases(1_000)),
        format!("{{ {} }}", aliases(31)),
        format!("{}{}", "{ a ".repeat(1_000), "}".repeat(1_000)),
        format!("{{ ...F0 }} {bomb} fragment F18 on Query {{ healthPing }}"),
    ] {
        let form = "application/graphql-response+json";
        let answer = server.service.send(&posted(&json!({"query": query})).bearer(token).header("accept", form)).await;
        let error = answer.json()["errors"][0].clone();
        assert_eq!((answer.status, &error["extensions"]["code"]), (400, &json!("BAD_REQUEST")), "{}", answer.text());
        assert!(answer.json().get("data").is_none());
        assert_eq!(calls(&server, &answer, "health.ping").await, 0);
    }
    let answer = server.service.send(&posted(&json!({"query": format!("{{ {} }}", aliases(20))}))).await;
    assert_eq!(answer.json()["data"]["a19"], "pong");
    assert_eq!(calls(&server, &answer, "health.ping").await, 20, "each alias is a call");
    let huge = vec![b' '; 2 * 1024 * 1024];
    let request = Request::new("POST", "/graphql").header("content-type", "application/json").body(huge);
    let answer = server.service.send(&request).await;
    assert_eq!((answer.status, &answer.json()["errors"][0]["extensions"]["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
}

#[tokio::test]
async fn each_alias_counts_against_the_limits_of_its_procedure() {
    a_whole_span().await;
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Viewer).await;
    let guesses: String = (0..20)
        .map(|number| {
            format!(
                "g{number}: authLogin(input: {{email: \"{}\", password: \"guess {number}\"}}) {{ __typename }} ",
                ada.email
            )
        })
        .collect();
    let answer = asked(&server, &server.admin, &format!("mutation {{ {guesses} }}"), json!({})).await;
    let wrong = answer["data"].as_object().unwrap().values().filter(|guess| !guess.is_null()).count();
    assert_eq!(wrong, 10, "{answer}");
    assert_eq!(answer["data"]["g0"]["__typename"], "AuthLoginWrongCredentials");
    let error = &answer["errors"][9];
    assert_eq!((&error["path"], &error["extensions"]["code"]), (&json!(["g19"]), &json!("TOO_MANY_REQUESTS")));
    assert!(error["extensions"]["retryAfterS"].as_u64().is_some_and(|wait| wait > 0), "{error}");
}

#[tokio::test]
async fn faults_are_those_of_trpc() {
    let server = TestServer::open().await;
    let ada = server.user("ada").await;
    let (admin, viewer) = (server.admin.clone(), server.key.token(Role::Viewer));
    let missing = json!({"id": "01890a5d-ac96-774b-bcce-b302099a8057"});
    let create =
        "mutation($i: UsersCreateInput!) { it: usersCreate(input: $i) { __typename ... on Failure { code message } } }";
    let update =
        "mutation($i: UsersUpdateInput!) { it: usersUpdate(input: $i) { __typename ... on Failure { code message } } }";
    let get = "query($id: UserId!) { it: usersGet(id: $id) { __typename ... on Failure { code message } } }";
    for (token, procedure, input, query) in [
        (&admin, "users.get", missing.clone(), get),
        (&admin, "users.get", json!({"id": 1}), get),
        (&admin, "users.get", json!({"id": "1"}), get),
        (&admin, "users.create", json!({"email": "ada@example.com", "name": "Ada"}), create),
        (&admin, "users.create", json!({"email": "ada", "name": "", "age": 151}), create),
        (&admin, "users.update", json!({"id": ada["id"], "version": 7, "age": null}), update),
        (&admin, "users.update", json!({"id": ada["id"], "name": null}), update),
        (&viewer, "users.create", json!({"email": "x@example.com", "name": "X"}), create),
        (&"nonsense".to_owned(), "users.get", missing, get),
    ] {
        let by_trpc = match query == get {
            true => server.service.query(token, procedure, input.clone()).await,
            false => server.service.mutation(token, procedure, input.clone()).await,
        }
        .error();
        let variables = if query == get { input.clone() } else { json!({"i": input}) };
        let answer = asked(&server, token, query, variables).await;
        let data = &by_trpc["data"];
        let what = format!("{procedure} {input}: {answer}");
        if data["failure"].is_object() {
            assert_eq!(answer["data"]["it"]["code"], data["code"], "{what}");
            assert_eq!(answer["data"]["it"]["message"], by_trpc["message"], "{what}");
            let kind = data["failure"]["type"].as_str().unwrap();
            let name = answer["data"]["it"]["__typename"].as_str().unwrap().to_lowercase();
            assert!(name.ends_with(&kind.to_lowercase()), "{what}");
            continue;
        }
        let error = &answer["errors"][0];
        assert_eq!((&answer["data"]["it"], &error["message"]), (&Value::Null, &by_trpc["message"]), "{what}");
        for member in ["code", "httpStatus", "fields"] {
            assert_eq!(error["extensions"][member], data[member], "{member} of {what}");
        }
        assert!(error["extensions"]["requestId"].is_string(), "{what}");
    }
}

#[tokio::test]
async fn another_sites_form_changes_nothing() {
    let server = TestServer::inhabited().await;
    let ada = server.person("ada", Role::Administrator).await;
    let mut browser: Browser = server.browser(&ada).await;
    let create =
        json!({"query": "mutation { usersCreate(input: {email: \"eve@example.com\", name: \"Eve\"}) { __typename } }"});
    let cookies = browser.cookies();
    let plain = Request::new("POST", "/graphql").header("cookie", &cookies).header("content-type", "text/plain");
    assert_eq!(server.service.send(&plain.body(create.to_string())).await.status, 415);
    let bare = posted(&create).header("cookie", &cookies);
    let refused = server.service.send(&bare).await.json();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
    let csrf = browser.csrf().await;
    let own = posted(&create).header("cookie", &cookies).header(CSRF, csrf).header("origin", browser.origin());
    let made = server.service.send(&own).await.json();
    assert_eq!(made["data"]["usersCreate"]["__typename"], "User", "{made}");
}

#[tokio::test]
async fn the_second_service_speaks_it_as_well() {
    let program = conformance_program();
    let data = Folder::new();
    let service = Service::start(&program, &["--data", &data.path().to_string_lossy()]).await;
    let query =
        "{ greetHello(name: \"Ada\") { message } notesGet(id: \"none\") { ... on Failure { code } } meGet { user } }";
    let answer = service.send(&posted(&json!({"query": query})).bearer("good")).await.json();
    let expected = json!({
        "greetHello": {"message": "Hello Ada"}, "notesGet": {"code": "NOT_FOUND"}, "meGet": {"user": "ada"},
    });
    assert_eq!(answer, json!({"data": expected}));
    let touched = service.send(&posted(&json!({"query": "mutation { notesTouch { ok } }"}))).await.json();
    assert_eq!(touched["data"]["notesTouch"]["ok"], true);
}
