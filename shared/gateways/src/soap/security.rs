//! WS-Security: a UsernameToken (OASIS Web Services Security UsernameToken Profile 1.1.1) signs the caller in for one
//! call. The service's own procedures sign in and out, so that their rules and limits apply.

use std::{fmt, time::Duration};

use http::HeaderValue;
use protocol::{
    Code, Timestamp,
    contract::{Contract, PasswordSignInContract, ProcedureContract},
};
use serde_json::{Map, Value, json};

use crate::{Calls, Outcome, Refusal, respond::CallsDeadline};

use super::{
    fault::{FaultName, SoapFault},
    xml::{Element, is_space},
};

/// The namespace of Security, UsernameToken and the names of faults.
pub const SECEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// The namespace of Timestamp and Created.
pub const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const PASSWORD_TEXT: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

/// The tolerated clock skew, and the maximum age of a UsernameToken, in milliseconds.
const SKEW_MS: i64 = 5 * 60 * 1000;

/// The part of a request's time that is reserved for signing out.
const TO_SIGN_OUT: Duration = Duration::from_secs(3);

/// A name with a password.
#[derive(PartialEq, Eq)]
pub struct UsernameToken {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
}

/// Hides the password.
impl fmt::Debug for UsernameToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UsernameToken")
    }
}

fn invalid(message: &str) -> SoapFault {
    SoapFault::new(FaultName::Security("InvalidSecurity"), Code::BadRequest, message)
}

fn unsupported(message: &str) -> SoapFault {
    SoapFault::new(FaultName::Security("UnsupportedSecurityToken"), Code::BadRequest, message)
}

/// Reads a Security header. It refuses everything that would need a check that is not implemented.
///
/// # Errors
/// A fault of WS-Security.
pub fn read(header: &Element, now: Timestamp) -> Result<Option<UsernameToken>, SoapFault> {
    let (mut token, mut timestamp) = (None, None);
    for child in &header.children {
        if child.is(UTILITY, "Timestamp") {
            // SOAP Message Security 1.1.1, section 10.
            if timestamp.replace(child).is_some() {
                return Err(invalid("There is more than one Timestamp."));
            }
            not_expired(child, now)?;
        } else if !child.is(SECEXT, "UsernameToken") {
            return Err(unsupported("Of WS-Security, UsernameToken and Timestamp are understood."));
        } else if token.replace(username_token(child, now)?).is_some() {
            return Err(invalid("There is more than one UsernameToken."));
        }
    }
    Ok(token)
}

fn not_expired(timestamp: &Element, now: Timestamp) -> Result<(), SoapFault> {
    let all = |name| timestamp.children.iter().filter(move |child| child.is(UTILITY, name));
    if ["Created", "Expires"].into_iter().any(|name| all(name).nth(1).is_some()) {
        return Err(invalid("A Timestamp holds each element once."));
    }
    let Some(expires) = all("Expires").next() else { return Ok(()) };
    let expires = time(expires)?;
    if expires.unix_ms().saturating_add(SKEW_MS) < now.unix_ms() { Err(expired()) } else { Ok(()) }
}

fn time(element: &Element) -> Result<Timestamp, SoapFault> {
    let time = element.text.trim_matches(is_space).parse();
    time.map_err(|_| invalid("`Created` and `Expires` are times, with a zone."))
}

fn expired() -> SoapFault {
    SoapFault::new(FaultName::Expired, Code::BadRequest, "The message has expired.")
}

fn username_token(token: &Element, now: Timestamp) -> Result<UsernameToken, SoapFault> {
    let (mut name, mut password, mut created, mut nonce) = (None, None, None, None);
    for child in &token.children {
        let place = match (&*child.namespace, child.name.as_str()) {
            (SECEXT, "Username") => &mut name,
            (SECEXT, "Password") => &mut password,
            (UTILITY, "Created") => &mut created,
            // A nonce protects a digest from being replayed. Whoever could replay this message has the password
            // itself.
            (SECEXT, "Nonce") => &mut nonce,
            _ => return Err(unsupported("Of a UsernameToken, Username, Password, Nonce and Created are understood.")),
        };
        if place.replace(child).is_some() {
            return Err(invalid("A UsernameToken holds each element once."));
        }
    }
    let (Some(name), Some(password)) = (name, password) else {
        return Err(invalid("A UsernameToken holds one Username and one Password."));
    };
    match password.attribute("", "Type") {
        None | Some(PASSWORD_TEXT) => {}
        // A digest is made from the password itself, and the service stores another kind of hash.
        Some(kind) if kind.ends_with("#PasswordDigest") => {
            let message =
                "Passwords are stored hashed, so that a digest cannot be checked: send PasswordText, over TLS.";
            return Err(unsupported(message));
        }
        Some(_) => return Err(unsupported("A Password is of the type PasswordText.")),
    }
    if let Some(created) = created {
        let age_ms = now.unix_ms().saturating_sub(time(created)?.unix_ms());
        if age_ms > SKEW_MS {
            return Err(expired());
        }
        if age_ms < -SKEW_MS {
            return Err(invalid("The UsernameToken was created in the future."));
        }
    }
    Ok(UsernameToken { name: name.text.trim_matches(is_space).to_owned(), password: password.text.clone() })
}

