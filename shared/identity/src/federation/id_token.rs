//! ID tokens: validation by OpenID Connect Core 1.0 section 3.1.3.7, JWS compact form (RFC 7515), the advice of RFC
//! 8725.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::Timestamp;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::keys::{Algorithm, KeyError, Keys};
use runtime::opaque::Opaque;

/// The tolerated difference between the provider's clock and ours, in seconds.
pub(super) const LEEWAY_S: f64 = 60.0;
/// The longest token that is read, in bytes.
pub(super) const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The end of the year 9999, in seconds since 1970.
const MAX_SECONDS: f64 = 253_402_300_800.0;
/// The longest subject, in characters (section 2).
const MAX_SUBJECT_CHARS: usize = 255;

/// The values that a token must have.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a Opaque,
    /// The access token of the same answer.
    pub access_token: &'a str,
    pub now: Timestamp,
}

/// Why a token is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The signing key is not known, or not known yet.
    UnknownKey,
    /// It breaks this rule.
    Because(&'static str),
}

/// The user's claims, in an ID token and in the UserInfo answer alike (section 5.1).
#[derive(Debug, Deserialize)]
pub(super) struct Profile {
    pub sub: String,
    pub email: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    pub email_verified: bool,
    pub name: Option<String>,
    /// The Google organization that the account belongs to.
    pub hd: Option<String>,
    /// The token's `auth_time`: when the provider last authenticated the user.
    #[serde(skip)]
    pub authenticated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515 section 4.1.11). None is.
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    at_hash: Option<String>,
    /// A number of seconds; any other value counts as absent.
    #[serde(default)]
    auth_time: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Validates a token and returns its user's claims.
pub(super) fn validate(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Profile, Refused> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Refused::Because("the ID token is too long"));
    }
    let mut parts = token.split('.');
    let (Some(head), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refused::Because("the ID token is no signed token"));
    };
    let header: Header = decode(head)?;
    if header.crit.is_some() {
        return Err(Refused::Because("the ID token needs an extension"));
    }
    let algorithm = Algorithm::from_name(&header.alg);
    let algorithm =
        algorithm.ok_or(Refused::Because("the ID token is signed with an algorithm that does not count"))?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| MALFORMED)?;
    let message = &token.as_bytes()[..head.len() + 1 + payload.len()];
    keys.verify(header.kid.as_deref(), &header.alg, algorithm, message, &signature).map_err(|error| match error {
        KeyError::Unknown => Refused::UnknownKey,
        KeyError::Ambiguous => Refused::Because("the ID token does not name its key"),
        KeyError::Bad => Refused::Because("the ID token's signature is not the issuer's"),
    })?;
    let claims: Claims = decode(payload)?;
    check(&claims, algorithm, expected).map_err(Refused::Because)?;
    let profile = Profile { authenticated_at: auth_time(&claims), ..decode(payload)? };
    if is_subject(&profile.sub) { Ok(profile) } else { Err(Refused::Because("the ID token's subject is none")) }
}

/// The claim `auth_time` (section 2), cut to whole seconds; none if it is out of range.
fn auth_time(claims: &Claims) -> Option<Timestamp> {
    let seconds = claims.auth_time.as_f64().filter(|seconds| (0.0..MAX_SECONDS).contains(seconds))?;
    // The value is in range; the fraction is cut off.
    #[allow(clippy::cast_possible_truncation)]
    Some(Timestamp::from_unix_ms(seconds as i64 * 1_000))
}

const MALFORMED: Refused = Refused::Because("the ID token is malformed");

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, Refused> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| MALFORMED)?;
    serde_json::from_slice(&json).map_err(|_| MALFORMED)
}

fn check(claims: &Claims, algorithm: Algorithm, expected: &Expected<'_>) -> Result<(), &'static str> {
    if claims.iss != expected.issuer {
        return Err("the ID token is of another issuer");
    }
    let audience = match &claims.aud {
        Audience::One(one) => std::slice::from_ref(one),
        Audience::Many(many) => many.as_slice(),
    };
    if !audience.iter().any(|one| one == expected.client_id) {
        return Err("the ID token is for somebody else");
    }
    // A token for several audiences is ours only if it was issued to us.
    match &claims.azp {
        Some(party) if party != expected.client_id => return Err("the ID token was given to somebody else"),
        None if audience.len() > 1 => return Err("the ID token does not say to whom it was given"),
        _ => {}
    }
    // Whole seconds of this millennium are exact in a float.
    #[allow(clippy::cast_precision_loss)]
    let now_s = expected.now.unix_ms() as f64 / 1000.0;
    if now_s >= claims.exp + LEEWAY_S {
        return Err("the ID token has expired");
    }
    if claims.iat.max(claims.nbf.unwrap_or(f64::MIN)) > now_s + LEEWAY_S {
        return Err("the ID token is of the future");
    }
    if !claims.nonce.as_deref().and_then(Opaque::parse).is_some_and(|nonce| nonce.is(expected.nonce)) {
        return Err("the ID token is of another flow");
    }
    if let Some(at_hash) = &claims.at_hash {
        let digest = algorithm.digest(expected.access_token.as_bytes());
        let (left, _) = digest.as_ref().split_at(digest.as_ref().len() / 2);
        if *at_hash != URL_SAFE_NO_PAD.encode(left) {
            return Err("the ID token belongs to another access token");
        }
    }
    Ok(())
}

/// Whether a text can be a subject: up to 255 ASCII characters, of the provider's choice (OpenID Connect Core section
/// 2).
pub(super) fn is_subject(text: &str) -> bool {
    (1..=MAX_SUBJECT_CHARS).contains(&text.len()) && text.is_ascii()
}

/// `true`, or the text that some providers write for it. Every other value is `false`.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(truth) => truth,
        Value::String(text) => text == "true",
        _ => false,
    })
}
