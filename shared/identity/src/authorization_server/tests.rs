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
struct Fixture {
    test: TestService,
    service: Service,
    ada: UserId,
    cookie: Opaque,
}

/// The response to a request.
struct TestResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl TestResponse {
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
    fn redirect_parameter(&self, name: &str) -> Option<String> {
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

impl Fixture {
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

    async fn call(&self, procedure: &str, request: http::request::Builder, body: String) -> TestResponse {
        let request = request.body(Bytes::from(body)).unwrap();
        let (parts, body) = self.test.call(&self.service, procedure, request).await.unwrap().into_parts();
        TestResponse { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
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

    async fn visit(&self, query: &str, cookie: Option<String>) -> TestResponse {
        let mut request = Request::get(format!("/oauth/authorize?{query}"));
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        self.call("grants.authorize", request, String::new()).await
    }

    /// Submits the consent form, as the browser would.
    async fn submit(&self, fields: &[(&str, &str)], decision: &str) -> TestResponse {
        let csrf = csrf_token(&self.cookie).text();
        let fields = [fields, &[("decision", decision), ("csrf_token", &csrf)]].concat();
        self.submit_from(URL, &form(&fields)).await
    }

    async fn submit_from(&self, origin: &str, body: &str) -> TestResponse {
        let request = Request::post("/oauth/authorize")
            .header("cookie", self.cookie())
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded");
        self.call("grants.decide", request, body.to_owned()).await
    }

    async fn code(&self, client_id: &str) -> String {
        self.submit(&Self::asking(client_id), "approve").await.redirect_parameter("code").unwrap()
    }

    async fn post(&self, procedure: &str, fields: &[(&str, &str)]) -> TestResponse {
        let request = Request::post("/oauth/x").header("content-type", "application/x-www-form-urlencoded");
        self.call(procedure, request, form(fields)).await
    }

    async fn redeem(&self, client_id: &str, code: &str) -> TestResponse {
        let fields = [("grant_type", "authorization_code"), ("client_id", client_id), ("code", code)];
        let proof = [("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
        self.post("grants.token", &[&fields[..], &proof].concat()).await
    }

    /// Lets an application in and returns its refresh token.
    async fn grant_access(&self, client_id: &str) -> String {
        let granted = self.redeem(client_id, &self.code(client_id).await).await;
        granted.json()["refresh_token"].as_str().unwrap_or_else(|| panic!("{}", granted.body)).to_owned()
    }

    async fn refresh(&self, client_id: &str, token: &str, more: &[(&str, &str)]) -> TestResponse {
        let fields = [("grant_type", "refresh_token"), ("client_id", client_id), ("refresh_token", token)];
        self.post("grants.token", &[&fields[..], more].concat()).await
    }

    async fn device_count(&self) -> usize {
        self.test.read::<Account>().get(&self.ada).await.unwrap().unwrap().devices.len()
    }

    async fn audit_count(&self, action: AuditAction) -> usize {
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
    let mut fixture = Fixture::open().await;
    let client = fixture.public().await;
    let sent = fixture.submit(&Fixture::asking(&client), "approve").await;
    assert!(sent.header("location").starts_with(&format!("{CALLBACK}?code=")));
    assert_eq!(
        (sent.redirect_parameter("iss").as_deref(), sent.redirect_parameter("state").as_deref()),
        (Some(URL), Some("a%26b"))
    );

    let granted = fixture.redeem(&client, &sent.redirect_parameter("code").unwrap()).await;
    let tokens = granted.json();
    assert_eq!((granted.status.as_u16(), granted.header("cache-control")), (200, "no-store"));
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]),
        (&json!("Bearer"), &json!(900), &json!("orders:read"))
    );
    assert_eq!((fixture.device_count().await, fixture.audit_count(AuditAction::ConsentGiven).await), (2, 1));

    fixture.later(10 * 60_000);
    let next = fixture.refresh(&client, tokens["refresh_token"].as_str().unwrap(), &[]).await.json();
    assert_ne!(next["refresh_token"], tokens["refresh_token"]);
    assert_eq!(next["scope"], "orders:read");
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let mut fixture = Fixture::open().await;
    let client = fixture.public().await;
    let (soon, late) = (fixture.code(&client).await, fixture.code(&client).await);
    fixture.later(AuthorizationCode::LIFETIME_MS - 1);
    assert_eq!(fixture.redeem(&client, &soon).await.status, 200);
    fixture.later(AuthorizationCode::LIFETIME_MS);
    assert_eq!(fixture.redeem(&client, &late).await.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_came_of_it() {
    let mut fixture = Fixture::open().await;
    let client = fixture.public().await;
    let code = fixture.code(&client).await;
    let token = fixture.redeem(&client, &code).await.json()["refresh_token"].as_str().unwrap().to_owned();
    // A request without the verifier could not have been the first: a party that has only the code ends nothing.
    let fields = [("grant_type", "authorization_code"), ("client_id", client.as_str()), ("code", code.as_str())];
    let other = "a".repeat(43);
    for (verifier, error) in [("", "invalid_request"), (other.as_str(), "invalid_grant")] {
        let refused = fixture.post("grants.token", &[&fields[..], &[("code_verifier", verifier)]].concat()).await;
        assert_eq!(refused.error(), (400, error.to_owned()));
    }
    let token = fixture.refresh(&client, &token, &[]).await.json()["refresh_token"].as_str().unwrap().to_owned();
    // Long after the code itself has expired.
    fixture.later(30 * 60_000);
    assert_eq!(fixture.redeem(&client, &code).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(fixture.refresh(&client, &token, &[]).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!((fixture.device_count().await, fixture.audit_count(AuditAction::TokenReused).await), (1, 1));
}

#[tokio::test]
async fn of_many_at_once_one_gets_a_token_for_a_code_at_most() {
    let fixture = Fixture::open().await;
    let client = fixture.public().await;
    let code = fixture.code(&client).await;
    let all = futures_util::future::join_all((0..10).map(|_| fixture.redeem(&client, &code))).await;
    assert_eq!(
        all.iter().filter(|response| response.status == 200).count(),
        1,
        "{:?}",
        all.iter().map(|response| &response.body).collect::<Vec<_>>()
    );
    assert_eq!(fixture.device_count().await, 1, "two had the code: what came of it has ended");
}

#[tokio::test]
async fn who_signs_out_has_let_nobody_in() {
    let fixture = Fixture::open().await;
    let client = fixture.public().await;
    let code = fixture.code(&client).await;
    let sessions = crate::tests::sessions(&fixture.test);
    sessions.end(fixture.ada, |place| place.has(&fixture.cookie.hash()), |_| {}, Vec::new).await.unwrap();
    assert_eq!(fixture.redeem(&client, &code).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(fixture.device_count().await, 0);
}

#[tokio::test]
async fn a_code_is_for_its_client_and_its_address() {
    let fixture = Fixture::open().await;
    let (client, other) = (fixture.public().await, fixture.public().await);
    let code = fixture.code(&client).await;
    assert_eq!(fixture.redeem(&other, &code).await.error(), (400, "invalid_grant".to_owned()));
    let fields = [("grant_type", "authorization_code"), ("client_id", client.as_str()), ("code", code.as_str())];
    let elsewhere = [("redirect_uri", "https://app.example.com/other"), ("code_verifier", VERIFIER)];
    let refused = fixture.post("grants.token", &[&fields[..], &elsewhere].concat()).await;
    assert_eq!(refused.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(fixture.redeem(&client, &code).await.status, 200);
}

#[tokio::test]
async fn whoever_asks_too_often_waits() {
    let fixture = Fixture::open().await;
    let client = fixture.public().await;
    let fields = [("client_id", client.as_str()), ("token", "x")];
    let ask = || fixture.post("grants.revoke", &fields);
    let limits = fixture.test.limits();
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
    let mut fixture = Fixture::open().await;
    let client = fixture.public().await;
    let first = fixture.grant_access(&client).await;
    let all = futures_util::future::join_all((0..100).map(|_| fixture.refresh(&client, &first, &[]))).await;
    let successors: std::collections::BTreeSet<_> =
        all.iter().map(|response| response.json()["refresh_token"].to_string()).collect();
    assert_eq!(successors.len(), 1, "{successors:?}");
    fixture.later(29_000);
    assert_eq!(
        fixture.refresh(&client, &first, &[]).await.json()["refresh_token"].to_string(),
        *successors.first().unwrap()
    );
    fixture.later(30_000);
    assert_eq!(fixture.refresh(&client, &first, &[]).await.error(), (400, "invalid_grant".to_owned()));
    let second: String = serde_json::from_str(successors.first().unwrap()).unwrap();
    assert_eq!(fixture.refresh(&client, &second, &[]).await.error(), (400, "invalid_grant".to_owned()));
    assert_eq!((fixture.device_count().await, fixture.audit_count(AuditAction::TokenReused).await), (1, 1));
}

#[tokio::test]
async fn a_refresh_token_ends_after_a_year_however_often_it_is_renewed() {
    const DAY_MS: i64 = 24 * 3_600_000;
    let mut fixture = Fixture::open().await;
    let client = fixture.public().await;
    let mut token = fixture.grant_access(&client).await;
    // Each pause is shorter than the idle time.
    for day in [29, 58, 87, 116, 145, 174, 203, 232, 261, 290, 319, 348, 364] {
        fixture.later(day * DAY_MS);
        let renewed = fixture.refresh(&client, &token, &[]).await;
        assert_eq!(renewed.status, 200, "on day {day}: {}", renewed.body);
        token = renewed.json()["refresh_token"].as_str().unwrap().to_owned();
    }
    fixture.later(365 * DAY_MS);
    assert_eq!(fixture.refresh(&client, &token, &[]).await.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn scopes_become_narrower_and_never_wider() {
    let fixture = Fixture::open().await;
    let client = fixture.public().await;
    let mut asking = Fixture::asking(&client);
    asking[3] = ("scope", "orders:read orders:write");
    let code = fixture.submit(&asking, "approve").await.redirect_parameter("code").unwrap();
    let token = fixture.redeem(&client, &code).await.json()["refresh_token"].as_str().unwrap().to_owned();
    for beyond in ["stock:read", "orders:read stock:read", " ", "orders:read\u{1}"] {
        let refused = fixture.refresh(&client, &token, &[("scope", beyond)]).await;
        assert_eq!(refused.error(), (400, "invalid_scope".to_owned()), "{beyond:?}");
    }
    // The refusals did not use it up; and the next token is good for all that was given (RFC 6749 section 6).
    let narrow = fixture.refresh(&client, &token, &[("scope", "orders:write:own")]).await.json();
    assert_eq!(narrow["scope"], "orders:write:own");
    // A parameter without a value is one that is left out (section 3.2).
    let whole = fixture.refresh(&client, narrow["refresh_token"].as_str().unwrap(), &[("scope", "")]).await.json();
    assert_eq!(whole["scope"], "orders:read orders:write");
}

/// An application was registered with a permission that is withheld by now: it gets the others, and no token has that
/// one.
#[tokio::test]
async fn what_is_withheld_is_given_to_no_application_that_was_registered_with_it() {
    let fixture = Fixture::open().await;
    let all = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];
    let (client, secret) = fixture.application(ClientKind::Confidential, &all).await;
    let stored = fixture.test.read::<ApplicationClient>().get(&client.parse().unwrap()).await.unwrap().unwrap();
    let mut old = stored.clone();
    old.application.scopes.push("rights:write".to_owned());
    fixture.test.write().replace(&stored, old).await.unwrap();

    let prove = [("client_id", &*client), ("client_secret", &*secret), ("grant_type", "client_credentials")];
    let itself = fixture.post("grants.token", &prove).await.json();
    assert_eq!(itself["scope"], "orders:read orders:write", "{itself}");
    let mut asking = Fixture::asking(&client);
    for withheld in ["rights:write", "rights:write:own", "orders:read rights:write"] {
        asking[3] = ("scope", withheld);
        let sent = fixture.visit(&form(&asking), Some(fixture.cookie())).await;
        assert_eq!(sent.redirect_parameter("error").as_deref(), Some("invalid_scope"), "{withheld}");
        let submitted = fixture.submit(&asking, "approve").await;
        assert_eq!(submitted.redirect_parameter("error").as_deref(), Some("invalid_scope"), "{withheld}");
        let refused = fixture.post("grants.token", &[&prove[..], &[("scope", withheld)]].concat()).await;
        assert_eq!(refused.error(), (400, "invalid_scope".to_owned()), "{withheld}");
    }
    // Without a scope it is what was registered: the person is asked for no more than can be given, and no more is.
    asking.remove(3);
    let page = fixture.visit(&form(&asking), Some(fixture.cookie())).await;
    assert!(page.body.contains("orders:write") && !page.body.contains("rights"), "{}", page.body);
    let code = fixture.submit(&asking, "approve").await.redirect_parameter("code").unwrap();
    let redeem = [("grant_type", "authorization_code"), ("code", &*code), ("code_verifier", VERIFIER)];
    let redeemed = fixture.post("grants.token", &[&prove[..2], &redeem[..]].concat()).await.json();
    assert_eq!(redeemed["scope"], "orders:read orders:write", "{redeemed}");
}

#[tokio::test]
async fn an_application_that_does_not_go_on_gets_no_refresh_token() {
    let mut fixture = Fixture::open().await;
    let (client, _) = fixture.application(ClientKind::Public, &[GrantType::AuthorizationCode]).await;
    let code = fixture.code(&client).await;
    let granted = fixture.redeem(&client, &code).await.json();
    assert!(granted["access_token"].is_string() && granted.get("refresh_token").is_none(), "{granted}");
    let refused = fixture.refresh(&client, &"A".repeat(86), &[]).await;
    assert_eq!(refused.error(), (400, "unauthorized_client".to_owned()));
    let place = fixture.test.read::<Account>().get(&fixture.ada).await.unwrap().unwrap().devices.pop().unwrap();
    fixture.later(900_000);
    assert_eq!(fixture.test.read::<Session>().get(&place.session).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_stored_is_no_use_to_whoever_reads_it() {
    let fixture = Fixture::open().await;
    let (client, secret) = fixture.application(ClientKind::Confidential, &registry::GRANT_TYPES).await;
    let code = fixture.code(&client).await;
    let stored =
        fixture.test.read::<AuthorizationCode>().get(&Opaque::parse(&code).unwrap().hash()).await.unwrap().unwrap();
    let registered = fixture.test.read::<ApplicationClient>().get(&client.parse().unwrap()).await.unwrap().unwrap();
    let dump = format!("{} {}", serde_json::to_string(&stored).unwrap(), serde_json::to_string(&registered).unwrap());
    assert!(!dump.contains(&code) && !dump.contains(&secret), "{dump}");
    for hash in [stored.id.to_string(), registered.secret.unwrap().to_string()] {
        assert!(dump.contains(&hash), "this was the dump");
        assert_eq!(fixture.redeem(&client, &hash).await.error().0, 401);
    }
}

#[tokio::test]
async fn the_question_says_who_asks_and_for_what() {
    let fixture = Fixture::open().await;
    let client = fixture.public().await;
    let query = form(&[&Fixture::asking(&client)[..], &[("unknown", "x")]].concat());
    let page = fixture.visit(&query, Some(fixture.cookie())).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.body.contains("Reader &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot;"), "{}", page.body);
    assert!(page.body.contains("Fetch one order; List orders") && page.body.contains("ada@example.com"));
    assert!(
        page.body.contains("name=\"state\" value=\"a&amp;b\"")
            && page.body.contains(&csrf_token(&fixture.cookie).text())
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
    let fixture = Fixture::open().await;
    let client = fixture.public().await;
    let query = form(&Fixture::asking(&client));
    let unknown = format!("__Host-onefold={}", Opaque::random().unwrap().text());
    for cookie in [None, Some(unknown), Some(fixture.cookie().replace("__Host-onefold", "onefold-local"))] {
        let sent = fixture.visit(&query, cookie).await;
        let back =
            "https://api.example.com/sign-in?return_to=https%3A%2F%2Fapi.example.com%2Foauth%2Fauthorize%3Fclient_id";
        assert!(sent.status == 303 && sent.header("location").starts_with(back), "{}", sent.header("location"));
    }
    let page = fixture.call("pages.signIn", Request::get("/sign-in"), String::new()).await;
    assert!(page.status == 200 && page.body.contains("type=\"password\""), "{}", page.body);
    assert!(page.header("content-security-policy").contains("script-src 'sha256-"));
    let fixture = Fixture::with_pages_at("https://app.test").await;
    let client = fixture.public().await;
    let sent = fixture.visit(&form(&Fixture::asking(&client)), None).await;
    assert_eq!(sent.status, 303);
    let expected =
        "https://app.test/sign-in?return_to=https%3A%2F%2Fapi.example.com%2Foauth%2Fauthorize%3Fclient_id%3D";
    assert!(sent.header("location").starts_with(expected), "{}", sent.header("location"));
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let fixture = Fixture::open().await;
    let client = fixture.public().await;
    let evil =
        ["https://evil.example/", "https://app.example.com/callback/x", "https://app.example.com/callback?x", "//x"];
    let unknown = Ids::default().next::<UserId>().to_string();
    for uri in evil {
        let mut asking = Fixture::asking(&client);
        asking[1] = ("redirect_uri", uri);
        for page in
            [fixture.visit(&form(&asking), Some(fixture.cookie())).await, fixture.submit(&asking, "approve").await]
        {
            assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{uri}");
        }
    }
    for id in ["", "x", unknown.as_str()] {
        let page = fixture.visit(&form(&Fixture::asking(id)), None).await;
        assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{id}");
    }
    let twice = format!("{}&redirect_uri=https://evil.example/", form(&Fixture::asking(&client)));
    assert_eq!(fixture.visit(&twice, None).await.status, 400);
    // The application gets every other error, without a question to the person.
    let mut asking = Fixture::asking(&client);
    asking[3] = ("scope", "stock:write");
    let sent = fixture.visit(&form(&asking), None).await;
    assert_eq!(
        (sent.redirect_parameter("error").as_deref(), sent.redirect_parameter("iss").as_deref()),
        (Some("invalid_scope"), Some(URL))
    );
    let denied = fixture.submit(&Fixture::asking(&client), "deny").await;
    assert_eq!(
        (denied.redirect_parameter("error").as_deref(), denied.redirect_parameter("code")),
        (Some("access_denied"), None)
    );
}

/// What another site's page can have a browser send, and what a page of ours with another session can.
#[tokio::test]
async fn no_other_page_says_yes() {
    let fixture = Fixture::open().await;
    let client = fixture.public().await;
    let other = csrf_token(&sign_in(&fixture.test, fixture.ada).await).text();
    let own = csrf_token(&fixture.cookie).text();
    let with = |token: &str| {
        form(&[&Fixture::asking(&client)[..], &[("decision", "approve"), ("csrf_token", token)]].concat())
    };
    for (origin, token) in [
        (URL, ""),
        (URL, "x"),
        (URL, &other),
        ("https://evil.example", &own),
        ("null", &own),
        ("https://app.example.com", &own),
    ] {
        let refused = fixture.submit_from(origin, &with(token)).await;
        let is_said = refused.body.contains("Nothing was decided") && refused.body.contains("Ask me again");
        assert!(refused.status == 403 && is_said, "{origin} {token}: {}", refused.body);
        assert!(refused.header("location").is_empty() && !refused.body.contains(&own), "{}", refused.body);
    }
    let without_origin = Request::post("/oauth/authorize")
        .header("cookie", fixture.cookie())
        .header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(fixture.call("grants.decide", without_origin, with(&own)).await.status, 403);
    assert_eq!(fixture.submit_from(URL, &with(&own)).await.status, 303, "and this is how it is done");
    assert_eq!(fixture.audit_count(AuditAction::ConsentGiven).await, 1);
}

/// Nobody but a person in a browser says yes: no token does, whoever has it.
#[tokio::test]
async fn no_token_says_yes() {
    let fixture = Fixture::open().await;
    let client = fixture.public().await;
    let granted = fixture.redeem(&client, &fixture.code(&client).await).await.json();
    let body = form(&[&Fixture::asking(&client)[..], &[("decision", "approve")]].concat());
    let by_token = |cookie: Option<String>| {
        let token = granted["access_token"].as_str().unwrap();
        let request = Request::post("/oauth/authorize")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/x-www-form-urlencoded");
        fixture.call(
            "grants.decide",
            match cookie {
                Some(cookie) => request.header("cookie", cookie),
                None => request,
            },
            body.clone(),
        )
    };
    for cookie in [None, Some(fixture.cookie())] {
        let refused = by_token(cookie).await;
        let is_said = refused.body.contains("Only a person can decide this");
        assert!(refused.status == 403 && is_said && refused.header("location").is_empty(), "{}", refused.body);
    }
    let page = Request::get(format!("/oauth/authorize?{}", form(&Fixture::asking(&client))))
        .header("authorization", format!("Bearer {}", granted["access_token"].as_str().unwrap()))
        .header("cookie", fixture.cookie());
    let sent = fixture.call("grants.authorize", page, String::new()).await;
    assert!(sent.header("location").starts_with("https://api.example.com/sign-in?"), "{}", sent.header("location"));
}

#[tokio::test]
async fn an_application_is_told_about_its_own_tokens_as_long_as_they_are_good() {
    let mut fixture = Fixture::open().await;
    let (client, secret) = fixture.application(ClientKind::Confidential, &registry::GRANT_TYPES).await;
    let own = [("client_id", client.as_str()), ("client_secret", secret.as_str())];
    let (other, other_secret) = fixture.application(ClientKind::Confidential, &registry::GRANT_TYPES).await;
    let others = [("client_id", other.as_str()), ("client_secret", other_secret.as_str())];
    let code = fixture.code(&client).await;
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("code_verifier", VERIFIER)];
    let granted = fixture.post("grants.token", &[&fields[..], &own].concat()).await.json();
    let (access, refresh) = (granted["access_token"].as_str().unwrap(), granted["refresh_token"].as_str().unwrap());
    let introspected = async |fixture: &Fixture, token: &str, by: &[(&str, &str)]| {
        fixture.post("grants.introspect", &[&[("token", token)], by].concat()).await.json()
    };
    let known = introspected(&fixture, access, &own).await;
    assert_eq!(
        (&known["active"], &known["scope"], &known["sub"]),
        (&json!(true), &json!("orders:read"), &json!(fixture.ada))
    );
    assert_eq!((&known["iss"], known["exp"].as_i64()), (&json!(URL), Some(start().unix_ms() / 1_000 + 900)));
    assert_eq!(introspected(&fixture, refresh, &own).await["active"], true);
    for token in [access, refresh, "x"] {
        assert_eq!(introspected(&fixture, token, &others).await, json!({"active": false}));
    }
    assert_eq!(introspected(&fixture, "", &own).await["error"], "invalid_request", "without a value");
    let nobody = fixture.post("grants.introspect", &[("token", access), ("client_id", &client)]).await;
    assert_eq!(nobody.error(), (401, "invalid_client".to_owned()));
    fixture.later(15 * 60_000 + 31_000);
    assert_eq!(introspected(&fixture, access, &own).await, json!({"active": false}), "expired");
    assert_eq!(introspected(&fixture, refresh, &own).await["active"], true);
    let revoked = fixture.post("grants.revoke", &[&[("token", refresh)], &others[..]].concat()).await;
    assert_eq!(revoked.error(), (400, "invalid_grant".to_owned()), "another's");
    let revoked = fixture.post("grants.revoke", &[&[("token", refresh)], &own[..]].concat()).await;
    assert_eq!((revoked.status.as_u16(), fixture.device_count().await), (200, 1));
    assert_eq!(introspected(&fixture, refresh, &own).await, json!({"active": false}));
}

#[tokio::test]
async fn an_application_that_keeps_a_secret_proves_it() {
    let fixture = Fixture::open().await;
    let all = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];
    let (client, secret) = fixture.application(ClientKind::Confidential, &all).await;
    let public = fixture.public().await;
    let itself = [("grant_type", "client_credentials")];
    let outcome = async |who: &[(&str, &str)]| fixture.post("grants.token", &[&itself[..], who].concat()).await;
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
