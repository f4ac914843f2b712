//! Accounts: how a user signs in. They are apart from the [`User`](crate::User), which others may read.

use macros::Entity;
use protocol::{SecretHash, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::{ClientId, DeviceId, UserId};

/// How one user signs in, and on which devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "account")]
#[entity(unique = Self::UNIQUE_IDENTITY, values = self.identities.iter().map(LinkedIdentity::unique))]
#[entity(unique = Self::UNIQUE_FOUNDER, values = self.is_founder.then_some(Self::FOUNDER))]
pub struct Account {
    /// The user.
    #[entity(id)]
    pub user_id: UserId,
    /// The password's hash (argon2id, in the PHC string format); none if the user signs in by providers alone.
    pub password: Option<String>,
    /// The signed-in devices, oldest first: at most [`Account::MAX_DEVICES`]. A change of the user's sessions finds all
    /// of them here at once, which no index could promise.
    pub devices: Vec<Device>,
    /// Linked accounts at identity providers, by which the user signs in.
    pub identities: Vec<LinkedIdentity>,
    /// Browsers in which the user has signed in, by the hashes of their cookies, oldest first. Strangers' failed
    /// attempts do not count against them.
    pub known: Vec<SecretHash>,
    /// Whether this is the first administrator: the user whom the founder's token named, or, without one, the first
    /// user. There is at most one.
    pub is_founder: bool,
    /// Grows with each new choice of how to sign in: the first proof of the address, a password chosen by mail, a
    /// changed password. A mailed token is valid for one generation.
    #[serde(default)]
    pub generation: u32,
    /// The browser that registered, by the hash of its cookie: the proof in this browser keeps what was registered.
    /// None once the address is proved, and for users who did not register themselves.
    #[serde(default)]
    pub registered_in: Option<SecretHash>,
    /// When the account ends together with its [`User`](crate::User), if the address is not proved by then.
    #[serde(default)]
    #[entity(expires_at)]
    pub ends_at: Option<Timestamp>,
    /// Until when sign-ins wait for a request that ends the sessions. The next change ends the lease.
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
    /// The device's id.
    pub device: DeviceId,
    /// The device's session.
    pub session: SecretHash,
    /// The application, when it is one.
    pub client_id: Option<ClientId>,
    /// The previous session, which stays valid for a moment.
    pub replaced: Option<SecretHash>,
    /// When the session ends, even if it is renewed.
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
    /// The user's id at the provider: `sub`.
    pub subject: String,
    /// The address that the provider named.
    pub email: Option<String>,
    /// When it was linked.
    pub linked_at: Timestamp,
}

impl LinkedIdentity {
    /// The unique value of this identity: provider and subject.
    pub fn unique(&self) -> String {
        format!("{}#{}", self.provider, self.subject)
    }
}

impl Account {
    /// How many devices a user is signed in on at once: one more signs out the oldest. A change of rights rewrites all
    /// in one transaction, which has room for 100.
    pub const MAX_DEVICES: usize = 30;
    /// On how many devices one application acts for a user at once: one more ends its oldest session. Repeated consents
    /// to one application sign out no other device.
    pub const MAX_OF_ONE_CLIENT: usize = 5;
    /// How many browsers an account remembers.
    pub const MAX_KNOWN: usize = 10;
    /// The uniqueness rule: a linked identity belongs to one user.
    pub const UNIQUE_IDENTITY: &'static str = "identity";

    /// The uniqueness rule: there is one first administrator.
    pub const UNIQUE_FOUNDER: &'static str = "founder";
    /// The only value under [`Account::UNIQUE_FOUNDER`].
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

    /// Returns the account with a proved address: earlier mailed tokens are void, and the account no longer expires.
    #[must_use]
    pub fn proved(self) -> Self {
        Self { generation: self.generation.saturating_add(1), registered_in: None, ends_at: None, ..self }
    }

    /// Returns the account without a way to sign in: no password, no linked identities, no remembered browsers.
    #[must_use]
    pub fn without_ways_in(self) -> Self {
        Self { password: None, identities: Vec::new(), known: Vec::new(), ..self }
    }

    /// Returns the account with another password: earlier mailed tokens are void.
    #[must_use]
    pub fn with_password(self, hash: String) -> Self {
        Self { password: Some(hash), generation: self.generation.saturating_add(1), ..self }
    }

    /// Returns the account of a user who has never signed in.
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
