//! A dump of the table is no way in: it holds no secret, and nothing in it is one.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD as BASE64},
};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use super::drive::{CALLBACK, Secret, Used, form};
use crate::support::{
    Browser, Connection, Request,
    browser::{CSRF, DEVICE, SESSION},
    http::basic,
    people::password,
    table,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The ways in which a secret might be written down.
fn forms(secret: &Secret) -> Vec<(String, Vec<u8>)> {
    let text = secret.text.as_bytes();
    let mut forms = vec![
        ("as it is".to_owned(), text.to_vec()),
        ("backwards".to_owned(), text.iter().rev().copied().collect()),
        ("in hex".to_owned(), hex(text).into_bytes()),
        ("in base64".to_owned(), STANDARD_NO_PAD.encode(text).into_bytes()),
        ("in base64url".to_owned(), BASE64.encode(text).into_bytes()),
    ];
    // Access tokens have public parts; what must not be known of them is the signature.
    let parts = secret.text.split('.').collect::<Vec<_>>();
    let opaque = if parts.len() == 3 { parts[2] } else { secret.text.as_str() };
    let Ok(bytes) = BASE64.decode(opaque) else { return forms };
    let halves = bytes.chunks(32).filter(|half| half.len() == 32).map(<[u8]>::to_vec);
    for bytes in std::iter::once(bytes.clone()).chain(halves) {
        let what = format!("{} bytes", bytes.len());
        forms.push((format!("{what} as they are"), bytes.clone()));
        forms.push((format!("{what} in hex"), hex(&bytes).into_bytes()));
        forms.push((format!("{what} in capital hex"), hex(&bytes).to_uppercase().into_bytes()));
        forms.push((format!("{what} in base64"), STANDARD.encode(&bytes).into_bytes()));
        forms.push((format!("{what} in base64url"), BASE64.encode(&bytes).into_bytes()));
        forms.push((format!("{what} in base64url with padding"), URL_SAFE.encode(&bytes).into_bytes()));
    }
    forms
}

/// The secrets that stand in a text, which need not be UTF-8.
pub fn found<'a>(secrets: &'a [Secret], text: &[u8]) -> Vec<(&'a str, String)> {
    // One character for each byte: searching a `str` is quick.
    let characters = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    let text = characters(text);
    let all = secrets.iter().flat_map(|secret| forms(secret).into_iter().map(|form| (secret.name, form)));
    all.filter(|(_, (_, form))| text.contains(&characters(form))).map(|(name, (how, _))| (name, how)).collect()
}

/// What a text can be tried as.
pub fn attempts(used: &Used, text: &str) -> Vec<(&'static str, Request)> {
    let cookie = Request::query("auth.me", &Value::Null).header("cookie", format!("{SESSION}={text}"));
    let cross_site = Request::mutation("sessions.revokeOthers", &Value::Null)
        .header("cookie", used.browser.cookies())
        .header("origin", used.browser.origin())
        .header(CSRF, text);
    let bearer = Request::query("auth.me", &Value::Null).header("authorization", format!("Bearer {text}"));
    let client = |secret: &str| basic(&used.client_id, secret);
    let credentials = form(
        "/oauth/token",
        &[("grant_type", "client_credentials"), ("client_id", &used.client_id), ("client_secret", text)],
    );
    let own_secret = used.secret("the secret of an application");
    let verifier = &used.secrets.iter().rfind(|it| it.name == "the verifier of a code").unwrap().text;
    let code = form(
        "/oauth/token",
        &[
            ("grant_type", "authorization_code"),
            ("code", text),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ],
    );
    let code = code.header("authorization", client(own_secret));
    let refresh = form("/oauth/token", &[("grant_type", "refresh_token"), ("refresh_token", text)]);
    let refresh = refresh.header("authorization", client(own_secret));
    vec![
        ("a cookie", cookie),
        ("the token against cross-site requests", cross_site),
        ("a token", bearer),
        ("a refresh token", Request::mutation("auth.refresh", &json!({"refreshToken": text}))),
        ("a proof of an address", Request::mutation("auth.verifyEmail", &json!({"token": text}))),
        (
            "a link for another password",
            Request::mutation("auth.resetPassword", &json!({"token": text, "password": password()})),
        ),
        ("an application's secret", credentials),
        ("a code", code),
        ("an application's refresh token", refresh),
    ]
}

