//! Accounts: how somebody signs in. Apart from the [`User`](crate::User), which others may read.

use macros::Entity;
use protocol::{SecretHash, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::{ClientId, DeviceId, UserId};

/// How one user signs in, and where the user is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "account")]
#[entity(unique = Self::UNIQUE_IDENTITY, values = self.identities.iter().map(LinkedIdentity::unique))]
#[entity(unique = Self::UNIQUE_FOUNDER, values = self.is_founder.then_some(Self::FOUNDER))]
pub struct Account {
    /// The user.
    #[entity(id)]
    pub user_id: UserId,
    /// The password's hash (argon2id, in the PHC string format); none for who signs in elsewhere only.
    pub password: Option<String>,
    /// Where the user is signed in, oldest first: at most [`Account::MAX_DEVICES`]. Whatever ends or changes
    /// the user's sessions finds them here, all of them and without delay, which no index could promise.
    pub devices: Vec<Device>,
    /// Accounts elsewhere by which the user signs in.
    pub identities: Vec<LinkedIdentity>,
    /// Browsers in which the user signed in before, by the hashes of their cookies, oldest first. Others' failed
    /// attempts do not count against them.
    pub known: Vec<SecretHash>,
    /// Whether this is the first administrator: whom the token named, or, where there is none, who came first. There is
    /// one at most.
    pub is_founder: bool,
    /// Grows whenever a way in is chosen anew: with the first proof of the address, a password that was chosen by mail,
    /// and one that was changed. A mailed token is about one generation, and void in the next.
    #[serde(default)]
    pub generation: u32,
    /// The browser that registered, by the hash of its cookie: whoever comes with it may keep what was registered. None
    /// once the address is proved, and where nobody registered by themselves.
    #[serde(default)]
    pub registered_in: Option<SecretHash>,
    /// When it ends with its [`User`](crate::User), whose address nobody has proved by then.
    #[serde(default)]
    #[entity(expires_at)]
    pub ends_at: Option<Timestamp>,
    /// Until when who signs in waits for somebody who ends the sessions. The next change ends it.
    #[serde(default)]
    pub leased_until: Option<Timestamp>,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

/// One signed-in device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Which one.
    pub device: DeviceId,
    /// Its session.
    pub session: SecretHash,
    /// The application, when it is one.
    pub client_id: Option<ClientId>,
    /// The session that this one took the place of a moment ago, and that is good for that moment.
    pub replaced: Option<SecretHash>,
    /// When the session ends in any case.
    pub ends_at: Timestamp,
}

impl Device {
    /// Whether this session is the device's.
    pub fn has(&self, session: &SecretHash) -> bool {
        self.session == *session || self.replaced.as_ref() == Some(session)
    }
}

/// An account at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkedIdentity {
    /// The provider's id, such as `google`.
    pub provider: String,
    /// Who it is there: `sub`.
    pub subject: String,
    /// The address that the provider named.
    pub email: Option<String>,
    /// When it was linked.
    pub linked_at: Timestamp,
}

impl LinkedIdentity {
    /// The value that is unique: one account elsewhere.
    pub fn unique(&self) -> String {
        format!("{}#{}", self.provider, self.subject)
    }
}

impl Account {
    /// On how many devices somebody is signed in at once: with one more, the oldest is signed out. Changing
    /// rights rewrites all in one transaction, which has room for 100.
    pub const MAX_DEVICES: usize = 30;
    /// On how many devices one application acts in somebody's name at once: with one more, it loses the oldest. So
    /// one that asks again and again pushes nobody else out.
    pub const MAX_OF_ONE_CLIENT: usize = 5;
    /// How many browsers are remembered.
    pub const MAX_KNOWN: usize = 10;
    /// The rule that an account elsewhere belongs to one user.
    pub const UNIQUE_IDENTITY: &'static str = "identity";

    /// The rule that one person is the first.
    pub const UNIQUE_FOUNDER: &'static str = "founder";
    /// The one value that it has.
    pub const FOUNDER: &'static str = "first";

    /// The device that has this session.
    pub fn device_of(&self, session: Option<&SecretHash>) -> Option<DeviceId> {
        self.devices.iter().find(|device| session.is_some_and(|session| device.has(session))).map(|it| it.device)
    }

    /// Remembers a browser by the hash of its cookie.
    pub fn know(&mut self, browser: SecretHash) {
        self.known.retain(|known| *known != browser);
        self.known.push(browser);
        let surplus = self.known.len().saturating_sub(Self::MAX_KNOWN);
        self.known.drain(..surplus);
    }

    /// The account once the address is proved: what was mailed before is void, and it ends no more.
    #[must_use]
    pub fn proved(self) -> Self {
        Self { generation: self.generation.saturating_add(1), registered_in: None, ends_at: None, ..self }
    }

    /// The account without a way to sign in: neither a password, nor accounts elsewhere, nor browsers that it knows.
    #[must_use]
    pub fn without_ways_in(self) -> Self {
        Self { password: None, identities: Vec::new(), known: Vec::new(), ..self }
    }

    /// The account with another password: what was mailed before is void.
    #[must_use]
    pub fn with_password(self, hash: String) -> Self {
        Self { password: Some(hash), generation: self.generation.saturating_add(1), ..self }
    }

    /// Of a user who has never signed in.
    pub fn new(user_id: UserId) -> Self {
        Self {
            user_id,
            password: None,
            devices: Vec::new(),
            identities: Vec::new(),
            known: Vec::new(),
            is_founder: false,
            generation: 0,
            registered_in: None,
            leased_until: None,
            ends_at: None,
            version: Version::default(),
        }
    }
}
