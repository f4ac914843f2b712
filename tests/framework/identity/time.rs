//! When what ends, with a clock that the test sets: in this process, through the same door, at the address of a
//! deployed service.

use bytes::Bytes;
use http::{Request, StatusCode};
use identity::{Account, AuditAction, AuditEntry, EmailAddress, IdentityRole as _, IdentityUser as _, UserId};
use local::{local_cloud::Addresses, testing::TestService};
use protocol::{Clock, Timestamp, Version};
use runtime::Service;
use serde_json::{Value, json};
use testbed::{Role, User};

use crate::support::people::password;

const URL: &str = "https://api.example.com";
const PAGES: &str = "https://app.example.com";
const COOKIE: &str = "__Host-onefold";
pub const EMAIL: &str = "ada@example.com";

pub const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A service, and somebody who has an account there.
pub struct Given {
    service: Service,
    pub test: TestService,
    pub password: String,
    /// So many milliseconds after the beginning.
    now_ms: i64,
}

/// What was answered.
pub struct Said {
    pub status: StatusCode,
    headers: http::HeaderMap,
    pub body: Value,
}

impl Said {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The value of the session's cookie that it sets.
    pub fn cookie(&self) -> String {
        let lines = self.headers.get_all("set-cookie").into_iter().map(|line| line.to_str().unwrap());
        let own = lines.filter_map(|line| line.strip_prefix(&format!("{COOKIE}="))?.split(';').next());
        own.map(str::to_owned).next().unwrap_or_else(|| panic!("no cookie: {}", self.body))
    }

    pub fn tokens(&self, name: &str) -> String {
        self.body["result"]["data"]["tokens"][name].as_str().unwrap_or_else(|| panic!("{}", self.body)).to_owned()
    }

    pub fn failure(&self) -> &str {
        self.body["error"]["data"]["failure"]["type"].as_str().unwrap_or_default()
    }
}

impl Given {
    async fn open() -> Self {
        let service = testbed::service();
        let addresses = Addresses { url: URL.to_owned(), app_url: PAGES.to_owned(), ..Addresses::default() };
        let test = TestService::at(&service, Clock::System, addresses).await.unwrap();
        let mut given = Self { service, test, password: password(), now_ms: 0 };
        given.at(0);
        let input = json!({"email": EMAIL, "name": "Ada", "password": given.password});
        assert_eq!(given.call("auth.register", &input, &[]).await.status, 200);
        given
    }

    /// One that is proved, and a cookie.
    pub async fn signed_in() -> (Self, String) {
        let given = Self::open().await;
        let proof = json!({"token": given.mailed(), "password": given.password});
        assert_eq!(given.call("auth.verifyEmail", &proof, &[]).await.status, 200);
        let cookie = given.login("cookie").await.cookie();
        (given, cookie)
    }

    /// Somebody whom an administrator could make, with the address.
    fn somebody(&self) -> User {
        User {
            id: UserId::from(uuid::Uuid::now_v7()),
            email: EmailAddress::new(EMAIL),
            name: "Ada".to_owned(),
            age: None,
            is_verified: false,
            role: Role::Viewer,
            created_at: Timestamp::from_unix_ms(1_800_000_000_000 + self.now_ms),
            ends_at: None,
            version: Version::default(),
        }
    }

    /// The time from now on, in milliseconds after the beginning.
    pub fn at(&mut self, ms: i64) {
        self.now_ms = ms;
        // 2027-01-15, and the beginning of an hour.
        self.test.set_clock(Clock::Fixed(Timestamp::from_unix_ms(1_800_000_000_000 + ms)));
    }

    /// The token of the newest mail.
    fn mailed(&self) -> String {
        let mail = self.test.mailbox().unwrap().into_iter().next().unwrap();
        let (_, token) = mail.text.split_once("#token=").unwrap();
        token.lines().next().unwrap().to_owned()
    }

