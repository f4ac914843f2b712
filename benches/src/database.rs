//! The embedded database behind the functions, with the table that they expect and one user in it.

use std::io::{self, Error};

use local::database::guard::{Policy, Rule};
use local::database::{Credentials, EmbeddedDatabase, Location};
use model::{EmailAddress, Role, User, UserId};
use protocol::{Access, Clock, Entity, Version};
use store::{Limits, Scope, Session, Settings, Store, Write};
use tokio::runtime::Runtime;

/// The id of the user that is fetched.
pub const USER_ID: &str = "0198c0de-0000-7000-8000-00000000000b";
/// What the answer must contain.
pub const USER_EMAIL: &str = "ada.lovelace@example.com";
/// The table's name.
pub const TABLE: &str = "benches";
/// Where it pretends to be.
pub const REGION: &str = "us-east-1";

/// A running database with one user. It stops when it is dropped.
pub struct Database {
    embedded: EmbeddedDatabase,
    reader: Credentials,
    // The database's own threads answer; this one only has to outlive it.
    _runtime: Runtime,
}

impl Database {
    /// Starts it in memory on a free port of 127.0.0.1, and stores the user.
    pub fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let embedded = runtime.block_on(EmbeddedDatabase::start(Location::Memory)).map_err(Error::other)?;
        let reader = Credentials::random();
        let rule = Rule {
            actions: Access::Read.actions().iter().map(|action| (*action).to_owned()).collect(),
            leading_keys: User::PREFIX.to_owned(),
        };
        embedded.admit(&reader.access_key_id, Policy::Procedure { name: "users.get".to_owned(), rules: vec![rule] });
        let database = Self { embedded, reader, _runtime: runtime };
        database._runtime.block_on(database.fill())?;
        Ok(database)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> &str {
        self.embedded.endpoint()
    }

    /// Credentials that may read users and nothing else: what `users-get` is deployed with.
    pub fn reader(&self) -> &Credentials {
        &self.reader
    }

    async fn fill(&self) -> io::Result<()> {
        let administrator = self.embedded.administrator();
        let store = Store::new(Settings {
            table: TABLE.to_owned(),
            region: REGION.to_owned(),
            endpoint: Some(self.endpoint().to_owned()),
            access_key_id: administrator.access_key_id.clone(),
            secret_access_key: administrator.secret_access_key.clone(),
            session_token: None,
            cursor_key: [0; 32],
            limits: Limits::default(),
        })
        .map_err(Error::other)?;
        store.create_table_if_missing().await.map_err(Error::other)?;
        let user = User {
            id: USER_ID.parse::<UserId>().map_err(Error::other)?,
            email: EmailAddress::new(USER_EMAIL),
            name: "Ada Lovelace".to_owned(),
            age: Some(36),
            is_verified: true,
            role: Role::Administrator,
            created_at: Clock::System.now(),
            version: Version::default(),
        };
        let users = Write::<User>::new(Session::new(store, Scope::default(), Clock::System));
        users.create(user).await.map_err(Error::other)?;
        Ok(())
    }
}
