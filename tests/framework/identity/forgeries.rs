//! Forged tokens (RFC 8725; the classes of Wycheproof's vectors for JSON Web Signatures), with the key of the
//! service at hand: whatever else is wrong with them, most are signed well.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD as BASE64},
};
use ring::hmac;
use serde_json::{Value, json};
use testbed::Role;

use crate::support::{
    Key, TestServer,
    tokens::{header, now_s},
};

/// A forged token, and what is wrong with it.
pub type Forged = (String, String);

/// What forgers start from: a token that the service itself signed for an administrator.
pub struct Genuine {
    pub key: Key,
    pub token: String,
    claims: Value,
}

impl Genuine {
    pub async fn of(server: &TestServer) -> Self {
        let ada = server.person("ada", Role::Administrator).await;
        let token = server.tokens(&ada).await.access;
        let part = |place: usize| -> Value {
            let part = token.split('.').nth(place).unwrap();
            serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
        };
        assert_eq!(part(0), header(), "what the service signs is what the tests sign");
        let claims = part(1);
        assert!(claims["sid"].is_string(), "{claims}");
        Self { key: Key::of(server.data.path()), token, claims }
    }

    /// Well signed, with another header.
    fn under(&self, header: &Value) -> String {
        self.key.sign(header, &self.claims)
    }

    /// Well signed, with another member in the header.
    pub fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = header();
        header[name] = value;
        self.under(&header)
    }

    /// Well signed, with another claim; null leaves it out.
    pub fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        self.key.sign(&header(), &claims)
    }

    /// Well signed, with spaces in the JSON.
    pub fn with_spaces(&self) -> String {
        self.key.sign_text(&format!(" {} ", header()), &format!("\n{}", self.claims))
    }

    fn parts(&self) -> [&str; 3] {
        self.token.split('.').collect::<Vec<_>>().try_into().unwrap()
    }
}

/// `none`, other algorithms, and the public key as a secret (RFC 8725 sections 2.1 and 3.1).
fn algorithms(genuine: &Genuine) -> Vec<Forged> {
    let mut forged = Vec::new();
    let claims = BASE64.encode(genuine.claims.to_string());
    for alg in ["none", "None", "NONE", "nOnE", "", " none", "none\u{0}", "EdDSA", "HS256"] {
        let mut header = header();
        header["alg"] = alg.into();
        let message = format!("{}.{claims}", BASE64.encode(header.to_string()));
        forged.push((format!("alg {alg:?}, no signature"), format!("{message}.")));
        forged.push((format!("alg {alg:?}, two parts"), message.clone()));
        let own = genuine.parts()[2];
        forged.push((format!("alg {alg:?}, the signature of another message"), format!("{message}.{own}")));
    }
    for alg in ["none", "HS256", "RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "Ed25519", "Ed448", "eddsa"] {
        forged.push((format!("alg {alg}, signed with EdDSA"), genuine.with_header("alg", json!(alg))));
    }
    for alg in [json!(null), json!(7), json!(["EdDSA"]), json!({"EdDSA": null}), json!(true)] {
        forged.push((format!("alg {alg}"), genuine.with_header("alg", alg)));
    }
    let public = genuine.key.public();
    let der = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0], public].concat();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(public)});
    let named = json!({"kty": "OKP", "crv": "Ed25519", "kid": "local", "x": BASE64.encode(public)});
    let secrets = [
        ("raw", public.to_vec()),
        ("base64url", BASE64.encode(public).into_bytes()),
        ("base64", STANDARD.encode(public).into_bytes()),
        ("DER", der),
        ("PEM without its last line break", pem.trim_end().as_bytes().to_vec()),
        ("PEM", pem.into_bytes()),
        ("JWK", jwk.to_string().into_bytes()),
        ("JWK with a kid", named.to_string().into_bytes()),
        ("nothing", Vec::new()),
        ("zeros", vec![0; 32]),
    ];
    for (form, secret) in secrets {
        for (alg, algorithm) in
            [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
        {
            for told in [alg, "EdDSA"] {
                let mut header = header();
                header["alg"] = told.into();
                let message = format!("{}.{claims}", BASE64.encode(header.to_string()));
                let tag = hmac::sign(&hmac::Key::new(algorithm, &secret), message.as_bytes());
                let token = format!("{message}.{}", BASE64.encode(tag));
                forged.push((format!("alg {told}, {alg} with the public key as the secret: {form}"), token));
            }
        }
    }
    forged
}

