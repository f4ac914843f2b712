//! Accounts: how somebody signs in. Apart from the [`User`](crate::User), which others may read.

use protocol::{Entity, SecretHash, Timestamp, Unique, Version};
use serde::{Deserialize, Serialize};

use crate::{ClientId, DeviceId, UserId};

/// How one user signs in, and where the user is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The user.
    pub user_id: UserId,
    /// The password's hash (argon2id, in the PHC string format); none for who signs in elsewhere only.
    pub password: Option<String>,
    /// Since when it is this one; none if it is the first. Links for another one that were mailed before are good no
    /// more.
    #[serde(default)]
    pub password_since: Option<Timestamp>,
    /// Where the user is signed in, oldest first: at most [`Account::MAX_DEVICES`]. Whatever ends or changes
    /// the user's sessions finds them here, all of them and without delay, which no index could promise.
    pub devices: Vec<Device>,
    /// Accounts elsewhere by which the user signs in.
    pub identities: Vec<LinkedIdentity>,
    /// Browsers in which the user signed in before, by the hashes of their cookies, oldest first. Others' failed
    /// attempts do not count against them.
    pub known: Vec<SecretHash>,
    /// Whether this is the first person who ever registered; there is one at most.
    pub is_founder: bool,
    /// Grows with each change.
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

    /// The device that has this session.
    pub fn device_of(&self, session: Option<&SecretHash>) -> Option<DeviceId> {
        self.devices.iter().find(|device| session.is_some_and(|session| device.has(session))).map(|it| it.device)
    }

    /// Takes another password.
    pub fn choose(&mut self, hash: String, now: Timestamp) {
        (self.password, self.password_since) = (Some(hash), Some(now));
    }

    /// Of a user who has never signed in.
    pub fn new(user_id: UserId) -> Self {
        Self {
            user_id,
            password: None,
            password_since: None,
            devices: Vec::new(),
            identities: Vec::new(),
            known: Vec::new(),
            is_founder: false,
            version: Version::default(),
        }
    }
}

impl Entity for Account {
    type Id = UserId;
    const NAME: &'static str = "Account";
    const PREFIX: &'static str = "account";

    fn id(&self) -> &UserId {
        &self.user_id
    }
    fn version(&self) -> Version {
        self.version
    }
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
    fn unique(&self) -> Vec<Unique> {
        let identities = self.identities.iter().map(|it| Unique { name: Self::UNIQUE_IDENTITY, value: it.unique() });
        let founder = self.is_founder.then(|| Unique { name: Self::UNIQUE_FOUNDER, value: "first".to_owned() });
        identities.chain(founder).collect()
    }
}
