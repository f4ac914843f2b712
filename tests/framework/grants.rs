//! The signature is the grant: what a procedure does not name, it does not reach.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http::Request;
use local::{
    backend::Backend,
    data::DataFolder,
    local_cloud::{Addresses, LocalCloud, needs},
};
use protocol::{Clock, CursorScope, Entity, EntityId, Version, contract::Contract};
use runtime::{Callers, Definition, Site, cors::Cors};
use serde_json::{Value, json};
use store::{Read, StoreSession, Write};

use crate::support::Folder;

const SERVICE: Definition = Definition { callers: Callers::Custom(|_| Ok(None)), ..Definition::named("grants") };

runtime::procedures! {
    inline SERVICE;
    secrets { count, look, peek, plant, read, swap, wipe }
}

/// What must not be seen by everybody.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Secret {
    id: Name,
    version: Version,
    text: String,
}

/// A secret's name.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl EntityId for Name {}

impl Secret {
    fn named(name: &str) -> Self {
        Self { id: Name(name.to_owned()), version: Version(0), text: "the launch code".to_owned() }
    }
}

impl Entity for Secret {
    type Id = Name;
    const NAME: &'static str = "Secret";
    const PREFIX: &'static str = "secret";
    fn id(&self) -> &Name {
        &self.id
    }
    fn version(&self) -> Version {
        self.version
    }
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}

/// Capabilities that take more than they state.
mod lies {
    use protocol::Fault;
    use runtime::{Call, Capability, Rights};
    use store::{Create, Delete, Read, Update, Write};

    use super::Secret;

    /// States no grant and reads secrets.
    pub struct Peek(pub Read<Secret>);

    impl Capability for Peek {
        fn obtain(call: &Call) -> Result<Self, Fault> {
            Read::obtain(call).map(Self)
        }
    }

    /// States no grant and writes secrets.
    pub struct Plant(pub Write<Secret>);

    impl Capability for Plant {
        fn obtain(call: &Call) -> Result<Self, Fault> {
            Write::obtain(call).map(Self)
        }
    }

    /// States that it creates secrets, and replaces them.
    pub struct Swap(pub Update<Secret>);

    impl Capability for Swap {
        const RIGHTS: Rights = Create::<Secret>::RIGHTS;

        fn obtain(call: &Call) -> Result<Self, Fault> {
            Update::obtain(call).map(Self)
        }
    }

    /// States that it replaces secrets, and deletes them.
    pub struct Wipe(pub Delete<Secret>);

    impl Capability for Wipe {
        const RIGHTS: Rights = Update::<Secret>::RIGHTS;

        fn obtain(call: &Call) -> Result<Self, Fault> {
            Delete::obtain(call).map(Self)
        }
    }
}

/// Capabilities that are made of others.
mod bundles {
    use runtime::prelude::*;

    use super::{Name, Secret};

    /// To look at a secret, for who is not signed in.
    #[derive(Capability)]
    pub struct Look {
        pub secrets: Read<Secret>,
        pub who: Option<Caller>,
    }

    /// Two rights to one kind of thing, one of them in a bundle of its own.
    #[derive(Capability)]
    pub struct Replacing(pub Look, pub Changing<Secret>);

    /// To change things of any kind.
    #[derive(Capability)]
    pub struct Changing<T: protocol::Entity> {
        pub things: Write<T>,
    }

    impl Replacing {
        /// Creates as many as there are not yet, and says how many there are then.
        pub async fn up_to(&self, most: u32) -> Result<u32, StoreError> {
            for number in 0..most {
                let name = number.to_string();
                if self.0.secrets.get(&Name(name.clone())).await?.is_none() {
                    self.1.things.create(Secret::named(&name)).await?;
                }
            }
            Ok(most)
        }
    }
}

mod secrets {
    pub mod look {
        use runtime::prelude::*;

        use super::super::{Name, bundles::Look};

        /// Read the secret by a bundle.
        #[procedure(query, auth = public)]
        pub async fn look(look: Look) -> Result<Option<String>, NoFailure> {
            let secret = look.secrets.get(&Name("code".to_owned())).await?;
            Ok(secret.filter(|_| look.who.is_none()).map(|secret| secret.text))
        }
    }
    pub mod count {
        use runtime::prelude::*;

        use super::super::bundles::Replacing;

        /// Write secrets by a bundle of bundles.
        #[procedure(mutation, auth = public)]
        pub async fn count(replacing: Replacing) -> Result<u32, NoFailure> {
            Ok(replacing.up_to(3).await?)
        }
    }
    pub mod read {
        use runtime::prelude::*;

        use super::super::{Name, Secret};

        /// Read the secret, and say so in the signature.
        #[procedure(query, auth = public)]
        pub async fn read(secrets: Read<Secret>) -> Result<Option<String>, NoFailure> {
            Ok(secrets.get(&Name("code".to_owned())).await?.map(|secret| secret.text))
        }
    }
    pub mod peek {
        use runtime::prelude::*;

        use super::super::{Name, lies::Peek};

