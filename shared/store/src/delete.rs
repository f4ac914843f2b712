//! The capability to delete entities of one type.

use std::marker::PhantomData;

use futures_util::future::BoxFuture;
use protocol::Entity;

use crate::{Operation, StoreError, StoreSession, action, item::Record, read, transaction};

/// The right to delete entities of one type. It can fetch as well: a delete begins with the current state.
///
/// ```
/// use protocol::Entity;
/// use onefold_store::{Delete, StoreError};
///
/// /// Deletes an order, if there is one, and says whether there was.
/// async fn cancel<Order: Entity>(orders: Delete<Order>, id: Order::Id) -> Result<bool, StoreError> {
///     let Some(current) = orders.get(&id).await? else { return Ok(false) };
///     orders.delete(&current).await.map(|()| true)
/// }
/// ```
pub struct Delete<T> {
    session: StoreSession,
    entity: PhantomData<fn() -> T>,
}

impl<T> Clone for Delete<T> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), entity: PhantomData }
    }
}

impl<T: Entity> Delete<T> {
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

    /// Deletes an entity if the stored version is that of `current`.
    ///
    /// # Errors
    /// [`StoreError::Stale`], [`StoreError::TooFew`]; or as [`Read::get`](crate::Read::get).
    pub fn delete(&self, current: &T) -> BoxFuture<'static, Result<(), StoreError>> {
        transaction(vec![self.deleting(current)])
    }

    /// [`Delete::delete`] as a part of a [`transaction`].
    pub fn deleting(&self, current: &T) -> Operation {
        Operation { session: self.session.clone(), actions: Ok(action::deleting(&Record::of(current))) }
    }
}