    pub async fn call(&self, procedure: &str, input: &Value, headers: &[(&str, &str)]) -> Said {
        let request = Request::post(format!("/trpc/{procedure}")).header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Bytes::from(input.to_string())).unwrap();
        let (head, body) = self.test.call(&self.service, procedure, request).await.unwrap().into_parts();
        Said { status: head.status, headers: head.headers, body: serde_json::from_slice(&body).unwrap() }
    }

    pub async fn login(&self, keep: &str) -> Said {
        let input = json!({"email": EMAIL, "password": self.password, "keep": keep});
        self.call("auth.login", &input, &[]).await
    }

    /// Asks who is signed in, by GET.
    async fn me(&self, name: &str, value: &str) -> Said {
        let request = Request::get("/trpc/auth.me").header(name, value).body(Bytes::new()).unwrap();
        let (head, body) = self.test.call(&self.service, "auth.me", request).await.unwrap().into_parts();
        Said { status: head.status, headers: head.headers, body: serde_json::from_slice(&body).unwrap() }
    }

    async fn by_cookie(&self, cookie: &str) -> Said {
        self.me("cookie", &format!("{COOKIE}={cookie}")).await
    }

    pub async fn is_good(&self, cookie: &str) -> bool {
        self.by_cookie(cookie).await.status == 200
    }

    /// Renews a cookie from a page of the service.
    pub async fn renew(&self, cookie: &str) -> Said {
        self.on_page(cookie, "auth.refresh", &json!({})).await
    }

    /// Calls a mutation from a page of the service.
    pub async fn on_page(&self, cookie: &str, procedure: &str, input: &Value) -> Said {
        let csrf = self.by_cookie(cookie).await.header("x-csrf-token").unwrap_or_default().to_owned();
        let cookie = format!("{COOKIE}={cookie}");
        self.call(procedure, input, &[("cookie", &cookie), ("origin", PAGES), ("x-csrf-token", &csrf)]).await
    }

    pub async fn refresh(&self, token: &str) -> Said {
        self.call("auth.refresh", &json!({"refreshToken": token}), &[]).await
    }

    async fn wrong(&self, headers: &[(&str, &str)]) -> Said {
        self.call("auth.login", &json!({"email": EMAIL, "password": "not the password"}), headers).await
    }
}

#[tokio::test]
async fn a_cookie_is_good_for_a_day_without_use_and_for_thirty_days_in_any_case() {
    let (mut given, mut cookie) = Given::signed_in().await;
    given.at(12 * HOUR - 1);
    assert_eq!(given.by_cookie(&cookie).await.header("onefold-renew"), None);
    given.at(12 * HOUR);
    assert_eq!(given.by_cookie(&cookie).await.header("onefold-renew"), Some("1"));
    given.at(DAY - 1);
    assert!(given.is_good(&cookie).await);
    given.at(DAY);
    assert!(!given.is_good(&cookie).await, "nobody used it for a day");
    assert_eq!(given.renew(&cookie).await.failure(), "ended");

    cookie = given.login("cookie").await.cookie();
    let began = given.now_ms;
    while given.now_ms + 20 * HOUR < began + 30 * DAY {
        given.at(given.now_ms + 20 * HOUR);
        cookie = given.renew(&cookie).await.cookie();
    }
    given.at(began + 30 * DAY - 1);
    assert!(given.is_good(&cookie).await);
    given.at(began + 30 * DAY);
    assert!(!given.is_good(&cookie).await, "thirty days are over");
    assert_eq!(given.renew(&cookie).await.failure(), "ended");
}

#[tokio::test]
async fn the_cookie_before_is_good_for_half_a_minute() {
    let (mut given, first) = Given::signed_in().await;
    given.at(HOUR);
    let second = given.renew(&first).await.cookie();
    given.at(HOUR + 30 * SECOND - 1);
    assert!(given.is_good(&first).await);
    assert_eq!(given.renew(&first).await.cookie(), second);
    // That it came again does not make it last.
    given.at(HOUR + 30 * SECOND);
    assert!(!given.is_good(&first).await && given.is_good(&second).await);
    assert_eq!(given.renew(&first).await.failure(), "ended");
    assert!(given.is_good(&second).await, "and that it came late ends nothing");
}

#[tokio::test]
async fn a_refresh_token_that_comes_late_ends_its_session() {
    for late in [0, 1, HOUR] {
        let (mut given, _) = Given::signed_in().await;
        let first = given.login("tokens").await.tokens("refreshToken");
        given.at(HOUR);
        let second = given.refresh(&first).await.tokens("refreshToken");
        given.at(HOUR + 30 * SECOND - 1);
        assert_eq!(given.refresh(&first).await.tokens("refreshToken"), second);
        given.at(HOUR + 30 * SECOND + late);
        for token in [&first, &second] {
            assert_eq!(given.refresh(token).await.failure(), "ended");
        }
        let log = given.test.read::<AuditEntry>().list(&AuditEntry::BY_TIME).page(Default::default(), None);
        let reused = log.await.unwrap().items.into_iter().filter(|entry| entry.action == AuditAction::TokenReused);
        assert_eq!(reused.count(), 1);
    }
    // Its idle time is a day, as a cookie's.
    let (mut given, _) = Given::signed_in().await;
    let first = given.login("tokens").await.tokens("refreshToken");
    given.at(DAY - 1);
    let second = given.refresh(&first).await.tokens("refreshToken");
    given.at(2 * DAY - 1);
    assert_eq!(given.refresh(&second).await.failure(), "ended");
}

