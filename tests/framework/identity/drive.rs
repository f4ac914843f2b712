//! A service that was used for everything, and every secret that is alive in it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use local::data::{DataFolder, Running};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use testbed::Role;

use crate::support::{
    Answer, Browser, Folder, Key, Person, Request, Service, TestServer, Tokens,
    browser::{DEVICE, SESSION},
    http::{basic, percent_encode},
    people::password,
    provider::Provider,
};

/// Where an application's browsers are sent back to.
pub const CALLBACK: &str = "https://app.example.com/callback";

/// Something that only its holder may know.
#[derive(Debug)]
pub struct Secret {
    pub name: &'static str,
    pub text: String,
}

/// The service, kept in a folder, after all of it.
pub struct Used {
    pub server: TestServer,
    pub ada: Person,
    /// In which Ada is signed in.
    pub browser: Browser,
    /// All that is alive, and could be used by whoever knows it.
    pub secrets: Vec<Secret>,
    /// An application that keeps a secret.
    pub client_id: String,
}

/// A form, as browsers and applications send it.
pub fn form(path: &str, fields: &[(&str, &str)]) -> Request {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", percent_encode(value.as_bytes()))).collect();
    Request::new("POST", path).header("content-type", "application/x-www-form-urlencoded").body(fields.join("&"))
}

/// A parameter of the address to which a browser is sent.
pub fn sent_with(answer: &Answer, name: &str) -> String {
    let location = answer.header("location").unwrap_or_else(|| panic!("{} {}", answer.status, answer.text()));
    parameter(location, name)
}

