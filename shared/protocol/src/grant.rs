//! Grants: the rights of a procedure to stored entities, and its other needs.

use std::any::TypeId;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    ConfigNeed, Entity,
    entity::{INDEX_NAMES, expect_valid},
};

/// The right to entities of one type, as a capability in a procedure's signature gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// The entity's name, such as `User`.
    pub entity: &'static str,
    /// The prefix of the entity's partition keys, before a `#`.
    pub prefix: &'static str,
    /// The type stored under the prefix: no other type may use it.
    pub kept: TypeId,
    /// The kind of access.
    pub access: Access,
    /// The procedure that fetches many entities by id.
    pub loader: Option<&'static str>,
    /// Whether the entity has unique values.
    pub has_unique: bool,
    /// Whether the entity belongs to counted groups.
    pub has_tallies: bool,
    /// The table's indexes that the right reaches: those in which the entity has entries.
    pub indexes: &'static [&'static str],
}

impl Grant {
    /// The right to an entity: the least rights for this access, given the entity's unique values and tallies.
    ///
    /// # Panics
    /// When the entity's prefix or indexes are invalid, such as more indexes than the table has; in a constant, this
    /// does not compile.
    #[must_use]
    pub const fn of<T: Entity>(access: Access) -> Self {
        expect_valid::<T>();
        let (own, _) = INDEX_NAMES.split_at(T::INDEXES.len());
        Self {
            entity: T::NAME,
            prefix: T::PREFIX,
            kept: TypeId::of::<T>(),
            access,
            loader: T::LOADER,
            has_unique: !T::UNIQUE.is_empty(),
            has_tallies: !T::TALLIES.is_empty(),
            indexes: if access.lists() { own } else { &[] },
        }
    }

    /// The right to counters under a prefix of their own. `kept` is a type that stands for them, since they have no
    /// entity.
    #[must_use]
    pub const fn of_counts(entity: &'static str, prefix: &'static str, kept: TypeId) -> Self {
        let access = Access::Count;
        Self { entity, prefix, kept, access, loader: None, has_unique: false, has_tallies: false, indexes: &[] }
    }

    /// The IAM actions on the table. With [`Grant::index_actions`], this is the only list of a right's actions: the
    /// template, the local guard and the contract take it from here. It holds exactly the actions that the store
    /// sends.
    #[must_use]
    pub const fn table_actions(&self) -> &'static [&'static str] {
        table_actions(self.access, self.has_unique, self.has_tallies)
    }

    /// The IAM actions on the indexes. Lists are read from indexes, never from the table.
    #[must_use]
    pub const fn index_actions(&self) -> &'static [&'static str] {
        if self.indexes.is_empty() { &[] } else { &["dynamodb:Query"] }
    }

    /// Whether an entity can be fetched by its id.
    #[must_use]
    pub fn gets(&self) -> bool {
        self.table_actions().contains(&GET)
    }
}

/// The needs of a procedure: rights, secrets, configurations, outbound calls and mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Rights to stored entities.
    pub grants: Vec<Grant>,
    /// The names of its secrets.
    pub secrets: Vec<&'static str>,
    /// Its configurations.
    pub configs: Vec<ConfigNeed>,
    /// Descriptions of the systems that it calls outside of the service.
    pub outbound: Vec<&'static str>,
    /// Whether it sends mail.
    pub mail: bool,
}

/// What may be done to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// Fetch and list: what `Read<T>` can do.
    Read,
    /// Fetch and list, create, replace, delete: what `Write<T>` can do.
    Write,
    /// Fetch one by id: what knowing a caller by a session takes.
    Get,
    /// Create, and neither look at it again nor change it: what `Create<T>` can do.
    Create,
    /// Fetch one, and replace it: what `Update<T>` can do.
    Update,
    /// Fetch one, and delete it: what `Delete<T>` can do.
    Delete,
    /// Count up: what `Limits` can do.
    Count,
}

impl Access {
    /// Whether the access changes nothing.
    pub const fn reads_only(self) -> bool {
        matches!(self, Self::Read | Self::Get)
    }

    /// Whether the access includes lists.
    pub const fn lists(self) -> bool {
        matches!(self, Self::Read | Self::Write)
    }
}

const BATCH_GET: &str = "dynamodb:BatchGetItem";
const DELETE: &str = "dynamodb:DeleteItem";
const GET: &str = "dynamodb:GetItem";
const PUT: &str = "dynamodb:PutItem";
const UPDATE: &str = "dynamodb:UpdateItem";

/// The IAM actions on the table, in alphabetical order. A transaction needs those of its parts.
///
/// A unique value is an item of its own: it is put together with its entity, and deleted when it is released, by a
/// replacement as well. A tally is an item that is incremented and decremented.
const fn table_actions(access: Access, has_unique: bool, has_tallies: bool) -> &'static [&'static str] {
    match (access, has_unique, has_tallies) {
        (Access::Read, _, _) => &[BATCH_GET, GET],
        (Access::Get, _, _) => &[GET],
        (Access::Create, _, false) => &[PUT],
        (Access::Create, _, true) => &[PUT, UPDATE],
        (Access::Update, false, false) => &[GET, PUT],
        (Access::Update, false, true) => &[GET, PUT, UPDATE],
        (Access::Update, true, false) => &[DELETE, GET, PUT],
        (Access::Update, true, true) => &[DELETE, GET, PUT, UPDATE],
        (Access::Delete, _, false) => &[DELETE, GET],
        (Access::Delete, _, true) => &[DELETE, GET, UPDATE],
        (Access::Write, _, false) => &[BATCH_GET, DELETE, GET, PUT],
        (Access::Write, _, true) => &[BATCH_GET, DELETE, GET, PUT, UPDATE],
        (Access::Count, _, _) => &[UPDATE],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_less_than_writing_takes_no_action_that_writing_does_not() {
        let less = [Access::Read, Access::Get, Access::Create, Access::Update, Access::Delete];
        for (has_unique, has_tallies) in [(false, false), (false, true), (true, false), (true, true)] {
            let of = |access| table_actions(access, has_unique, has_tallies);
            let mut sum: Vec<_> = less.into_iter().flat_map(of).copied().collect();
            sum.sort_unstable();
            sum.dedup();
            assert_eq!(of(Access::Write), sum, "unique values: {has_unique}, tallies: {has_tallies}");
        }
    }
}
