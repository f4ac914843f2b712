//! What is told of a wrong input: all of it at once, in words of JSON, by the path of the caller's own member, in each
//! style and each kind of type.

use serde_json::{Value, json};

use crate::support::{Folder, Request, Service, TestServer, cargo::conformance_program, http::percent_encode};

/// The second service has types of every kind.
async fn conformance(data: &Folder) -> Service {
    let program = conformance_program();
    Service::start(&program, &["--data", &data.path().to_string_lossy()]).await
}

/// Paths and messages of faults, as most styles give them.
fn faults(told: &Value) -> Vec<(String, String)> {
    let text = |fault: &Value, member: &str| fault[member].as_str().unwrap().to_owned();
    let told = told.as_array().unwrap_or_else(|| panic!("no faults: {told}"));
    told.iter().map(|fault| (text(fault, "path"), text(fault, "message"))).collect()
}

fn paths(told: &Value) -> Vec<String> {
    faults(told).into_iter().map(|(path, _)| path).collect()
}

fn json_to(target: &str, body: &str) -> Request {
    Request::new("POST", target).header("content-type", "application/json").body(body)
}

/// The same by GraphQL.
async fn by_graphql(service: &Service, token: &str, query: &str, variables: Value) -> Value {
    let body = json!({"query": query, "variables": variables}).to_string();
    let answer = service.send(&json_to("/graphql", &body).bearer(token)).await.json();
    let error = &answer["errors"][0];
    let (message, fields) = (error["message"].as_str().unwrap(), &error["extensions"]["fields"]);
    if let [(path, _)] = &faults(fields)[..] {
        assert!(message.starts_with(path), "{answer}");
    }
    fields.clone()
}

/// The paths that a fault of SOAP names.
async fn by_soap(service: &Service, token: &str, namespace: &str, body: &str) -> Vec<String> {
    let envelope = format!(
        "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope' xmlns='urn:onefold:{namespace}'>\
         <e:Body>{body}</e:Body></e:Envelope>"
    );
    let request = Request::new("POST", "/soap").header("content-type", "application/soap+xml").body(envelope);
    let text = service.send(&request.bearer(token)).await.text();
    text.split("<path>").skip(1).map(|rest| rest.split_once("</path>").unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_in_words_of_json() {
    let server = TestServer::open().await;
    let input = json!({"limit": 200, "foo": 1, "age": 1.5, "isVerified": "yes", "role": "king", "cursor": 7});
    let by_trpc = server.query("users.list", input.clone()).await.error();
    let told = faults(&by_trpc["data"]["fields"]);
    let expected = [
        ("age", "expected an integer, found a fraction"),
        ("isVerified", "expected `true` or `false`, found a string"),
        ("role", "expected one of `administrator`, `employee`, `viewer`, `guest`"),
        ("limit", "greater than 100"),
        ("cursor", "expected a string, found a number"),
    ];
    assert_eq!(told[0].0, "foo");
    assert!(told[0].1.starts_with("unknown member: expected one of `age`, "), "{told:?}");
    assert_eq!(told[1..], expected.map(|(path, message)| (path.to_owned(), message.to_owned())));
    let all: Vec<&str> = told.iter().map(|(path, _)| path.as_str()).collect();

    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "users.list", "params": input});
    let by_json_rpc = server.service.send(&json_to("/jsonrpc", &call.to_string()).bearer(&server.admin)).await;
    assert_eq!(paths(&by_json_rpc.json()["error"]["data"]["fields"]), all);

    // An address knows texts only.
    let by_rest =
        Request::new("GET", "/v1/users?limit=200&foo=1&age=1.5&isVerified=yes&role=king&age=3").bearer(&server.admin);
    let by_rest = server.service.send(&by_rest).await.json();
    assert_eq!(paths(&by_rest["errors"]), ["foo", "age", "isVerified", "role", "limit"]);
    assert_eq!(by_rest["errors"][1]["message"], "is given more than once");

    let fields =
        "<usersList><age>1.0</age><limit>200</limit><foo/><isVerified>yes</isVerified><role>king</role></usersList>";
    let by_soap = async |fields| by_soap(&server.service, &server.admin, "testbed", fields).await;
    assert_eq!(by_soap(fields).await, ["age", "foo", "isVerified", "role", "limit"]);
    assert_eq!(by_soap("<usersList><limit>200</limit><foo/></usersList>").await, ["foo", "limit"]);
    let missing = "<usersCreate><name></name><age>x</age><bar at='1'/></usersCreate>";
    assert_eq!(by_soap(missing).await, ["age", "bar", "email", "name"]);
}