        /// Read the secret behind the signature's back.
        #[procedure(query, auth = public)]
        pub async fn peek(secrets: Peek) -> Result<Option<String>, NoFailure> {
            Ok(secrets.0.get(&Name("code".to_owned())).await?.map(|secret| secret.text))
        }
    }
    pub mod plant {
        use runtime::prelude::*;

        use super::super::{Secret, lies::Plant};

        /// Write a secret behind the signature's back.
        #[procedure(mutation, auth = public)]
        pub async fn plant(secrets: Plant) -> Result<(), NoFailure> {
            secrets.0.create(Secret::named("planted")).await?;
            Ok(())
        }
    }
    pub mod swap {
        use runtime::prelude::*;

        use super::super::{Name, lies::Swap};

        /// Replace the secret with the right to create one.
        #[procedure(mutation, auth = public)]
        pub async fn swap(secrets: Swap) -> Result<(), NoFailure> {
            if let Some(secret) = secrets.0.get(&Name("code".to_owned())).await? {
                secrets.0.replace(&secret, secret.clone()).await?;
            }
            Ok(())
        }
    }
    pub mod wipe {
        use runtime::prelude::*;

        use super::super::{Name, lies::Wipe};

        /// Delete the secret with the right to replace it.
        #[procedure(mutation, auth = public)]
        pub async fn wipe(secrets: Wipe) -> Result<(), NoFailure> {
            if let Some(secret) = secrets.0.get(&Name("code".to_owned())).await? {
                secrets.0.delete(&secret).await?;
            }
            Ok(())
        }
    }
}

/// The log of this process.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut *LOG.lock().unwrap_or_else(PoisonError::into_inner), bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The errors in the log that belong to a procedure.
fn errors(procedure: &str) -> Vec<Value> {
    let log = String::from_utf8(LOG.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["level"] == "ERROR" && line["procedure"] == procedure).collect()
}

async fn call(backend: &Backend, method: &str, procedure: &str) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/trpc/{procedure}"))
        .header("content-type", "application/json")
        .body(Bytes::new())
        .unwrap();
    let response = backend.call(procedure, "request-1", (&Cors::AnyOrigin, &Site::new("", "", "")), request).await;
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

#[tokio::test]
async fn a_procedure_that_touches_what_it_does_not_name_fails_loudly() {
    runtime::telemetry::start(|| Log, "info".parse().unwrap());
    let folder = Folder::new();
    let service = service();
    let cloud = LocalCloud::start(&SERVICE, &DataFolder::open(folder.path()).unwrap(), true, Addresses::default())
        .await
        .unwrap();
    let backend = cloud.in_process(&service, &needs(&service)).unwrap();
    let scope = CursorScope { procedure: "test", caller: None, input: Bytes::new() };
    let session = StoreSession::new(cloud.store.clone(), scope, Clock::System);
    Write::new(session.clone()).create(Secret::named("code")).await.unwrap();

    // Given a secret, the one that names it reads it.
    let (status, answer) = call(&backend, "GET", "secrets.read").await;
    assert_eq!((status, &answer["result"]["data"]), (200, &json!("the launch code")));

    // So do those that name it in a bundle.
    let (status, answer) = call(&backend, "GET", "secrets.look").await;
    assert_eq!((status, &answer["result"]["data"]), (200, &json!("the launch code")));
    let (status, answer) = call(&backend, "POST", "secrets.count").await;
    assert_eq!((status, &answer["result"]["data"]), (200, &json!(3)), "{answer}");

    // The ones that lie learn nothing but that something went wrong.
    for (method, procedure, action, remedy) in [
        ("GET", "secrets.peek", "dynamodb:GetItem", "`Read<…>`"),
        ("POST", "secrets.plant", "dynamodb:PutItem", "`Create<…>` or `Update<…>`"),
        ("POST", "secrets.swap", "dynamodb:GetItem", "`Read<…>`"),
        ("POST", "secrets.wipe", "dynamodb:DeleteItem", "`Delete<…>`"),
    ] {
        let (status, answer) = call(&backend, method, procedure).await;
        assert_eq!(status, 500, "{answer}");
        assert_eq!(answer["error"]["data"]["code"], "INTERNAL_SERVER_ERROR");
        assert!(!answer.to_string().contains("launch") && !answer.to_string().contains("denied"), "{answer}");

        // The log says what was touched, by whom, and what would help.
        let errors = errors(procedure);
        let denial = errors.iter().find(|line| line["action"] == action).unwrap_or_else(|| panic!("{errors:?}"));
        assert_eq!(denial["key"], "secret#…");
        let remedy = format!("a parameter {remedy} with the entity of prefix `secret`");
        assert!(denial["message"].as_str().unwrap().contains(&remedy), "{denial}");
        let call = errors.iter().find(|line| line["status"] == 500).unwrap_or_else(|| panic!("{errors:?}"));
        assert_eq!(call["request_id"], "request-1");
        assert!(call["cause"].as_str().unwrap().contains("not authorized"), "{call}");
    }

    // And nothing was written, replaced or deleted.
    let secrets = Read::<Secret>::new(session);
    assert!(secrets.get(&Name("planted".to_owned())).await.unwrap().is_none());
    assert_eq!(secrets.get(&Name("code".to_owned())).await.unwrap().unwrap().version, Version(1));
    cloud.database.stop().await;
}