/// Keys that a token brings along or points to (RFC 8725 section 3.10; RFC 7515 sections 4.1.2 to 4.1.8), and
/// names of keys (`kid`) that mean something elsewhere.
fn keys(genuine: &Genuine) -> Vec<Forged> {
    let (foreign, own) = (Key::foreign(), &genuine.claims);
    let jwk =
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "local", "use": "sig", "x": BASE64.encode(foreign.public())});
    let mut forged = vec![("another key".to_owned(), foreign.sign(&header(), own))];
    for (name, value) in [
        ("jwk", jwk.clone()),
        ("jku", json!("http://127.0.0.1:9/jwks.json")),
        ("x5u", json!("http://127.0.0.1:9/certificate.pem")),
        ("x5c", json!([STANDARD.encode(foreign.public())])),
        ("x5t", json!(BASE64.encode(foreign.public()))),
        ("x5t#S256", json!(BASE64.encode(foreign.public()))),
    ] {
        for kid in [Some("local"), Some("mine"), None] {
            let mut header = header();
            header[name] = value.clone();
            header["kid"] = kid.map_or(Value::Null, Value::from);
            forged.push((format!("{name} and another key under the name {kid:?}"), foreign.sign(&header, own)));
        }
    }
    let symmetric = json!({"kty": "oct", "k": BASE64.encode("secret")});
    let mut head = header();
    (head["alg"], head["jwk"]) = ("HS256".into(), symmetric);
    let message = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(own.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"secret"), message.as_bytes());
    forged.push(("a secret in jwk".to_owned(), format!("{message}.{}", BASE64.encode(tag))));
    let names = [
        json!(""),
        json!("other"),
        json!("LOCAL"),
        json!("local "),
        json!("local\u{0}"),
        json!("../../../../dev/null"),
        json!("/proc/self/environ"),
        json!("' UNION SELECT 'key' --"),
        json!("local' OR '1'='1"),
        json!("$(touch /tmp/x)"),
        json!("a".repeat(2_000)),
        json!(["local"]),
        json!({"local": 1}),
        json!(0),
        json!(true),
        json!(null),
    ];
    for kid in names {
        let named: String = kid.to_string().chars().take(40).collect();
        forged.push((format!("kid {named}"), genuine.with_header("kid", kid)));
    }
    let mut unnamed = header();
    unnamed.as_object_mut().unwrap().remove("kid");
    forged.push(("no kid".to_owned(), genuine.under(&unnamed)));
    forged
}

/// Extensions that must be understood (RFC 7515 section 4.1.11): there are none. And other types of tokens
/// (RFC 8725 section 3.11).
fn headers(genuine: &Genuine) -> Vec<Forged> {
    let mut forged = Vec::new();
    for crit in
        [json!(null), json!(["exp"]), json!(["b64"]), json!(["x"]), json!(["alg"]), json!([]), json!("exp"), json!([1])]
    {
        let mut header = header();
        (header["crit"], header["b64"], header["x"]) = (crit.clone(), false.into(), 1.into());
        forged.push((format!("crit {crit}"), genuine.under(&header)));
        forged.push((format!("crit {crit} of nothing"), genuine.with_header("crit", crit)));
    }
    let types = ["", "JWT", "jwt", "application/jwt", "dpop+jwt", "id+jwt", "logout+jwt", "at+jwt ", "x/at+jwt", "at"];
    for typ in types {
        forged.push((format!("typ {typ:?}"), genuine.with_header("typ", json!(typ))));
    }
    for typ in [json!(["at+jwt"]), json!(1), json!(null)] {
        forged.push((format!("typ {typ}"), genuine.with_header("typ", typ)));
    }
    let mut untyped = header();
    untyped.as_object_mut().unwrap().remove("typ");
    forged.push(("no typ".to_owned(), genuine.under(&untyped)));
    forged
}

