//! The configured identity providers, from the secret `identity-providers`.

use std::{collections::BTreeSet, fmt};

use protocol::{Cause, Fault};
use serde::Deserialize;

use super::outbound::Address;
use runtime::secrets::SecretKind;

/// Google's issuer (<https://developers.google.com/identity/openid-connect/reference>).
pub(super) const GOOGLE: &str = "https://accounts.google.com";
/// Facebook's addresses, of one Graph API version. A retired version's addresses answer as the oldest supported one
/// (<https://developers.facebook.com/docs/apps/versions>).
const FACEBOOK_DIALOG: &str = "https://www.facebook.com/v24.0/dialog/oauth";
const FACEBOOK_TOKEN: &str = "https://graph.facebook.com/v24.0/oauth/access_token";
const FACEBOOK_USER: &str = "https://graph.facebook.com/v24.0/me";
/// The longest id and the longest label, in characters.
const MAX_ID_CHARS: usize = 32;

/// All providers, in the order in which a page shows them.
#[derive(Clone, Debug, Default)]
pub struct Providers(Vec<Provider>);

/// The value of the secret `identity-providers`: a list for [`Providers::parse`].
#[derive(Deserialize)]
pub struct IdentityProviders(Vec<serde_json::Value>);

impl SecretKind for IdentityProviders {
    const NAME: &'static str = "identity-providers";
}

impl IdentityProviders {
    /// Parses the list.
    ///
    /// # Errors
    /// An internal fault that says what is wrong, as [`Providers::parse`] does.
    pub fn providers(self) -> Result<Providers, Fault> {
        Providers::new(self.0).map_err(Fault::internal)
    }
}

/// One provider.
///
/// Its id is part of every linked identity (`google#1234`): it belongs to one issuer for good. A provider that replaces
/// another needs an id of its own.
#[derive(Clone)]
pub struct Provider {
    /// The provider's id in this service, such as `google`.
    pub id: String,
    /// What stands on the button.
    pub label: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// The scopes, separated by spaces.
    pub(super) scopes: String,
    pub(super) kind: Kind,
}

impl Provider {
    /// Whether the provider may support to authenticate a user anew and to state when it did. Facebook's login cannot.
    #[must_use]
    pub fn can_ask_anew(&self) -> bool {
        matches!(self.kind, Kind::OpenId { .. })
    }
}

#[derive(Clone)]
pub(super) enum Kind {
    /// OpenID Connect; the issuer's discovery document has the rest.
    OpenId { issuer: String },
    /// Facebook Login: OAuth 2.0 and the Graph API.
    Facebook(Box<Facebook>),
}

/// Facebook's addresses.
#[derive(Clone)]
pub(super) struct Facebook {
    pub dialog: Address,
    pub token: Address,
    pub user: Address,
}

/// A provider's configuration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    id: String,
    label: Option<String>,
    kind: Option<EntryKind>,
    issuer: Option<String>,
    client_id: String,
    client_secret: String,
    scopes: Option<Vec<String>>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EntryKind {
    OpenId,
    Facebook,
}

impl Providers {
    /// Parses a JSON list. `{"id": "google", "clientId": …, "clientSecret": …}` and the same with `facebook` are
    /// complete; others add `issuer`. `label`, `scopes` and `kind` (`openid`, `facebook`) are optional, and with the
    /// kind `facebook` also `authorizationEndpoint`, `tokenEndpoint` and `userinfoEndpoint`.
    ///
    /// # Errors
    /// Names the provider and the field; never the field's value, which may be the secret.
    pub fn parse(json: &str) -> Result<Self, Cause> {
        Self::new(serde_json::from_str(json).map_err(|_| "the identity providers are no JSON list")?)
    }

    fn new(entries: Vec<serde_json::Value>) -> Result<Self, Cause> {
        let mut providers = Vec::with_capacity(entries.len());
        let mut ids = BTreeSet::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let wrong = |what: &str| Cause::from(format!("identity provider {}: {what}", index + 1));
            let entry: Entry = serde_json::from_value(entry).map_err(|_| {
                wrong("it needs id, clientId and clientSecret, and knows label, kind, issuer, scopes and endpoints")
            })?;
            if !ids.insert(entry.id.clone()) {
                return Err(wrong("its id is taken"));
            }
            providers.push(entry.provider().map_err(|what| wrong(&what))?);
        }
        Ok(Self(providers))
    }

    /// The provider with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.id == id)
    }

    /// All providers, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.iter()
    }
}

