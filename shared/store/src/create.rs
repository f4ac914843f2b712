//! The capability to create entities of one type.

use std::marker::PhantomData;

use protocol::{Entity, Version};

use crate::{
    Operation, StoreError, StoreSession, action,
    item::{Record, content, entity_item},
    transaction,
};

/// The right to create entities of one type. It gives no right to read, replace or delete existing ones.
///
/// ```
/// use protocol::Entity;
/// use onefold_store::{Create, StoreError};
///
/// /// Adds an order.
/// async fn place<Order: Entity>(orders: Create<Order>, order: Order) -> Result<Order, StoreError> {
///     orders.create(order).await
/// }
/// ```
pub struct Create<T> {
    session: StoreSession,
    entity: PhantomData<fn() -> T>,
}

impl<T> Clone for Create<T> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), entity: PhantomData }
    }
}

impl<T: Entity> Create<T> {
    /// Creates the capability for the call of this session.
    #[must_use]
    pub fn new(session: StoreSession) -> Self {
        Self { session, entity: PhantomData }
    }

    /// Creates an entity, whose version becomes 1.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Taken`], [`StoreError::TooLarge`], [`StoreError::Unavailable`],
    /// [`StoreError::Denied`], [`StoreError::Broken`].
    pub fn create(&self, mut entity: T) -> impl Future<Output = Result<T, StoreError>> + Send + use<T> {
        let done = transaction(vec![self.creating(&mut entity)]);
        async move { done.await.map(|()| entity) }
    }

    /// [`Create::create`] as a part of a [`transaction`]. The entity's version becomes 1.
    pub fn creating(&self, entity: &mut T) -> Operation {
        entity.set_version(Version(1));
        let after = Record::of(entity);
        let actions = content(entity).and_then(|(document, places)| {
            let item = entity_item(&after, document, places)?;
            action::creating(&after, item)
        });
        Operation { session: self.session.clone(), actions }
    }
}
