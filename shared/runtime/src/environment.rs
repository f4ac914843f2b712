//! What a function reads from its environment. This is the only place that does.

use protocol::Cause;
use store::{Limits, Settings};

use crate::tokens::TokenSettings;

/// The table's name.
pub const TABLE: &str = "ONEFOLD_TABLE";
/// Where the database is, when it is not at AWS. The name that all AWS SDKs read.
pub const DATABASE_ENDPOINT: &str = "AWS_ENDPOINT_URL_DYNAMODB";
/// The key that seals cursors: 32 bytes in base64url without padding.
pub const CURSOR_KEY: &str = "ONEFOLD_CURSOR_KEY";
/// [`TokenSettings`] as JSON.
pub const TOKENS: &str = "ONEFOLD_TOKENS";
/// Origins that may call, with commas; any when it is not set.
pub const ALLOWED_ORIGINS: &str = "ONEFOLD_ALLOWED_ORIGINS";

/// A function's settings.
#[derive(Clone)]
pub struct Environment {
    /// The database, when the function has one.
    pub store: Option<Settings>,
    /// How tokens are checked, when they are.
    pub tokens: Option<TokenSettings>,
    /// Origins that may call.
    pub allowed_origins: String,
}

impl Environment {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Names the variable that is missing or malformed.
    pub fn from_process() -> Result<Self, Cause> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads an environment.
    ///
    /// # Errors
    /// As [`Environment::from_process`].
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Cause> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let required = |name: &str| lookup(name).ok_or_else(|| Cause::from(format!("{name} is not set")));
        let tokens = lookup(TOKENS).map(|json| serde_json::from_str(&json)).transpose();
        let tokens = tokens.map_err(|error| Cause::from(format!("{TOKENS} is malformed: {error}")))?;
        let store = match lookup(TABLE) {
            None => None,
            Some(table) => Some(Settings {
                table,
                region: required("AWS_REGION")?,
                endpoint: lookup(DATABASE_ENDPOINT),
                access_key_id: required("AWS_ACCESS_KEY_ID")?,
                secret_access_key: required("AWS_SECRET_ACCESS_KEY")?,
                session_token: lookup("AWS_SESSION_TOKEN"),
                cursor_key: parse_key(&required(CURSOR_KEY)?)?,
                limits: Limits::default(),
            }),
        };
        Ok(Self { store, tokens, allowed_origins: lookup(ALLOWED_ORIGINS).unwrap_or_default() })
    }
}

fn parse_key(text: &str) -> Result<[u8; 32], Cause> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let malformed = || Cause::from(format!("{CURSOR_KEY} is not 32 bytes in base64url"));
    URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?.try_into().map_err(|_| malformed())
}