#[tokio::test]
async fn an_access_token_is_good_for_a_quarter_of_an_hour() {
    let (mut given, _) = Given::signed_in().await;
    let bearer = format!("Bearer {}", given.login("tokens").await.tokens("accessToken"));
    // Clocks may differ by half a minute.
    for (at, status) in
        [(0, 200), (15 * MINUTE, 200), (15 * MINUTE + 29 * SECOND, 200), (15 * MINUTE + 30 * SECOND, 401)]
    {
        given.at(at);
        assert_eq!(given.me("authorization", &bearer).await.status, status, "{at}");
    }
    given.at(-31 * SECOND);
    assert_eq!(given.me("authorization", &bearer).await.status, 401, "from the future");
}

#[tokio::test]
async fn a_mailed_token_is_good_for_half_an_hour() {
    for (late, status) in [(-1, 200), (0, 422)] {
        let mut given = Given::open().await;
        let proof = json!({"token": given.mailed(), "password": given.password});
        given.at(30 * MINUTE + late);
        assert_eq!(given.call("auth.verifyEmail", &proof, &[]).await.status, status);

        given.at(HOUR);
        assert_eq!(given.call("auth.requestReset", &json!({"email": EMAIL}), &[]).await.status, 200);
        let reset = json!({"token": given.mailed(), "password": password()});
        given.at(HOUR + 30 * MINUTE + late);
        assert_eq!(given.call("auth.resetPassword", &reset, &[]).await.status, status);
    }
}

/// A session whose holder's rights changed goes on with the new ones, and for as long as a token would.
#[tokio::test]
async fn a_session_with_other_rights_ends_soon_unless_it_is_renewed() {
    let (mut given, _) = Given::signed_in().await;
    let users = given.test.write::<User>();
    let ada = users.by_unique(User::UNIQUE_EMAIL, EMAIL).await.unwrap().unwrap();
    assert_eq!(ada.role, Role::NEW_USER, "she came first, and nobody named her");
    let ada = users.replace(&ada, User { role: Role::Administrator, ..ada.clone() }).await.unwrap();
    let renewed = given.login("cookie").await.cookie();
    let kept = given.login("cookie").await.cookie();
    let bearer = format!("Bearer {}", given.login("tokens").await.tokens("accessToken"));
    let other = json!({"email": "keeper@example.com", "name": "Keeper", "role": "administrator", "isVerified": true});
    let change = json!({"id": ada.id, "role": "viewer"});
    for (procedure, input) in [("users.create", other), ("users.update", change)] {
        let said = given.call(procedure, &input, &[("authorization", &bearer)]).await;
        assert_eq!(said.status, 200, "{}", said.body);
    }
    for cookie in [&renewed, &kept] {
        let said = given.by_cookie(cookie).await;
        assert_eq!((&said.body["result"]["data"]["role"], said.header("onefold-renew")), (&json!("viewer"), Some("1")));
    }
    given.at(15 * MINUTE - 1);
    let renewed = given.renew(&renewed).await.cookie();
    assert!(given.is_good(&kept).await);
    given.at(15 * MINUTE);
    assert!(!given.is_good(&kept).await);
    given.at(23 * HOUR);
    assert!(given.is_good(&renewed).await);
}

/// Nobody is locked out for good, and who was waits no longer than was said.
#[tokio::test]
async fn counts_forget_themselves() {
    let (mut given, _) = Given::signed_in().await;
    given.at(HOUR + 14 * MINUTE);
    for _ in 0..10 {
        assert_eq!(given.wrong(&[]).await.failure(), "wrongCredentials");
    }
    let refused = given.login("cookie").await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("60")));
    given.at(HOUR + 15 * MINUTE - 1);
    assert_eq!(given.login("cookie").await.header("retry-after"), Some("1"));
    given.at(HOUR + 15 * MINUTE);
    assert_eq!(given.login("cookie").await.status, 200);
}

