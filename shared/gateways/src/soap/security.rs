//! WS-Security: a UsernameToken (OASIS Web Services Security UsernameToken Profile 1.1.1) stands for a sign-in that
//! lasts for one call. The service's own procedures sign in and out, so that their rules and limits hold.

use std::{fmt, time::Duration};

use http::HeaderValue;
use protocol::{
    Code, Timestamp,
    contract::{Contract, PasswordSignInContract, ProcedureContract},
};
use serde_json::{Map, Value, json};

use crate::{Calls, Outcome, Refusal, respond::Deadline};

use super::{
    fault::{Kind, Trouble},
    xml::{Element, is_space},
};

/// The namespace of Security, UsernameToken and the names of faults.
pub const SECEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// The namespace of Timestamp and Created.
pub const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const PASSWORD_TEXT: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

/// How far two clocks may be apart, and how old a UsernameToken may be, in milliseconds.
const SKEW_MS: i64 = 5 * 60 * 1000;

/// How much of a request's time is kept for signing out.
const TO_SIGN_OUT: Duration = Duration::from_secs(3);

/// Who calls, and the proof.
#[derive(PartialEq, Eq)]
pub struct UsernameToken {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
}

/// Nothing prints a password.
impl fmt::Debug for UsernameToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UsernameToken")
    }
}

fn invalid(message: &str) -> Trouble {
    Trouble::new(Kind::Security("InvalidSecurity"), Code::BadRequest, message)
}

fn unsupported(message: &str) -> Trouble {
    Trouble::new(Kind::Security("UnsupportedSecurityToken"), Code::BadRequest, message)
}

/// Reads a Security header. Whatever in it would have to be checked, and is not, is refused.
///
/// # Errors
/// A fault of WS-Security.
pub fn read(header: &Element, now: Timestamp) -> Result<Option<UsernameToken>, Trouble> {
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

fn not_expired(timestamp: &Element, now: Timestamp) -> Result<(), Trouble> {
    let all = |name| timestamp.children.iter().filter(move |child| child.is(UTILITY, name));
    if ["Created", "Expires"].into_iter().any(|name| all(name).nth(1).is_some()) {
        return Err(invalid("A Timestamp holds each element once."));
    }
    let Some(expires) = all("Expires").next() else { return Ok(()) };
    let expires = time(expires)?;
    if expires.unix_ms().saturating_add(SKEW_MS) < now.unix_ms() { Err(expired()) } else { Ok(()) }
}

fn time(element: &Element) -> Result<Timestamp, Trouble> {
    let time = element.text.trim_matches(is_space).parse();
    time.map_err(|_| invalid("`Created` and `Expires` are times, with a zone."))
}

fn expired() -> Trouble {
    Trouble::new(Kind::Expired, Code::BadRequest, "The message has expired.")
}

fn username_token(token: &Element, now: Timestamp) -> Result<UsernameToken, Trouble> {
    let (mut name, mut password, mut created, mut nonce) = (None, None, None, None);
    for child in &token.children {
        let place = match (&*child.namespace, child.name.as_str()) {
            (SECEXT, "Username") => &mut name,
            (SECEXT, "Password") => &mut password,
            (UTILITY, "Created") => &mut created,
            // It keeps a digest from being sent again. Who could send this message again has the password itself.
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
        // A digest is made of the password itself, and what is stored here is a hash of another kind.
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

/// Calls a procedure as somebody who signs in for this call, and out again after it.
///
/// # Errors
/// When nobody is signed in: a fault of WS-Security, or what keeps the service from signing in, such as its limits.
pub async fn run_signed_in(
    contract: &Contract,
    calls: &Calls<'_>,
    token: &UsernameToken,
    procedure: &ProcedureContract,
    input: Option<&[u8]>,
) -> Result<Outcome, Trouble> {
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
    let deadline = Deadline::keeping(TO_SIGN_OUT);
    // Who signs in here is somebody else than the request's own session, if it has one, and leaves no trace in it.
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

/// Why nobody is signed in: the wrong credentials, in whatever way they are wrong, or what keeps from looking.
fn not_signed_in(refusal: Refusal) -> Trouble {
    match refusal.code {
        // What cannot be a name or a password is nobody's.
        Code::Unauthorized | Code::BadRequest => {
            let message = "There is no account with this name and this password.";
            let wrong = Refusal { request_id: refusal.request_id, ..Refusal::new(Code::Unauthorized, message) };
            Trouble { kind: Kind::Security("FailedAuthentication"), refusal: wrong.into() }
        }
        _ => Refusal { failure: None, fields: Vec::new(), ..refusal }.into(),
    }
}
