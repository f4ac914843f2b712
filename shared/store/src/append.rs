//! Creating, and never changing.

use protocol::Entity;

use crate::{Operation, Session, StoreError, Write};

/// The right to create one entity: what is there, its holder can neither read, change nor delete.
#[derive(Clone)]
pub struct Append<T>(Write<T>);

impl<T: Entity> Append<T> {
    /// For the call of this session.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self(Write::new(session))
    }

    /// Creates an entity, whose version becomes 1.
    ///
    /// # Errors
    /// As [`Write::create`].
    pub fn create(&self, entity: T) -> impl Future<Output = Result<T, StoreError>> + Send + use<T> {
        self.0.create(entity)
    }

    /// [`Append::create`] as a part of a [`transaction`](crate::transaction()).
    pub fn creating(&self, entity: &mut T) -> Operation {
        self.0.creating(entity)
    }
}
