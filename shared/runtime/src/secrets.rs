//! The capabilities to read a secret and to sign tokens. A function gets secrets by reference: it reads one on first
//! use, and keeps it for the life of its process.

use std::{
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, OnceLock},
};

use aws::{SecretSettings, ServiceError, read_secret};
use protocol::{Code, Fault, Principal};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use crate::{
    Call, Capability, Rights, opaque,
    sessions::lifetime,
    site::Site,
    tokens::{Claims, SignerSettings, TokenSigner},
};

/// The sources of a process's secrets.
#[derive(Default)]
pub struct Secrets {
    sources: HashMap<String, (Source, OnceCell<Arc<str>>)>,
    signer: OnceLock<Arc<TokenSigner>>,
}

/// The source of one secret.
pub enum Source {
    /// The value itself: the local service has no Secrets Manager.
    Value(String),
    /// A secret at AWS Secrets Manager.
    Stored(Box<SecretSettings>),
}

impl Secrets {
    /// Creates the secrets of a process from names and sources.
    pub fn new(sources: impl IntoIterator<Item = (String, Source)>) -> Self {
        let sources = sources.into_iter().map(|(name, source)| (name, (source, OnceCell::new()))).collect();
        Self { sources, signer: OnceLock::new() }
    }

    /// The text of a secret; none when no secret has this name.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub(crate) async fn text(&self, name: &str) -> Result<Option<Arc<str>>, Fault> {
        let Some((source, cell)) = self.sources.get(name) else { return Ok(None) };
        let text = cell.get_or_try_init(|| async {
            match source {
                Source::Value(text) => Ok::<Arc<str>, Fault>(text.as_str().into()),
                Source::Stored(settings) => {
                    let read = read_secret(SecretSettings::clone(settings)).await;
                    Ok(read.map_err(unreadable)?.into())
                }
            }
        });
        text.await.cloned().map(Some)
    }
}

/// The fault of a secret that was not read.
fn unreadable(error: ServiceError) -> Fault {
    match error {
        ServiceError::Unavailable(..) => {
            let message = "A secret that this needs cannot be read now. Try again in a moment.";
            Fault::new(Code::ServiceUnavailable, message).because(error)
        }
        ServiceError::Denied(..) | ServiceError::Refused(..) => Fault::internal(error),
    }
}

/// The name and the type of a secret.
pub trait SecretKind: DeserializeOwned + Send + Sync + 'static {
    /// The secret's name, such as `identity-providers`.
    const NAME: &'static str;
}

/// The capability to read one secret, whose text is JSON.
#[derive(Clone)]
pub struct Secret<S> {
    secrets: Arc<Secrets>,
    kind: PhantomData<fn() -> S>,
}

impl<S: SecretKind> Secret<S> {
    /// Reads the secret; none when it was never set.
    ///
    /// # Errors
    /// An internal error when the secret cannot be read or does not have its type. The error does not reveal its
    /// content.
    pub async fn read(&self) -> Result<Option<S>, Fault> {
        let Some(text) = self.secrets.text(S::NAME).await? else { return Ok(None) };
        let malformed = |_| Fault::internal(format!("the secret {} does not have the form that it must have", S::NAME));
        serde_json::from_str(&text).map(Some).map_err(malformed)
    }
}

impl<S: SecretKind> Capability for Secret<S> {
    const RIGHTS: Rights = Rights { secrets: &[S::NAME], ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        Ok(Self { secrets: Arc::clone(call.secrets()), kind: PhantomData })
    }
}

/// The name of the secret with the key that signs tokens.
pub const SIGNING: &str = "signing";

/// The capability to sign access tokens. Its holder can impersonate every caller.
#[derive(Clone)]
pub struct Signer {
    secrets: Arc<Secrets>,
    site: Site,
    clock: protocol::Clock,
    audience: &'static str,
}

impl Capability for Signer {
    const RIGHTS: Rights = Rights { secrets: &[SIGNING], ..Rights::NONE };

    fn obtain(call: &Call) -> Result<Self, Fault> {
        let (secrets, site) = (Arc::clone(call.secrets()), call.site().clone());
        Ok(Self { secrets, site, clock: call.clock(), audience: call.service().name })
    }
}

impl Signer {
    /// An access token for a principal with a session, valid for [`lifetime::ACCESS_TOKEN_S`].
    ///
    /// # Errors
    /// When the key cannot be read.
    pub async fn access_token(&self, principal: &Principal) -> Result<String, Fault> {
        let signer = self.signer().await?;
        let iat = self.clock.now().unix_ms().div_euclid(1_000);
        let claims = Claims {
            iss: self.site.url().to_owned(),
            aud: self.audience.to_owned(),
            sub: principal.subject.clone(),
            iat,
            nbf: None,
            exp: iat + lifetime::ACCESS_TOKEN_S,
            jti: opaque::Opaque::random()?.text(),
            roles: principal.roles.clone(),
            sid: principal.session.clone(),
            client_id: principal.client.as_ref().map(|client| client.id.clone()),
            scope: principal.client.as_ref().map(|client| client.scopes.join(" ")),
        };
        signer.sign(&claims).map_err(Fault::internal)
    }

    async fn signer(&self) -> Result<Arc<TokenSigner>, Fault> {
        if let Some(signer) = self.secrets.signer.get() {
            return Ok(Arc::clone(signer));
        }
        let missing = || Fault::internal("there is no key to sign tokens with: `cargo run -- keys` makes one");
        let text = self.secrets.text(SIGNING).await?.ok_or_else(missing)?;
        let malformed = |_| Fault::internal("the key that signs tokens does not have the form that it must have");
        let settings: SignerSettings = serde_json::from_str(&text).map_err(malformed)?;
        let signer = Arc::new(TokenSigner::from_settings(&settings).map_err(Fault::internal)?);
        Ok(Arc::clone(self.secrets.signer.get_or_init(|| signer)))
    }
}
