//! `grants.clientsCreate`.

use runtime::{opaque::Opaque, prelude::*};

use crate::{
    Application, ApplicationClient, AuditAction, ClientKind, GrantType, audit::Audit, authorization_server::registry,
    name,
};

/// The new application.
#[wire(input)]
pub struct Input {
    /// What people are told that it is called.
    #[garde(length(chars, min = 1, max = Application::MAX_NAME_CHARS))]
    pub name: String,
    /// Where browsers may be sent back to, character by character: `https`, or `http` at a loopback address (whose
    /// port may then be any), or a private scheme such as `com.example.app:/callback`.
    #[garde(length(max = Application::MAX_REDIRECT_URIS))]
    #[schemars(example = ["https://app.example.com/callback"])]
    pub redirect_uris: Vec<String>,
    /// Whether it can keep a secret.
    pub kind: ClientKind,
    /// The permissions that it may ask for, such as `audit:read`.
    #[garde(length(min = 1, max = Application::MAX_SCOPES))]
    #[schemars(example = ["audit:read"])]
    pub scopes: Vec<String>,
    /// How it may come to a token; by `authorization_code` and `refresh_token` if left out.
    #[garde(length(min = 1, max = 3))]
    pub grant_types: Option<Vec<GrantType>>,
}

/// What was registered.
#[wire]
pub struct Registered {
    /// The application.
    pub client: Application,
    /// Its secret, which is shown this once; null for a public one.
    pub secret: Option<String>,
}

/// Why the application was not registered.
#[derive(Debug, Failure)]
pub enum Error {
    /// A name with invisible characters, or with spaces around it, could pass for another.
    #[failure(UNPROCESSABLE_CONTENT)]
    MisleadingName,
    /// This is no permission that one has oneself, or it is one that no application gets.
    #[failure(UNPROCESSABLE_CONTENT)]
    NotYourScope(String),
    /// Browsers cannot be sent back to this address.
    #[failure(UNPROCESSABLE_CONTENT, message = "{uri}: {reason}")]
    BadRedirectUri {
        /// The address.
        uri: String,
        /// Why not.
        reason: String,
    },
    /// The ways to a token do not fit the application.
    #[failure(UNPROCESSABLE_CONTENT, message = "The ways to a token do not fit the application: {reason}.")]
    Contradiction {
        /// What does not go together.
        reason: String,
    },
}

/// Register a third party's application.
///
/// It takes a person who signed in a moment ago: no application registers another one.
#[procedure(mutation, auth = permission("clients:write"), fresh = 300, rest = "POST /v1/clients")]
pub async fn clients_create(
    clients: Create<ApplicationClient>,
    audit: Audit,
    caller: Caller,
    clock: Clock,
    ids: Ids,
    #[input] input: Input,
) -> Result<Registered, Error> {
    if !name::is_plain(&input.name) {
        return Err(Error::MisleadingName);
    }
    if let Some(scope) = input.scopes.iter().find(|scope| !registry::may_register(&caller, scope)) {
        return Err(Error::NotYourScope(scope.clone()));
    }
    for uri in &input.redirect_uris {
        if let Some(reason) = registry::refusal(uri, input.kind) {
            return Err(Error::BadRedirectUri { uri: uri.clone(), reason: reason.to_owned() });
        }
    }
    let secret = match input.kind {
        ClientKind::Confidential => Some(Opaque::random()?),
        ClientKind::Public => None,
    };
    let application = Application {
        id: ids.next(),
        name: input.name,
        kind: input.kind,
        redirect_uris: input.redirect_uris,
        scopes: input.scopes,
        grant_types: input.grant_types.unwrap_or_else(|| registry::GRANT_TYPES.to_vec()),
        created_at: clock.now(),
    };
    if let Some(reason) = registry::contradiction(&application) {
        return Err(Error::Contradiction { reason: reason.to_owned() });
    }
    let mut client =
        ApplicationClient { application, secret: secret.as_ref().map(Opaque::hash), version: Version::default() };
    let entry = audit.by_on(&caller, AuditAction::ClientCreated, client.application.id);
    store::transaction(vec![clients.creating(&mut client), audit.creating(entry)]).await?;
    Ok(Registered { client: client.application, secret: secret.map(|secret| secret.text()) })
}
