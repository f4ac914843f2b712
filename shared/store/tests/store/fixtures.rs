//! Fixtures of the tests: entities, a database, and servers that stand in front of it or for it.

use std::time::Duration;

use aws::{Access, RetryPolicy};
use local::{
    database::{EmbeddedDatabase, Location},
    testing::fake_server::{FakeServer, answer, read_message},
};
use protocol::{Clock, CursorScope, Entity, Index, IndexEntry, Listing, SortKey, Tally, Timestamp, Unique, Version};
use serde::{Deserialize, Serialize};
use store::{Read, Settings, Store, StoreLimits, StoreSession, Write};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

protocol::id! {
    /// An id of the tests' entities.
    pub struct Id;
}

/// An id that no other call returns.
pub fn id() -> Id {
    uuid::Uuid::now_v7().into()
}

/// An entity that is listed, and optionally expires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    pub id: Id,
    pub version: Version,
    pub topic: String,
    pub rank: u32,
    pub expires: Option<Timestamp>,
}

impl Note {
    pub const BY_TOPIC: &'static Listing<Self> = &Listing::of("topic");
    pub const SPREAD: &'static Listing<Self> = &Listing::of("spread");

    pub fn new(topic: &str, rank: u32) -> Self {
        Self { id: id(), version: Version(0), topic: topic.to_owned(), rank, expires: None }
    }
}

impl Entity for Note {
    type Id = Id;
    const NAME: &'static str = "Note";
    const PREFIX: &'static str = "note";
    const INDEXES: &'static [Index<Self>] = &[
        Index {
            name: "topic",
            shards: 1,
            entry: |note| Some(IndexEntry { list: note.topic.clone(), sort: SortKey::number(note.rank) }),
        },
        Index {
            name: "spread",
            shards: 4,
            entry: |note| Some(IndexEntry { list: String::new(), sort: SortKey::number(note.rank) }),
        },
    ];
    fn id(&self) -> &Id {
        &self.id
    }
    fn version(&self) -> Version {
        self.version
    }
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
    fn expires_at(&self) -> Option<Timestamp> {
        self.expires
    }
}

/// An entity with a unique e-mail address, optionally expiring, optionally an administrator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub id: Id,
    pub version: Version,
    pub email: String,
    pub administrator: bool,
    pub expires: Option<Timestamp>,
}

impl Member {
    pub fn new(email: &str) -> Self {
        Self { id: id(), version: Version(0), email: email.to_owned(), administrator: false, expires: None }
    }

    pub fn administrator(email: &str) -> Self {
        Self { administrator: true, ..Self::new(email) }
    }
}

impl Entity for Member {
    type Id = Id;
    const NAME: &'static str = "Member";
    const PREFIX: &'static str = "member";
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique { name: "email", values: |member| vec![member.email.to_lowercase()] }];
    const TALLIES: &'static [Tally<Self>] =
        &[Tally { name: "administrators", at_least: 1, has: |member| member.administrator }];
    fn id(&self) -> &Id {
        &self.id
    }
    fn version(&self) -> Version {
        self.version
    }
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
    fn expires_at(&self) -> Option<Timestamp> {
        self.expires
    }
}

/// An empty database with the table, and the store on it.
pub struct TestDatabase {
    pub database: EmbeddedDatabase,
    pub store: Store,
}

impl TestDatabase {
    pub async fn new() -> Self {
        let database = EmbeddedDatabase::start(Location::Memory).await.expect("a database");
        let mut settings = settings(database.endpoint());
        settings.access = database.administrator().access(database.endpoint());
        let store = Store::new(settings).expect("a store");
        store.create_table_if_missing().await.expect("the table");
        Self { database, store }
    }

    pub fn session(&self) -> StoreSession {
        session(&self.store)
    }

    pub fn read<T: Entity>(&self) -> Read<T> {
        Read::new(self.session())
    }

    pub fn write<T: Entity>(&self) -> Write<T> {
        Write::new(self.session())
    }

    /// The right to write, through a server in front of the database.
    pub fn write_through<T: Entity>(&self, server: &FakeServer) -> Write<T> {
        let endpoint = &server.endpoint;
        let settings = Settings { access: self.database.administrator().access(endpoint), ..settings(endpoint) };
        Write::new(session(&Store::new(settings).expect("a store")))
    }
}

pub fn settings(endpoint: &str) -> Settings {
    Settings {
        table: "onefold".to_owned(),
        access: Access {
            region: "eu-central-1".to_owned(),
            endpoint: Some(endpoint.to_owned()),
            access_key_id: "AKID".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: None,
        },
        cursor_key: Some([7; 32]),
        // The machine that runs the tests may be busy; the tests do not measure its speed.
        limits: StoreLimits {
            retries: RetryPolicy {
                attempt_timeout: Duration::from_secs(10),
                total_timeout: Duration::from_secs(30),
                ..RetryPolicy::default()
            },
            ..StoreLimits::default()
        },
    }
}

pub fn session(store: &Store) -> StoreSession {
    StoreSession::new(store.clone(), CursorScope { procedure: "tests.run", ..CursorScope::default() }, Clock::System)
}

pub fn session_at(store: &Store, unix_ms: i64) -> StoreSession {
    StoreSession::new(store.clone(), CursorScope::default(), Clock::Fixed(Timestamp::from_unix_ms(unix_ms)))
}

/// Forwards a request to the database and returns its response.
pub async fn forward(endpoint: &str, request: &[u8]) -> Vec<u8> {
    let address = endpoint.strip_prefix("http://").expect("plain HTTP");
    let mut connection = TcpStream::connect(address).await.expect("the database");
    connection.write_all(request).await.expect("sent");
    read_message(&mut connection).await.expect("an answer")
}

/// An error response of DynamoDB.
pub fn refusal(status: u16, code: &str) -> Vec<u8> {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"said the test"}}"#);
    answer(status, "Refused", &body)
}
