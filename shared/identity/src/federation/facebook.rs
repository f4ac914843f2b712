//! Facebook Login: OAuth 2.0 with PKCE, and the Graph API in place of an ID token.
//!
//! Facebook does not say whether the address is the user's: it never counts as verified.

use http::StatusCode;
use ring::hmac;
use serde::Deserialize;

use super::{
    Identity, Provider, SignInError,
    discovery::unavailable,
    id_token::is_subject,
    outbound::{Address, Outbound},
};

/// Facebook's issuer, should its answers ever state one.
pub(super) const ISSUER: &str = "https://www.facebook.com";

#[derive(Deserialize)]
struct User {
    id: String,
    name: Option<String>,
    email: Option<String>,
}

/// Fetches the user of an access token.
pub(super) async fn identity(
    outbound: &Outbound,
    provider: &Provider,
    user: &Address,
    access_token: &str,
) -> Result<Identity, SignInError> {
    // The proof shows that the app to which the token was issued uses it; an app can be set to require it.
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