/// Which of the attempts succeed, of a thief who has an address.
pub async fn steal(
    service: SocketAddr,
    from: Ipv4Addr,
    attempts: Vec<((&'static str, Request), String)>,
) -> Vec<(&'static str, String)> {
    let mut connection = Connection::open_from(from.into(), service).await.unwrap();
    let mut opened = Vec::new();
    for ((what, request), text) in attempts {
        // Who is told that the service is too busy asks again: that says nothing of what opens what.
        let answer = loop {
            let answer = connection.send(&request).await.unwrap();
            if ![503, 504].contains(&answer.status) {
                break answer;
            }
            sleep(Duration::from_millis(20)).await;
        };
        assert!(answer.status < 500 && answer.status != 429, "{request:?}: {}", answer.text());
        if answer.status == 200 {
            opened.push((what, text));
        }
    }
    opened
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_the_table_is_no_way_in() {
    let used = Used::new().await;
    let items = table::dump(&used.running()).await;
    let prefixes: Vec<&str> = [
        "account#",
        "session#",
        "mailed-token#",
        "client#",
        "authorization-code#",
        "sign-in-flow#",
        "audit#",
        "limit#",
        "user#",
    ]
    .to_vec();
    let text = serde_json::to_string(&items).unwrap();
    for prefix in prefixes {
        assert!(text.contains(&format!("\"{prefix}")), "the dump has no {prefix}");
    }
    assert!(text.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "passwords are there, as their hashes");

    // No secret is in it, nor in the file, in which more may be than in the table.
    assert_eq!(found(&used.secrets, text.as_bytes()), []);
    for file in ["database.sqlite", "database.sqlite-wal"] {
        let bytes = std::fs::read(used.server.data.path().join(file)).unwrap_or_default();
        assert_eq!(found(&used.secrets, &bytes), [], "{file}");
    }
    // The test would see one: this one is in it, as it must be.
    let planted = Secret { name: "an address", text: used.ada.email.clone() };
    assert!(!found(&[planted], text.as_bytes()).is_empty());

    // And nothing that is in it opens anything.
    let texts = table::texts(&items);
    assert!(texts.len() > 200, "{}", texts.len());
    let texts: Vec<String> =
        texts.into_iter().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic())).collect();
    // Every address takes part in few attempts, so that no limit stops this test.
    let thieves: JoinSet<_> = texts
        .chunks(20)
        .zip(2..)
        .map(|(texts, place)| {
            let tried = texts.iter().flat_map(|text| attempts(&used, text).into_iter().map(|it| (it, text.clone())));
            steal(used.server.service.address, Ipv4Addr::new(127, 0, 9, place), tried.collect())
        })
        .collect();
    // The thieves would notice: what is alive opens what it is for.
    let alive = ["a cookie", "an access token"].map(|name| used.secret(name).to_owned());
    let control = alive.iter().flat_map(|text| attempts(&used, text).into_iter().take(3).map(|it| (it, text.clone())));
    let control = control.filter(|((what, _), _)| !what.contains("cross-site")).collect();
    let opened = steal(used.server.service.address, Ipv4Addr::new(127, 0, 9, 1), control).await;
    assert_eq!(opened.iter().map(|(what, _)| *what).collect::<Vec<_>>(), ["a cookie", "a token"]);
    let opened: Vec<_> = thieves.join_all().await.into_iter().flatten().collect();
    assert_eq!(opened, []);
    nobody_signs_in_with_what_is_stored(&used, &items).await;
    everything_is_still_alive(&used).await;
}

/// The stored hash of a password is no password, and what is stored of a known browser makes none known.
async fn nobody_signs_in_with_what_is_stored(used: &Used, items: &[Value]) {
    let all = table::texts(items);
    let hashes: Vec<&String> = all.iter().filter(|text| text.starts_with("$argon2id$")).collect();
    let parts = hashes.iter().flat_map(|hash| hash.rsplit('$').take(2).map(str::to_owned));
    for guess in hashes.iter().map(|hash| (*hash).clone()).chain(parts).take(6) {
        let mut browser = Browser::new(&used.server.service);
        assert_eq!(browser.login(&used.ada.email, &guess).await.failure(), "wrongCredentials");
    }
    let known = items
        .iter()
        .filter(|item| item.to_string().contains("account#"))
        .flat_map(|item| table::texts(std::slice::from_ref(item)));
    for text in known.filter(|text| text.len() == 43) {
        let mut browser = Browser::new(&used.server.service);
        browser.plant(DEVICE, &text);
        let answer = browser.login(&used.ada.email, &used.ada.password).await;
        assert_eq!(answer.code(), "OK");
        assert_ne!(browser.cookie(DEVICE), text, "it was not known");
    }
}

/// The attempts were made while all of it could have been used.
pub async fn everything_is_still_alive(used: &Used) {
    assert!(used.browser.clone().is_signed_in().await);
    let refresh = json!({"refreshToken": used.secret("a refresh token")});
    let answer = used.server.service.send(&Request::mutation("auth.refresh", &refresh)).await;
    assert_eq!(answer.code(), "OK", "{}", answer.text());
    let password_of_bob = used.secret("the password of an account that is not proved");
    let verify = json!({"token": used.secret("a token that proves an address"), "password": password_of_bob});
    assert_eq!(used.server.service.send(&Request::mutation("auth.verifyEmail", &verify)).await.code(), "OK");
    let application = form(
        "/oauth/token",
        &[("grant_type", "refresh_token"), ("refresh_token", used.secret("an application's refresh token"))],
    );
    let application =
        application.header("authorization", basic(&used.client_id, used.secret("the secret of an application")));
    assert_eq!(used.server.service.send(&application).await.status, 200);
    let reset = json!({"token": used.secret("a token for another password"), "password": password()});
    assert_eq!(used.server.service.send(&Request::mutation("auth.resetPassword", &reset)).await.code(), "OK");
}
