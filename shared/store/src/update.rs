//! The capability to replace entities of one type.

use std::{marker::PhantomData, str::FromStr};

use protocol::{Entity, Version};

use crate::{
    Operation, StoreError, StoreSession, action,
    item::{Record, content, entity_item},
    read, transaction,
};

/// The right to replace entities of one type. It can fetch as well: a change begins with the current state.
///
/// ```
/// use protocol::Entity;
/// use onefold_store::{StoreError, Update};
///
/// /// Changes an order, if there is one.
/// async fn change<Order: Entity>(
///     orders: Update<Order>,
///     id: Order::Id,
///     change: impl FnOnce(&mut Order),
/// ) -> Result<Option<Order>, StoreError> {
///     let Some(current) = orders.get(&id).await? else { return Ok(None) };
///     let mut next = current.clone();
///     change(&mut next);
///     orders.replace(&current, next).await.map(Some)
/// }
/// ```
pub struct Update<T> {
    session: StoreSession,
    entity: PhantomData<fn() -> T>,
}

impl<T> Clone for Update<T> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), entity: PhantomData }
    }
}

impl<T: Entity> Update<T> {
    /// Creates the capability for the call of this session.
    #[must_use]
    pub fn new(session: StoreSession) -> Self {
        Self { session, entity: PhantomData }
    }

    /// Fetches one entity, as [`Read::get`](crate::Read::get).
    ///
    /// # Errors
    /// As [`Read::get`](crate::Read::get).
    pub fn get(&self, id: &T::Id) -> impl Future<Output = Result<Option<T>, StoreError>> + Send + use<T> {
        read::get(&self.session, id)
    }

    /// Fetches the entity that has a unique value, as [`Read::by_unique`](crate::Read::by_unique).
    ///
    /// # Errors
    /// As [`Read::get`](crate::Read::get).
    pub fn by_unique(
        &self,
        rule: &'static str,
        value: &str,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send + use<T>
    where
        T::Id: FromStr,
    {
        read::by_unique(self.session.clone(), rule, value.to_owned())
    }

    /// Replaces `current` by `next` if the stored version is that of `current`. The version of `next` becomes the
    /// next one.
    ///
    /// # Errors
    /// [`StoreError::Stale`], [`StoreError::Taken`], [`StoreError::TooFew`], [`StoreError::TooLarge`]; or as
    /// [`Read::get`](crate::Read::get).
    pub fn replace(&self, current: &T, mut next: T) -> impl Future<Output = Result<T, StoreError>> + Send + use<T> {
        let done = transaction(vec![self.replacing(current, &mut next)]);
        async move { done.await.map(|()| next) }
    }

    /// [`Update::replace`] as a part of a [`transaction`]. `next` gets the next version.
    pub fn replacing(&self, current: &T, next: &mut T) -> Operation {
        next.set_version(Version(current.version().0.saturating_add(1)));
        let (before, after) = (Record::of(current), Record::of(next));
        let actions = content(next).and_then(|(document, places)| {
            let item = entity_item(&after, document, places)?;
            action::replacing(&before, &after, item)
        });
        Operation { session: self.session.clone(), actions }
    }
}
