//! Who is calling.

use std::sync::Arc;

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Who it is: the token's `sub`.
    pub subject: String,
    /// The roles; the service says which permissions they have.
    pub roles: Vec<String>,
}

/// The capability to know who is calling: on a public procedure, as `Option<Caller>`.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Principal>);

impl Caller {
    /// For tests, and for the runtime.
    pub fn new(principal: Arc<Principal>) -> Self {
        Self(principal)
    }

    /// Who it is: the token's `sub`.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The roles.
    pub fn roles(&self) -> &[String] {
        &self.0.roles
    }
}
