//! Signed tokens: JWT (RFC 7519) with EdDSA over Ed25519 (RFC 8037), of the type `at+jwt` (RFC 9068).
//!
//! `jsonwebtoken` parses and checks the token; `ring`, which TLS needs anyway, does the arithmetic. A token's header
//! cannot choose another algorithm.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result as JwtResult},
};
use protocol::{Cause, Client, Code, Fault, Principal, SecretHash, Timestamp};
use ring::{
    digest::{SHA256, digest},
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use signature::{Signer, Verifier};

/// The type that a token's header must state (RFC 9068 section 2.1).
pub const TOKEN_TYPE: &str = "at+jwt";
/// Its long form, which other signers may write (RFC 9068 section 4).
const LONG_TOKEN_TYPE: &str = "application/at+jwt";
/// The only algorithm (RFC 8037 section 3.1).
const ALGORITHM: &str = "EdDSA";
/// The clock skew that is tolerated between signer and verifier, in seconds.
pub const LEEWAY_S: i64 = 30;
/// The maximum length of a token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;
/// The number of verified tokens that one instance caches.
const MAX_REMEMBERED: usize = 1024;

/// The settings for verifying tokens; all of them are public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenSettings {
    /// The issuer (`iss`).
    pub issuer: String,
    /// The audience (`aud`).
    pub audience: String,
    /// The public keys.
    pub keys: Vec<PublicKey>,
}

/// One public key: the members of a JSON Web Key (RFC 8037) that vary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// The key's name, `kid`.
    pub kid: String,
    /// The key, base64url without padding, 32 bytes.
    pub x: String,
}

/// The signing key, as the secret holds it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignerSettings {
    /// The key's name.
    pub kid: String,
    /// The key pair in PKCS #8, in base64url without padding.
    pub pkcs8: String,
}

/// The claims of a token.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer.
    pub iss: String,
    /// The audience.
    pub aud: String,
    /// The subject: the caller's id.
    pub sub: String,
    /// The time of issue, in seconds since 1970.
    pub iat: i64,
    /// The token is not valid before this time, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// The token expires at this time, in seconds since 1970.
    pub exp: i64,
    /// The token's id.
    pub jti: String,
    /// The caller's roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The session that the token belongs to; none for an operator's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SecretHash>,
    /// The application that the token was issued to (RFC 9068 section 2.2); none for the service's own pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The application's permissions, separated by spaces (RFC 9068 section 2.2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

impl Claims {
    fn lifetime(&self) -> Lifetime {
        Lifetime { not_before_s: self.nbf.unwrap_or(self.iat), expires_s: self.exp }
    }

    fn principal(self) -> Principal {
        let client = self.client_id.map(|id| Client {
            for_itself: id == self.sub,
            scopes: self.scope.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            id,
        });
        // An operator's token is issued while the operator is present, so its time of issue counts. A session's token
        // is renewed without the person: the session knows when they signed in.
        let made_at = Timestamp::from_unix_ms(self.iat.saturating_mul(1_000));
        let authenticated_at = (self.sid.is_none() && client.is_none()).then_some(made_at);
        Principal { subject: self.sub, roles: self.roles, client, session: self.sid, authenticated_at }
    }
}

/// Verifies tokens. It caches tokens with a good signature, since a signature stays good; it checks their times on
/// every call.
pub struct TokenVerifier {
    keys: HashMap<String, DecodingKey>,
    public: Vec<PublicKey>,
    validation: Validation,
    remembered: Mutex<HashMap<Digest, Verified>>,
}

/// The SHA-256 of a token.
type Digest = [u8; 32];
/// The content of a verified token.
type Verified = (Arc<Principal>, Lifetime);

#[derive(Clone, Copy)]
struct Lifetime {
    not_before_s: i64,
    expires_s: i64,
}

impl Lifetime {
    fn expect(self, now: Timestamp) -> Result<(), Fault> {
        let now_s = now.unix_ms().div_euclid(1000);
        if now_s >= self.expires_s.saturating_add(LEEWAY_S) {
            return Err(Fault::new(Code::Unauthorized, "The token has expired.").because("expired token"));
        }
        if now_s < self.not_before_s.saturating_sub(LEEWAY_S) {
            return Err(not_valid("the token is not valid yet"));
        }
        Ok(())
    }
}

fn expect_short(token: &str) -> Result<(), Fault> {
    if token.len() > MAX_TOKEN_BYTES { Err(not_valid("the token is too long")) } else { Ok(()) }
}