/// A parameter of an address.
pub fn parameter(url: &str, name: &str) -> String {
    let found = url.split(['?', '&', '#']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no {name} in {url}")).to_owned()
}

fn keep(secrets: &mut Vec<Secret>, name: &'static str, text: &str) {
    assert!(!text.is_empty(), "{name}");
    secrets.push(Secret { name, text: text.to_owned() });
}

/// Somebody lets an application read posts, in a browser: the code that it gets, and the verifier that goes with it.
pub async fn approve(browser: &mut Browser, client_id: &str) -> (String, String) {
    approve_for(browser, client_id, "posts:read").await
}

/// The same for another scope.
pub async fn approve_for(browser: &mut Browser, client_id: &str, scope: &str) -> (String, String) {
    let verifier = BASE64.encode(uuid::Uuid::now_v7().as_bytes().repeat(3));
    let challenge = BASE64.encode(digest(&SHA256, verifier.as_bytes()));
    let csrf = browser.csrf().await;
    let approve = form(
        "/oauth/authorize",
        &[
            ("client_id", client_id),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", scope),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("state", "x"),
            ("csrf_token", &csrf),
            ("decision", "approve"),
        ],
    );
    let answer = browser.send(approve.header("origin", browser.origin())).await;
    (sent_with(&answer, "code"), verifier)
}

impl Used {
    pub async fn new() -> Self {
        let data = Folder::new();
        let provider = Provider::start(json!({"id": "1234", "name": "Ada", "email": "ada@example.com"})).await;
        std::fs::create_dir_all(data.path().join("secrets")).unwrap();
        let file = data.path().join("secrets/identity-providers.json");
        std::fs::write(file, provider.configuration().to_string()).unwrap();
        let service = Service::kept(&data).await;
        let key = Key::of(data.path());
        let server = TestServer { admin: key.token(Role::Administrator), service, key, data };
        server.keeper().await;

        let ada = server.person("ada", Role::Administrator).await;
        let browser = server.browser(&ada).await;
        let mut used = Self { ada, browser, secrets: Vec::new(), client_id: String::new(), server };
        keep(&mut used.secrets, "the secret at a provider", &provider.secret);
        keep(&mut used.secrets, "a provider's token", &provider.access_token);
        keep(&mut used.secrets, "an operator's token", &used.server.admin);
        used.sign_in_in_every_way().await;
        used.ask_for_mails().await;
        used.let_applications_in().await;
        used.fail_at_everything().await;
        keep(&mut used.secrets, "the token against cross-site requests", &used.browser.clone().csrf().await);
        used
    }

    /// How to reach the database.
    pub fn running(&self) -> Running {
        DataFolder::open(self.server.data.path()).unwrap().running().unwrap()
    }

    /// The first secret of this name.
    pub fn secret(&self, name: &str) -> &str {
        &self.secrets.iter().find(|secret| secret.name == name).unwrap().text
    }

    async fn sign_in_in_every_way(&mut self) {
        keep(&mut self.secrets, "a password", &self.ada.password);
        keep(&mut self.secrets, "a cookie that was renewed a moment ago", self.browser.session());
        assert_eq!(self.browser.mutation("auth.refresh", json!({})).await.code(), "OK");
        keep(&mut self.secrets, "a cookie", self.browser.session());
        keep(&mut self.secrets, "the cookie of a known browser", self.browser.cookie(DEVICE));
        let first = self.server.tokens(&self.ada).await;
        keep(&mut self.secrets, "a refresh token that was used a moment ago", &first.refresh);
        let refresh = Request::mutation("auth.refresh", &json!({"refreshToken": first.refresh}));
        let second = Tokens::of(&self.server.service.send(&refresh).await.data());
        keep(&mut self.secrets, "a refresh token", &second.refresh);
        keep(&mut self.secrets, "an access token", &second.access);
        // One account elsewhere is linked, and somebody is still on the way to one.
        let url = self.browser.mutation("oauth.link", json!({"provider": "facebook"})).await.data()["url"].clone();
        let state = parameter(url.as_str().unwrap(), "state");
        keep(&mut self.secrets, "a state that was used", &state);
        let code = password().replace(' ', "-");
        keep(&mut self.secrets, "a provider's code", &code);
        let back = format!("/oauth/callback/facebook?state={state}&code={code}");
        let answer = self.browser.send(Request::new("GET", back)).await;
        assert!(answer.header("location").is_some_and(|location| !location.contains("error")), "{}", answer.text());
        let mut elsewhere = Browser::new(&self.server.service);
        let answer = elsewhere.send(Request::new("GET", "/oauth/start?provider=facebook&return_to=/in")).await;
        keep(&mut self.secrets, "the state of a sign-in elsewhere", &sent_with(&answer, "state"));
        keep(&mut self.secrets, "the cookie of a sign-in elsewhere", elsewhere.cookie("onefold-sign-in-local"));
    }

    async fn ask_for_mails(&mut self) {
        let mut there = Browser::new(&self.server.service);
        let bob = self.server.registered_in(&mut there, "bob").await;
        keep(&mut self.secrets, "the cookie of a registration", there.cookie("onefold-registration-local"));
        keep(&mut self.secrets, "the password of an account that is not proved", &bob.password);
        keep(&mut self.secrets, "a token that proves an address", &self.server.mail(&bob.email, 1).await.token());
        let again = json!({"email": bob.email});
        assert_eq!(self.browser.mutation("auth.resendVerification", again).await.code(), "OK");
        keep(&mut self.secrets, "another of them", &self.server.mail(&bob.email, 2).await.token());
        let reset = json!({"email": self.ada.email});
        assert_eq!(self.browser.mutation("auth.requestReset", reset).await.code(), "OK");
        keep(&mut self.secrets, "a token for another password", &self.server.mail(&self.ada.email, 2).await.token());
        let export = self.browser.mutation("account.export", json!({})).await;
        assert_eq!(export.code(), "OK");
    }

    async fn let_applications_in(&mut self) {
        let input =
            json!({"name": "Reader", "kind": "confidential", "redirectUris": [CALLBACK], "scopes": ["posts:read"]});
        let registered = self.browser.mutation("grants.clientsCreate", input).await.data();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, secret) = (text(&registered["client"]["id"]), text(&registered["secret"]));
        keep(&mut self.secrets, "the secret of an application", &secret);
        for used in [true, false] {
            let (code, verifier) = approve(&mut self.browser, &id).await;
            keep(&mut self.secrets, "the verifier of a code", &verifier);
            keep(&mut self.secrets, if used { "a code that was used" } else { "a code" }, &code);
            if used {
                let redeem = form(
                    "/oauth/token",
                    &[
                        ("grant_type", "authorization_code"),
                        ("code", &code),
                        ("redirect_uri", CALLBACK),
                        ("code_verifier", &verifier),
                    ],
                );
                let tokens =
                    self.server.service.send(&redeem.header("authorization", basic(&id, &secret))).await.json();
                keep(&mut self.secrets, "an application's access token", &text(&tokens["access_token"]));
                keep(&mut self.secrets, "an application's refresh token", &text(&tokens["refresh_token"]));
            }
        }
        self.client_id = id;
    }

    /// Secrets in the wrong place are secrets all the same.
    async fn fail_at_everything(&mut self) {
        let wrong: Vec<String> = (0..4).map(|_| password()).collect();
        let email = self.ada.email.clone();
        assert_eq!(Browser::new(&self.server.service).login(&email, &wrong[0]).await.failure(), "wrongCredentials");
        let change = json!({"current": wrong[1], "password": wrong[2]});
        assert_eq!(self.browser.mutation("auth.changePassword", change).await.failure(), "wrongPassword");
        assert_eq!(
            self.browser.mutation("account.erase", json!({"password": wrong[3]})).await.failure(),
            "wrongPassword"
        );
        for password in wrong {
            keep(&mut self.secrets, "a password that was tried", &password);
        }
        let swapped = json!({"email": self.ada.password, "password": self.ada.email});
        assert_eq!(self.browser.mutation("auth.login", swapped).await.code(), "BAD_REQUEST");
        assert!(self.browser.has(SESSION));
    }
}
