//! Facebook Login: OAuth 2.0 with PKCE, and the Graph API in place of an ID token.
//!
//! Facebook says nothing about whether the address is the person's: it is never taken as verified.

use http::StatusCode;
use ring::hmac;
use serde::Deserialize;

use super::{
    Identity, Provider, SignInError,
    discovery::unavailable,
    id_token::is_subject,
    outbound::{Address, Outbound},
};

/// What Facebook calls itself, should it ever state it in its answers.
pub(super) const ISSUER: &str = "https://www.facebook.com";

#[derive(Deserialize)]
struct User {
    id: String,
    name: Option<String>,
    email: Option<String>,
}

/// Who an access token is of.
pub(super) async fn identity(
    outbound: &Outbound,
    provider: &Provider,
    user: &Address,
    access_token: &str,
) -> Result<Identity, SignInError> {
    // Proves that the token is used by the app that it was given to; an app can be set to insist on it.
    let key = hmac::Key::new(hmac::HMAC_SHA256, provider.client_secret.as_bytes());
    let proof: String =
        hmac::sign(&key, access_token.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let address = user.with_query(&[("fields", "id,name,email"), ("appsecret_proof", &proof)]);
    let address = Address::parse(&address).map_err(unavailable)?;
    let answer = outbound.get(&address, Some(format!("Bearer {access_token}"))).await.map_err(unavailable)?;
    if answer.status != StatusCode::OK {
        return Err(unavailable(format!("the Graph API answers {}", answer.status.as_u16())));
    }
    let user: User = answer.json().ok_or_else(|| unavailable("the Graph API answers without a user"))?;
    if !is_subject(&user.id) {
        return Err(SignInError::Untrusted("the user's id is none"));
    }
    Ok(Identity {
        provider: provider.id.clone(),
        subject: user.id,
        email: user.email.filter(|email| !email.is_empty()),
        email_verified: false,
        name: user.name.filter(|name| !name.is_empty()),
        authenticated_at: None,
    })
}
