//! Third parties' applications: OAuth clients and their secrets.

use macros::{Entity, wire};
use protocol::{Listing, SecretHash, SortKey, Timestamp, Version, id};
use serde::{Deserialize, Serialize};

use crate::name;

id! {
    /// Names one application: its `client_id`.
    pub struct ClientId;
}

/// Whether an application can keep a secret (OAuth 2.1, section 2.1).
#[wire]
pub enum ClientKind {
    /// It cannot: it runs in browsers or on people's devices.
    Public,
    /// It can: it runs on a server.
    Confidential,
}

/// A way to come to an access token, by its name in OAuth.
#[wire]
pub enum GrantType {
    /// A user lets the application in, in a browser.
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// The application goes on with what a user gave it.
    #[serde(rename = "refresh_token")]
    RefreshToken,
    /// The application calls for itself.
    #[serde(rename = "client_credentials")]
    ClientCredentials,
}

impl GrantType {
    /// The grant type of this name in OAuth.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "authorization_code" => Some(Self::AuthorizationCode),
            "refresh_token" => Some(Self::RefreshToken),
            "client_credentials" => Some(Self::ClientCredentials),
            _ => None,
        }
    }
}

/// A third party's application, as it is registered.
#[wire]
pub struct Application {
    /// Its `client_id`.
    pub id: ClientId,
    /// What people are told that it is called.
    pub name: String,
    /// Whether it can keep a secret.
    pub kind: ClientKind,
    /// Where browsers may be sent back to.
    pub redirect_uris: Vec<String>,
    /// The permissions that it may ask for.
    pub scopes: Vec<String>,
    /// How it may come to a token.
    pub grant_types: Vec<GrantType>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A registered application with the hash of its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(prefix = "client", id = self.application.id, id_type = ClientId)]
#[entity(index = "created", sort = SortKey::time(self.application.created_at))]
pub struct ApplicationClient {
    /// What may be shown.
    pub application: Application,
    /// The hash of its secret; none for a public application.
    pub secret: Option<SecretHash>,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

impl ApplicationClient {
    /// All applications, oldest first.
    pub const BY_CREATION: Listing<Self> = Listing::of("created");

    /// Whether the application may use this grant type.
    pub fn may(&self, grant_type: GrantType) -> bool {
        self.application.grant_types.contains(&grant_type)
    }
}

impl Application {
    /// The longest name, in characters.
    pub const MAX_NAME_CHARS: usize = name::MAX_CHARS;
    /// The most redirect URIs of one application.
    pub const MAX_REDIRECT_URIS: usize = 20;
    /// The most scopes of one application.
    pub const MAX_SCOPES: usize = 100;
}
