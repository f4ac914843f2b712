//! The caller, and whether their permission covers all items or only their own.

use std::{fmt::Display, sync::Arc};

use protocol::{Code, Fault, Principal, SecretHash};

use crate::{Definition, scope};

/// The capability to know the caller: on a public procedure, as `Option<Caller>`.
#[derive(Clone)]
pub struct Caller {
    service: &'static Definition,
    principal: Arc<Principal>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.principal.fmt(f)
    }
}

impl Caller {
    /// Creates the capability, for tests and for the runtime.
    pub fn new(service: &'static Definition, principal: Arc<Principal>) -> Self {
        Self { service, principal }
    }

    /// All that is known of the caller.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The service that is called.
    pub fn service(&self) -> &'static Definition {
        self.service
    }

    /// Whether the caller has a permission: through a role, and, if an application calls, through its scope.
    pub fn permits(&self, permission: &str) -> bool {
        permits(self.service, &self.principal, permission)
    }

    /// The caller's id: the `sub` of their token.
    pub fn subject(&self) -> &str {
        &self.principal.subject
    }

    /// The caller's roles.
    pub fn roles(&self) -> &[String] {
        &self.principal.roles
    }

    /// Whether the caller has any of the service's roles; a caller whose address is not verified has none.
    pub fn has_role(&self) -> bool {
        self.principal.roles.iter().any(|role| self.service.roles.contains(&role.as_str()))
    }

    /// The application that calls, in a person's name or for itself; none if no application calls.
    pub fn client_id(&self) -> Option<&str> {
        self.principal.client.as_ref().map(|client| client.id.as_str())
    }

    /// The session that identified the caller, if there is one.
    pub fn session(&self) -> Option<&SecretHash> {
        self.principal.session.as_ref()
    }

    /// Whether a person calls, or an application in a person's name; not an application that calls for itself.
    pub fn is_person(&self) -> bool {
        self.principal.client.as_ref().is_none_or(|client| !client.for_itself)
    }

    /// Whether the service's own pages call, and no third party's application.
    pub fn is_first_party(&self) -> bool {
        self.principal.client.is_none()
    }
}

/// The capability to tell the caller's own items from those of others, for `auth = permission("…", own)`: the caller
/// may have the permission for all items, or only for their own.
#[derive(Clone, Debug)]
pub struct Ownership {
    /// None when it is all.
    own: Option<String>,
    permission: &'static str,
}

impl Ownership {
    /// Covers all items.
    pub fn all() -> Self {
        Self { own: None, permission: "" }
    }

    /// Covers the items of one person.
    pub fn own(subject: impl Into<String>, permission: &'static str) -> Self {
        Self { own: Some(subject.into()), permission }
    }

    /// Whether it covers all items.
    pub fn is_all(&self) -> bool {
        self.own.is_none()
    }

    /// Whether it covers an item of this owner.
    pub fn covers(&self, owner: impl Display) -> bool {
        self.own.as_ref().is_none_or(|own| *own == owner.to_string())
    }

    /// Lets the call go on if it covers an item of this owner.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn expect(&self, owner: impl Display) -> Result<(), Fault> {
        if self.covers(owner) { Ok(()) } else { Err(self.refusal()) }
    }

    /// Lets the call go on if it covers all items.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn expect_all(&self) -> Result<(), Fault> {
        if self.is_all() { Ok(()) } else { Err(self.refusal()) }
    }

    fn refusal(&self) -> Fault {
        let message = format!("This needs the permission {}; you have it for your own items.", self.permission);
        Fault::new(Code::Forbidden, message)
    }
}

/// Whether a principal has a permission: through a role, and, if an application calls, through its scope.
pub fn permits(definition: &Definition, principal: &Principal, permission: &str) -> bool {
    // A permission for all items includes the one for own items.
    let wider = permission.strip_suffix(OWN);
    let has = |role: &String| {
        (definition.permits)(role, permission) || wider.is_some_and(|wider| (definition.permits)(role, wider))
    };
    let by_role = || principal.roles.iter().any(has);
    match &principal.client {
        None => by_role(),
        Some(_) if is_withheld(definition, permission) => false,
        Some(client) => scope::includes(&client.scopes, permission) && (client.for_itself || by_role()),
    }
}

/// Whether no third party's application may get this permission.
pub fn is_withheld(definition: &Definition, permission: &str) -> bool {
    let whole = permission.strip_suffix(OWN).unwrap_or(permission);
    definition.withheld.contains(&whole)
}

/// The suffix of a permission that covers own items only.
pub const OWN: &str = ":own";