impl TokenVerifier {
    /// Reads the keys. `url` is the service's own address, the issuer of its own tokens; the issuer in the settings
    /// signs those of operators.
    ///
    /// # Errors
    /// When a key is malformed, or there is none.
    pub fn new(settings: &TokenSettings, url: &str) -> Result<Self, Cause> {
        install_provider();
        let mut keys = HashMap::new();
        for key in &settings.keys {
            if URL_SAFE_NO_PAD.decode(&key.x).map(|bytes| bytes.len()) != Ok(32) {
                return Err(format!("the key {:?} is no Ed25519 public key", key.kid).into());
            }
            keys.insert(key.kid.clone(), DecodingKey::from_ed_components(&key.x)?);
        }
        if keys.is_empty() {
            return Err("there is no key to check tokens with".into());
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[&settings.audience]);
        let issuers = [settings.issuer.as_str(), url];
        validation.set_issuer(&issuers[..if url.is_empty() { 1 } else { 2 }]);
        validation.set_required_spec_claims(&["aud", "exp", "iss", "sub"]);
        // The code below compares times with the call's own clock, for cached tokens as well.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Ok(Self { keys, public: settings.keys.clone(), validation, remembered: Mutex::default() })
    }

    /// The principal of a token.
    ///
    /// # Errors
    /// `UNAUTHORIZED`; the message says only that the token is invalid or has expired.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Principal>, Fault> {
        expect_short(token)?;
        let mut name: Digest = [0; 32];
        name.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref());
        let known = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        let (principal, lifetime) = match known {
            Some(known) => known,
            None => {
                let claims = self.verify_signature(token).map_err(not_valid)?;
                let lifetime = claims.lifetime();
                let verified: Verified = (Arc::new(claims.principal()), lifetime);
                let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
                if remembered.len() >= MAX_REMEMBERED {
                    remembered.clear();
                }
                remembered.insert(name, verified.clone());
                verified
            }
        };
        lifetime.expect(now)?;
        Ok(principal)
    }

    /// The claims of a token, under the same conditions, without caching.
    ///
    /// # Errors
    /// As [`TokenVerifier::verify`].
    pub fn read(&self, token: &str, now: Timestamp) -> Result<Claims, Fault> {
        expect_short(token)?;
        let claims = self.verify_signature(token).map_err(not_valid)?;
        claims.lifetime().expect(now)?;
        Ok(claims)
    }

    /// The public keys.
    pub fn public_keys(&self) -> &[PublicKey] {
        &self.public
    }

    #[inline(never)]
    fn verify_signature(&self, token: &str) -> Result<Claims, Cause> {
        let header = JoseHeader::of(token)?;
        let key = self.keys.get(&header.kid).ok_or("the token names a key that is not known")?;
        Ok(jsonwebtoken::decode(token, key, &self.validation).map_err(unquoted)?.claims)
    }
}

/// The members of a token's header that matter (RFC 7515 section 4.1). All others are ignored, above all keys that
/// the header holds or points to.
#[derive(Deserialize)]
struct JoseHeader {
    alg: String,
    typ: String,
    kid: String,
    /// Whether the header names extensions that must be understood. None is supported (RFC 7515 section 4.1.11), and
    /// `jsonwebtoken` does not check.
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

impl JoseHeader {
    /// Reads a token's header, and refuses other types and algorithms.
    fn of(token: &str) -> Result<Self, Cause> {
        let (text, _) = token.split_once('.').ok_or("the token has one part")?;
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| "the token's header is not base64url")?;
        let malformed = "the token's header is no JSON object with `alg`, `typ` and `kid`, each once";
        let header: Self = serde_json::from_slice(&json).map_err(|_| malformed)?;
        match header {
            Self { crit: true, .. } => Err("the token asks for extensions, of which none is known".into()),
            Self { alg, .. } if alg != ALGORITHM => Err(format!("the token is not signed with {ALGORITHM}").into()),
            Self { typ, .. } if ![TOKEN_TYPE, LONG_TOKEN_TYPE].contains(&typ.as_str()) => {
                Err(format!("the token is not of the type {TOKEN_TYPE}").into())
            }
            header => Ok(header),
        }
    }
}

/// A member that is null counts as present.
fn is_there<'de, D: Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(member).map(|_| true)
}

/// The error without the value: serde quotes what it did not expect, and received data must not reach the log.
fn unquoted(error: jsonwebtoken::errors::Error) -> Cause {
    match error.kind() {
        ErrorKind::Json(_) => "the token's header or its claims do not have the form that they must have".into(),
        _ => error.into(),
    }
}

