//! Sign-in flows from start to finish.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::fixtures::{Host, KeyPair, NOW_S, at};
use runtime::opaque::Opaque;

use crate::federation::{
    Callback, FLOW_LIFETIME_MS, Flow, Identity, Outbound, Prompt, Providers, RelyingParty, SignInError, discovery,
};

const REDIRECT: &str = "https://api.example/oauth/callback";
const SECRET: &str = "hunter2 & more";

/// One provider (`acme`), Facebook at the same host, and a browser.
struct Fixture {
    host: Host,
    pair: KeyPair,
    party: RelyingParty,
    providers: Providers,
    browser: Opaque,
}

/// A started flow, with the parameters that the browser carries to the provider.
struct StartedFlow {
    flow: Flow,
    url: String,
    query: HashMap<String, String>,
}

impl StartedFlow {
    fn callback(&self) -> Callback {
        Callback { state: Some(self.query["state"].clone()), code: Some("c0de".to_owned()), iss: None, error: None }
    }
}

impl Fixture {
    async fn new() -> Self {
        let host = Host::start().await;
        let origin = &host.origin;
        let providers = json!([
            {"id": "acme", "issuer": origin, "clientId": "us", "clientSecret": SECRET},
            {"id": "facebook", "clientId": "app", "clientSecret": SECRET, "authorizationEndpoint": format!("{origin}/dialog"),
             "tokenEndpoint": format!("{origin}/fb/token"), "userinfoEndpoint": format!("{origin}/me")},
        ]);
        let fixture = Self {
            pair: KeyPair::rsa(),
            party: RelyingParty::new(Outbound::new().unwrap()),
            providers: Providers::parse(&providers.to_string()).unwrap(),
            browser: Opaque::random().unwrap(),
            host,
        };
        fixture.discoverable(&json!({}));
        fixture.host.set("/keys", &json!({"keys": [fixture.pair.jwk("k1")]}));
        fixture
    }

    /// Sets the discovery document, with additional or changed members.
    fn discoverable(&self, members: &Value) {
        let origin = &self.host.origin;
        let mut document = json!({
            "issuer": origin, "authorization_endpoint": format!("{origin}/authorize?tenant=7"),
            "token_endpoint": format!("{origin}/token"), "jwks_uri": format!("{origin}/keys"),
        });
        document.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.host.set("/.well-known/openid-configuration", &document);
    }

    async fn start(&self, provider: &str) -> StartedFlow {
        self.start_with(provider, Prompt::IfNeeded).await
    }

    async fn start_with(&self, provider: &str, prompt: Prompt) -> StartedFlow {
        let provider = self.providers.get(provider).unwrap();
        let started = self.party.start(provider, &self.browser, REDIRECT, prompt, at(NOW_S)).await.unwrap();
        let query = started.url.split_once('?').unwrap().1;
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        StartedFlow { flow: started.flow, url: started.url, query }
    }

    fn claims(&self, started_flow: &StartedFlow) -> Value {
        json!({
            "iss": self.host.origin, "aud": "us", "sub": "7", "nonce": started_flow.query["nonce"], "iat": NOW_S,
            "exp": NOW_S + 300, "email": "ada@example.com", "email_verified": true, "name": "Ada",
        })
    }

    fn give(&self, claims: &Value) {
        self.give_token(&self.pair.sign("RS256", Some("k1"), claims));
    }

    fn give_token(&self, token: &str) {
        self.host.set("/token", &json!({"access_token": "acc3ss", "token_type": "Bearer", "id_token": token}));
    }

    async fn finish(&self, started_flow: &StartedFlow, callback: &Callback) -> Result<Identity, SignInError> {
        self.finish_at(started_flow, callback, Some(&self.browser), NOW_S).await
    }

    async fn finish_at(
        &self,
        started_flow: &StartedFlow,
        callback: &Callback,
        browser: Option<&Opaque>,
        now_s: i64,
    ) -> Result<Identity, SignInError> {
        self.party.finish(&self.providers, &started_flow.flow, browser, callback, REDIRECT, at(now_s)).await
    }

    fn request_count(&self, path: &str) -> usize {
        self.host.requests(path).len()
    }
}

