//! The flow of an application, procedure by procedure, with a clock that the test sets.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use local::{local_cloud::Addresses, testing::TestService};
use runtime::{Service, opaque::Opaque, prelude::*, sessions::csrf_token};
use serde_json::{Value, json};

use crate::{
    Account, Application, ApplicationClient, AuditAction, AuditEntry, AuthorizationCode, ClientKind, GrantType,
    Session, UserId,
    authorization_server::registry,
    sessions::SessionSecret,
    tests::{Role, User},
};

const URL: &str = "https://api.example.com";
const CALLBACK: &str = "https://app.example.com/callback";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The time at which each test begins.
fn start() -> Timestamp {
    Timestamp::from_unix_ms(1_800_000_000_000)
}

/// A test service in which Ada is signed in, in a browser.
struct Given {
    test: TestService,
    service: Service,
    ada: UserId,
    cookie: Opaque,
}

/// The response to a request.
struct Said {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    fn error(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["error"].as_str().unwrap_or_default().to_owned())
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// A parameter of the address to which the browser is sent.
    fn sent_with(&self, name: &str) -> Option<String> {
        assert_eq!(self.status, 303, "{}", self.body);
        let (_, query) = self.header("location").split_once('?')?;
        let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        pairs
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.replace("%3A", ":").replace("%2F", "/"))
    }
}

/// The text of a form; the values here need no more than this.
fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| text.replace('&', "%26").replace(' ', "+").replace('=', "%3D");
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

impl Given {
    async fn open() -> Self {
        Self::with_pages_at("").await
    }

    async fn with_pages_at(app_url: &str) -> Self {
        let service = crate::tests::service();
        let addresses = Addresses { url: URL.to_owned(), app_url: app_url.to_owned(), ..Addresses::default() };
        let test = TestService::at(&service, Clock::Fixed(start()), addresses).await.unwrap();
        let user = crate::tests::user("ada@example.com", Role::Clerk);
        let ada = test.write().create(user).await.unwrap().id;
        let cookie = sign_in(&test, ada).await;
        Self { test, service, ada, cookie }
    }

    fn later(&mut self, ms: i64) {
        self.test.set_clock(Clock::Fixed(start().plus_ms(ms)));
    }

    /// Registers an application. Returns its id and its secret, which is empty for a public one.
    async fn application(&self, kind: ClientKind, grant_types: &[GrantType]) -> (String, String) {
        let secret = Opaque::random().unwrap();
        let application = Application {
            id: Ids::default().next(),
            name: "Reader <script>alert(1)</script> & \"co\"".to_owned(),
            kind,
            redirect_uris: vec![CALLBACK.to_owned()],
            scopes: vec!["orders:read".to_owned(), "orders:write".to_owned()],
            grant_types: grant_types.to_vec(),
            created_at: start(),
        };
        let is_confidential = kind == ClientKind::Confidential;
        let stored = is_confidential.then(|| secret.hash());
        let client = ApplicationClient { application, secret: stored, version: Version::default() };
        let client = self.test.write().create(client).await.unwrap();
        let text = if is_confidential { secret.text() } else { String::new() };
        (client.application.id.to_string(), text)
    }

    async fn public(&self) -> String {
        self.application(ClientKind::Public, &registry::GRANT_TYPES).await.0
    }