/// The contract's grants are those of the signatures, and what they stand for in IAM.
#[test]
fn the_contract_states_what_the_signatures_ask_for() {
    let (contract, _) = codegen::contract(&testbed::service()).unwrap();
    let granted: Vec<String> = contract
        .procedures
        .iter()
        .map(|procedure| {
            let grants = procedure.grants.iter().map(|grant| format!("{:?}<{}>", grant.access, grant.entity));
            format!("{}: {}", procedure.name, grants.collect::<Vec<_>>().join(", "))
        })
        .collect();
    for expected in [
        "health.ping: ",
        "auth.me: Count<Meter>, Get<Session>, Read<User>",
        "auth.requestReset: Read<Account>, Create<AuditEntry>, Count<Limit>, Create<MailedToken>, Read<User>",
        "posts.create: Get<ApplicationClient>, Create<AuditEntry>, Create<Post>, Get<Session>",
        "posts.get: Count<Meter>, Read<Post>, Get<Session>",
        "sessions.list: Read<Account>, Count<Meter>, Read<Session>",
        "posts.delete: Get<ApplicationClient>, Create<AuditEntry>, Delete<Post>, Get<Session>",
        "posts.update: Get<ApplicationClient>, Create<AuditEntry>, Update<Post>, Get<Session>",
        "users.delete: Create<Account>, Update<Account>, Delete<Account>, Get<ApplicationClient>, Create<AuditEntry>, Count<Limit>, Read<MailedToken>, Delete<MailedToken>, Count<Meter>, Create<Session>, Update<Session>, Delete<Session>, Delete<User>",
        "users.get: Count<Meter>, Get<Session>, Read<User>",
        "users.list: Count<Meter>, Get<Session>, Read<User>",
    ] {
        assert!(granted.contains(&expected.to_owned()), "{expected}: {granted:#?}");
    }
    let grants_of = |contract: &Contract, name: &str| {
        let procedure = contract.procedures.iter().find(|procedure| procedure.name == name).unwrap();
        serde_json::to_value(&procedure.grants).unwrap()
    };
    assert_eq!(
        grants_of(&contract, "users.get"),
        json!([{
            "entity": "Meter",
            "prefix": "meter",
            "access": "count",
            "actions": ["dynamodb:UpdateItem"],
            "indexes": [],
            "leadingKeys": "meter#*",
        }, {
            "entity": "Session",
            "prefix": "session",
            "access": "get",
            "actions": ["dynamodb:GetItem"],
            "indexes": [],
            "leadingKeys": "session#*",
        }, {
            "entity": "User",
            "prefix": "user",
            "access": "read",
            "actions": ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"],
            "indexes": ["gsi1", "gsi2", "gsi3", "gsi4", "gsi5"],
            "leadingKeys": "user#*",
        }])
    );
    // Of the table's five indexes, posts stand in three; who creates queries none.
    assert_eq!(grants_of(&contract, "posts.get")[1]["indexes"], json!(["gsi1", "gsi2", "gsi3"]));
    let written =
        grants_of(&contract, "posts.create").as_array().unwrap().iter().find(|it| it["entity"] == "Post").cloned();
    assert_eq!(written.unwrap()["indexes"], json!([]));
    // An entity that cannot be listed is not queried.
    let (contract, _) = codegen::contract(&service()).unwrap();
    let named = |name: &str| {
        let procedure = contract.procedures.iter().find(|procedure| procedure.name == name).unwrap();
        procedure.grants.iter().map(|grant| format!("{:?}<{}>", grant.access, grant.entity)).collect::<Vec<_>>()
    };
    assert_eq!(named("secrets.look"), named("secrets.read"), "a bundle is what is in it");
    assert_eq!(named("secrets.count"), ["Read<Secret>", "Write<Secret>"]);
    let read = &grants_of(&contract, "secrets.read")[1];
    let expected = (json!(["dynamodb:BatchGetItem", "dynamodb:GetItem"]), json!([]));
    assert_eq!((&read["actions"], &read["indexes"]), (&expected.0, &expected.1));
}

/// A query cannot ask to write, so that none of them may change anything, whatever it does. What it reads is counted for
/// its caller, under keys that are there for nothing else.
#[test]
fn no_query_has_the_right_to_change_anything_but_the_count_of_what_it_reads() {
    let (contract, _) = codegen::contract(&testbed::service()).unwrap();
    for procedure in contract.procedures.iter().filter(|procedure| procedure.kind == protocol::Kind::Query) {
        let (meter, grants): (Vec<_>, Vec<_>) =
            procedure.grants.iter().partition(|grant| grant.leading_keys == "meter#*");
        for grant in meter {
            assert_eq!(grant.actions, ["dynamodb:UpdateItem"], "{}", procedure.name);
        }
        for action in grants.iter().flat_map(|grant| &grant.actions) {
            let writes = ["Put", "Update", "Delete", "Write"].iter().any(|verb| action.contains(verb));
            assert!(!writes, "{} may {action}", procedure.name);
        }
    }
}
