//! The capability to read, create, replace and delete entities of one type.

use std::str::FromStr;

use futures_util::future::BoxFuture;
use protocol::{Entity, Listing};

use crate::{Create, Delete, List, Operation, Read, StoreError, StoreSession, Update};

/// The right to do anything with entities of one type: what [`Read`], [`Create`], [`Update`] and [`Delete`] can do. A
/// procedure that does less takes one of these.
///
/// ```
/// use protocol::{Entity, Listing};
/// use onefold_store::{StoreError, Write};
///
/// /// Adds an order, unless there is one already.
/// async fn place_first<Order: Entity>(
///     orders: Write<Order>,
///     all: Listing<Order>,
///     order: Order,
/// ) -> Result<Option<Order>, StoreError> {
///     if !orders.list(&all).await?.items.is_empty() {
///         return Ok(None);
///     }
///     orders.create(order).await.map(Some)
/// }
/// ```
pub struct Write<T> {
    read: Read<T>,
    create: Create<T>,
    update: Update<T>,
    delete: Delete<T>,
}

impl<T> Clone for Write<T> {
    fn clone(&self) -> Self {
        Self {
            read: self.read.clone(),
            create: self.create.clone(),
            update: self.update.clone(),
            delete: self.delete.clone(),
        }
    }
}

/// For functions that take a narrower capability.
impl<T> AsRef<Read<T>> for Write<T> {
    fn as_ref(&self) -> &Read<T> {
        &self.read
    }
}

/// For functions that take a narrower capability.
impl<T> AsRef<Create<T>> for Write<T> {
    fn as_ref(&self) -> &Create<T> {
        &self.create
    }
}

/// For functions that take a narrower capability.
impl<T> AsRef<Update<T>> for Write<T> {
    fn as_ref(&self) -> &Update<T> {
        &self.update
    }
}

/// For functions that take a narrower capability.
impl<T> AsRef<Delete<T>> for Write<T> {
    fn as_ref(&self) -> &Delete<T> {
        &self.delete
    }
}

impl<T: Entity> Write<T> {
    /// Creates the capability for the call of this session.
    #[must_use]
    pub fn new(session: StoreSession) -> Self {
        Self {
            read: Read::new(session.clone()),
            create: Create::new(session.clone()),
            update: Update::new(session.clone()),
            delete: Delete::new(session),
        }
    }

    /// See [`Read::get`].
    ///
    /// # Errors
    /// As [`Read::get`].
    pub fn get(&self, id: &T::Id) -> impl Future<Output = Result<Option<T>, StoreError>> + Send + use<T> {
        self.read.get(id)
    }

    /// See [`Read::get_many`].
    ///
    /// # Errors
    /// As [`Read::get`].
    pub fn get_many(&self, ids: &[T::Id]) -> impl Future<Output = Result<Vec<Option<T>>, StoreError>> + Send + use<T> {
        self.read.get_many(ids)
    }

    /// See [`Read::by_ids`].
    ///
    /// # Errors
    /// As [`Read::get`].
    pub fn by_ids(&self, ids: Vec<T::Id>) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send + use<T> {
        self.read.by_ids(ids)
    }

    /// See [`Read::by_unique`].
    ///
    /// # Errors
    /// As [`Read::get`].
    pub fn by_unique(
        &self,
        rule: &'static str,
        value: &str,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send + use<T>
    where
        T::Id: FromStr,
    {
        self.read.by_unique(rule, value)
    }

    /// See [`Read::list`].
    pub fn list(&self, listing: &Listing<T>) -> List<T> {
        self.read.list(listing)
    }

    /// See [`Create::create`].
    ///
    /// # Errors
    /// As [`Create::create`].
    pub fn create(&self, entity: T) -> impl Future<Output = Result<T, StoreError>> + Send + use<T> {
        self.create.create(entity)
    }

    /// See [`Update::replace`].
    ///
    /// # Errors
    /// As [`Update::replace`].
    pub fn replace(&self, current: &T, next: T) -> impl Future<Output = Result<T, StoreError>> + Send + use<T> {
        self.update.replace(current, next)
    }

    /// See [`Delete::delete`].
    ///
    /// # Errors
    /// As [`Delete::delete`].
    pub fn delete(&self, current: &T) -> BoxFuture<'static, Result<(), StoreError>> {
        self.delete.delete(current)
    }

    /// See [`Create::creating`].
    pub fn creating(&self, entity: &mut T) -> Operation {
        self.create.creating(entity)
    }

    /// See [`Update::replacing`].
    pub fn replacing(&self, current: &T, next: &mut T) -> Operation {
        self.update.replacing(current, next)
    }

    /// See [`Delete::deleting`].
    pub fn deleting(&self, current: &T) -> Operation {
        self.delete.deleting(current)
    }
}
