//! Valid and invalid ID tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::{Value, json};

use super::fixtures::{KeyPair, NOW_S, at, unsigned};
use runtime::opaque::Opaque;

use crate::federation::{
    id_token::{Expected, LEEWAY_S, MAX_TOKEN_BYTES, Profile, Refused, validate},
    keys::Keys,
};

const ISSUER: &str = "https://id.example";
/// 32 bytes 7.
const NONCE: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "us", "sub": "24400320", "nonce": NONCE, "iat": NOW_S, "exp": NOW_S + 300,
        "email": "ada@example.com", "email_verified": true, "name": "Ada",
    })
}

/// The claims with one added, changed, or (by `null`) removed.
fn claims_with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    match value.into() {
        Value::Null => claims.as_object_mut().unwrap().remove(name),
        value => claims.as_object_mut().unwrap().insert(name.to_owned(), value),
    };
    claims
}

fn keys(all: &[Value]) -> Keys {
    Keys::from_set(serde_json::from_value(json!({ "keys": all })).unwrap())
}

fn check_at(token: &str, keys: &Keys, now_s: i64) -> Result<Profile, Refused> {
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let nonce = &Opaque::from_bytes([7; 32]);
    let expected = Expected { issuer: ISSUER, client_id: "us", nonce, access_token, now: at(now_s) };
    validate(token, keys, &expected)
}

fn check(token: &str, keys: &Keys) -> Result<Profile, Refused> {
    check_at(token, keys, NOW_S)
}

/// Why a token with these claims, signed by the issuer, is refused.
fn refusal(claims: &Value) -> &'static str {
    let pair = KeyPair::ed25519();
    match check(&pair.sign("EdDSA", Some("k"), claims), &keys(&[pair.jwk("k")])) {
        Err(Refused::Because(why)) => why,
        other => panic!("{claims}: {other:?}"),
    }
}

fn accepted(claims: &Value) -> Profile {
    let pair = KeyPair::ed25519();
    check(&pair.sign("EdDSA", Some("k"), claims), &keys(&[pair.jwk("k")])).unwrap()
}

#[test]
fn every_algorithm_is_checked_by_a_key_of_its_kind() {
    let pairs = [KeyPair::rsa(), KeyPair::p256(), KeyPair::p384(), KeyPair::ed25519()];
    let names: [&[&str]; 4] = [&["RS256", "RS384", "RS512", "PS256"], &["ES256"], &["ES384"], &["EdDSA", "Ed25519"]];
    for (pair, own) in pairs.iter().zip(names) {
        let keys = keys(&[pair.jwk("k")]);
        for name in own {
            let token = pair.sign(name, Some("k"), &claims());
            let profile = check(&token, &keys).unwrap();
            assert_eq!((&*profile.sub, profile.email.as_deref()), ("24400320", Some("ada@example.com")), "{name}");
            assert!(profile.email_verified);
            // One bit flipped, in each part.
            for place in [2, token.find('.').unwrap() + 9, token.len() - 9] {
                let mut bent = token.clone().into_bytes();
                bent[place] = if bent[place] == b'A' { b'B' } else { b'A' };
                assert!(check(std::str::from_utf8(&bent).unwrap(), &keys).is_err(), "{name}, {place}");
            }
        }
        // The same key under an algorithm of another kind.
        for name in names.concat().iter().filter(|name| !own.contains(name)) {
            let token = pair.sign(name, Some("k"), &claims());
            assert_eq!(check(&token, &keys).unwrap_err(), Refused::UnknownKey, "{name}");
        }
    }
}

#[test]
fn a_key_may_state_the_only_algorithm_that_it_is_for() {
    let pair = KeyPair::rsa();
    let mut jwk = pair.jwk("k");
    jwk["alg"] = "RS256".into();
    let keys = keys(&[jwk]);
    assert!(check(&pair.sign("RS256", Some("k"), &claims()), &keys).is_ok());
    assert_eq!(check(&pair.sign("PS256", Some("k"), &claims()), &keys).unwrap_err(), Refused::UnknownKey);
}