#[tokio::test]
async fn the_browser_is_sent_with_everything_that_binds_the_flow() {
    let fixture = Fixture::new().await;
    let started_flow = fixture.start("acme").await;
    assert!(
        started_flow.url.starts_with(&format!("{}/authorize?tenant=7&response_type=code&", fixture.host.origin)),
        "{}",
        started_flow.url
    );
    for (name, value) in [
        ("client_id", "us"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid email profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(started_flow.query[name], value);
    }
    // Each has 256 bits, and no two are equal.
    let other = fixture.start("acme").await;
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(started_flow.query[name].len(), 43, "{name}");
        assert_ne!(started_flow.query[name], other.query[name], "{name}");
    }
    assert_eq!(fixture.request_count("/.well-known/openid-configuration"), 1, "the document is kept");
    // What is stored reveals none of them.
    assert_eq!(started_flow.flow.expires_at.unix_ms(), NOW_S * 1000 + FLOW_LIFETIME_MS);
    let stored = format!("{:?}", started_flow.flow);
    for secret in [
        &started_flow.query["state"],
        &started_flow.query["nonce"],
        &started_flow.query["code_challenge"],
        &fixture.browser.text(),
    ] {
        assert!(!stored.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn a_person_who_signs_in_is_known() {
    let fixture = Fixture::new().await;
    let started_flow = fixture.start("acme").await;
    fixture.give(&fixture.claims(&started_flow));
    let identity = fixture.finish(&started_flow, &started_flow.callback()).await.unwrap();
    let expected = Identity {
        provider: "acme".into(),
        subject: "7".into(),
        email: Some("ada@example.com".into()),
        email_verified: true,
        name: Some("Ada".into()),
        authenticated_at: None,
    };
    assert_eq!(identity, expected);
    let exchange = fixture.host.requests("/token").remove(0);
    let form = exchange.form();
    assert_eq!(
        (&*form["grant_type"], &*form["code"], &*form["redirect_uri"]),
        ("authorization_code", "c0de", REDIRECT)
    );
    // The verifier belongs to the challenge (RFC 7636 section 4.6).
    assert_eq!(sha256(&form["code_verifier"]), started_flow.query["code_challenge"]);
    // `us:hunter2+%26+more` (RFC 6749 section 2.3.1).
    assert!(exchange.head.contains("authorization: Basic dXM6aHVudGVyMislMjYrbW9yZQ=="), "{}", exchange.head);
    assert!(!form.contains_key("client_secret"));
}

/// By default, a provider returns a signed-in user at once, which proves nothing anew.
#[tokio::test]
async fn a_provider_is_asked_to_ask_anew_and_must_say_that_it_did() {
    for prompts in [json!({}), json!({"prompt_values_supported": ["none", "login"]})] {
        let fixture = Fixture::new().await;
        fixture.discoverable(&prompts);
        let usual = fixture.start("acme").await;
        assert!(!usual.query.contains_key("max_age") && !usual.query.contains_key("prompt"));
        let started_flow = fixture.start_with("acme", Prompt::Login).await;
        assert_eq!(started_flow.query["max_age"], "0");
        assert_eq!(
            started_flow.query.get("prompt").map(String::as_str),
            prompts.get("prompt_values_supported").map(|_| "login")
        );
        // Seconds since the flow began; the provider's clock is off by a minute at most.
        for (auth_time, expected_s) in [
            (json!(NOW_S), Some(0)),
            (json!(NOW_S + 20), Some(20)),
            (json!(NOW_S - 60), Some(0)),
            (json!(NOW_S + 80), Some(30)),
            (json!(NOW_S - 61), None),
            (json!(NOW_S + 91), None),
            (json!(0), None),
            (json!(NOW_S.to_string()), None),
            (json!(1e300), None),
            (Value::Null, None),
        ] {
            let mut claims = fixture.claims(&started_flow);
            claims["auth_time"] = auth_time.clone();
            fixture.give(&claims);
            let now_s = NOW_S + 30;
            let identity = fixture
                .finish_at(&started_flow, &started_flow.callback(), Some(&fixture.browser), now_s)
                .await
                .unwrap();
            let stated = started_flow.flow.authenticated_at(&identity, at(now_s));
            assert_eq!(stated, expected_s.map(|after_s| at(NOW_S + after_s)), "{auth_time}");
        }
    }
    assert!(!Fixture::new().await.providers.get("facebook").unwrap().can_ask_anew());
}

#[tokio::test]
async fn a_provider_may_want_the_secret_in_the_form() {
    let fixture = Fixture::new().await;
    fixture.discoverable(&json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}));
    let started_flow = fixture.start("acme").await;
    fixture.give(&fixture.claims(&started_flow));
    fixture.finish(&started_flow, &started_flow.callback()).await.unwrap();
    let exchange = fixture.host.requests("/token").remove(0);
    assert_eq!((&*exchange.form()["client_id"], &*exchange.form()["client_secret"]), ("us", SECRET));
    assert!(!exchange.head.contains("authorization:"));
}

#[tokio::test]
async fn an_answer_counts_only_for_its_flow_its_browser_and_its_time() {
    let fixture = Fixture::new().await;
    let (started_flow, other) = (fixture.start("acme").await, fixture.start("acme").await);
    fixture.give(&fixture.claims(&started_flow));
    let expired = |result: Result<_, _>| matches!(result, Err(SignInError::Flow(_)));
    assert!(expired(fixture.finish(&started_flow, &other.callback()).await), "another state");
    assert!(
        expired(fixture.finish(&started_flow, &Callback { state: None, ..started_flow.callback() }).await),
        "no state"
    );
    let stranger = Opaque::random().unwrap();
    assert!(
        expired(fixture.finish_at(&started_flow, &started_flow.callback(), Some(&stranger), NOW_S).await),
        "another browser"
    );
    assert!(expired(fixture.finish_at(&started_flow, &started_flow.callback(), None, NOW_S).await), "no cookie");
    let end_s = NOW_S + FLOW_LIFETIME_MS / 1000;
    assert!(
        expired(fixture.finish_at(&started_flow, &started_flow.callback(), Some(&fixture.browser), end_s).await),
        "too late"
    );
    assert_eq!(fixture.request_count("/token"), 0, "nobody is asked before that is clear");
    assert_eq!(started_flow.callback().flow_id(), Some(started_flow.flow.id.clone()));
    assert!(fixture.finish(&started_flow, &started_flow.callback()).await.is_ok());
    for nonsense in ["", "AA", "*"] {
        assert_eq!(Callback { state: Some(nonsense.into()), ..started_flow.callback() }.flow_id(), None);
    }
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_none() {
    let fixture = Fixture::new().await;
    let started_flow = fixture.start("acme").await;
    fixture.give(&fixture.claims(&started_flow));
    let of = |iss: &str| Callback { iss: Some(iss.to_owned()), ..started_flow.callback() };
    let mixed_up = fixture.finish(&started_flow, &of("https://other.example")).await.unwrap_err();
    assert_eq!(mixed_up.to_string(), "another issuer answers");
    assert_eq!(fixture.request_count("/token"), 0, "the code goes to nobody");
    assert!(fixture.finish(&started_flow, &of(&fixture.host.origin)).await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_always_states_itself_must() {
    let fixture = Fixture::new().await;
    fixture.discoverable(&json!({"authorization_response_iss_parameter_supported": true}));
    let started_flow = fixture.start("acme").await;
    fixture.give(&fixture.claims(&started_flow));
    let nameless = fixture.finish(&started_flow, &started_flow.callback()).await.unwrap_err();
    assert_eq!(nameless.to_string(), "the answer does not state its issuer");
    let denied = Callback { error: Some("access_denied".into()), code: None, ..started_flow.callback() };
    assert!(matches!(fixture.finish(&started_flow, &denied).await, Err(SignInError::Untrusted(_))));
    let iss = Some(fixture.host.origin.clone());
    assert!(matches!(fixture.finish(&started_flow, &Callback { iss, ..denied }).await, Err(SignInError::Denied)));
}

#[tokio::test]
async fn a_person_may_say_no_and_a_provider_may_fail() {
    let fixture = Fixture::new().await;
    let started_flow = fixture.start("acme").await;
    let with = |error: &str| Callback { error: Some(error.into()), ..started_flow.callback() };
    assert_eq!(fixture.finish(&started_flow, &with("access_denied")).await.unwrap_err().code(), "denied");
    assert_eq!(fixture.finish(&started_flow, &with("server_error")).await.unwrap_err().code(), "unavailable");
    let unknown_error = fixture.finish(&started_flow, &with("<script>")).await.unwrap_err();
    assert!(unknown_error.code() == "unavailable" && !format!("{unknown_error:?}").contains("script"));
    let nothing = Callback { code: None, ..started_flow.callback() };
    assert_eq!(fixture.finish(&started_flow, &nothing).await.unwrap_err().code(), "refused");
    assert_eq!(fixture.request_count("/token"), 0);
}

#[tokio::test]
async fn a_token_of_another_flow_is_refused() {
    let fixture = Fixture::new().await;
    let (started_flow, other) = (fixture.start("acme").await, fixture.start("acme").await);
    fixture.give(&fixture.claims(&other));
    let injected = fixture.finish(&started_flow, &started_flow.callback()).await.unwrap_err();
    assert_eq!((injected.code(), &*injected.to_string()), ("refused", "the ID token is of another flow"));
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_asked_for_once() {
    let fixture = Fixture::new().await;
    let started_flow = fixture.start("acme").await;
    fixture.give(&fixture.claims(&started_flow));
    fixture.finish(&started_flow, &started_flow.callback()).await.unwrap();
    let new = KeyPair::p256();
    fixture.give_token(&new.sign("ES256", Some("k2"), &fixture.claims(&started_flow)));
    let unknown = fixture.finish(&started_flow, &started_flow.callback()).await.unwrap_err();
    assert_eq!(unknown.to_string(), "the ID token is signed with a key that the issuer has not");
    assert_eq!(fixture.request_count("/keys"), 2, "asked again, once");
    fixture.host.set("/keys", &json!({"keys": [fixture.pair.jwk("k1"), new.jwk("k2")]}));
    assert!(fixture.finish(&started_flow, &started_flow.callback()).await.is_ok());
    assert!(fixture.finish(&started_flow, &started_flow.callback()).await.is_ok());
    assert_eq!(fixture.request_count("/keys"), 3, "and kept");
    // A bad signature of a known key is no reason to fetch the keys again.
    fixture.give_token(&new.sign("ES256", Some("k2"), &fixture.claims(&started_flow)).replace('.', "A."));
    assert!(fixture.finish(&started_flow, &started_flow.callback()).await.is_err());
    assert_eq!(fixture.request_count("/keys"), 3);
}

#[tokio::test]
async fn what_an_issuer_says_is_kept_for_a_while() {
    let fixture = Fixture::new().await;
    let acme = fixture.providers.get("acme").unwrap();
    let kept_s = discovery::KEPT_MS / 1000;
    for (now_s, count) in [(NOW_S, 1), (NOW_S + kept_s - 1, 1), (NOW_S + kept_s, 2), (NOW_S, 3), (NOW_S + 1, 3)] {
        fixture.party.start(acme, &fixture.browser, REDIRECT, Prompt::IfNeeded, at(now_s)).await.unwrap();
        assert_eq!(fixture.request_count("/.well-known/openid-configuration"), count, "{now_s}");
    }
}

#[tokio::test]
async fn an_issuer_speaks_for_itself_only() {
    let fixture = Fixture::new().await;
    let acme = fixture.providers.get("acme").unwrap();
    let start = || fixture.party.start(acme, &fixture.browser, REDIRECT, Prompt::IfNeeded, at(NOW_S));
    let origin = &fixture.host.origin;
    for wrong in [
        json!({"issuer": "https://accounts.google.com"}),
        json!({"issuer": format!("{origin}/")}),
        json!({"token_endpoint": "http://a.example/token"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
        json!({"jwks_uri": "file:///etc/passwd"}),
    ] {
        fixture.discoverable(&wrong);
        assert_eq!(start().await.err().map(|error| error.code()), Some("refused"), "{wrong}");
    }
    fixture.discoverable(&json!({"token_endpoint": 7}));
    assert_eq!(start().await.err().map(|error| error.code()), Some("unavailable"));
    fixture.host.set_raw("/.well-known/openid-configuration", "302 Found\r\nlocation: https://a.example", "");
    assert_eq!(start().await.err().map(|error| error.code()), Some("unavailable"));
}

#[tokio::test]
async fn an_address_that_is_not_in_the_token_is_asked_for() {
    let fixture = Fixture::new().await;
    fixture.discoverable(&json!({"userinfo_endpoint": format!("{}/userinfo", fixture.host.origin)}));
    let started_flow = fixture.start("acme").await;
    let mut claims = fixture.claims(&started_flow);
    fixture.give(&claims);
    fixture.finish(&started_flow, &started_flow.callback()).await.unwrap();
    assert_eq!(fixture.request_count("/userinfo"), 0);
    claims.as_object_mut().unwrap().remove("email");
    fixture.give(&claims);
    // `email_verified` counts only beside its address.
    fixture.host.set("/userinfo", &json!({"sub": "7", "email": "eve@example.com"}));
    let identity = fixture.finish(&started_flow, &started_flow.callback()).await.unwrap();
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("eve@example.com"), false));
    assert_eq!(identity.name.as_deref(), Some("Ada"));
    assert!(fixture.host.requests("/userinfo")[0].head.contains("authorization: Bearer acc3ss"));
    fixture.host.set("/userinfo", &json!({"sub": "7"}));
    let identity = fixture.finish(&started_flow, &started_flow.callback()).await.unwrap();
    assert_eq!((identity.email, identity.email_verified), (None, false));
    fixture.host.set("/userinfo", &json!({"sub": "8", "email": "eve@example.com", "email_verified": true}));
    let other = fixture.finish(&started_flow, &started_flow.callback()).await.unwrap_err();
    assert_eq!(other.to_string(), "the UserInfo endpoint speaks of somebody else");
}

#[tokio::test]
async fn a_code_that_is_refused_and_a_client_that_is_refused_are_told_apart_and_not_shown() {
    let fixture = Fixture::new().await;
    let started_flow = fixture.start("acme").await;
    let describe = |error: &str| json!({"error": error, "error_description": "c0de hunter2"}).to_string();
    for (status, body, code) in [
        ("400 Bad Request", describe("invalid_grant"), "refused"),
        ("401 Unauthorized", describe("invalid_client"), "unavailable"),
        ("400 Bad Request", describe("hunter2"), "unavailable"),
        ("500 Internal Server Error", "hunter2".to_owned(), "unavailable"),
        ("200 OK", "hunter2".to_owned(), "unavailable"),
        ("200 OK", json!({"access_token": 7, "id_token": "hunter2"}).to_string(), "unavailable"),
        ("200 OK", json!({"access_token": "acc3ss"}).to_string(), "refused"),
        ("200 OK", json!({"access_token": "acc3ss", "token_type": "DPoP"}).to_string(), "unavailable"),
        ("200 OK", json!({"access_token": "acc3ss", "id_token": "hunter2"}).to_string(), "refused"),
    ] {
        fixture.host.set_raw("/token", status, &body);
        let error = fixture.finish(&started_flow, &started_flow.callback()).await.unwrap_err();
        let said = format!("{error} {error:?}");
        assert_eq!(error.code(), code, "{body}");
        assert!(!said.contains("hunter2") && !said.contains("c0de") && !said.contains("acc3ss"), "{said}");
    }
    assert!(!format!("{:?}", fixture.providers).contains("hunter2"));
}

#[tokio::test]
async fn facebook_tells_who_it_is_and_vouches_for_no_address() {
    let fixture = Fixture::new().await;
    let started_flow = fixture.start("facebook").await;
    assert!(started_flow.url.starts_with(&format!("{}/dialog?", fixture.host.origin)));
    assert!(!started_flow.query.contains_key("nonce") && started_flow.query["code_challenge_method"] == "S256");
    assert_eq!(started_flow.query["scope"], "email public_profile");
    fixture.host.set("/fb/token", &json!({"access_token": "acc3ss", "token_type": "bearer", "expires_in": 5183944}));
    fixture.host.set("/me", &json!({"id": "10", "name": "Ada", "email": "ada@example.com", "email_verified": true}));
    let identity = fixture.finish(&started_flow, &started_flow.callback()).await.unwrap();
    assert_eq!((&*identity.provider, &*identity.subject), ("facebook", "10"));
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), false));
    let form = fixture.host.requests("/fb/token")[0].form();
    assert_eq!((&*form["client_id"], &*form["client_secret"], &*form["code"]), ("app", SECRET, "c0de"));
    assert_eq!(sha256(&form["code_verifier"]), started_flow.query["code_challenge"]);
    let me = fixture.host.requests("/me").remove(0).head;
    assert!(me.contains("authorization: Bearer acc3ss") && !me.lines().next().unwrap().contains("acc3ss"), "{me}");
    // HMAC-SHA256 of `acc3ss` under `hunter2 & more`, computed by another program.
    assert!(
        me.contains(
            "fields=id%2Cname%2Cemail&appsecret_proof=7238c2f1b0d58d5ad95fff14638fa66015f5a150ad13a00004fea96342bc5f5d "
        ),
        "{me}"
    );
    fixture.host.set("/me", &json!({"id": "", "name": "Ada"}));
    assert_eq!(fixture.finish(&started_flow, &started_flow.callback()).await.unwrap_err().code(), "refused");
    fixture.host.set_raw("/me", "400 Bad Request", "{}");
    assert_eq!(fixture.finish(&started_flow, &started_flow.callback()).await.unwrap_err().code(), "unavailable");
    let mixed_up = Callback { iss: Some(fixture.host.origin.clone()), ..started_flow.callback() };
    assert_eq!(fixture.finish(&started_flow, &mixed_up).await.unwrap_err().code(), "refused");
}

fn sha256(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()))
}
