//! Every procedure with every kind of caller, in every style of API, held against what the procedure declares and what the
//! roles may do.

use protocol::Auth;
use runtime::Entry;

use crate::{
    contract, program,
    support::{
        Folder, Key, Request, Service,
        styles::{
            access::{Outcome, seen, seen_by_http},
            calls::hollow,
            drivers::{self, Driver},
        },
    },
};

/// Who calls.
#[derive(Clone, Copy, Debug)]
enum Caller {
    Nobody,
    /// Somebody who made the token.
    Forged,
    /// Somebody with a token of this role.
    Role(&'static str),
}

impl Caller {
    fn all() -> Vec<Self> {
        let roles = functions::SERVICE.roles.iter().map(|role| Self::Role(role));
        [Self::Nobody, Self::Forged].into_iter().chain(roles).collect()
    }

    fn present(self, request: Request, key: &Key) -> Request {
        let subject = uuid::Uuid::now_v7().to_string();
        match self {
            Self::Nobody => request,
            Self::Forged => request.bearer(&Key::foreign().token_named(crate::operator_role(), &subject)),
            Self::Role(role) => request.bearer(&key.token_named(role, &subject)),
        }
    }

    /// What the declaration of a procedure means for the caller; none where that depends on whose item it is.
    fn expected(self, entry: &Entry) -> Option<Outcome> {
        let permits = functions::SERVICE.permits;
        Some(match (self, entry.spec.auth) {
            (_, Auth::Public) if !entry.spec.asks_caller => Outcome::In,
            (Self::Forged, _) => Outcome::Unauthorized,
            (_, Auth::Public) => Outcome::In,
            (Self::Nobody, _) => Outcome::Unauthorized,
            (Self::Role(_), Auth::SignedIn) => Outcome::In,
            (Self::Role(role), Auth::Permission { name, .. }) if permits(role, name) => Outcome::In,
            (Self::Role(role), Auth::Permission { name, own: true }) if permits(role, &format!("{name}:own")) => {
                return None;
            }
            (Self::Role(_), Auth::Permission { .. }) => Outcome::Forbidden,
        })
    }
}

/// Each procedure is called about nothing that is there: whoever is let in learns that, and nobody else.
#[tokio::test]
async fn every_procedure_lets_in_whom_it_declares_in_every_style() {
    let (contract, data) = (contract(), Folder::new());
    let service = Service::start(program(), &["--ephemeral", "--data", &data.path().to_string_lossy()]).await;
    let key = Key::of_service(data.path(), functions::SERVICE.name);
    let mut styles: Vec<Box<dyn Driver>> = vec![Box::new(drivers::first())];
    styles.extend(drivers::others(&contract, &service).await);
    let mut unexpected = Vec::new();
    for procedure in functions::service().procedures {
        let entry = procedure.entry;
        let mut judge = |style: &str, caller: Caller, seen: Outcome, text: &str| {
            let expected = caller.expected(&entry);
            if expected.map_or(seen == Outcome::Unauthorized, |expected| seen != expected) {
                let what = format!("{} in {style} for {caller:?}", entry.name);
                unexpected.push(format!("{what}: {seen:?}, not {expected:?}: {text:.300}"));
            }
        };
        let Some(known) = contract.find(entry.name) else {
            let (method, path) = entry.http().unwrap();
            for caller in Caller::all() {
                let request = Request::new(method, path).header("content-type", "application/x-www-form-urlencoded");
                let answer = service.send(&caller.present(request, &key)).await;
                judge("its own form", caller, seen_by_http(&answer), &answer.text());
            }
            continue;
        };
        let input = known.input().map(|schema| hollow(known.document, schema));
        for driver in styles.iter().filter(|driver| driver.has(known)) {
            let what = format!("{} in {}", entry.name, driver.name());
            for caller in Caller::all() {
                let request = driver.say(known, input.as_ref()).unwrap_or_else(|| panic!("{what}: {input:?}"));
                let answer = service.send(&caller.present(request, &key)).await;
                let heard = driver.hear(known, &answer).unwrap_or_else(|fault| panic!("{what}: {fault}"));
                if let Err(failed) = &heard {
                    assert!(!failed.code.contains("SERVER"), "{what}: {}", answer.text());
                }
                judge(driver.name(), caller, seen(&heard), &answer.text());
            }
        }
    }
    assert!(unexpected.is_empty(), "{} unexpected answers:\n{}", unexpected.len(), unexpected.join("\n"));
}
