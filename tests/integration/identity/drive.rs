//! A service that was used for everything, and every secret that is alive in it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use local::data::{DataFolder, Running};
use model::Role;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::given::{
    Answer, Browser, Folder, Key, Office, Person, Request, Service, Tokens,
    browser::{DEVICE, SESSION},
    http::{basic, percent_encode},
    people::password,
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
    pub office: Office,
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

/// The parameter of the address to which a browser is sent.
pub fn sent_with(answer: &Answer, name: &str) -> String {
    let location = answer.header("location").unwrap_or_else(|| panic!("{} {}", answer.status, answer.text()));
    let found = location.split(['?', '&', '#']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no {name} in {location}")).to_owned()
}

impl Used {
    pub async fn new() -> Self {
        let data = Folder::new();
        // Facebook is asked nothing before somebody comes back from there.
        let provider_secret = format!("planted-{}", uuid::Uuid::now_v7().simple());
        let folder = DataFolder::open(data.path()).unwrap();
        std::fs::create_dir_all(data.path().join("secrets")).unwrap();
        let providers = json!([{"id": "facebook", "clientId": "1", "clientSecret": provider_secret}]);
        std::fs::write(data.path().join("secrets/identity-providers.json"), providers.to_string()).unwrap();
        assert!(folder.secret("identity-providers").unwrap().is_some());
        let service = Service::kept(&data).await;
        let key = Key::of(data.path());
        let office = Office { admin: key.token(Role::Administrator), service, key, data };
        let keeper = json!({"email": "keeper@example.org", "name": "Keeper", "role": "administrator"});
        office.mutation("users.create", keeper).await.data();

        let ada = office.person("ada", Role::Administrator).await;
        let browser = office.browser(&ada).await;
        let mut used = Self { ada, browser, secrets: Vec::new(), client_id: String::new(), office };
        used.keep("the secret of a provider", &provider_secret);
        used.keep("an operator's token", &used.office.admin.clone());
        used.sign_in_in_every_way().await;
        used.ask_for_mails().await;
        used.let_applications_in().await;
        used.fail_at_everything().await;
        used.keep("the token against cross-site requests", &used.browser.clone().csrf().await);
        used
    }

    /// How to reach the database.
    pub fn running(&self) -> Running {
        DataFolder::open(self.office.data.path()).unwrap().running().unwrap()
    }

    /// The first secret of this name.
    pub fn secret(&self, name: &str) -> &str {
        &self.secrets.iter().find(|secret| secret.name == name).unwrap().text
    }

    fn keep(&mut self, name: &'static str, text: &str) {
        assert!(!text.is_empty(), "{name}");
        self.secrets.push(Secret { name, text: text.to_owned() });
    }

    async fn sign_in_in_every_way(&mut self) {
        self.keep("a password", &self.ada.password.clone());
        self.keep("a cookie that was renewed a moment ago", &self.browser.session().to_owned());
        assert_eq!(self.browser.mutation("auth.refresh", json!({})).await.code(), "OK");
        self.keep("a cookie", &self.browser.session().to_owned());
        self.keep("the cookie of a known browser", &self.browser.cookie(DEVICE).to_owned());
        let first = self.office.tokens(&self.ada).await;
        self.keep("a refresh token that was used a moment ago", &first.refresh);
        let refresh = Request::mutation("auth.refresh", &json!({"refreshToken": first.refresh}));
        let second = Tokens::of(&self.office.service.send(&refresh).await.data());
        self.keep("a refresh token", &second.refresh);
        self.keep("an access token", &second.access);
        let start = Request::new("GET", "/oauth/start?provider=facebook&return_to=/in");
        let mut elsewhere = Browser::new(&self.office.service);
        let answer = elsewhere.send(start).await;
        self.keep("the state of a sign-in elsewhere", &sent_with(&answer, "state"));
        self.keep("the cookie of a sign-in elsewhere", &elsewhere.cookie("onefold-sign-in-local").to_owned());
    }

    async fn ask_for_mails(&mut self) {
        let bob = self.office.registered("bob").await;
        self.keep("the password of an account that is not proved", &bob.password);
        self.keep("a token that proves an address", &self.office.mail(&bob.email, 1).await.token());
        let again = json!({"email": bob.email});
        assert_eq!(self.browser.mutation("auth.resend_verification", again).await.code(), "OK");
        self.keep("another of them", &self.office.mail(&bob.email, 2).await.token());
        let reset = json!({"email": self.ada.email});
        assert_eq!(self.browser.mutation("auth.request_reset", reset).await.code(), "OK");
        self.keep("a token for another password", &self.office.mail(&self.ada.email, 2).await.token());
        let export = self.browser.mutation("account.export", json!({})).await;
        assert_eq!(export.code(), "OK");
    }

    async fn let_applications_in(&mut self) {
        let input =
            json!({"name": "Reader", "kind": "confidential", "redirectUris": [CALLBACK], "scopes": ["posts:read"]});
        let registered = self.browser.mutation("grants.clients_create", input).await.data();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, secret) = (text(&registered["client"]["id"]), text(&registered["secret"]));
        self.keep("the secret of an application", &secret);
        for used in [true, false] {
            let verifier = BASE64.encode(uuid::Uuid::now_v7().as_bytes().repeat(3));
            let challenge = BASE64.encode(digest(&SHA256, verifier.as_bytes()));
            let csrf = self.browser.csrf().await;
            let approve = form(
                "/oauth/authorize",
                &[
                    ("client_id", &id),
                    ("redirect_uri", CALLBACK),
                    ("response_type", "code"),
                    ("scope", "posts:read"),
                    ("code_challenge", &challenge),
                    ("code_challenge_method", "S256"),
                    ("state", "x"),
                    ("csrf_token", &csrf),
                    ("decision", "approve"),
                ],
            );
            let answer = self.browser.send(approve.header("origin", self.browser.origin())).await;
            let code = sent_with(&answer, "code");
            self.keep("the verifier of a code", &verifier);
            self.keep(if used { "a code that was used" } else { "a code" }, &code);
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
                    self.office.service.send(&redeem.header("authorization", basic(&id, &secret))).await.json();
                self.keep("an application's access token", &text(&tokens["access_token"]));
                self.keep("an application's refresh token", &text(&tokens["refresh_token"]));
            }
        }
        self.client_id = id;
    }

    /// Secrets in the wrong place are secrets all the same.
    async fn fail_at_everything(&mut self) {
        let wrong: Vec<String> = (0..4).map(|_| password()).collect();
        let email = self.ada.email.clone();
        assert_eq!(Browser::new(&self.office.service).login(&email, &wrong[0]).await.failure(), "wrongCredentials");
        let change = json!({"current": wrong[1], "password": wrong[2]});
        assert_eq!(self.browser.mutation("auth.change_password", change).await.failure(), "wrongPassword");
        assert_eq!(
            self.browser.mutation("account.erase", json!({"password": wrong[3]})).await.failure(),
            "wrongPassword"
        );
        for password in wrong {
            self.keep("a password that was tried", &password);
        }
        let swapped = json!({"email": self.ada.password, "password": self.ada.email});
        assert_eq!(self.browser.mutation("auth.login", swapped).await.code(), "BAD_REQUEST");
        assert!(self.browser.has(SESSION));
    }
}