    async fn call(&self, procedure: &str, request: http::request::Builder, body: String) -> Said {
        let request = request.body(Bytes::from(body)).unwrap();
        let (parts, body) = self.test.call(&self.service, procedure, request).await.unwrap().into_parts();
        Said { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    fn asking(client_id: &str) -> Vec<(&str, &str)> {
        vec![
            ("client_id", client_id),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "orders:read"),
            ("state", "a&b"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
    }

    fn cookie(&self) -> String {
        format!("__Host-onefold={}", self.cookie.text())
    }

    async fn visit(&self, query: &str, cookie: Option<String>) -> Said {
        let mut request = Request::get(format!("/oauth/authorize?{query}"));
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        self.call("grants.authorize", request, String::new()).await
    }

    /// Submits the consent form, as the browser would.
    async fn press(&self, fields: &[(&str, &str)], decision: &str) -> Said {
        let csrf = csrf_token(&self.cookie).text();
        let fields = [fields, &[("decision", decision), ("csrf_token", &csrf)]].concat();
        self.press_from(URL, &form(&fields)).await
    }

    async fn press_from(&self, origin: &str, body: &str) -> Said {
        let request = Request::post("/oauth/authorize")
            .header("cookie", self.cookie())
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded");
        self.call("grants.decide", request, body.to_owned()).await
    }

    async fn code(&self, client_id: &str) -> String {
        self.press(&Self::asking(client_id), "approve").await.sent_with("code").unwrap()
    }

    async fn post(&self, procedure: &str, fields: &[(&str, &str)]) -> Said {
        let request = Request::post("/oauth/x").header("content-type", "application/x-www-form-urlencoded");
        self.call(procedure, request, form(fields)).await
    }

    async fn redeem(&self, client_id: &str, code: &str) -> Said {
        let fields = [("grant_type", "authorization_code"), ("client_id", client_id), ("code", code)];
        let proof = [("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
        self.post("grants.token", &[&fields[..], &proof].concat()).await
    }

    /// Lets an application in and returns its refresh token.
    async fn let_in(&self, client_id: &str) -> String {
        let granted = self.redeem(client_id, &self.code(client_id).await).await;
        granted.json()["refresh_token"].as_str().unwrap_or_else(|| panic!("{}", granted.body)).to_owned()
    }

    async fn refresh(&self, client_id: &str, token: &str, more: &[(&str, &str)]) -> Said {
        let fields = [("grant_type", "refresh_token"), ("client_id", client_id), ("refresh_token", token)];
        self.post("grants.token", &[&fields[..], more].concat()).await
    }

    async fn places(&self) -> usize {
        self.test.read::<Account>().get(&self.ada).await.unwrap().unwrap().devices.len()
    }

    async fn logged(&self, action: AuditAction) -> usize {
        let page = self.test.read::<AuditEntry>().list(&AuditEntry::BY_TIME).await.unwrap();
        page.items.iter().filter(|entry| entry.action == action).count()
    }
}

async fn sign_in(test: &TestService, id: UserId) -> Opaque {
    let sessions = crate::tests::sessions(test);
    let cookie = Opaque::random().unwrap();
    let kept = SessionSecret::Cookie(cookie.clone());
    sessions.begin(&test.read::<User>(), id, &kept, |_| Ok(()), Vec::new).await.unwrap();
    cookie
}

#[tokio::test]
async fn an_application_is_let_in_and_goes_on() {
    let mut given = Given::open().await;
    let client = given.public().await;
    let sent = given.press(&Given::asking(&client), "approve").await;
    assert!(sent.header("location").starts_with(&format!("{CALLBACK}?code=")));
    assert_eq!((sent.sent_with("iss").as_deref(), sent.sent_with("state").as_deref()), (Some(URL), Some("a%26b")));

    let granted = given.redeem(&client, &sent.sent_with("code").unwrap()).await;
    let tokens = granted.json();
    assert_eq!((granted.status.as_u16(), granted.header("cache-control")), (200, "no-store"));
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]),
        (&json!("Bearer"), &json!(900), &json!("orders:read"))
    );
    assert_eq!((given.places().await, given.logged(AuditAction::ConsentGiven).await), (2, 1));

    given.later(10 * 60_000);
    let next = given.refresh(&client, tokens["refresh_token"].as_str().unwrap(), &[]).await.json();
    assert_ne!(next["refresh_token"], tokens["refresh_token"]);
    assert_eq!(next["scope"], "orders:read");
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let mut given = Given::open().await;
    let client = given.public().await;
    let (soon, late) = (given.code(&client).await, given.code(&client).await);
    given.later(AuthorizationCode::LIFETIME_MS - 1);
    assert_eq!(given.redeem(&client, &soon).await.status, 200);
    given.later(AuthorizationCode::LIFETIME_MS);
    assert_eq!(given.redeem(&client, &late).await.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_came_of_it() {
    let mut given = Given::open().await;
    let client = given.public().await;
    let code = given.code(&client).await;
    let token = given.redeem(&client, &code).await.json()["refresh_token"].as_str().unwrap().to_owned();
    // A request without the verifier could not have been the first: a party that has only the code ends nothing.
    let fields = [("grant_type", "authorization_code"), ("client_id", client.as_str()), ("code", code.as_str())];
    let other = "a".repeat(43);
    for (verifier, error) in [("", "invalid_request"), (other.as_str(), "invalid_grant")] {
        let refused = given.post("grants.token", &[&fields[..], &[("code_verifier", verifier)]].concat()).await;
        assert_eq!(refused.error(), (400, error.to_owned()));
    }
    let token = given.refresh(&client, &token, &[]).await.json()["refresh_token"].as_str().unwrap().to_owned();
    // Long after the code itself has expired.
    given.later(30 * 60_000);
    assert_eq!(given.redeem(&client, &code).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(given.refresh(&client, &token, &[]).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!((given.places().await, given.logged(AuditAction::TokenReused).await), (1, 1));
}

#[tokio::test]
async fn of_many_at_once_one_gets_a_token_for_a_code_at_most() {
    let given = Given::open().await;
    let client = given.public().await;
    let code = given.code(&client).await;
    let all = futures_util::future::join_all((0..10).map(|_| given.redeem(&client, &code))).await;
    assert_eq!(
        all.iter().filter(|said| said.status == 200).count(),
        1,
        "{:?}",
        all.iter().map(|said| &said.body).collect::<Vec<_>>()
    );
    assert_eq!(given.places().await, 1, "two had the code: what came of it has ended");
}

#[tokio::test]
async fn who_signs_out_has_let_nobody_in() {
    let given = Given::open().await;
    let client = given.public().await;
    let code = given.code(&client).await;
    let sessions = crate::tests::sessions(&given.test);
    sessions.end(given.ada, |place| place.has(&given.cookie.hash()), |_| {}, Vec::new).await.unwrap();
    assert_eq!(given.redeem(&client, &code).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(given.places().await, 0);
}

#[tokio::test]
async fn a_code_is_for_its_client_and_its_address() {
    let given = Given::open().await;
    let (client, other) = (given.public().await, given.public().await);
    let code = given.code(&client).await;
    assert_eq!(given.redeem(&other, &code).await.error(), (400, "invalid_grant".to_owned()));
    let fields = [("grant_type", "authorization_code"), ("client_id", client.as_str()), ("code", code.as_str())];
    let elsewhere = [("redirect_uri", "https://app.example.com/other"), ("code_verifier", VERIFIER)];
    let refused = given.post("grants.token", &[&fields[..], &elsewhere].concat()).await;
    assert_eq!(refused.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(given.redeem(&client, &code).await.status, 200);
}

#[tokio::test]
async fn whoever_asks_too_often_waits() {
    let given = Given::open().await;
    let client = given.public().await;
    let fields = [("client_id", client.as_str()), ("token", "x")];
    let ask = || given.post("grants.revoke", &fields);
    let limits = given.test.limits();
    for _ in 1..registry::ADDRESS.most {
        limits.take(&registry::ADDRESS, "").await.unwrap();
    }
    assert_eq!(ask().await.status, 200, "the last one");
    let refused = ask().await;
    assert_eq!(refused.error(), (429, "temporarily_unavailable".to_owned()));
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|wait_s| wait_s <= 60));
}

#[tokio::test]
async fn a_refresh_token_has_one_successor_and_coming_late_ends_the_session() {
    let mut given = Given::open().await;
    let client = given.public().await;
    let first = given.let_in(&client).await;
    let all = futures_util::future::join_all((0..100).map(|_| given.refresh(&client, &first, &[]))).await;
    let successors: std::collections::BTreeSet<_> =
        all.iter().map(|said| said.json()["refresh_token"].to_string()).collect();
    assert_eq!(successors.len(), 1, "{successors:?}");
    given.later(29_000);
    assert_eq!(
        given.refresh(&client, &first, &[]).await.json()["refresh_token"].to_string(),
        *successors.first().unwrap()
    );
    given.later(30_000);
    assert_eq!(given.refresh(&client, &first, &[]).await.error(), (400, "invalid_grant".to_owned()));
    let second: String = serde_json::from_str(successors.first().unwrap()).unwrap();
    assert_eq!(given.refresh(&client, &second, &[]).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!((given.places().await, given.logged(AuditAction::TokenReused).await), (1, 1));
}

#[tokio::test]
async fn a_refresh_token_ends_after_a_year_however_often_it_is_renewed() {
    const DAY_MS: i64 = 24 * 3_600_000;
    let mut given = Given::open().await;
    let client = given.public().await;
    let mut token = given.let_in(&client).await;
    // Each pause is shorter than the idle time.
    for day in [29, 58, 87, 116, 145, 174, 203, 232, 261, 290, 319, 348, 364] {
        given.later(day * DAY_MS);
        let renewed = given.refresh(&client, &token, &[]).await;
        assert_eq!(renewed.status, 200, "on day {day}: {}", renewed.body);
        token = renewed.json()["refresh_token"].as_str().unwrap().to_owned();
    }
    given.later(365 * DAY_MS);
    assert_eq!(given.refresh(&client, &token, &[]).await.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn scopes_become_narrower_and_never_wider() {
    let given = Given::open().await;
    let client = given.public().await;
    let mut asking = Given::asking(&client);
    asking[3] = ("scope", "orders:read orders:write");
    let code = given.press(&asking, "approve").await.sent_with("code").unwrap();
    let token = given.redeem(&client, &code).await.json()["refresh_token"].as_str().unwrap().to_owned();
    for beyond in ["stock:read", "orders:read stock:read", " ", "orders:read\u{1}"] {
        let refused = given.refresh(&client, &token, &[("scope", beyond)]).await;
        assert_eq!(refused.error(), (400, "invalid_scope".to_owned()), "{beyond:?}");
    }
    // The refusals did not use it up; and the next token is good for all that was given (RFC 6749 section 6).
    let narrow = given.refresh(&client, &token, &[("scope", "orders:write:own")]).await.json();
    assert_eq!(narrow["scope"], "orders:write:own");
    // A parameter without a value is one that is left out (section 3.2).
    let whole = given.refresh(&client, narrow["refresh_token"].as_str().unwrap(), &[("scope", "")]).await.json();
    assert_eq!(whole["scope"], "orders:read orders:write");
}

/// An application was registered with a permission that is withheld by now: it gets the others, and no token has that
/// one.
#[tokio::test]
async fn what_is_withheld_is_given_to_no_application_that_was_registered_with_it() {
    let given = Given::open().await;
    let all = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];
    let (client, secret) = given.application(ClientKind::Confidential, &all).await;
    let stored = given.test.read::<ApplicationClient>().get(&client.parse().unwrap()).await.unwrap().unwrap();
    let mut old = stored.clone();
    old.application.scopes.push("rights:write".to_owned());
    given.test.write().replace(&stored, old).await.unwrap();

    let prove = [("client_id", &*client), ("client_secret", &*secret), ("grant_type", "client_credentials")];
    let itself = given.post("grants.token", &prove).await.json();
    assert_eq!(itself["scope"], "orders:read orders:write", "{itself}");
    let mut asking = Given::asking(&client);
    for withheld in ["rights:write", "rights:write:own", "orders:read rights:write"] {
        asking[3] = ("scope", withheld);
        let sent = given.visit(&form(&asking), Some(given.cookie())).await;
        assert_eq!(sent.sent_with("error").as_deref(), Some("invalid_scope"), "{withheld}");
        let pressed = given.press(&asking, "approve").await;
        assert_eq!(pressed.sent_with("error").as_deref(), Some("invalid_scope"), "{withheld}");
        let refused = given.post("grants.token", &[&prove[..], &[("scope", withheld)]].concat()).await;
        assert_eq!(refused.error(), (400, "invalid_scope".to_owned()), "{withheld}");
    }
    // Without a scope it is what was registered: the person is asked for no more than can be given, and no more is.
    asking.remove(3);
    let page = given.visit(&form(&asking), Some(given.cookie())).await;
    assert!(page.body.contains("orders:write") && !page.body.contains("rights"), "{}", page.body);
    let code = given.press(&asking, "approve").await.sent_with("code").unwrap();
    let redeem = [("grant_type", "authorization_code"), ("code", &*code), ("code_verifier", VERIFIER)];
    let redeemed = given.post("grants.token", &[&prove[..2], &redeem[..]].concat()).await.json();
    assert_eq!(redeemed["scope"], "orders:read orders:write", "{redeemed}");
}

#[tokio::test]
async fn an_application_that_does_not_go_on_gets_no_refresh_token() {
    let mut given = Given::open().await;
    let (client, _) = given.application(ClientKind::Public, &[GrantType::AuthorizationCode]).await;
    let code = given.code(&client).await;
    let granted = given.redeem(&client, &code).await.json();
    assert!(granted["access_token"].is_string() && granted.get("refresh_token").is_none(), "{granted}");
    let refused = given.refresh(&client, &"A".repeat(86), &[]).await;
    assert_eq!(refused.error(), (400, "unauthorized_client".to_owned()));
    let place = given.test.read::<Account>().get(&given.ada).await.unwrap().unwrap().devices.pop().unwrap();
    given.later(900_000);
    assert_eq!(given.test.read::<Session>().get(&place.session).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_stored_is_no_use_to_whoever_reads_it() {
    let given = Given::open().await;
    let (client, secret) = given.application(ClientKind::Confidential, &registry::GRANT_TYPES).await;
    let code = given.code(&client).await;
    let stored =
        given.test.read::<AuthorizationCode>().get(&Opaque::parse(&code).unwrap().hash()).await.unwrap().unwrap();
    let registered = given.test.read::<ApplicationClient>().get(&client.parse().unwrap()).await.unwrap().unwrap();
    let dump = format!("{} {}", serde_json::to_string(&stored).unwrap(), serde_json::to_string(&registered).unwrap());
    assert!(!dump.contains(&code) && !dump.contains(&secret), "{dump}");
    for hash in [stored.id.to_string(), registered.secret.unwrap().to_string()] {
        assert!(dump.contains(&hash), "this was the dump");
        assert_eq!(given.redeem(&client, &hash).await.error().0, 401);
    }
}

#[tokio::test]
async fn the_question_says_who_asks_and_for_what() {
    let given = Given::open().await;
    let client = given.public().await;
    let query = form(&[&Given::asking(&client)[..], &[("unknown", "x")]].concat());
    let page = given.visit(&query, Some(given.cookie())).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.body.contains("Reader &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot;"), "{}", page.body);
    assert!(page.body.contains("Fetch one order; List orders") && page.body.contains("ada@example.com"));
    assert!(
        page.body.contains("name=\"state\" value=\"a&amp;b\"") && page.body.contains(&csrf_token(&given.cookie).text())
    );
    assert!(!page.body.contains("<script"), "nothing runs on it");
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "script-src 'none'", "form-action 'self' https:"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!((page.header("x-frame-options"), page.header("referrer-policy")), ("DENY", "same-origin"));
}

#[tokio::test]
async fn whoever_is_not_signed_in_does_so_first() {
    let given = Given::open().await;
    let client = given.public().await;
    let query = form(&Given::asking(&client));
    let unknown = format!("__Host-onefold={}", Opaque::random().unwrap().text());
    for cookie in [None, Some(unknown), Some(given.cookie().replace("__Host-onefold", "onefold-local"))] {
        let sent = given.visit(&query, cookie).await;
        let back =
            "https://api.example.com/sign-in?return_to=https%3A%2F%2Fapi.example.com%2Foauth%2Fauthorize%3Fclient_id";
        assert!(sent.status == 303 && sent.header("location").starts_with(back), "{}", sent.header("location"));
    }
    let page = given.call("pages.signIn", Request::get("/sign-in"), String::new()).await;
    assert!(page.status == 200 && page.body.contains("type=\"password\""), "{}", page.body);
    assert!(page.header("content-security-policy").contains("script-src 'sha256-"));
    let given = Given::with_pages_at("https://app.test").await;
    let client = given.public().await;
    let sent = given.visit(&form(&Given::asking(&client)), None).await;
    assert_eq!(sent.status, 303);
    let expected =
        "https://app.test/sign-in?return_to=https%3A%2F%2Fapi.example.com%2Foauth%2Fauthorize%3Fclient_id%3D";
    assert!(sent.header("location").starts_with(expected), "{}", sent.header("location"));
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let given = Given::open().await;
    let client = given.public().await;
    let evil =
        ["https://evil.example/", "https://app.example.com/callback/x", "https://app.example.com/callback?x", "//x"];
    let unknown = Ids::default().next::<UserId>().to_string();
    for uri in evil {
        let mut asking = Given::asking(&client);
        asking[1] = ("redirect_uri", uri);
        for page in [given.visit(&form(&asking), Some(given.cookie())).await, given.press(&asking, "approve").await] {
            assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{uri}");
        }
    }
    for id in ["", "x", unknown.as_str()] {
        let page = given.visit(&form(&Given::asking(id)), None).await;
        assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{id}");
    }
    let twice = format!("{}&redirect_uri=https://evil.example/", form(&Given::asking(&client)));
    assert_eq!(given.visit(&twice, None).await.status, 400);
    // Everything else is told to the application, without the person being asked.
    let mut asking = Given::asking(&client);
    asking[3] = ("scope", "stock:write");
    let sent = given.visit(&form(&asking), None).await;
    assert_eq!(
        (sent.sent_with("error").as_deref(), sent.sent_with("iss").as_deref()),
        (Some("invalid_scope"), Some(URL))
    );
    let denied = given.press(&Given::asking(&client), "deny").await;
    assert_eq!((denied.sent_with("error").as_deref(), denied.sent_with("code")), (Some("access_denied"), None));
}

/// What another site's page can have a browser send, and what a page of ours with another session can.
#[tokio::test]
async fn no_other_page_says_yes() {
    let given = Given::open().await;
    let client = given.public().await;
    let other = csrf_token(&sign_in(&given.test, given.ada).await).text();
    let own = csrf_token(&given.cookie).text();
    let with =
        |token: &str| form(&[&Given::asking(&client)[..], &[("decision", "approve"), ("csrf_token", token)]].concat());
    for (origin, token) in [
        (URL, ""),
        (URL, "x"),
        (URL, &other),
        ("https://evil.example", &own),
        ("null", &own),
        ("https://app.example.com", &own),
    ] {
        let refused = given.press_from(origin, &with(token)).await;
        let is_said = refused.body.contains("Nothing was decided") && refused.body.contains("Ask me again");
        assert!(refused.status == 403 && is_said, "{origin} {token}: {}", refused.body);
        assert!(refused.header("location").is_empty() && !refused.body.contains(&own), "{}", refused.body);
    }
    let without_origin = Request::post("/oauth/authorize")
        .header("cookie", given.cookie())
        .header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(given.call("grants.decide", without_origin, with(&own)).await.status, 403);
    assert_eq!(given.press_from(URL, &with(&own)).await.status, 303, "and this is how it is done");
    assert_eq!(given.logged(AuditAction::ConsentGiven).await, 1);
}

/// Nobody but a person in a browser says yes: no token does, whoever has it.
#[tokio::test]
async fn no_token_says_yes() {
    let given = Given::open().await;
    let client = given.public().await;
    let granted = given.redeem(&client, &given.code(&client).await).await.json();
    let body = form(&[&Given::asking(&client)[..], &[("decision", "approve")]].concat());
    let by_token = |cookie: Option<String>| {
        let token = granted["access_token"].as_str().unwrap();
        let request = Request::post("/oauth/authorize")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/x-www-form-urlencoded");
        given.call(
            "grants.decide",
            match cookie {
                Some(cookie) => request.header("cookie", cookie),
                None => request,
            },
            body.clone(),
        )
    };
    for cookie in [None, Some(given.cookie())] {
        let refused = by_token(cookie).await;
        let is_said = refused.body.contains("Only a person can decide this");
        assert!(refused.status == 403 && is_said && refused.header("location").is_empty(), "{}", refused.body);
    }
    let page = Request::get(format!("/oauth/authorize?{}", form(&Given::asking(&client))))
        .header("authorization", format!("Bearer {}", granted["access_token"].as_str().unwrap()))
        .header("cookie", given.cookie());
    let sent = given.call("grants.authorize", page, String::new()).await;
    assert!(sent.header("location").starts_with("https://api.example.com/sign-in?"), "{}", sent.header("location"));
}

#[tokio::test]
async fn an_application_is_told_about_its_own_tokens_as_long_as_they_are_good() {
    let mut given = Given::open().await;
    let (client, secret) = given.application(ClientKind::Confidential, &registry::GRANT_TYPES).await;
    let own = [("client_id", client.as_str()), ("client_secret", secret.as_str())];
    let (other, other_secret) = given.application(ClientKind::Confidential, &registry::GRANT_TYPES).await;
    let others = [("client_id", other.as_str()), ("client_secret", other_secret.as_str())];
    let code = given.code(&client).await;
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
    let granted = given.post("grants.token", &[&fields[..], &own].concat()).await.json();
    let (access, refresh) = (granted["access_token"].as_str().unwrap(), granted["refresh_token"].as_str().unwrap());
    let told = async |given: &Given, token: &str, by: &[(&str, &str)]| {
        given.post("grants.introspect", &[&[("token", token)], by].concat()).await.json()
    };
    let known = told(&given, access, &own).await;
    assert_eq!(
        (&known["active"], &known["scope"], &known["sub"]),
        (&json!(true), &json!("orders:read"), &json!(given.ada))
    );
    assert_eq!((&known["iss"], known["exp"].as_i64()), (&json!(URL), Some(start().unix_ms() / 1_000 + 900)));
    assert_eq!(told(&given, refresh, &own).await["active"], true);
    for token in [access, refresh, "x"] {
        assert_eq!(told(&given, token, &others).await, json!({"active": false}));
    }
    assert_eq!(told(&given, "", &own).await["error"], "invalid_request", "without a value");
    let nobody = given.post("grants.introspect", &[("token", access), ("client_id", &client)]).await;
    assert_eq!(nobody.error(), (401, "invalid_client".to_owned()));
    given.later(15 * 60_000 + 31_000);
    assert_eq!(told(&given, access, &own).await, json!({"active": false}), "expired");
    assert_eq!(told(&given, refresh, &own).await["active"], true);
    let revoked = given.post("grants.revoke", &[&[("token", refresh)], &others[..]].concat()).await;
    assert_eq!(revoked.error(), (400, "invalid_grant".to_owned()), "another's");
    let revoked = given.post("grants.revoke", &[&[("token", refresh)], &own[..]].concat()).await;
    assert_eq!((revoked.status.as_u16(), given.places().await), (200, 1));
    assert_eq!(told(&given, refresh, &own).await, json!({"active": false}));
}

#[tokio::test]
async fn an_application_that_keeps_a_secret_proves_it() {
    let given = Given::open().await;
    let all = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];
    let (client, secret) = given.application(ClientKind::Confidential, &all).await;
    let public = given.public().await;
    let itself = [("grant_type", "client_credentials")];
    let outcome = async |who: &[(&str, &str)]| given.post("grants.token", &[&itself[..], who].concat()).await;
    let granted = outcome(&[("client_id", &client), ("client_secret", &secret)]).await.json();
    assert_eq!(granted["scope"], "orders:read orders:write");
    assert!(granted.get("refresh_token").is_none());
    let wrong = Opaque::random().unwrap().text();
    for who in [
        vec![],
        vec![("client_id", client.as_str())],
        vec![("client_id", client.as_str()), ("client_secret", "")],
        vec![("client_id", client.as_str()), ("client_secret", wrong.as_str())],
        vec![("client_id", client.as_str()), ("client_secret", &secret[1..])],
        vec![("client_id", public.as_str()), ("client_secret", secret.as_str())],
        vec![("client_secret", secret.as_str())],
    ] {
        let refused = outcome(&who).await;
        assert_eq!(refused.error(), (401, "invalid_client".to_owned()), "{who:?}");
        assert_eq!(refused.header("www-authenticate"), "Basic realm=\"identity-test\"");
        assert!(!refused.body.contains(&secret));
    }
    assert_eq!(outcome(&[("client_id", &public)]).await.error(), (400, "unauthorized_client".to_owned()));
}
