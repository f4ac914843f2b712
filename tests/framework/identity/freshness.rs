//! What only somebody may do who signed in a moment ago: a cookie or a token that was stolen gives nothing away for good.
//! With a clock that the test sets.

use identity::{Account, AuditAction, AuditEntry, IdentityUser as _};
use protocol::{Auth, Kind};
use serde_json::{Value, json};
use testbed::{Role, User};

use super::time::{EMAIL, Given, SECOND};
use crate::support::people::password;

/// An id that nobody has.
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// The mutations that a cookie is enough for, however old its sign-in is, and why.
const FREE: [(&str, &str); 15] = [
    ("account.export", "it changes nothing, and says what the person's pages say"),
    ("auth.logout", "a session ends, and nobody gets in"),
    ("auth.reauthenticate", "it is the proof itself"),
    ("auth.refresh", "it renews the session, for no longer than it may last"),
    ("auth.verifyEmail", "it takes a token that was mailed, and the caller counts for which sessions stay"),
    ("grants.clientsDelete", "an application goes, and nobody gets in"),
    ("grants.decide", "a page asks, in a form that a standard dictates; the owner is told by mail"),
    ("oauth.reauthenticate", "it begins the proof"),
    ("posts.create", "a post, and no account"),
    ("posts.delete", "a post, and no account"),
    ("posts.update", "a post, and no account"),
    ("sessions.revoke", "a session ends, and nobody gets in"),
    ("sessions.revokeOthers", "sessions end, and nobody gets in"),
    ("users.delete", "an account goes, and nobody gets in; its owner is told by mail"),
    ("users.signOut", "sessions end, and nobody gets in"),
];

/// How long a sign-in is fresh.
const FRESH: i64 = 300 * SECOND;

/// Every procedure that gives an account away for good, or lets somebody else in, with an input with which it does, and
/// how it fails for who may call it.
fn precious(given: &Given) -> Vec<(&'static str, Value, &'static str)> {
    let application = json!({"name": "Rea\u{200b}der", "kind": "public", "scopes": ["posts:read"],
        "redirectUris": ["https://reader.example/"]});
    let change = json!({"current": "not the password", "password": given.password});
    vec![
        ("oauth.link", json!({"provider": "nobody"}), "missing"),
        ("oauth.unlink", json!({"provider": "nobody"}), "notLinked"),
        ("auth.changePassword", change, "wrongPassword"),
        ("grants.clientsCreate", application, "misleadingName"),
        ("account.erase", json!({"password": "not the password"}), "wrongPassword"),
        ("users.create", json!({"email": EMAIL, "name": "Thief", "role": "administrator"}), "emailTaken"),
        ("users.create", json!({"email": EMAIL, "name": "Thief", "isVerified": true}), "emailTaken"),
        ("users.update", json!({"id": NOBODY, "email": "thief@example.com"}), "missing"),
        ("users.update", json!({"id": NOBODY, "role": "administrator"}), "missing"),
        ("users.update", json!({"id": NOBODY, "isVerified": true}), "missing"),
    ]
}

/// What states `fresh` is what [`precious`] holds, and nothing else that knows its caller and changes something is without a
/// reason.
#[test]
fn what_a_stolen_cookie_may_change_is_listed() {
    let service = testbed::service();
    let mut free: Vec<&str> = Vec::new();
    for procedure in service.procedures.iter().map(|procedure| procedure.entry) {
        let spec = procedure.spec;
        let knows_caller = spec.auth != Auth::Public || spec.asks_caller;
        if spec.kind == Kind::Mutation && knows_caller && spec.fresh_s.is_none() {
            free.push(procedure.name);
        }
    }
    free.sort_unstable();
    let listed = FREE.map(|(name, _)| name);
    assert_eq!(free, listed, "state `fresh`, or say here why a stolen cookie may do it");
}

async fn ada(given: &Given) -> User {
    given.test.read::<User>().by_unique(User::UNIQUE_EMAIL, EMAIL).await.unwrap().unwrap()
}

async fn account(given: &Given) -> Account {
    given.test.read::<Account>().get(&ada(given).await.id).await.unwrap().unwrap()
}

/// Somebody who may do all of it, and the cookie of a sign-in at the beginning.
async fn administrator() -> (Given, String) {
    let (given, _) = Given::signed_in().await;
    let ada = ada(&given).await;
    let next = User { role: Role::Administrator, ..ada.clone() };
    given.test.write::<User>().replace(&ada, next).await.unwrap();
    let cookie = given.login("cookie").await.cookie();
    (given, cookie)
}

async fn logged(given: &Given, action: AuditAction) -> usize {
    let log = given.test.read::<AuditEntry>().list(&AuditEntry::BY_TIME).page(Default::default(), None);
    log.await.unwrap().items.iter().filter(|entry| entry.action == action).count()
}

