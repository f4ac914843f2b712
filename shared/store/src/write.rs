//! Creating, replacing, deleting.

use std::{marker::PhantomData, str::FromStr};

use futures_util::future::BoxFuture;
use protocol::{Entity, Version};

use crate::{
    Operation, Session, StoreError, action,
    item::{Record, content, entity_item},
    read, transaction,
};

/// The right to change one entity. It can fetch as well: a change begins with what is there.
///
/// A new unique rule or tally is a migration: it holds for entities that were written since.
pub struct Write<T> {
    session: Session,
    entity: PhantomData<fn() -> T>,
}

impl<T> Clone for Write<T> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), entity: PhantomData }
    }
}

impl<T: Entity> Write<T> {
    /// For the call of this session.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self { session, entity: PhantomData }
    }

    /// Fetches one, strongly consistent. `None` when there is none or it has expired.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Denied`], [`StoreError::Broken`].
    pub fn get(&self, id: &T::Id) -> impl Future<Output = Result<Option<T>, StoreError>> + Send + use<T> {
        read::get(&self.session, id)
    }

    /// Fetches the one that has a unique value, as [`Read::by_unique`](crate::Read::by_unique).
    ///
    /// # Errors
    /// As [`Write::get`].
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

    /// Creates an entity, whose version becomes 1.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Taken`], [`StoreError::TooLarge`]; or as [`Write::get`].
    pub fn create(&self, mut entity: T) -> impl Future<Output = Result<T, StoreError>> + Send + use<T> {
        let done = transaction(vec![self.creating(&mut entity)]);
        async move { done.await.map(|()| entity) }
    }

    /// Puts `next` in the place of `current`, as long as `current` is what is stored. `next` gets the
    /// next version.
    ///
    /// # Errors
    /// [`StoreError::Stale`], [`StoreError::Taken`], [`StoreError::TooFew`], [`StoreError::TooLarge`]; or as
    /// [`Write::get`].
    pub fn replace(&self, current: &T, mut next: T) -> impl Future<Output = Result<T, StoreError>> + Send + use<T> {
        let done = transaction(vec![self.replacing(current, &mut next)]);
        async move { done.await.map(|()| next) }
    }

    /// Deletes an entity, as long as it is what is stored.
    ///
    /// # Errors
    /// [`StoreError::Stale`], [`StoreError::TooFew`]; or as [`Write::get`].
    pub fn delete(&self, current: &T) -> BoxFuture<'static, Result<(), StoreError>> {
        transaction(vec![self.deleting(current)])
    }

    /// [`Write::create`] as a part of a [`transaction`]. The entity's version becomes 1.
    pub fn creating(&self, entity: &mut T) -> Operation {
        entity.set_version(Version(1));
        let after = Record::of(entity);
        let actions = content(entity).and_then(|(document, places)| {
            let item = entity_item(&after, document, places)?;
            action::creating(&after, item)
        });
        self.operation(actions)
    }

    /// [`Write::replace`] as a part of a [`transaction`]. `next` gets the next version.
    pub fn replacing(&self, current: &T, next: &mut T) -> Operation {
        next.set_version(Version(current.version().0.saturating_add(1)));
        let (before, after) = (Record::of(current), Record::of(next));
        let actions = content(next).and_then(|(document, places)| {
            let item = entity_item(&after, document, places)?;
            action::replacing(&before, &after, item)
        });
        self.operation(actions)
    }

    /// [`Write::delete`] as a part of a [`transaction`].
    pub fn deleting(&self, current: &T) -> Operation {
        self.operation(Ok(action::deleting(&Record::of(current))))
    }

    fn operation(&self, actions: Result<Vec<action::Action>, StoreError>) -> Operation {
        Operation { session: self.session.clone(), actions }
    }
}