#[tokio::test]
async fn a_path_is_the_callers_own_in_each_style() {
    let server = TestServer::open().await;
    let graphql = async |query: &str, variables| by_graphql(&server.service, &server.admin, query, variables).await;
    let first = graphql("{ usersList(first: 0) { nodes { id } } }", Value::Null).await;
    assert_eq!(paths(&first), ["first"]);
    let all = "query($n: Int, $c: String) { usersList(first: $n, after: $c, ageMin: 200) { nodes { id } } }";
    assert_eq!(paths(&graphql(all, json!({"n": 0})).await), ["ageMin", "first"]);
    assert_eq!(paths(&graphql(all.replace("200", "1").as_str(), json!({"c": "forged"})).await), ["after"]);
    let create = "mutation($input: UsersCreateInput!) { usersCreate(input: $input) { __typename } }";
    let created = graphql(create, json!({"input": {"email": "no", "name": ""}})).await;
    assert_eq!(paths(&created), ["email", "name"]);
}

#[tokio::test]
async fn a_path_leads_into_every_kind_of_type() {
    let data = Folder::new();
    let service = conformance(&data).await;
    let fields = async |procedure: &str, input: &Value| {
        service.send(&Request::mutation(procedure, input)).await.error()["data"]["fields"].clone()
    };
    // A tagged union.
    let shapes = json!({"shapes": [{"type": "polygon", "cornerCount": -1}, {"type": "circle", "radius": "1"}]});
    let told = fields("kinds.draw", &shapes).await;
    assert_eq!(paths(&told), ["shapes[0].cornerCount", "shapes[1].radius"]);
    assert_eq!(told[0]["message"], "expected an integer from 0 to 4294967295");
    let query = "query($shapes: [ShapeInput!]!) { kindsDraw(shapes: $shapes) { __typename } }";
    let variables = json!({"shapes": [{"empty": true}, {"circle": {"radius": 1}}, {"polygon": {"cornerCount": -1}}]});
    let by_graphql = by_graphql(&service, "good", query, variables).await;
    assert_eq!(paths(&by_graphql), ["shapes[2].polygon.cornerCount"]);
    let drawn = "<kindsDraw><shapes><item><polygon><cornerCount>-1</cornerCount></polygon></item></shapes></kindsDraw>";
    assert_eq!(by_soap(&service, "good", "conformance", drawn).await, ["shapes[0].polygon.cornerCount"]);
    let drawn = "<kindsDraw><foo/><shapes><item><polygon><cornerCount>2.0</cornerCount><x/></polygon></item><one/>\
                 <item><circle><radius>x</radius></circle></item><item><circle/></item></shapes></kindsDraw>";
    assert_eq!(
        by_soap(&service, "good", "conformance", drawn).await,
        [
            "foo",
            "shapes[0].polygon.cornerCount",
            "shapes[0].polygon.x",
            "shapes[1].one",
            "shapes[2].circle.radius",
            "shapes[3].circle.radius",
        ]
    );
    // A name that is not Rust's.
    let labelled = json!({"type": "", "entries": [{"of": ""}, {"of": 1}]});
    assert_eq!(paths(&fields("kinds.label", &labelled).await), ["type", "entries[0].of", "entries[1].of"]);
    let alone = json!({"type": "a", "entries": [{"of": ""}]});
    assert_eq!(paths(&fields("kinds.label", &alone).await), ["entries[0].of"]);
    // A map, and lists of lists.
    let echo = json!({
        "tiny": 1, "whole": 1, "large": 1, "exact": "1", "real": 1, "bytes": "", "time": "2026-01-31T12:00:00Z",
        "volume": "loud", "listOfLists": [[true], [1]], "byName": {"snake_case": "x", "b": 1},
    });
    assert_eq!(
        paths(&fields("kinds.echo", &echo).await),
        ["volume", "listOfLists[1][0]", "byName.b", "byName.snake_case"]
    );
}

