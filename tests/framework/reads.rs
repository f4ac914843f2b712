//! What reads cost, and that nobody reads at the expense of others.

use std::time::{Duration, SystemTime};

use local::testing::TestService;
use serde_json::{Value, json};
use testbed::Role;
use tokio::time::sleep;

use crate::{
    data::seed_users,
    support::styles::{
        calls::Contract,
        drivers::{self, Driver},
    },
    support::{Answer, Connection, Folder, Key, Request, Service, TestServer, service::testbed_program},
};

/// Reads are counted in minutes, which begin at fixed times.
const SPAN_S: u64 = 60;
/// A test of counts is done in less.
const LONGEST_S: u64 = 25;
/// How many users there are: more than a page reads.
const USERS: usize = 600;

/// Waits, if a minute is about to end, until the next one begins: counts begin anew with it.
async fn a_whole_minute() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let left = Duration::from_secs(SPAN_S - now.as_secs() % SPAN_S);
    if left < Duration::from_secs(LONGEST_S) {
        sleep(left).await;
    }
}

/// An server with many users, where one caller may use so many units in a minute.
async fn crowded(read_units: u32) -> TestServer {
    let data = Folder::new();
    let arguments = ["--data", &data.path().to_string_lossy(), "--read-units", &read_units.to_string()];
    let service = Service::start(testbed_program(), &arguments).await;
    seed_users(&data, USERS).await;
    let key = Key::of(data.path());
    TestServer { admin: key.token(Role::Administrator), service, key, data }
}

/// A question that no index serves, and that nobody fits: all users are viewers.
fn costly() -> Value {
    json!({"sort": "name", "role": "administrator", "limit": 1})
}

/// What a call read, by the service's own log.
async fn units(server: &TestServer, answer: &Answer) -> f64 {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.header("x-request-id").unwrap().to_owned();
    let line = server.service.logged(|line| line["request_id"] == id.as_str() && line["procedure"].is_string()).await;
    line["read_units"].as_f64().unwrap()
}

fn expect_too_much(answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (429, "TOO_MANY_REQUESTS"), "{}", answer.text());
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=SPAN_S).contains(&wait), "{wait}");
}

#[tokio::test]
async fn one_viewers_costly_lists_are_refused_for_a_while_and_others_are_served() {
    let server = crowded(200).await;
    let (eve, ada) = (server.key.token(Role::Viewer), server.key.token(Role::Viewer));
    let list = async |token: &str| server.service.query(token, "users.list", costly()).await;
    a_whole_minute().await;
    let mut answered = 0;
    let refused = loop {
        let answer = list(&eve).await;
        if answer.status != 200 {
            break answer;
        }
        answered += 1;
        assert!(answered < 100, "nothing stops them");
    };
    expect_too_much(&refused);
    assert!(answered > 2, "{answered} lists were within the limit");
    // Whatever else they read waits as well; what others read does not.
    expect_too_much(&server.service.query(&eve, "users.list", json!({"limit": 1})).await);
    assert_eq!(list(&ada).await.status, 200);
    assert_eq!(server.query("users.list", json!({"limit": 1})).await.status, 200);
    // What reads nothing of the table is answered.
    assert_eq!(server.service.query(&eve, "health.ping", Value::Null).await.status, 200);
}

/// What one reads in an server keeps nobody in the same server from signing in.
#[tokio::test]
async fn who_is_nobody_is_counted_by_network_and_may_still_sign_in() {
    let server = crowded(10).await;
    let ada = server.person("ada", Role::Viewer).await;
    a_whole_minute().await;
    let send = async |address: &str, request: Request| {
        let mut connection = Connection::open_from(address.parse().unwrap(), server.service.address).await.unwrap();
        connection.send(&request).await.unwrap()
    };
    // Whether there is such an application is looked up.
    let question = || Request::new("GET", format!("/oauth/authorize?client_id={}", uuid::Uuid::new_v4()));
    let mut asked = 0;
    let refused = loop {
        let answer = send("127.0.0.9", question()).await;
        if answer.status == 429 {
            break answer;
        }
        asked += 1;
        assert!(asked < 100, "nothing stops them");
    };
    assert!(refused.text().contains("read too much"), "{}", refused.text());
    assert_ne!(send("127.0.0.10", question()).await.status, 429, "another network");
    let credentials = json!({"email": ada.email, "password": ada.password, "keep": "tokens"});
    let signed_in = send("127.0.0.9", Request::mutation("auth.login", &credentials)).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    let reset = Request::mutation("auth.requestReset", &json!({"email": "nobody@example.org"}));
    assert_eq!(send("127.0.0.9", reset).await.status, 200);
    assert_eq!(send("127.0.0.9", question()).await.status, 429, "the minute goes on");
}

