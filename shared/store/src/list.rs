//! Lists, read page by page.

use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt as _};
use protocol::{Cursor, Entity, Listing, Page, PageSize, SortKey};

use crate::{
    StoreError, StoreSession,
    item::decode,
    shards::{Plan, fill},
};

type Keep<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;

/// A list that is about to be read. Awaiting it reads one page.
///
/// ```ignore
/// orders.list(&Order::BY_WEIGHT).from(SortKey::number(18)).page(input.limit, input.cursor.as_ref()).await?
/// ```
///
/// It is read from a secondary index, which follows the entities within a fraction of a second.
#[must_use = "a list is read when it is awaited"]
pub struct List<T> {
    session: StoreSession,
    plan: Plan,
    keep: Option<Keep<T>>,
}

impl<T: Entity> List<T> {
    pub(crate) fn new(session: StoreSession, listing: &Listing<T>) -> Self {
        let index = listing.index();
        let plan = Plan {
            prefix: T::PREFIX,
            index: index.name,
            slot: listing.slot(),
            shards: index.shards,
            list: String::new(),
            from: None,
            to: None,
            descending: false,
            size: page_size(PageSize::default()),
            cursor: None,
        };
        Self { session, plan, keep: None }
    }

    /// Chooses one list of an index that holds many: the `list` of its entries.
    pub fn of(mut self, list: impl Into<String>) -> Self {
        self.plan.list = list.into();
        self
    }

    /// Leaves out entries that sort before this value.
    pub fn from(mut self, from: SortKey) -> Self {
        self.plan.from = Some(from);
        self
    }

    /// Leaves out entries that sort after this value.
    pub fn to(mut self, to: SortKey) -> Self {
        self.plan.to = Some(to);
        self
    }

    /// Reads the list in descending order.
    pub fn descending(mut self) -> Self {
        self.plan.descending = true;
        self
    }

    /// Sets the number of entries of the page, and where it begins. Without a cursor it is the first page.
    pub fn page(mut self, size: PageSize, cursor: Option<&Cursor>) -> Self {
        self.plan.size = page_size(size);
        self.plan.cursor = cursor.cloned();
        self
    }

    /// Leaves out the entities for which `keep` is false. They are read and paid for, up to
    /// [`StoreLimits::max_examined`](crate::StoreLimits::max_examined) for one page; after that the page is short and
    /// has a cursor.
    pub fn keep(mut self, keep: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.keep = Some(Box::new(keep));
        self
    }
}

/// The size within the limits of a page, whatever the caller has validated.
fn page_size(size: PageSize) -> usize {
    usize::try_from(size.0.clamp(1, PageSize::MAX)).unwrap_or(1)
}

impl<T: Entity> IntoFuture for List<T> {
    type Output = Result<Page<T>, StoreError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { session, plan, keep } = self;
        async move {
            let size = plan.size;
            let mut items = Vec::with_capacity(size + 1);
            let mut offer = |document| {
                let entity: T = decode(document)?;
                let kept = keep.as_ref().is_none_or(|keep| keep(&entity));
                if kept {
                    items.push(entity);
                }
                Ok(kept)
            };
            let next = fill(&session, plan, &mut offer).await?;
            // The last item may have been read only to learn whether the list goes on.
            items.truncate(size);
            Ok(Page { items, next })
        }
        .boxed()
    }
}