fn not_valid(cause: impl Into<Cause>) -> Fault {
    Fault::new(Code::Unauthorized, "The token is not valid.").because(cause)
}

/// Signs tokens. Functions that only verify them have no signing key.
pub struct TokenSigner {
    key: EncodingKey,
    public: PublicKey,
}

impl TokenSigner {
    /// Creates a signer from a key pair in PKCS #8 (RFC 8410); `kid` is the key's name.
    ///
    /// # Errors
    /// When the bytes are not an Ed25519 key pair.
    pub fn new(kid: &str, pkcs8: &[u8]) -> Result<Self, Cause> {
        install_provider();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| "not an Ed25519 key pair in PKCS #8")?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Ok(Self { key: EncodingKey::from_ed_der(pkcs8), public: PublicKey { kid: kid.to_owned(), x } })
    }

    /// Creates a signer from a key pair in PKCS #8. The key's name is its thumbprint (RFC 7638).
    ///
    /// # Errors
    /// As [`TokenSigner::new`].
    pub fn with_thumbprint(pkcs8: &[u8]) -> Result<Self, Cause> {
        let mut signer = Self::new("", pkcs8)?;
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, signer.public.x);
        signer.public.kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, members.as_bytes()));
        Ok(signer)
    }

    /// Creates a signer from the secret's content.
    ///
    /// # Errors
    /// When it is not a key pair.
    pub fn from_settings(settings: &SignerSettings) -> Result<Self, Cause> {
        let malformed = "the key that signs tokens is not base64url";
        Self::new(&settings.kid, &URL_SAFE_NO_PAD.decode(&settings.pkcs8).map_err(|_| malformed)?)
    }

    /// Generates a key pair in PKCS #8.
    ///
    /// # Errors
    /// When the operating system provides no randomness.
    pub fn generate() -> Result<Vec<u8>, Cause> {
        let pair = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new());
        Ok(pair.map_err(|_| "the system gave no random bytes")?.as_ref().to_vec())
    }

    /// The public key that verifies this signer's tokens.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs claims, and returns the token in its compact form.
    ///
    /// # Errors
    /// When the claims cannot be serialized.
    pub fn sign(&self, claims: &Claims) -> Result<String, Cause> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(self.public.kid.clone());
        Ok(jsonwebtoken::encode(&header, claims, &self.key)?)
    }
}

/// `jsonwebtoken` leaves the arithmetic to a provider; a process has one.
fn install_provider() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| match algorithm {
            Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8(key.as_bytes())
                .map(|pair| Box::new(EdDsaSigner(pair)) as Box<dyn JwtSigner>)
                .map_err(|_| ErrorKind::InvalidEddsaKey.into()),
            _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
        },
        verifier_factory: |algorithm, key| match algorithm {
            Algorithm::EdDSA => verifier(key),
            _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    // It fails when the provider is installed already, which is the same one.
    let _ = PROVIDER.install_default();
}

fn verifier(key: &DecodingKey) -> JwtResult<Box<dyn JwtVerifier>> {
    Ok(Box::new(EdDsaVerifier(key.try_get_as_bytes()?.to_vec())))
}

struct EdDsaSigner(Ed25519KeyPair);

impl Signer<Vec<u8>> for EdDsaSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for EdDsaSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct EdDsaVerifier(Vec<u8>);