/// Calls a procedure as a caller who signs in for this call, and signs out after it.
///
/// # Errors
/// When the sign-in fails: a fault of WS-Security, or why the service did not check it, such as a rate limit.
pub async fn run_signed_in(
    contract: &Contract,
    calls: &Calls<'_>,
    token: &UsernameToken,
    procedure: &ProcedureContract,
    input: Option<&[u8]>,
) -> Result<Outcome, SoapFault> {
    let Some(way) = &contract.password_sign_in else {
        return Err(unsupported("This service takes no UsernameToken."));
    };
    let (Some(sign_in), Some(sign_out)) =
        (contract.find_in_styles(&way.sign_in), contract.find_in_styles(&way.sign_out))
    else {
        return Err(unsupported("This service takes no UsernameToken."));
    };
    if calls.parts().headers.contains_key(http::header::AUTHORIZATION) {
        return Err(invalid("Say in one way who is calling: by a UsernameToken, or in `Authorization`."));
    }
    let deadline = CallsDeadline::keeping(TO_SIGN_OUT);
    // The caller who signs in here is independent of the request's own session, and leaves no trace in it.
    let visitor = calls.anonymous();
    let credentials = credentials(way, token);
    let signed_in =
        deadline.holds(visitor.run(sign_in, Some(&credentials))).await.unwrap_or_else(|late| Err(late.into()));
    let signed_in = signed_in.map_err(not_signed_in)?;
    let signed_in: Value = match &signed_in {
        Some(output) => serde_json::from_str(output.get()).unwrap_or_default(),
        None => Value::Null,
    };
    let text = |pointer: &str| signed_in.pointer(pointer).and_then(Value::as_str);
    let bearer = text(&way.access_token).and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
    let Some(mut bearer) = bearer else {
        return Err(Refusal::new(Code::BadGateway, "Signing in gave no token.").into());
    };
    bearer.set_sensitive(true);
    let outcome = deadline.holds(calls.run_as(procedure, input, Some(&bearer))).await;
    let refresh = text(&way.refresh_token).unwrap_or_default();
    let input = json!({ &*way.refresh_token_field: refresh }).to_string();
    if let Err(refusal) = visitor.run_as(sign_out, Some(input.as_bytes()), Some(&bearer)).await {
        tracing::warn!(code = refusal.code.key(), request_id = calls.request_id(), "a call's session was not ended");
    }
    Ok(outcome.unwrap_or_else(|late| Err(late.into())))
}

fn credentials(way: &PasswordSignInContract, token: &UsernameToken) -> Vec<u8> {
    let mut input: Map<String, Value> =
        way.with.iter().map(|(name, text)| (name.clone(), text.clone().into())).collect();
    input.insert(way.name_field.clone(), token.name.clone().into());
    input.insert(way.password_field.clone(), token.password.clone().into());
    Value::Object(input).to_string().into_bytes()
}

/// Why the sign-in failed: wrong credentials of any kind, or why they were not checked.
fn not_signed_in(refusal: Refusal) -> SoapFault {
    match refusal.code {
        // A malformed name or password belongs to no account.
        Code::Unauthorized | Code::BadRequest => {
            let message = "There is no account with this name and this password.";
            let wrong = Refusal { request_id: refusal.request_id, ..Refusal::new(Code::Unauthorized, message) };
            SoapFault { kind: FaultName::Security("FailedAuthentication"), refusal: wrong.into() }
        }
        _ => Refusal { failure: None, fields: Vec::new(), ..refusal }.into(),
    }
}
