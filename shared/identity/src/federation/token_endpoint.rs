//! The exchange of a code for tokens: RFC 6749 section 4.1.3, with the verifier of RFC 7636 section 4.5.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use serde::Deserialize;

use super::{
    Provider, SignInError,
    discovery::unavailable,
    outbound::{Address, Answer, Outbound, form},
};

/// The error codes of RFC 6749 sections 4.1.2.1 and 5.2, and OpenID Connect Core section 3.1.2.6. Other texts are not
/// repeated: an answer could hold anything.
const ERRORS: [&str; 14] = [
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "login_required",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
];

/// A code and what the exchange needs beside it.
pub(super) struct Exchange<'a> {
    pub code: &'a str,
    pub verifier: &'a str,
    pub redirect_uri: &'a str,
}

/// The tokens of the answer.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub access_token: String,
    token_type: Option<String>,
    pub id_token: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    error: String,
}

pub(super) async fn exchange(
    outbound: &Outbound,
    endpoint: &Address,
    provider: &Provider,
    secret_in_form: bool,
    exchange: &Exchange<'_>,
) -> Result<Tokens, SignInError> {
    let mut parameters = vec![
        ("grant_type", "authorization_code"),
        ("code", exchange.code),
        ("redirect_uri", exchange.redirect_uri),
        ("code_verifier", exchange.verifier),
    ];
    let authorization = if secret_in_form {
        parameters.extend([("client_id", &*provider.client_id), ("client_secret", &*provider.client_secret)]);
        None
    } else {
        Some(basic(&provider.client_id, &provider.client_secret))
    };
    let answer = outbound.post_form(endpoint, authorization, form(&parameters)).await.map_err(unavailable)?;
    if answer.status != StatusCode::OK {
        return Err(failure(&answer));
    }
    let tokens = answer.json::<Tokens>().filter(|tokens| !tokens.access_token.is_empty());
    let tokens = tokens.ok_or_else(|| unavailable("the token endpoint answers without tokens"))?;
    // Section 7.1: a token of another type is not to be used.
    match &tokens.token_type {
        Some(kind) if !kind.eq_ignore_ascii_case("bearer") => {
            Err(unavailable("the tokens are of a type that is not known"))
        }
        _ => Ok(tokens),
    }
}

/// Section 2.3.1: both parts are form-encoded first.
fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

fn failure(answer: &Answer) -> SignInError {
    match answer.json::<Failure>() {
        Some(Failure { error }) if error == "invalid_grant" => {
            SignInError::Untrusted("the provider does not take the code")
        }
        Some(Failure { error }) => {
            unavailable(format!("the token endpoint answers {}: {}", answer.status.as_u16(), known(&error)))
        }
        None => unavailable(format!("the token endpoint answers {}", answer.status.as_u16())),
    }
}

/// The standard's error code, or a placeholder for any other text.
pub(super) fn known(error: &str) -> &'static str {
    ERRORS.iter().find(|known| **known == error).unwrap_or(&"an error that the standard does not know")
}