/// For whom, by whom, of whom, and when (RFC 8725 sections 3.8 to 3.10).
fn claims(genuine: &Genuine) -> Vec<Forged> {
    let mut forged = Vec::new();
    let mut claim = |name: &str, value: Value| {
        forged.push((format!("{name} {value}"), genuine.with_claim(name, value)));
    };
    for name in ["iss", "aud", "sub", "exp", "iat", "jti"] {
        for value in [json!(null), json!([]), json!({}), json!(true)] {
            claim(name, value);
        }
    }
    for aud in [json!("warehouse"), json!(""), json!("Testbed"), json!("testbed "), json!(["warehouse"])] {
        claim("aud", aud);
    }
    // A list is a form that RFC 7519 allows; the service, which signs for itself alone, never writes one.
    claim("aud", json!(["testbed"]));
    claim("aud", json!(["testbed", "warehouse"]));
    let own = genuine.claims["iss"].as_str().unwrap();
    for iss in ["", "urn:onefold:warehouse", "http://127.0.0.1", &format!("{own}/"), &own.to_uppercase()] {
        claim("iss", json!(iss));
    }
    claim("iss", json!([own]));
    claim("sub", json!(7));
    let now = now_s();
    for exp in [now - 60, now - 3_600, 0, -1, i64::MIN] {
        claim("exp", json!(exp));
    }
    for exp in [json!("never"), json!((now + 600).to_string()), json!(now as f64 + 600.5), json!(1e300), json!(-1.5)] {
        claim("exp", exp);
    }
    claim("exp", json!(u64::MAX));
    for nbf in [json!(now + 3_600), json!(i64::MAX), json!("0"), json!(0.5), json!([0])] {
        claim("nbf", nbf);
    }
    for iat in [json!(now + 3_600), json!(i64::MAX), json!("0"), json!(0.5), json!(u64::MAX)] {
        claim("iat", iat);
    }
    for (name, value) in [
        ("roles", json!("administrator")),
        ("roles", json!([["administrator"]])),
        ("roles", json!({"administrator": true})),
        ("sid", json!("x")),
        ("sid", json!(["x"])),
        ("client_id", json!(1)),
        ("scope", json!(["users:read"])),
    ] {
        if name != "sid" || value.is_array() {
            claim(name, value);
        }
    }
    forged
}