/// A service with procedures of every kind that read a hundred items each, which is more than a caller may.
mod greedy {
    use identity::UserId;
    use protocol::{Client, Principal};
    use runtime::{Callers, Definition, prelude::*};
    use testbed::User;

    /// `x-caller` says who it is, and `x-client` by which application.
    pub const SERVICE: Definition = Definition {
        permits: |_, _| true,
        callers: Callers::Custom(|headers| {
            let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let client = text("x-client").map(|id| Client { id, scopes: vec!["things".into()], for_itself: false });
            Ok(text("x-caller").map(|subject| Principal {
                subject,
                client,
                roles: vec!["any".into()],
                authenticated_at: Some(now()),
                ..Principal::default()
            }))
        }),
        ..Definition::named("greedy")
    };

    runtime::procedures! {
        inline SERVICE;
        things { ask, change, defend, know, look, sign_in, watch }
    }

    async fn read(users: &Read<User>) -> Result<(), StoreError> {
        for _ in 0..10 {
            users.get_many(&std::array::from_fn::<UserId, 10, _>(|_| uuid::Uuid::new_v4().into())).await?;
        }
        Ok(())
    }

    macro_rules! kinds {
        ($($name:ident: $docs:literal ($($stated:tt)*);)*) => {
            mod things {
                $(pub mod $name {
                    use super::super::*;
                    #[doc = $docs]
                    #[procedure($($stated)*)]
                    pub async fn $name(users: Read<User>) -> Result<(), NoFailure> {
                        Ok(read(&users).await?)
                    }
                })*
            }
        };
    }

    kinds! {
        ask: "Asks." (query, auth = public);
        change: "Changes something." (mutation, auth = permission("things"));
        defend: "Ends a session." (mutation, auth = signed_in);
        know: "Says who one is." (query, auth = signed_in);
        look: "Looks." (query, auth = permission("things"));
        sign_in: "Signs in." (mutation, auth = public);
        watch: "Looks at what is about everybody." (query, auth = permission("things"), sensitive);
    }