/// What holds under https, and on no laptop: the cookie's name and attributes, and whose pages are trusted.
#[tokio::test]
async fn a_deployed_service_trusts_its_own_pages_and_no_laptop() {
    let (given, cookie) = Given::signed_in().await;
    let said = given.login("cookie").await;
    let lines: Vec<&str> = said.headers.get_all("set-cookie").into_iter().map(|line| line.to_str().unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert!(line.starts_with("__Host-onefold"), "{line}");
        for attribute in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
            assert!(line.split("; ").any(|known| known == attribute), "{line}");
        }
        assert!(!line.contains("Domain"), "{line}");
    }
    for other in ["onefold-local", "onefold", "__Secure-onefold", "__host-onefold"] {
        assert_eq!(given.me("cookie", &format!("{other}={cookie}")).await.status, 401, "{other}");
    }
    let csrf = given.by_cookie(&cookie).await.header("x-csrf-token").unwrap().to_owned();
    let header = format!("{COOKIE}={cookie}");
    for (origin, status) in [
        (URL, 200),
        (PAGES, 200),
        ("http://api.example.com", 403),
        ("https://api.example.com:444", 403),
        ("https://api.example.com.", 403),
        ("https://API.example.com", 403),
        ("https://evil.api.example.com", 403),
        ("https://api.example.com.evil.example", 403),
        ("http://localhost:5173", 403),
        ("http://127.0.0.1", 403),
        ("null", 403),
    ] {
        let headers = [("cookie", header.as_str()), ("origin", origin), ("x-csrf-token", &csrf)];
        let said = given.call("account.export", &json!({}), &headers).await;
        assert_eq!(said.status, status, "{origin}: {}", said.body);
        let credentials = said.header("access-control-allow-credentials");
        assert_eq!(credentials == Some("true"), status == 200, "{origin}");
    }
}

/// An address that nobody proves is nobody's after seven days: the account ends with all that is its own, and the address
/// may be registered, or given to somebody, as if nothing had been.
#[tokio::test]
async fn an_account_that_nobody_proves_ends_after_seven_days() {
    let mut given = Given::open().await;
    let find = async |given: &Given| {
        given.test.read::<User>().by_unique(User::UNIQUE_EMAIL, EMAIL).await.unwrap().map(|user| user.id)
    };
    let first = find(&given).await.unwrap();
    given.at(7 * DAY - HOUR);
    assert_eq!(given.login("cookie").await.failure(), "wrongCredentials", "nobody has proved the address");
    let again = given.call("auth.resendVerification", &json!({"email": EMAIL}), &[]).await;
    assert_eq!(again.status, 200);
    let link = json!({"token": given.mailed(), "password": given.password});
    given.at(7 * DAY - 1);
    assert!(find(&given).await.is_some());

    given.at(7 * DAY);
    assert_eq!(find(&given).await, None);
    assert!(given.test.read::<User>().get(&first).await.unwrap().is_none());
    assert!(given.test.read::<Account>().get(&first).await.unwrap().is_none());
    let all = given.test.read::<User>().list(&User::BY_EMAIL).page(Default::default(), None).await.unwrap();
    assert!(all.items.is_empty(), "no list shows it");
    assert_eq!(given.login("cookie").await.failure(), "wrongCredentials");
    assert_eq!(given.call("auth.verifyEmail", &link, &[]).await.failure(), "notValid");

    // DynamoDB deletes late: the address is free before that.
    let input = json!({"email": EMAIL, "name": "Ada", "password": given.password});
    assert_eq!(given.call("auth.register", &input, &[]).await.status, 200);
    let second = find(&given).await.unwrap();
    assert_ne!(second, first);
    given.at(14 * DAY);
    let made = User { id: first, ends_at: None, ..given.somebody() };
    given.test.write().create(made).await.unwrap();
    assert_eq!(find(&given).await, Some(first), "and may be given to somebody");
}

/// What is proved does not end, nor what an administrator decided about.
#[tokio::test]
async fn what_is_proved_or_decided_about_does_not_end() {
    let (mut given, _) = Given::signed_in().await;
    let users = given.test.write::<User>();
    let ada = users.by_unique(User::UNIQUE_EMAIL, EMAIL).await.unwrap().unwrap();
    users.replace(&ada, User { role: Role::Administrator, ..ada.clone() }).await.unwrap();
    let bob = json!({"email": "bob@example.com", "name": "Bob", "password": given.password});
    assert_eq!(given.call("auth.register", &bob, &[]).await.status, 200);
    let bob = users.by_unique(User::UNIQUE_EMAIL, "bob@example.com").await.unwrap().unwrap();
    assert!(bob.ends_at.is_some());
    let bearer = format!("Bearer {}", given.login("tokens").await.tokens("accessToken"));
    let decision = json!({"id": bob.id, "role": "employee"});
    let said = given.call("users.update", &decision, &[("authorization", &bearer)]).await;
    assert_eq!((said.status.as_u16(), &said.body["result"]["data"]["endsAt"]), (200, &Value::Null), "{}", said.body);
    given.at(400 * DAY);
    for id in [ada.id, bob.id] {
        assert!(given.test.read::<User>().get(&id).await.unwrap().is_some());
        assert!(given.test.read::<Account>().get(&id).await.unwrap().is_some());
    }
    assert_eq!(given.login("cookie").await.status, 200);
}
