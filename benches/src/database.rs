//! The embedded database behind the functions, with the table that they expect and one user in it.

use std::io::{self, Error};

use identity::{EmailAddress, IdentityRole as _, IdentityUser as _, NewUser, Proof, UserId};
use local::database::{Credentials, EmbeddedDatabase, Location};
use model::{Role, User};
use protocol::{Clock, CursorScope, Version};
use runtime::{opaque::Opaque, sessions::lifetime};
use store::{Settings, Store, StoreLimits, StoreSession, Write};
use tokio::runtime::Runtime;

/// The id of the user that is fetched.
pub const USER_ID: &str = "0198c0de-0000-7000-8000-00000000000b";
/// A text that the answer must contain.
pub const USER_EMAIL: &str = "ada.lovelace@example.com";
/// The cookie of the user's session.
pub const SESSION: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// The table's name.
pub const TABLE: &str = "benches";
/// The region of the functions.
pub const REGION: &str = "us-east-1";

/// A running database with one user. It stops when it is dropped.
pub struct Database {
    embedded: EmbeddedDatabase,
    // The database's own threads serve; the runtime only has to outlive it.
    _runtime: Runtime,
}

impl Database {
    /// Starts the database in memory on a free port of 127.0.0.1, and stores the user.
    pub fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let embedded = runtime.block_on(EmbeddedDatabase::start(Location::Memory)).map_err(Error::other)?;
        let database = Self { embedded, _runtime: runtime };
        database._runtime.block_on(database.fill())?;
        Ok(database)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> &str {
        self.embedded.endpoint()
    }

    /// An administrator's credentials, of which the guard asks nothing more.
    pub fn credentials(&self) -> &Credentials {
        self.embedded.administrator()
    }

    async fn fill(&self) -> io::Result<()> {
        let store = Store::new(Settings {
            table: TABLE.to_owned(),
            access: self.credentials().access(self.endpoint()),
            cursor_key: Some([0; 32]),
            limits: StoreLimits::default(),
        })
        .map_err(Error::other)?;
        store.create_table_if_missing().await.map_err(Error::other)?;
        let user = User::from_new_user(NewUser {
            id: USER_ID.parse::<UserId>().map_err(Error::other)?,
            email: EmailAddress::new(USER_EMAIL),
            name: "Ada Lovelace".to_owned(),
            is_verified: true,
            role: Role::FOUNDER,
            created_at: Clock::System.now(),
            ends_at: None,
        });
        let session = StoreSession::new(store, CursorScope::default(), Clock::System);
        Write::<identity::Session>::new(session.clone()).create(signed_in(&user)?).await.map_err(Error::other)?;
        Write::<User>::new(session).create(user).await.map_err(Error::other)?;
        Ok(())
    }
}

/// The session whose cookie is [`SESSION`].
fn signed_in(user: &User) -> io::Result<identity::Session> {
    let now = Clock::System.now();
    let secret = Opaque::parse(SESSION).ok_or_else(|| Error::other("the cookie is none"))?;
    Ok(identity::Session {
        id: secret.hash(),
        device: USER_ID.parse().map_err(Error::other)?,
        user_id: user.user_id(),
        role: user.effective_role().map(|role| role.name().to_owned()),
        proof: Proof::Cookie { successor: None },
        created_at: now,
        authenticated_at: Some(now),
        renewed_at: now,
        expires_at: now.plus_ms(lifetime::IDLE_MS),
        ends_at: now.plus_ms(lifetime::ABSOLUTE_MS),
        changed: false,
        address: String::new(),
        agent: String::new(),
        version: Version::default(),
    })
}