#[test]
fn tokens_without_a_signature_or_with_a_symmetric_one_count_for_nothing() {
    let pair = KeyPair::rsa();
    let jwk = pair.jwk("k");
    let keys = keys(std::slice::from_ref(&jwk));
    let signed_with = |algorithm: &str, secret: &[u8]| {
        let message = unsigned(&json!({"alg": algorithm, "kid": "k"}), &claims().to_string());
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    // The public key as a symmetric secret, in the forms that a careless verifier would accept.
    let mut tokens = vec![signed_with("HS256", &modulus), signed_with("HS256", jwk.to_string().as_bytes())];
    for name in ["none", "None", "NONE", "nOnE", "", "HS256", "HS512", "rs256", "ES512", "RSA-OAEP"] {
        tokens.push(format!("{}.", unsigned(&json!({"alg": name, "kid": "k"}), &claims().to_string())));
        tokens.push(signed_with(name, b""));
    }
    for token in tokens {
        assert!(matches!(check(&token, &keys), Err(Refused::Because(why)) if why.contains("algorithm")), "{token}");
    }
    // An empty signature under a good name.
    let empty = format!("{}.", unsigned(&json!({"alg": "RS256", "kid": "k"}), &claims().to_string()));
    assert!(matches!(check(&empty, &keys), Err(Refused::Because(why)) if why.contains("signature")));
}

#[test]
fn a_key_is_found_by_its_name_or_by_being_the_only_one() {
    let (one, other) = (KeyPair::p256(), KeyPair::p256());
    let both = keys(&[one.jwk("one"), other.jwk("other"), KeyPair::rsa().jwk("rsa")]);
    assert!(check(&other.sign("ES256", Some("other"), &claims()), &both).is_ok());
    assert!(matches!(check(&other.sign("ES256", Some("one"), &claims()), &both), Err(Refused::Because(_))));
    assert_eq!(check(&one.sign("ES256", Some("new"), &claims()), &both).unwrap_err(), Refused::UnknownKey);
    let nameless = one.sign("ES256", None, &claims());
    assert!(matches!(check(&nameless, &both), Err(Refused::Because(why)) if why.contains("name")));
    assert!(check(&nameless, &keys(&[one.jwk("one"), KeyPair::rsa().jwk("rsa")])).is_ok());
}

#[test]
fn keys_for_other_uses_and_malformed_ones_are_no_keys() {
    let pair = KeyPair::p256();
    let with = |name: &str, value: Value| {
        let mut jwk = pair.jwk("k");
        jwk[name] = value;
        jwk
    };
    let token = pair.sign("ES256", Some("k"), &claims());
    for useless in [
        with("use", "enc".into()),
        with("key_ops", json!(["sign"])),
        with("kty", "oct".into()),
        with("crv", "P-521".into()),
        with("crv", "secp256k1".into()),
        with("x", "AA".into()),
        with("x", "*".into()),
        with("kid", json!(7)),
        json!("k"),
    ] {
        assert_eq!(check(&token, &keys(std::slice::from_ref(&useless))).unwrap_err(), Refused::UnknownKey, "{useless}");
        assert!(check(&token, &keys(&[useless, pair.jwk("k")])).is_ok(), "it does not spoil the set");
    }
}

#[test]
fn a_token_of_another_issuer_for_somebody_else_or_of_another_flow_is_refused() {
    assert_eq!(refusal(&claims_with("iss", "https://other.example")), "the ID token is of another issuer");
    assert_eq!(refusal(&claims_with("iss", "https://id.example/")), "the ID token is of another issuer");
    assert_eq!(refusal(&claims_with("aud", "them")), "the ID token is for somebody else");
    assert_eq!(refusal(&claims_with("aud", json!([]))), "the ID token is for somebody else");
    assert_eq!(refusal(&claims_with("nonce", "another")), "the ID token is of another flow");
    assert_eq!(refusal(&claims_with("nonce", NONCE.replace('B', "C"))), "the ID token is of another flow");
    assert_eq!(refusal(&claims_with("nonce", ())), "the ID token is of another flow");
    assert_eq!(refusal(&claims_with("nonce", "")), "the ID token is of another flow");
}

#[test]
fn a_token_for_several_says_to_whom_it_was_given() {
    accepted(&claims_with("aud", json!(["us"])));
    let mut several = claims_with("aud", json!(["them", "us"]));
    assert_eq!(refusal(&several), "the ID token does not say to whom it was given");
    several["azp"] = "them".into();
    assert_eq!(refusal(&several), "the ID token was given to somebody else");
    several["azp"] = "us".into();
    accepted(&several);
    assert_eq!(refusal(&claims_with("azp", "them")), "the ID token was given to somebody else");
}

#[test]
fn a_token_has_its_time() {
    let pair = KeyPair::ed25519();
    let keys = keys(&[pair.jwk("k")]);
    let leeway = LEEWAY_S as i64;
    let at = |claims: &Value, now_s| check_at(&pair.sign("EdDSA", Some("k"), claims), &keys, now_s).map(|_| ());
    assert_eq!(at(&claims(), NOW_S + 300 + leeway - 1), Ok(()));
    assert_eq!(at(&claims(), NOW_S + 300 + leeway), Err(Refused::Because("the ID token has expired")));
    assert_eq!(at(&claims(), NOW_S - leeway), Ok(()));
    assert_eq!(at(&claims(), NOW_S - leeway - 1), Err(Refused::Because("the ID token is of the future")));
    let later = claims_with("nbf", NOW_S + leeway + 1);
    assert_eq!(at(&later, NOW_S), Err(Refused::Because("the ID token is of the future")));
    for missing in ["exp", "iat"] {
        assert_eq!(refusal(&claims_with(missing, ())), "the ID token is malformed");
        assert_eq!(refusal(&claims_with(missing, "soon")), "the ID token is malformed");
    }
}

/// The example of OpenID Connect Core, appendix A.3: the access token of `check_at` and its hash.
#[test]
fn the_access_token_is_the_one_that_the_token_came_with() {
    let pair = KeyPair::rsa();
    let keys = keys(&[pair.jwk("k")]);
    let good = pair.sign("RS256", Some("k"), &claims_with("at_hash", "77QmUPtjPfzWtF2AnpK9RQ"));
    assert!(check(&good, &keys).is_ok());
    let other = pair.sign("RS256", Some("k"), &claims_with("at_hash", "77QmUPtjPfzWtF2AnpK9RA"));
    let why = Refused::Because("the ID token belongs to another access token");
    assert_eq!(check(&other, &keys).unwrap_err(), why);
    // The hash is the algorithm's own: Ed25519's is SHA-512.
    assert_eq!(
        refusal(&claims_with("at_hash", "77QmUPtjPfzWtF2AnpK9RQ")),
        "the ID token belongs to another access token"
    );
}

#[test]
fn what_is_no_token_is_refused() {
    let pair = KeyPair::ed25519();
    let keys = keys(&[pair.jwk("k")]);
    let good = pair.sign("EdDSA", Some("k"), &claims());
    let head = json!({"alg": "EdDSA", "kid": "k"});
    let twice = claims().to_string().replacen('{', &format!(r#"{{"nonce": "{NONCE}", "#), 1);
    assert!(check(&pair.sign_text(&head, &claims().to_string()), &keys).is_ok());
    for token in [
        String::new(),
        "..".to_owned(),
        good.rsplit_once('.').unwrap().0.to_owned(),
        format!("{good}.{good}"),
        format!("{good}="),
        format!(" {good}"),
        pair.sign("EdDSA", Some("k"), &claims_with("more", "a".repeat(MAX_TOKEN_BYTES))),
        pair.sign("EdDSA", Some("k"), &json!([])),
        pair.sign_text(&head, &twice),
        pair.sign_with(&json!({"alg": "EdDSA", "kid": "k", "crit": ["exp"], "exp": 1}), &claims()),
        pair.sign_with(&json!({"alg": "EdDSA", "kid": "k", "crit": []}), &claims()),
    ] {
        assert!(matches!(check(&token, &keys), Err(Refused::Because(_))), "{token}");
    }
}

#[test]
fn a_subject_is_up_to_255_characters_of_ascii() {
    for good in [&*"a".repeat(255), "a b", " ", "a|b#c", "\"\\", "a\n"] {
        accepted(&claims_with("sub", good));
    }
    for bad in [json!(""), json!("a".repeat(256)), json!("ä")] {
        assert_eq!(refusal(&claims_with("sub", bad)), "the ID token's subject is none");
    }
    assert_eq!(refusal(&claims_with("sub", ())), "the ID token is malformed");
    assert_eq!(refusal(&claims_with("sub", 1)), "the ID token is malformed");
}

#[test]
fn an_address_is_verified_only_if_that_is_said() {
    assert!(accepted(&claims_with("email_verified", "true")).email_verified);
    for doubt in [json!(false), json!("false"), json!("TRUE"), json!(1), json!([true])] {
        assert!(!accepted(&claims_with("email_verified", doubt)).email_verified);
    }
    assert!(!accepted(&claims_with("email_verified", ())).email_verified);
}
