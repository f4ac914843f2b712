//! An issuer's metadata (OpenID Connect Discovery 1.0) and its JSON Web Key Set (RFC 7517), cached for a while.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use protocol::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    SignInError,
    keys::{KeySet, Keys},
    outbound::{Address, Outbound},
};

/// How long an issuer's documents are cached, in milliseconds.
pub(super) const KEPT_MS: i64 = 60 * 60 * 1000;

/// The issuers of this process, at most as many as are configured.
#[derive(Default)]
pub(super) struct Issuers {
    metadata: Cached<Metadata>,
    keys: Cached<Keys>,
}

/// The part of the discovery document that is used.
pub(super) struct Metadata {
    pub authorization: Address,
    pub token: Address,
    pub user: Option<Address>,
    keys: Address,
    /// Whether the client secret goes into the form instead of a header.
    pub secret_in_form: bool,
    /// Whether every answer states the issuer (RFC 9207): an answer without it is then refused.
    pub states_issuer: bool,
    /// Whether the provider supports OpenID Connect `prompt=login`.
    pub prompts_login: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
    prompt_values_supported: Option<Vec<String>>,
}

impl Issuers {
    pub async fn metadata(
        &self,
        outbound: &Outbound,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Arc<Metadata>, SignInError> {
        if let Some(known) = self.metadata.get(issuer, now) {
            return Ok(known);
        }
        let own = Address::parse(issuer).map_err(unavailable)?;
        // Section 4: a slash at the issuer's end is not doubled.
        let well_known = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document =
            fetch(outbound, &Address::parse(&well_known).map_err(unavailable)?, "discovery document").await?;
        let metadata = Metadata::from_document(&own, issuer, document)?;
        Ok(self.metadata.put(issuer, now, metadata))
    }

    /// The issuer's keys; `fresh` fetches them even if some are cached.
    pub async fn keys(
        &self,
        outbound: &Outbound,
        issuer: &str,
        metadata: &Metadata,
        fresh: bool,
        now: Timestamp,
    ) -> Result<Arc<Keys>, SignInError> {
        if let Some(known) = self.keys.get(issuer, now).filter(|_| !fresh) {
            return Ok(known);
        }
        let set: KeySet = fetch(outbound, &metadata.keys, "key set").await?;
        Ok(self.keys.put(issuer, now, Keys::from_set(set)))
    }
}

impl Metadata {
    fn from_document(own: &Address, issuer: &str, document: Document) -> Result<Self, SignInError> {
        // Section 4.3: otherwise one issuer could speak for another.
        if document.issuer != issuer {
            return Err(SignInError::Untrusted("the discovery document is of another issuer"));
        }
        let address = |text: &str| {
            own.named_by(text).map_err(|_| SignInError::Untrusted("an address of the discovery document is refused"))
        };
        // RFC 8414 section 2: the header is the default.
        let methods = document.token_endpoint_auth_methods_supported;
        let takes = |method: &str| methods.as_ref().is_some_and(|all| all.iter().any(|one| one == method));
        Ok(Self {
            authorization: address(&document.authorization_endpoint)?,
            token: address(&document.token_endpoint)?,
            user: document.userinfo_endpoint.as_deref().map(address).transpose()?,
            keys: address(&document.jwks_uri)?,
            secret_in_form: takes("client_secret_post") && !takes("client_secret_basic"),
            states_issuer: document.authorization_response_iss_parameter_supported == Some(true),
            prompts_login: document.prompt_values_supported.iter().flatten().any(|value| value == "login"),
        })
    }
}

async fn fetch<T: DeserializeOwned>(
    outbound: &Outbound,
    address: &Address,
    what: &'static str,
) -> Result<T, SignInError> {
    let answer = outbound.get(address, None).await.map_err(unavailable)?;
    if answer.status != http::StatusCode::OK {
        return Err(unavailable(format!("the issuer answers {} in place of its {what}", answer.status.as_u16())));
    }
    answer.json().ok_or_else(|| unavailable(format!("what the issuer answers is no {what}")))
}

pub(super) fn unavailable(cause: impl Into<protocol::Cause>) -> SignInError {
    SignInError::Unavailable(cause.into())
}

/// Values by issuer, each good for [`KEPT_MS`].
struct Cached<T>(Mutex<HashMap<String, (Timestamp, Arc<T>)>>);

impl<T> Cached<T> {
    fn get(&self, issuer: &str, now: Timestamp) -> Option<Arc<T>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, value) = known.get(issuer)?;
        // A clock that was set back makes a value old, not eternal.
        (0..KEPT_MS).contains(&(now.unix_ms() - since.unix_ms())).then(|| Arc::clone(value))
    }

    fn put(&self, issuer: &str, now: Timestamp, value: T) -> Arc<T> {
        let value = Arc::new(value);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(issuer.to_owned(), (now, Arc::clone(&value)));
        value
    }
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The Runtime API of a Lambda process has a loopback address.
    #[test]
    fn an_outside_issuer_names_no_address_of_this_machine() {
        let issuer = "https://id.example";
        let metadata = |token: &str| {
            let document = json!({
                "issuer": issuer, "authorization_endpoint": "https://id.example/authorize", "token_endpoint": token,
                "jwks_uri": "https://keys.example",
            });
            let document = serde_json::from_value(document).unwrap();
            Metadata::from_document(&Address::parse(issuer).unwrap(), issuer, document).map(|_| ())
        };
        assert!(metadata("https://id.example/token").is_ok());
        assert!(matches!(metadata("http://127.0.0.1:9001/token"), Err(SignInError::Untrusted(_))));
    }
}