impl Verifier<Vec<u8>> for EdDsaVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for EdDsaVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED_S: i64 = 1_800_000_000;

    fn signer() -> TokenSigner {
        TokenSigner::new("k1", &TokenSigner::generate().unwrap()).unwrap()
    }

    fn verifier(signer: &TokenSigner) -> TokenVerifier {
        let keys = vec![signer.public_key().clone()];
        TokenVerifier::new(&TokenSettings { issuer: "us".into(), audience: "them".into(), keys }, "").unwrap()
    }

    fn claims() -> Claims {
        Claims {
            iss: "us".into(),
            aud: "them".into(),
            sub: "ada".into(),
            iat: SIGNED_S,
            nbf: None,
            exp: SIGNED_S + 60,
            jti: "1".into(),
            roles: vec!["reader".into()],
            ..Claims::default()
        }
    }

    /// The example of RFC 8037, appendix A: its key pair, and the thumbprint that is stated there.
    #[test]
    fn a_key_can_be_named_by_its_thumbprint() {
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let public = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        // PKCS #8 version 2 (RFC 8410, section 7): both halves, each in its wrapping.
        let head = [0x30, 0x51, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let pkcs8 = [&head[..], &seed, &[0x81, 0x21, 0], &public].concat();
        let signer = TokenSigner::with_thumbprint(&pkcs8).unwrap();
        assert_eq!(signer.public_key().kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1000)
    }

    #[test]
    fn a_token_says_who_is_calling_until_it_expires() {
        let signer = signer();
        let verifier = verifier(&signer);
        let token = signer.sign(&claims()).unwrap();
        let principal = verifier.verify(&token, at(SIGNED_S)).unwrap();
        assert_eq!((principal.subject.as_str(), &*principal.roles), ("ada", &["reader".to_owned()][..]));
        // The signature is remembered by now; the times are looked at all the same.
        assert!(verifier.verify(&token, at(SIGNED_S + 60 + LEEWAY_S - 1)).is_ok());
        assert_eq!(verifier.verify(&token, at(SIGNED_S + 60 + LEEWAY_S)).unwrap_err().code, Code::Unauthorized);
        assert_eq!(verifier.verify(&token, at(SIGNED_S - LEEWAY_S - 1)).unwrap_err().code, Code::Unauthorized);
    }

    /// One of a session is renewed while its person is away, and an application is nobody who signs in.
    #[test]
    fn only_an_operators_token_says_when_its_person_was_there() {
        let signer = signer();
        let said = |claims: Claims| {
            let token = signer.sign(&claims).unwrap();
            verifier(&signer).verify(&token, at(SIGNED_S)).unwrap().authenticated_at
        };
        assert_eq!(said(claims()), Some(at(SIGNED_S)));
        let session = Some(SecretHash::from_digest([0; 32]));
        assert_eq!(said(Claims { sid: session, ..claims() }), None);
        assert_eq!(said(Claims { client_id: Some("app".into()), ..claims() }), None);
    }

    /// Well signed, and still not as a token of ours is. What the header holds is not quoted.
    #[test]
    fn a_header_is_read_strictly() {
        let signer = signer();
        let verifier = verifier(&signer);
        let verified = |header: &str| {
            let claims = URL_SAFE_NO_PAD.encode(serde_json::to_string(&claims()).unwrap());
            let message = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header));
            let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &signer.key, Algorithm::EdDSA).unwrap();
            verifier.verify(&format!("{message}.{signature}"), at(SIGNED_S))
        };
        for good in [
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#,
            r#"{"alg":"EdDSA","typ":"application/at+jwt","kid":"k1","more":1}"#,
        ] {
            assert!(verified(good).is_ok(), "{good}");
        }
        for bad in [
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1","crit":["hunter2"]}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1","crit":[]}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1","crit":null}"#,
            r#"{"alg":{"EdDSA":null},"typ":"at+jwt","kid":"k1"}"#,
            r#"{"alg":"EdDSA","alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#,
            r#"{"alg":"hunter2","typ":"at+jwt","kid":"k1"}"#,
            r#"{"alg":"EdDSA","typ":"hunter2","kid":"k1"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"hunter2"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1","jwk":"hunter2"}"#,
        ] {
            let fault = verified(bad).unwrap_err();
            assert_eq!(fault.code, Code::Unauthorized, "{bad}");
            assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
        }
    }

    #[test]
    fn a_token_of_somebody_else_is_refused() {
        let (signer, other) = (signer(), signer());
        let verifier = verifier(&signer);
        let now = at(SIGNED_S);
        assert!(verifier.verify(&other.sign(&claims()).unwrap(), now).is_err());
        assert!(verifier.verify(&signer.sign(&Claims { iss: "me".into(), ..claims() }).unwrap(), now).is_err());
        assert!(verifier.verify(&signer.sign(&Claims { aud: "me".into(), ..claims() }).unwrap(), now).is_err());
        let mut token = signer.sign(&claims()).unwrap();
        token.push('A');
        assert!(verifier.verify(&token, now).is_err());
        assert!(verifier.verify("", now).is_err());
        assert!(verifier.verify(&"a".repeat(MAX_TOKEN_BYTES + 1), now).is_err());
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let signer = signer();
        let verifier = verifier(&signer);
        for count in 0..=MAX_REMEMBERED {
            let token = signer.sign(&Claims { jti: count.to_string(), ..claims() }).unwrap();
            assert!(verifier.verify(&token, at(SIGNED_S)).is_ok());
        }
        assert!(verifier.remembered.lock().unwrap().len() <= MAX_REMEMBERED);
    }
}