#[tokio::test]
async fn a_member_that_is_there_twice_has_its_path_and_what_is_no_json_its_place() {
    let server = TestServer::open().await;
    let post = server.mutation("posts.create", json!({"title": "a", "body": "c"})).await.data();
    let changed = format!("/v1/posts/{}", post["id"].as_str().unwrap());
    let send = async |method: &str, target: &str, body: &str| {
        let request = Request::new(method, target).header("content-type", "application/json").bearer(&server.admin);
        server.service.send(&request.body(body)).await.json()
    };
    let twice = r#"{"title":"a","title":"b","body":"c"}"#;
    let told = json!([{"path": "title", "message": "is given more than once"}]);
    assert_eq!(send("POST", "/v1/posts", twice).await["errors"], told);
    assert_eq!(send("PATCH", &changed, twice.replace("body", "bodies").as_str()).await["errors"][1], told[0]);
    assert_eq!(send("POST", "/trpc/posts.create", twice).await["error"]["data"]["fields"], told);
    // A parameter of the path is a member, too.
    assert_eq!(send("PATCH", &changed, r#"{"id":"a"}"#).await["errors"][0]["path"], "id");

    let place = "The input is not JSON that can be read: key must be a string at line 1 column 2.";
    assert_eq!(send("POST", "/v1/posts", "{nope").await["detail"], place);
    assert_eq!(send("PATCH", &changed, "{nope}").await["detail"], place);
    assert_eq!(send("POST", "/trpc/posts.create", "{nope").await["error"]["message"], place);
    let address = format!("/trpc/users.list?input={}", percent_encode(b"{nope"));
    let by_get = server.service.send(&Request::new("GET", address).bearer(&server.admin)).await;
    assert_eq!(by_get.error()["message"], place);
}

/// serde's own implementations take an array in place of an object, and an object of one member in place of a text.
#[tokio::test]
async fn nothing_is_taken_that_no_schema_says() {
    let data = Folder::new();
    let service = conformance(&data).await;
    for (procedure, input, path) in [
        ("kinds.label", json!({"type": "a", "entries": [["x"]]}), "entries[0]"),
        ("kinds.draw", json!({"shapes": [["polygon", 3]]}), "shapes[0]"),
        ("kinds.draw", json!({"shapes": [["empty"]]}), "shapes[0]"),
        ("kinds.draw", json!([[]]), ""),
    ] {
        let told = service.send(&Request::mutation(procedure, &input)).await.error();
        let told = faults(&told["data"]["fields"]);
        assert_eq!(told, [(path.to_owned(), "expected an object, found an array".to_owned())], "{procedure} {input}");
    }
    let server = TestServer::open().await;
    for (input, path) in [(json!({"role": {"employee": null}}), "role"), (json!({"role": ["employee"]}), "role")] {
        let told = server.query("users.list", input.clone()).await.error();
        assert_eq!(paths(&told["data"]["fields"]), [path], "{input}");
    }
}

/// Nobody has to be signed in for this.
#[tokio::test]
async fn an_input_that_is_all_wrong_takes_little_to_refuse() {
    let data = Folder::new();
    let service = Service::ephemeral(&data).await;
    let deep = |inner: String| (0..110).fold(inner, |inner, _| format!("{{\"{}\":{inner}}}", "🍰".repeat(64)));
    let members = |count: usize, twice: bool| {
        let member = |place: usize| format!("\"{place}\":0");
        let members =
            (0..count).map(|place| if twice { [member(place), member(place)].join(",") } else { member(place) });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    };
    for body in [deep(members(50_000, true)), members(90_000, false)] {
        assert!(body.len() < 1024 * 1024);
        let answer = service.send(&json_to("/trpc/auth.login", &body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "BAD_REQUEST"));
        assert!(answer.error()["data"]["fields"].as_array().unwrap().len() <= 100);
    }
    // What it took at most, in KiB (proc(5)).
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string(format!("/proc/{}/status", service.pid())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u32 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        assert!(peak < 512 * 1024, "{peak} KiB");
    }
}

/// October 2021, section 7.1.2: what is wrong with a place in the document has that place.
#[tokio::test]
async fn a_number_that_is_none_is_told_by_its_place() {
    let server = TestServer::open().await;
    let body = json!({"query": "{\n  usersList(first: 01) { nodes { id } }\n}"}).to_string();
    let answer = server.service.send(&json_to("/graphql", &body).bearer(&server.admin)).await.json();
    assert_eq!(answer["errors"][0]["message"], "`01` is no number.");
    assert_eq!(answer["errors"][0]["locations"], json!([{"line": 2, "column": 20}]));
}

/// JSON Schema 2020-12 core, section 4.2.1.
#[tokio::test]
async fn an_integer_is_one_however_it_is_written() {
    let server = TestServer::open().await;
    server.user("ada").await;
    for limit in ["10.0", "1e1", "1.0E+1"] {
        let input = percent_encode(format!("{{\"limit\":{limit}}}").as_bytes());
        let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"users.list","params":{{"limit":{limit}}}}}"#);
        for request in [
            Request::new("GET", format!("/trpc/users.list?input={input}")),
            Request::new("GET", format!("/v1/users?limit={}", percent_encode(limit.as_bytes()))),
            json_to("/jsonrpc", &call),
        ] {
            let answer = server.service.send(&request.bearer(&server.admin)).await;
            assert!(answer.status == 200 && answer.text().contains("ada@example.com"), "{limit}: {}", answer.text());
        }
    }
}