    pub fn now() -> Timestamp {
        Timestamp::from_unix_ms(1_800_000_000_000)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_refused_as_they_read_and_what_changes_something_or_is_ones_own_never() {
    let mut test = TestService::new(&greedy::service(), protocol::Clock::Fixed(greedy::now())).await.unwrap();
    test.set_read_units(16);
    let call = async |procedure: &str, caller: &str, client: &str| {
        let is_query = ["things.ask", "things.know", "things.look", "things.watch"].contains(&procedure);
        let mut request = http::Request::builder()
            .method(if is_query { "GET" } else { "POST" })
            .uri(format!("/trpc/{procedure}"))
            .header("content-type", "application/json");
        for (name, value) in [("x-caller", caller), ("x-client", client)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let request = request.body(bytes::Bytes::new()).unwrap();
        test.call(&greedy::service(), procedure, request).await.unwrap().status().as_u16()
    };
    // Nobody in particular, in one network.
    assert_eq!(call("things.ask", "", "").await, 429);
    for _ in 0..3 {
        assert_eq!(call("things.signIn", "", "").await, 200);
    }
    // What changes something is counted, and goes on.
    for _ in 0..2 {
        assert_eq!(call("things.change", "ada", "").await, 200);
    }
    for procedure in ["things.look", "things.watch"] {
        assert_eq!(call(procedure, "ada", "").await, 429, "{procedure}");
    }
    assert_eq!(call("things.look", "bob", "").await, 429, "a query is refused in its middle");
    // Whoever uses up what ada may read, be it with a stolen session, does not keep her from ending it.
    for procedure in ["things.defend", "things.know"] {
        assert_eq!(call(procedure, "ada", "").await, 200, "{procedure}");
    }
}

/// The same question in one request as often as a style takes it.
fn at_once(style: &str, times: usize) -> Vec<Request> {
    let json_post = |path: &str, body: Value| {
        Request::new("POST", path).header("content-type", "application/json").body(body.to_string())
    };
    let many = |most: usize, one: &dyn Fn(usize) -> Request| -> Vec<Request> {
        (0..times.div_ceil(most)).map(|place| one(most.min(times - place * most))).collect()
    };
    match style {
        "trpc" => many(50, &|count| {
            let inputs: Value = (0..count).map(|place| (place.to_string(), costly())).collect();
            json_post(&format!("/trpc/{}?batch=1", vec!["users.list"; count].join(",")), inputs)
        }),
        "jsonrpc" => many(100, &|count| {
            let call = |id| json!({"jsonrpc": "2.0", "id": id, "method": "users.list", "params": costly()});
            json_post("/jsonrpc", (0..count).map(call).collect())
        }),
        "graphql" => many(20, &|count| {
            let field =
                |place| format!("q{place}: usersList(sort: NAME, role: ADMINISTRATOR, first: 1) {{ nodes {{ id }} }}");
            let query = format!("{{ {} }}", (0..count).map(field).collect::<Vec<_>>().join(" "));
            json_post("/graphql", json!({"query": query}))
        }),
        _ => Vec::new(),
    }
}

/// A style that takes one call a request weighs them one by one; one that takes many weighs each of them.
#[tokio::test]
async fn a_batch_of_a_hundred_weighs_as_a_hundred_calls_in_every_style() {
    const TIMES: usize = 100;
    let server = crowded(400).await;
    let contract = Contract::of_the_testbed();
    let list = contract.find("users.list").unwrap();
    let mut styles: Vec<Box<dyn Driver>> = vec![Box::new(drivers::first())];
    styles.extend(drivers::others(&contract, &server.service).await);
    let mut singles = styles.iter().map(|driver| (driver.name(), 0)).collect::<Vec<_>>();
    for (driver, (_, passed)) in styles.iter().zip(&mut singles) {
        a_whole_minute().await;
        let token = server.key.token(Role::Viewer);
        for _ in 0..TIMES {
            let answer = server.service.send(&driver.say(list, Some(&costly())).unwrap().bearer(&token)).await;
            match driver.hear(list, &answer).unwrap() {
                Ok(_) => *passed += 1,
                Err(failed) => assert_eq!(failed.code, "TOO_MANY_REQUESTS", "{}", driver.name()),
            }
        }
    }
    let first = singles[0].1;
    assert!((5..TIMES / 2).contains(&first), "{singles:?}");
    assert!(
        singles.iter().all(|(_, passed)| passed.abs_diff(first) <= 2),
        "each style has the same price: {singles:?}"
    );

    for style in ["trpc", "jsonrpc", "graphql"] {
        a_whole_minute().await;
        let token = server.key.token(Role::Viewer);
        let (mut passed, mut refused) = (0, 0);
        for request in at_once(style, TIMES) {
            let text = server.service.send(&request.bearer(&token)).await.text();
            passed += text.matches("\"items\"").count() + text.matches("\"nodes\"").count();
            refused += text.matches("\"TOO_MANY_REQUESTS\"").count();
        }
        // Those that were under way together when it was used up are answered still; a busy machine answers some late.
        assert!(
            refused > 0 && passed <= first + 12,
            "{style}: {passed} at once, {refused} refused, {first} one by one"
        );
        expect_too_much(&server.service.query(&token, "users.list", json!({"limit": 1})).await);
    }
}

#[tokio::test]
async fn filters_by_age_and_role_are_served_by_their_index_and_others_read_a_bounded_page() {
    let server = crowded(100_000).await;
    for (name, role, age) in [("root", "administrator", 120), ("other", "administrator", 130), ("old", "employee", 125)]
    {
        let input = json!({"email": format!("{name}@example.org"), "name": name, "role": role, "age": age});
        server.mutation("users.create", input).await.data();
    }
    let ask = async |input: Value| {
        let answer = server.query("users.list", input).await;
        let read = units(&server, &answer).await;
        let data = answer.data();
        let names = data["items"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>().join(" "), data["next"].is_null(), read)
    };
    for (input, expected) in [
        (json!({"role": "administrator"}), "other root"),
        (json!({"role": "administrator", "sort": "createdAt"}), "root other"),
        (json!({"role": "guest"}), ""),
        (json!({"age": 125}), "old"),
        (json!({"ageMin": 120}), "root old other"),
        (json!({"ageMin": 120, "sort": "-age"}), "other old root"),
        (json!({"ageMin": 120, "role": "administrator"}), "root other"),
    ] {
        let (names, is_all, read) = ask(input.clone()).await;
        assert_eq!((names.as_str(), is_all), (expected, true), "{input}");
        assert!(read <= 2.0, "{input} read {read} units");
    }
    // A page of a hundred tells what an entry costs.
    let (_, _, hundred) = ask(json!({"limit": 100})).await;
    for input in [json!({"sort": "name", "role": "guest"}), json!({"sort": "email", "age": 150})] {
        let (names, is_all, read) = ask(input.clone()).await;
        assert_eq!((names.as_str(), is_all), ("", false), "{input} has not seen all");
        assert!(read <= 5.5 * hundred, "{input} read {read} units, and a hundred are {hundred}");
    }
}