/// Other ways to write the same (RFC 7515 sections 2, 3 and 7.1).
fn forms(genuine: &Genuine) -> Vec<Forged> {
    let [head, claims, signature] = genuine.parts();
    let token = &genuine.token;
    let signed = genuine.key.signature(format!("{head}.{claims}").as_bytes());
    let mut forged: Vec<Forged> = vec![
        ("a dot behind it".into(), format!("{token}.")),
        ("a dot before it".into(), format!(".{token}")),
        ("two dots in it".into(), format!("{head}..{claims}.{signature}")),
        ("no header".into(), format!(".{claims}.{signature}")),
        ("no claims".into(), format!("{head}..{signature}")),
        ("nothing but dots".into(), "..".into()),
        ("four dots".into(), "....".into()),
        ("one part".into(), head.into()),
        ("five parts, as JWE has them".into(), format!("{head}.{claims}.{claims}.{claims}.{signature}")),
        ("padding".into(), format!("{head}.{claims}.{signature}==")),
        ("padding of each part".into(), [head, claims, signature].map(|part| format!("{part}=")).join(".")),
        ("a space in it".into(), format!("{head}. {claims}.{signature}")),
        ("a line's tab in it".into(), format!("{head}.\t{claims}.{signature}")),
        ("quotes".into(), format!("\"{token}\"")),
        ("twice".into(), format!("{token}{token}")),
        ("twice, with a comma".into(), format!("{token},{token}")),
        (
            "JSON serialization".into(),
            json!({"payload": claims, "protected": head, "signature": signature}).to_string(),
        ),
        ("the scheme twice".into(), format!("Bearer {token}")),
        ("lower case".into(), token.to_lowercase()),
        ("huge".into(), genuine.with_claim("more", json!("x".repeat(5_000)))),
        ("as large as a header can be".into(), format!("{token}{}", "A".repeat(14_000))),
        ("half a signature".into(), format!("{head}.{claims}.{}", BASE64.encode(&signed[..32]))),
        ("a signature and more".into(), format!("{head}.{claims}.{}", BASE64.encode([&signed[..], &[0]].concat()))),
    ];
    // Many messages, until one has the characters in which the two alphabets differ.
    for place in 0.. {
        let good = genuine.with_claim("more", json!(place));
        let standard = good.replace('-', "+").replace('_', "/");
        if standard != good {
            forged.push(("base64 with + and /".into(), standard));
            break;
        }
    }
    let text = header().to_string();
    let padded = URL_SAFE.encode(format!("{text} "));
    forged.push(("a header with padding, well signed".into(), {
        let message = format!("{padded}.{claims}");
        let signature = BASE64.encode(genuine.key.signature(message.as_bytes()));
        if padded.ends_with('=') { format!("{message}.{signature}") } else { format!("{message}.{signature}=") }
    }));
    // The last character of a signature has two bits that say nothing: they must be zero (RFC 4648 section 3.5).
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(last).unwrap();
    for bits in 1..16 {
        let other = alphabet.as_bytes()[(at & !15) | ((at & 15) ^ bits)];
        let changed = format!("{}{}", &signature[..signature.len() - 1], char::from(other));
        forged.push((format!("a last character with the bits {bits}"), format!("{head}.{claims}.{changed}")));
    }
    forged
}

/// Members that are there twice (RFC 7515 section 4), and what is no JSON object. All of it is well signed.
fn members(genuine: &Genuine) -> Vec<Forged> {
    let (head, claims) = (header().to_string(), genuine.claims.to_string());
    let sign = |head: &str, claims: &str| genuine.key.sign_text(head, claims);
    let twice = |text: &str, member: &str| format!("{},{member}}}", &text[..text.len() - 1]);
    let mut forged = Vec::new();
    for member in [r#""alg":"EdDSA""#, r#""alg":"none""#, r#""kid":"local""#, r#""typ":"at+jwt""#] {
        forged.push((format!("twice in the header: {member}"), sign(&twice(&head, member), &claims)));
        let first = format!("{{{member},{}", &head[1..]);
        forged.push((format!("twice in the header, first: {member}"), sign(&first, &claims)));
    }
    for (name, value) in genuine.claims.as_object().unwrap() {
        let member = format!("{:?}:{value}", name);
        forged.push((format!("twice in the claims: {name}"), sign(&head, &twice(&claims, &member))));
        // The name is the same when a character of it is escaped.
        let escaped = format!("\"\\u{:04x}{}\":{value}", name.as_bytes()[0], &name[1..]);
        forged.push((format!("twice in the claims, escaped: {name}"), sign(&head, &twice(&claims, &escaped))));
    }
    for text in ["", "null", "[]", "1", "\"\"", "{", "{}", "{}{}", "\u{feff}{}", "{'alg':'EdDSA'}"] {
        forged.push((format!("the header {text:?}"), sign(text, &claims)));
        forged.push((format!("the claims {text:?}"), sign(&head, text)));
    }
    forged.push(("more behind the claims".into(), sign(&head, &format!("{claims}{{}}"))));
    forged.push(("more behind the header".into(), sign(&format!("{head}x"), &claims)));
    forged.push(("depth".into(), sign(&head, &format!("{}{}", "[".repeat(2_000), "]".repeat(2_000)))));
    forged.push(("depth in a member".into(), sign(&head, &twice(&claims, &format!("\"x\":{}", "[".repeat(1_500))))));
    forged
}

/// All of them.
pub fn all(genuine: &Genuine) -> Vec<Forged> {
    [algorithms, keys, headers, claims, forms, members].into_iter().flat_map(|family| family(genuine)).collect()
}
