//! What a token says may be true no more: its holder was deleted, was signed out or has fewer rights, its application
//! is registered no more. No such token changes anything, from the very next call, in whatever style, and whichever
//! the procedure. A new one joins by itself.

use protocol::{Auth, Kind, Spec};
use serde_json::{Value, json};
use testbed::Role;

use super::application::Application;
use crate::{
    support::styles::{
        calls::{Contract, Procedure, hollow},
        drivers::{self, Driver, Failed},
    },
    support::{Browser, Person, Request, TestServer, Tokens},
};

/// The mutations that take a permission, but for those that say why they do not look.
fn mutations(contract: &Contract) -> Vec<(Spec, Procedure<'_>)> {
    let all = testbed::service().procedures.into_iter().map(|procedure| procedure.entry);
    let theirs = all.filter(|entry| {
        let takes_permission = matches!(entry.spec.auth, Auth::Permission { .. });
        entry.spec.kind == Kind::Mutation && takes_permission && entry.spec.session.is_none()
    });
    let called = |name| contract.find(name).unwrap_or_else(|| panic!("say here how {name} is called"));
    theirs.map(|entry| (entry.spec, called(entry.name))).collect()
}

/// Every permission that these take.
fn permissions(mutations: &[(Spec, Procedure<'_>)]) -> Vec<&'static str> {
    let mut names: Vec<_> = mutations
        .iter()
        .filter_map(|(spec, _)| match spec.auth {
            Auth::Permission { name, .. } => Some(name),
            Auth::Public | Auth::SignedIn => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Somebody who may do everything, with a browser, a program, and an application that was let in.
struct Holder {
    person: Person,
    browser: Browser,
    program: Tokens,
    application: String,
}

impl Holder {
    async fn new(server: &TestServer, name: &str, application: &Application, scope: &str) -> Self {
        let person = server.person(name, Role::Administrator).await;
        let mut browser = server.browser(&person).await;
        let program = server.tokens(&person).await;
        let application = application.in_the_name_of(server, &mut browser, scope).await;
        Self { person, browser, program, application }
    }
}

/// A token, and what a call with it comes to.
struct Held {
    whose: &'static str,
    token: String,
    is_application: bool,
    /// Once it is true no more.
    then: &'static str,
}

impl Held {
    fn new(whose: &'static str, token: &str, then: &'static str) -> Self {
        Self { whose, token: token.to_owned(), is_application: false, then }
    }

    fn of_application(whose: &'static str, token: &str, then: &'static str) -> Self {
        Self { is_application: true, ..Self::new(whose, token, then) }
    }

    /// The refusal as long as it is true: what takes a fresh sign-in takes a person.
    fn refused_anyway(&self, spec: &Spec) -> Option<&'static str> {
        (self.is_application && spec.always_fresh_s().is_some()).then_some("FORBIDDEN")
    }
}

/// Calls every mutation with every token in every style, and tells what came of each: the code where somebody was refused
/// at the door, and else nothing.
async fn call_all(
    server: &TestServer,
    styles: &[Box<dyn Driver>],
    mutations: &[(Spec, Procedure<'_>)],
    tokens: &[Held],
    mut each: impl FnMut(&str, &Spec, &Held, Option<&str>),
) {
    for driver in styles {
        for (spec, procedure) in mutations.iter().filter(|(_, procedure)| driver.has(*procedure)) {
            let input = procedure.input().map(|schema| hollow(procedure.document, schema));
            for held in tokens {
                let request = driver.say(*procedure, input.as_ref()).unwrap().bearer(&held.token);
                let heard = driver.hear(*procedure, &server.service.send(&request).await).unwrap();
                // A procedure's own failure may have these codes as well: then it ran.
                let refused = match &heard {
                    Err(Failed { code, failure: None, .. }) => Some(code.as_str()),
                    _ => None,
                };
                let refused = refused.filter(|code| ["UNAUTHORIZED", "FORBIDDEN"].contains(code));
                let what = format!("{} in {} with the token of {}", procedure.name(), driver.name(), held.whose);
                each(&what, spec, held, refused);
            }
        }
    }
}

#[tokio::test]
async fn what_was_taken_away_changes_nothing_any_more_in_any_style() {
    let server = TestServer::inhabited().await;
    let contract = Contract::of_the_testbed();
    let mutations = mutations(&contract);
    let scopes = permissions(&mutations);
    assert!(mutations.len() >= 8 && scopes.len() >= 3, "they are found");
    let scope = scopes.join(" ");
    let mut styles: Vec<Box<dyn Driver>> = vec![Box::new(drivers::first())];
    styles.extend(drivers::others(&contract, &server.service).await);

    let (staying, removed) =
        (Application::register(&server, &scopes).await, Application::register(&server, &scopes).await);
    let deleted = Holder::new(&server, "dora", &staying, &scope).await;
    let demoted = Holder::new(&server, "emil", &staying, &scope).await;
    let mut leaving = Holder::new(&server, "lena", &staying, &scope).await;
    let host = Holder::new(&server, "hugo", &removed, &scope).await;
    let tokens = [
        Held::new("somebody who was deleted", &deleted.program.access, "UNAUTHORIZED"),
        Held::of_application("an application of somebody who was deleted", &deleted.application, "UNAUTHORIZED"),
        Held::new("somebody with fewer rights", &demoted.program.access, "FORBIDDEN"),
        Held::of_application("an application of somebody with fewer rights", &demoted.application, "FORBIDDEN"),
        Held::new("a session that was ended", &leaving.program.access, "UNAUTHORIZED"),
        Held::of_application("an application that was put out", &leaving.application, "UNAUTHORIZED"),
        Held::of_application("an application that was removed, of somebody", &host.application, "UNAUTHORIZED"),
        Held::of_application(
            "an application that was removed, for itself",
            &removed.for_itself(&server).await,
            "UNAUTHORIZED",
        ),
    ];
    let mut calls = 0;
    call_all(&server, &styles, &mutations, &tokens, |what, spec, held, refused| {
        calls += 1;
        assert_eq!(refused, held.refused_anyway(spec), "before, {what} is good");
    })
    .await;
    assert!(calls >= 8 * 8 * 5, "{calls}");

    assert_eq!(server.mutation("users.delete", json!({"id": deleted.person.id})).await.code(), "OK");
    server.mutation("users.update", json!({"id": demoted.person.id, "role": "viewer"})).await.data();
    assert_eq!(leaving.browser.mutation("sessions.revokeOthers", Value::Null).await.data(), json!({"count": 2}));
    removed.remove(&server).await;
    call_all(&server, &styles, &mutations, &tokens, |what, _, held, refused| {
        assert_eq!(refused, Some(held.then), "at once: {what}");
    })
    .await;
    // What only reads takes a token for its quarter of an hour: that is what tokens are for.
    for token in [&deleted.program.access, &host.application] {
        let me = server.service.send(&Request::query("posts.list", &Value::Null).bearer(token)).await;
        assert!(["OK", "FORBIDDEN"].contains(&me.code().as_str()), "{}", me.text());
    }
    // Others go on: of the same person, of another application.
    let program = host.program.access.clone();
    let hosts = [
        Held::new("the person who let it in", &program, ""),
        Held::of_application("another application", &staying.for_itself(&server).await, ""),
    ];
    call_all(&server, &styles, &mutations, &hosts, |what, spec, held, refused| {
        assert_eq!(refused, held.refused_anyway(spec), "{what}");
    })
    .await;
}

/// A service with mutations that are not public, one of which says why it does not look.
mod looks {
    use runtime::{Definition, prelude::*};

    pub const SERVICE: Definition = Definition {
        name: "looks",
        layout: None,
        password_sign_in: None,
        session: None,
        authorization_server: None,
        ..testbed::SERVICE
    };

    runtime::procedures! {
        inline SERVICE;
        visits { begin, count, forget, latest, mine }
    }

    mod visits {
        pub mod begin {
            use super::super::*;
            /// Begins one.
            #[procedure(mutation, auth = signed_in)]
            pub async fn begin() {}
        }
        pub mod count {
            use super::super::*;
            /// Counts.
            #[procedure(mutation, auth = signed_in, session = "a visit more or less does no harm")]
            pub async fn count() {}
        }
        pub mod forget {
            use super::super::*;
            /// Forgets all.
            #[procedure(mutation, auth = permission("posts:write"))]
            pub async fn forget() {}
        }
        pub mod latest {
            use super::super::*;
            /// Tells the latest.
            #[procedure(query, auth = permission("posts:read"))]
            pub async fn latest() {}
        }
        pub mod mine {
            use super::super::*;
            /// Tells the own ones.
            #[procedure(query, auth = signed_in, sensitive)]
            pub async fn mine() {}
        }
    }
}

#[test]
fn the_contract_says_who_looks_and_why_not_and_gives_the_right_to() {
    let (contract, _) = codegen::contract(&looks::service()).unwrap();
    let contract = serde_json::to_value(&contract).unwrap();
    let stated: Vec<_> = contract["procedures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|procedure| {
            let grants = procedure["grants"].as_array().unwrap().iter().filter(|grant| grant["access"] == "get");
            let looks_at: Vec<_> = grants.map(|grant| grant["entity"].as_str().unwrap()).collect();
            (procedure["name"].as_str().unwrap(), &procedure["sensitive"], &procedure["session"], looks_at.join(" "))
        })
        .collect();
    let (yes, no, unstated) = (json!(true), json!(false), Value::Null);
    let reason = json!("a visit more or less does no harm");
    let (session, both) = ("Session".to_owned(), "ApplicationClient Session".to_owned());
    assert_eq!(
        stated,
        [
            // No application comes so far.
            ("visits.begin", &yes, &unstated, session.clone()),
            ("visits.count", &no, &reason, session.clone()),
            ("visits.forget", &yes, &unstated, both),
            ("visits.latest", &no, &unstated, session.clone()),
            ("visits.mine", &yes, &unstated, session),
        ]
    );
}