#[tokio::test]
async fn the_cookie_of_an_old_session_gives_nothing_away() {
    let (mut given, first) = administrator().await;
    given.at(FRESH);
    for (procedure, input, own) in precious(&given) {
        assert_eq!(
            given.on_page(&first, procedure, &input).await.failure(),
            own,
            "{procedure}: signed in a moment ago"
        );
    }
    given.at(FRESH + 1);
    // A renewal is no proof of anybody: the thief does it as well.
    let stolen = given.renew(&first).await.cookie();
    let before = account(&given).await;
    for (procedure, input, _) in precious(&given) {
        let refused = given.on_page(&stolen, procedure, &input).await;
        assert_eq!((refused.status.as_u16(), refused.failure()), (403, "reauthenticate"), "{procedure}");
        assert_eq!(refused.header("www-authenticate"), None, "it is about tokens");
    }
    assert_eq!(account(&given).await, before);

    let refused = logged(&given, AuditAction::PasswordRefused).await;
    let wrong = given.on_page(&stolen, "auth.reauthenticate", &json!({"password": "not the password"})).await;
    assert_eq!(wrong.failure(), "wrongPassword");
    assert_eq!(logged(&given, AuditAction::PasswordRefused).await, refused + 1);
    assert_eq!(given.on_page(&stolen, "oauth.unlink", &json!({"provider": "x"})).await.failure(), "reauthenticate");

    // The owner proves it, and the thief's copy is good no more: it has no part in it.
    let proof = json!({"password": given.password});
    let own = given.on_page(&stolen, "auth.reauthenticate", &proof).await.cookie();
    assert!(!given.is_good(&stolen).await && given.is_good(&own).await);
    assert_eq!(given.renew(&stolen).await.failure(), "ended");
    assert_eq!(logged(&given, AuditAction::Reauthenticated).await, 1);
    for (at, is_fresh) in [(2 * FRESH + 1, true), (2 * FRESH + 2, false)] {
        given.at(at);
        for (procedure, input, failure) in precious(&given) {
            let expected = if is_fresh { failure } else { "reauthenticate" };
            assert_eq!(given.on_page(&own, procedure, &input).await.failure(), expected, "{procedure} at {at}");
        }
    }
    assert_eq!(account(&given).await.devices.len(), before.devices.len(), "it is the same device");
}

#[tokio::test]
async fn tokens_of_an_old_session_give_nothing_away() {
    let (mut given, _) = administrator().await;
    let first = given.login("tokens").await;
    given.at(FRESH + 1);
    // A token that was made a moment ago is no sign-in of a moment ago.
    let second = given.refresh(&first.tokens("refreshToken")).await;
    let bearer = |token: &str| format!("Bearer {token}");
    for token in [&first, &second].map(|said| bearer(&said.tokens("accessToken"))) {
        for (procedure, input, _) in precious(&given) {
            let refused = given.call(procedure, &input, &[("authorization", &token)]).await;
            assert_eq!(refused.failure(), "reauthenticate", "{procedure}");
        }
    }
    let old = bearer(&second.tokens("accessToken"));
    let proof = json!({"password": given.password});
    let third = given.call("auth.reauthenticate", &proof, &[("authorization", &old)]).await;
    let new = bearer(&third.tokens("accessToken"));
    for (procedure, input, failure) in precious(&given) {
        assert_eq!(given.call(procedure, &input, &[("authorization", &new)]).await.failure(), failure, "{procedure}");
        assert_eq!(given.call(procedure, &input, &[("authorization", &old)]).await.status, 401, "{procedure}");
    }
    assert_eq!(given.refresh(&second.tokens("refreshToken")).await.failure(), "ended");
    assert_eq!(given.refresh(&third.tokens("refreshToken")).await.status, 200);
}

/// Who signs in elsewhere only has no password that could be asked for: the cookie alone was enough for all of it.
#[tokio::test]
async fn a_cookie_sets_no_first_password_and_erases_no_account_without_one() {
    let (mut given, cookie) = Given::signed_in().await;
    let current = account(&given).await;
    let without = Account { password: None, ..current.clone() };
    given.test.write::<Account>().replace(&current, without).await.unwrap();
    given.at(FRESH + 1);
    let first = json!({"password": password()});
    for (procedure, input) in [("auth.changePassword", first), ("account.erase", json!({}))] {
        assert_eq!(given.on_page(&cookie, procedure, &input).await.failure(), "reauthenticate", "{procedure}");
    }
    let said = given.on_page(&cookie, "auth.reauthenticate", &json!({"password": given.password})).await;
    assert_eq!(said.failure(), "noPassword");
    assert_eq!(account(&given).await.password, None);
}

/// As many guesses as at the sign-in, and not one more.
#[tokio::test]
async fn the_password_is_guessed_no_more_often_than_at_the_sign_in() {
    let (given, cookie) = Given::signed_in().await;
    for _ in 0..10 {
        let wrong = given.on_page(&cookie, "auth.reauthenticate", &json!({"password": "not the password"})).await;
        assert_eq!(wrong.failure(), "wrongPassword");
    }
    let proof = json!({"password": given.password});
    assert_eq!(given.on_page(&cookie, "auth.reauthenticate", &proof).await.status, 429);
    assert_eq!(given.login("cookie").await.status, 200, "the owner is not kept out elsewhere");
}
