//! A third party's application that keeps a secret.

use serde_json::{Value, json};

use super::drive::{CALLBACK, approve_for, form};
use crate::support::{Answer, Browser, Request, TestServer, http::basic};

/// One that may act for itself and in somebody's name.
pub struct Application {
    pub id: String,
    secret: String,
}

impl Application {
    /// Has an administrator register one for these permissions.
    pub async fn register(server: &TestServer, scopes: &[&str]) -> Self {
        let registered = Self::try_register(server, scopes).await.data();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { id: text(&registered["client"]["id"]), secret: text(&registered["secret"]) }
    }

    /// What comes of the attempt.
    pub async fn try_register(server: &TestServer, scopes: &[&str]) -> Answer {
        let input = json!({
            "name": "Robot",
            "kind": "confidential",
            "redirectUris": [CALLBACK],
            "scopes": scopes,
            "grantTypes": ["authorization_code", "refresh_token", "client_credentials"],
        });
        server.mutation("grants.clientsCreate", input).await
    }

    /// A request for a token.
    pub fn asks(&self, fields: &[(&str, &str)]) -> Request {
        form("/oauth/token", fields).header("authorization", basic(&self.id, &self.secret))
    }

    /// A form as it is, with the proof of who sends it.
    pub fn sends(&self, path: &str, body: impl Into<Vec<u8>>) -> Request {
        let form = Request::new("POST", path).header("content-type", "application/x-www-form-urlencoded").body(body);
        form.header("authorization", basic(&self.id, &self.secret))
    }

    /// The token that it has for itself: for all that it was registered for.
    pub async fn for_itself(&self, server: &TestServer) -> String {
        token(&server.service.send(&self.asks(&[("grant_type", "client_credentials")])).await)
    }

    /// The token that it has once somebody lets it in.
    pub async fn in_the_name_of(&self, server: &TestServer, browser: &mut Browser, scope: &str) -> String {
        let (code, verifier) = approve_for(browser, &self.id, scope).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &*verifier),
        ];
        token(&server.service.send(&self.asks(&fields)).await)
    }

    /// Removes it.
    pub async fn remove(&self, server: &TestServer) {
        assert_eq!(server.mutation("grants.clientsDelete", json!({"id": self.id})).await.code(), "OK");
    }
}

fn token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
}