/// The official adapters for infinite queries add it; a client of tRPC sends an input in each of these ways.
#[tokio::test]
async fn the_direction_of_an_infinite_query_is_taken_from_clients_of_trpc_only() {
    let server = TestServer::open().await;
    let send = async |request: Request| server.service.send(&request.bearer(&server.admin)).await;
    let lists = ["audit.list", "grants.clientsList", "posts.list", "users.list"];
    for list in lists {
        let taken = json!({"limit": 2, "cursor": null, "direction": "forward"});
        let batch = json!({"0": taken, "1": {"direction": "backward"}});
        let pair = format!("/trpc/{list},{list}?batch=1");
        let encoded = percent_encode(batch.to_string().as_bytes());
        for request in [
            Request::query(list, &taken),
            Request::mutation(list, &taken),
            Request::new("GET", format!("{pair}&input={encoded}")),
            json_to(&pair, &batch.to_string()),
        ] {
            let answer = send(request).await;
            assert!(answer.status == 200 && answer.text().contains(r#""items":["#), "{list}: {}", answer.text());
        }
        for refused in [json!({"direction": "sideways"}), json!({"direction": "forward", "foo": 1})] {
            let answer = send(Request::query(list, &refused)).await;
            assert_eq!(answer.code(), "BAD_REQUEST", "{list} {refused}");
        }
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": list, "params": taken});
        let by_json_rpc = send(json_to("/jsonrpc", &call.to_string())).await.json();
        assert_eq!(paths(&by_json_rpc["error"]["data"]["fields"]), ["direction"], "{by_json_rpc}");
        // Beside whatever else is wrong, in the same words.
        let params = json!({"limit": "2", "direction": "backward", "foo": 1});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": list, "params": params});
        let fields = send(json_to("/jsonrpc", &call.to_string())).await.json()["error"]["data"]["fields"].clone();
        assert_eq!(paths(&fields), ["direction", "foo", "limit"], "{fields}");
        assert!(fields[0]["message"].as_str().unwrap().starts_with("unknown member: expected one of `"), "{fields}");
        assert_eq!(fields[0]["message"], fields[1]["message"]);
    }
    let by_rest = send(Request::new("GET", "/v1/users?direction=forward")).await;
    assert_eq!(paths(&by_rest.json()["errors"]), ["direction"]);
    let get = json!({"id": "01890a5d-ac96-774b-bcce-b302099a8057", "direction": "forward"});
    assert_eq!(paths(&send(Request::query("users.get", &get)).await.error()["data"]["fields"]), ["direction"]);
}

/// RFC 3339 section 5.6; what the grammar has, the published schema has.
#[tokio::test]
async fn a_time_is_what_the_grammar_says_in_every_style() {
    let data = Folder::new();
    let service = conformance(&data).await;
    let schema = serde_json::to_value(schemars::schema_for!(protocol::Timestamp)).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let times = [
        ("2026-01-31T12:00:00.1234567890Z", true),
        ("2026-01-31T12:00:00.5+01:00", true),
        ("2026-01-31t12:00:00z", true),
        ("2026-01-31T12:00+01:00", false),
        ("2026-01-31T12:00Z", false),
        ("2026-01-31T12:00:00.Z", false),
        ("2026-01-31T12:00:00,5Z", false),
        ("2026-01-31T12:00:00+01", false),
        ("2026-01-31T12:00:00Z[UTC]", false),
        ("2026-01-31", false),
    ];
    for (time, is_one) in times {
        assert_eq!(schema.is_valid(&json!(time)), is_one, "{time}");
        let input = json!({
            "tiny": 1, "whole": 1, "large": 1, "exact": "1", "real": 1, "bytes": "", "time": time, "volume": "low",
            "listOfLists": [], "byName": {},
        });
        let by_trpc = service.send(&Request::mutation("kinds.echo", &input)).await;
        assert_eq!(by_trpc.status == 200, is_one, "{time}: {}", by_trpc.text());
        if !is_one {
            assert_eq!(paths(&by_trpc.error()["data"]["fields"]), ["time"], "{time}");
        }
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "kinds.echo", "params": input});
        let by_json_rpc = service.send(&json_to("/jsonrpc", &call.to_string())).await.json();
        assert_eq!(by_json_rpc.get("result").is_some(), is_one, "{time}: {by_json_rpc}");
        let query = "mutation($input: KindsEchoInput!) { kindsEcho(input: $input) { __typename } }";
        let mut variables = json!({"input": input});
        variables["input"]["volume"] = "LOW".into();
        let body = json!({"query": query, "variables": variables}).to_string();
        let by_graphql = service.send(&json_to("/graphql", &body)).await.json();
        assert_eq!(by_graphql.get("errors").is_none(), is_one, "{time}: {by_graphql}");
        let elements = format!(
            "<kindsEcho><bytes/><byName/><exact>1</exact><large>1</large><listOfLists/><real>1</real>\
             <time>{time}</time><tiny>1</tiny><volume>low</volume><whole>1</whole></kindsEcho>"
        );
        let told = by_soap(&service, "good", "conformance", &elements).await;
        assert_eq!(told.is_empty(), is_one, "{time}: {told:?}");
    }
}
