//! The capability to fetch and list entities of one type.

use std::{marker::PhantomData, str::FromStr};

use protocol::{Entity, Listing};

use crate::{
    List, StoreError, StoreSession, fetch,
    item::{decode, unique_values},
    keys,
};

/// The right to fetch and list entities of one type.
///
/// ```
/// use protocol::Entity;
/// use onefold_store::{Read, StoreError};
///
/// /// Whether there is an order.
/// async fn exists<Order: Entity>(orders: Read<Order>, id: Order::Id) -> Result<bool, StoreError> {
///     Ok(orders.get(&id).await?.is_some())
/// }
/// ```
pub struct Read<T> {
    session: StoreSession,
    entity: PhantomData<fn() -> T>,
}

impl<T> Clone for Read<T> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), entity: PhantomData }
    }
}

impl<T: Entity> Read<T> {
    /// Creates the capability for the call of this session.
    #[must_use]
    pub fn new(session: StoreSession) -> Self {
        Self { session, entity: PhantomData }
    }

    /// Fetches one entity by id, strongly consistent. `None` when it does not exist or has expired.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Denied`], [`StoreError::Broken`].
    pub fn get(&self, id: &T::Id) -> impl Future<Output = Result<Option<T>, StoreError>> + Send + use<T> {
        get(&self.session, id)
    }

    /// Fetches many entities by id, each strongly consistent, in the order of the ids. An id may occur twice.
    ///
    /// # Errors
    /// As [`Read::get`].
    pub fn get_many(&self, ids: &[T::Id]) -> impl Future<Output = Result<Vec<Option<T>>, StoreError>> + Send + use<T> {
        let keys = ids.iter().map(|id| keys::entity(T::PREFIX, &id.to_string())).collect();
        let found = fetch::get_many(self.session.clone(), keys);
        async move { found.await?.into_iter().map(|document| document.map(decode).transpose()).collect() }
    }

    /// Fetches the existing entities among these ids, each once, in the order of their first mention. Strongly
    /// consistent.
    ///
    /// # Errors
    /// As [`Read::get`].
    pub fn by_ids(&self, ids: Vec<T::Id>) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send + use<T> {
        let mut once = Vec::with_capacity(ids.len());
        for id in ids {
            if !once.contains(&id) {
                once.push(id);
            }
        }
        let found = self.get_many(&once);
        async move { Ok(found.await?.into_iter().flatten().collect()) }
    }

    /// Fetches the entity that has a unique value, strongly consistent. `value` must be in its compared form.
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
        by_unique(self.session.clone(), rule, value.to_owned())
    }

    /// Begins a list in the order of one of the entity's indexes.
    pub fn list(&self, listing: &Listing<T>) -> List<T> {
        List::new(self.session.clone(), listing)
    }
}

/// Fetches the entity that has a unique value, for [`Read`] and for [`Update`](crate::Update).
pub(crate) async fn by_unique<T: Entity>(
    session: StoreSession,
    rule: &'static str,
    value: String,
) -> Result<Option<T>, StoreError>
where
    T::Id: FromStr,
{
    let Some(owner) = fetch::owner(session.clone(), keys::guard(T::PREFIX, rule, &value)).await? else {
        return Ok(None);
    };
    let id = owner.parse().map_err(|_| StoreError::broken(format!("a guard of {} names no id", T::NAME)))?;
    // The value may have passed to another entity between the two reads.
    let has = |entity: &T| unique_values(entity).any(|unique| unique.name == rule && unique.value == value);
    Ok(get::<T>(&session, &id).await?.filter(has))
}

/// Fetches one entity, for [`Read`], [`Update`](crate::Update) and [`Delete`](crate::Delete).
pub(crate) fn get<T: Entity>(
    session: &StoreSession,
    id: &T::Id,
) -> impl Future<Output = Result<Option<T>, StoreError>> + Send + use<T> {
    let found = fetch::get(session.clone(), keys::entity(T::PREFIX, &id.to_string()));
    async move { found.await?.map(decode).transpose() }
}