impl Entry {
    fn provider(self) -> Result<Provider, String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || self.id.len() > MAX_ID_CHARS || !self.id.chars().all(plain) {
            return Err(format!("its id is not 1 to {MAX_ID_CHARS} of a-z, 0-9 and -"));
        }
        if self.client_id.is_empty() || self.client_secret.is_empty() {
            return Err("its clientId or clientSecret is empty".to_owned());
        }
        let preset = if self.id == "facebook" { EntryKind::Facebook } else { EntryKind::OpenId };
        let (kind, scopes, label) = match self.kind.unwrap_or(preset) {
            EntryKind::OpenId => (self.openid()?, "openid email profile", "Google"),
            EntryKind::Facebook => (self.facebook()?, "email public_profile", "Facebook"),
        };
        let label = self.label.unwrap_or_else(|| match self.id.as_str() {
            "google" | "facebook" => label.to_owned(),
            other => other.to_owned(),
        });
        if label.is_empty() || label.chars().count() > MAX_ID_CHARS {
            return Err(format!("its label is not 1 to {MAX_ID_CHARS} characters"));
        }
        let scopes = match self.scopes {
            None => scopes.to_owned(),
            Some(asked) if asked.iter().all(|scope| is_scope(scope)) => asked.join(" "),
            Some(_) => return Err("one of its scopes is none".to_owned()),
        };
        if matches!(kind, Kind::OpenId { .. }) && !scopes.split(' ').any(|scope| scope == "openid") {
            return Err("its scopes leave out openid".to_owned());
        }
        let Self { id, client_id, client_secret, .. } = self;
        Ok(Provider { id, label, client_id, client_secret, scopes, kind })
    }

    fn openid(&self) -> Result<Kind, String> {
        if [&self.authorization_endpoint, &self.token_endpoint, &self.userinfo_endpoint].iter().any(|it| it.is_some()) {
            return Err("its endpoints come from the issuer's discovery document".to_owned());
        }
        let preset = (self.id == "google").then_some(GOOGLE);
        let issuer = self.issuer.as_deref().or(preset).ok_or("it has no issuer")?;
        Address::parse(issuer).map_err(|what| format!("its issuer {what}"))?;
        if issuer.contains('?') {
            return Err("its issuer has a query".to_owned());
        }
        Ok(Kind::OpenId { issuer: issuer.to_owned() })
    }

    fn facebook(&self) -> Result<Kind, String> {
        if self.issuer.is_some() {
            return Err("Facebook has no issuer".to_owned());
        }
        let address = |stated: &Option<String>, preset, name| {
            let text = stated.as_deref().unwrap_or(preset);
            Address::parse(text).map_err(|what| format!("its {name} {what}"))
        };
        Ok(Kind::Facebook(Box::new(Facebook {
            dialog: address(&self.authorization_endpoint, FACEBOOK_DIALOG, "authorizationEndpoint")?,
            token: address(&self.token_endpoint, FACEBOOK_TOKEN, "tokenEndpoint")?,
            user: address(&self.userinfo_endpoint, FACEBOOK_USER, "userinfoEndpoint")?,
        })))
    }
}

/// Whether a text is a scope by RFC 6749 section 3.3.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(json: &str) -> Provider {
        Providers::parse(&format!("[{json}]")).unwrap().iter().next().unwrap().clone()
    }

    #[test]
    fn google_and_facebook_need_only_an_id_and_the_clients_credentials() {
        let google = only(r#"{"id": "google", "clientId": "c", "clientSecret": "s"}"#);
        assert_eq!((google.label.as_str(), google.scopes.as_str()), ("Google", "openid email profile"));
        assert!(matches!(google.kind, Kind::OpenId { issuer } if issuer == "https://accounts.google.com"));
        let facebook = only(r#"{"id": "facebook", "clientId": "c", "clientSecret": "s"}"#);
        assert_eq!((facebook.label.as_str(), facebook.scopes.as_str()), ("Facebook", "email public_profile"));
        assert!(matches!(facebook.kind, Kind::Facebook(_)));
    }

    #[test]
    fn any_other_provider_states_its_issuer() {
        let provider = only(
            r#"{"id": "acme", "label": "Acme", "kind": "openid", "issuer": "https://id.acme.example/a/",
                "clientId": "c", "clientSecret": "s", "scopes": ["openid", "email"]}"#,
        );
        assert_eq!((provider.label.as_str(), provider.scopes.as_str()), ("Acme", "openid email"));
        assert!(matches!(provider.kind, Kind::OpenId { issuer } if issuer == "https://id.acme.example/a/"));
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        for (fields, what) in [
            (r#""id": "acme""#, "no issuer"),
            (r#""id": "Acme", "issuer": "https://a.example""#, "its id"),
            (r#""id": "acme", "issuer": "http://a.example""#, "https"),
            (r#""id": "acme", "issuer": "https://hunter2@a.example""#, "its issuer"),
            (r#""id": "acme", "issuer": "https://a.example?x=hunter2""#, "query"),
            (r#""id": "acme", "issuer": "https://a.example#hunter2""#, "its issuer"),
            (r#""id": "acme", "issuer": "https://a.example", "scopes": ["email"]"#, "openid"),
            (r#""id": "acme", "issuer": "https://a.example", "scopes": ["openid", "a b"]"#, "scopes"),
            (r#""id": "acme", "issuer": "https://a.example", "tokenEndpoint": "https://a.example"#, "list"),
            (r#""id": "google", "tokenEndpoint": "https://a.example""#, "discovery"),
            (r#""id": "facebook", "issuer": "https://a.example""#, "Facebook"),
            (r#""id": "facebook", "tokenEndpoint": "ftp://a.example""#, "tokenEndpoint"),
            (r#""id": "google", "label": """#, "label"),
            (r#""id": "google", "surprise": "hunter2""#, "needs id"),
            (r#""id": "google", "kind": "hunter2""#, "needs id"),
        ] {
            let json = format!(r#"[{{"clientId": "c", "clientSecret": "hunter2", {fields}}}]"#);
            let message = Providers::parse(&json).unwrap_err().to_string();
            assert!(message.contains(what) && !message.contains("hunter2"), "{fields}: {message}");
        }
        let twice = r#"{"id": "google", "clientId": "c", "clientSecret": "s"}"#;
        assert!(Providers::parse(&format!("[{twice}, {twice}]")).unwrap_err().to_string().contains("taken"));
        let debug = format!("{:?}", Providers::parse(&format!("[{}]", twice.replace("\"s\"", "\"hunter2\""))).unwrap());
        assert!(debug.contains("google") && !debug.contains("hunter2"), "{debug}");
    }
}
